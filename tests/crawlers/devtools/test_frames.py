"""Messages come whole, in their order, and to whom they belong, however they were cut on their way."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crawlers.devtools.frames import Frames, TooLong, session_of

SESSION = b"0123456789ABCDEF0123456789ABCDEF"


@given(some.lists(some.binary(min_size=1).map(lambda each: each.replace(b"\0", b"."))), some.lists(some.integers(1, 9)))
def test_messages_are_put_together_however_they_were_cut(said: list[bytes], cuts: list[int]) -> None:
    stream, frames = b"".join(each + b"\0" for each in said), Frames()
    found: list[bytes] = []
    for size in cuts:
        found += frames.cut(stream[:size])
        stream = stream[size:]
    assert [*found, *frames.cut(stream)] == said


def test_a_message_that_does_not_end_is_not_kept_for_ever() -> None:
    frames = Frames(limit=10)
    assert [*frames.cut(b"0123456789\0" + b"0123456789")] == [b"0123456789"]
    with pytest.raises(TooLong, match="more than 10 bytes"):
        [*frames.cut(b"0")]


def test_it_is_of_the_session_that_the_browser_names_at_its_end() -> None:
    assert session_of(b'{"id":1,"result":{},"sessionId":"' + SESSION + b'"}') == SESSION


@pytest.mark.parametrize(
    "said",
    [
        b'{"id":1,"result":{"sessionId":"' + SESSION + b'"}}',
        b'{"method":"Target.detachedFromTarget","params":{"sessionId":"' + SESSION + b'"}}',
        b'{"method":"A.b","params":{"text":"\\"sessionId\\":\\"' + SESSION + b'\\"}"}}',
        b'{"id":1}',
        b"",
    ],
)
def test_what_a_message_says_of_a_session_does_not_make_it_one_of_it(said: bytes) -> None:
    assert session_of(said) == b""
