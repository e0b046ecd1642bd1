import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.digest import Digest
from custody.errors import FormatError

# FIPS 180-4 examples, as NIST publishes them ("SHA256.pdf", one-block and two-block message)
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
TWO_BLOCKS = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"


def test_agrees_with_the_published_examples() -> None:
    assert Digest.of(b"abc").hex == ABC
    assert Digest.of(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex == TWO_BLOCKS


@given(st.binary())
def test_reads_what_it_writes(data: bytes) -> None:
    digest = Digest.of(data)
    assert Digest.parse(str(digest)) == digest
    assert Digest(digest.raw.hex()) == digest


@given(st.binary(max_size=5_000))
def test_of_a_stream_is_of_its_bytes(data: bytes) -> None:
    assert Digest.of_stream(io.BytesIO(data)) == (Digest.of(data), len(data))


def test_of_a_stream_begins_where_the_stream_stands() -> None:
    stream = io.BytesIO(b"headabc")
    stream.seek(4)
    assert Digest.of_stream(stream) == (Digest(ABC), 3)


def test_a_stream_longer_than_the_buffer() -> None:
    data = bytes(range(256)) * 10_000
    assert Digest.of_stream(io.BytesIO(data))[0].hex == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "text", ["", ABC[:-1], ABC + "0", ABC.upper(), ABC[:-1] + "g", f" {ABC[1:]}", f"{ABC[:-1]}\n", "०" * 64]
)
def test_only_64_lower_case_hex_digits(text: str) -> None:
    with pytest.raises(FormatError, match="64 lower-case hex digits"):
        Digest(text)


@pytest.mark.parametrize("text", ["", ABC, f"sha512:{ABC}", f"SHA256:{ABC}", f"sha256={ABC}"])
def test_parse_wants_the_algorithm(text: str) -> None:
    with pytest.raises(FormatError, match="expected sha256"):
        Digest.parse(text)


def test_order_is_that_of_the_hex() -> None:
    assert sorted([Digest("f" * 64), Digest("0" * 64)]) == [Digest("0" * 64), Digest("f" * 64)]
