"""What reading from S3 costs: whole objects in one piece, and times that nobody has to guess."""

import io

import pytest
from botocore.utils import parse_timestamp

from archive.patience import Patience
from archive.s3.client import _moment
from archive.s3.stream import VersionStream


class Body(io.BytesIO):
    """An answer's body that counts how often it is asked, and may give less than was asked for."""

    def __init__(self, data: bytes, piece: int) -> None:
        super().__init__(data)
        self.asked = 0
        self.piece = piece

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        self.asked += 1
        return super().readinto(memoryview(buffer)[: self.piece])


@pytest.mark.parametrize(("piece", "asked"), [(1 << 20, 1), (100_000, 5)])
def test_a_whole_object_is_read_in_as_many_pieces_as_come(piece: int, asked: int) -> None:
    data = bytes(range(250)) * 1800
    body = Body(data, piece)
    stream = io.BufferedReader(
        VersionStream(body, len(data), again=lambda _: body, patience=lambda: Patience(0), what="it"), 1 << 20
    )
    assert stream.read() == data
    assert body.asked == asked


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 30 Nov 2026 18:41:59 GMT",
        "2026-11-30T18:41:59Z",
        "2026-11-30T18:41:59.123Z",
        "2026-11-30T18:41:59+02:00",
        "20261130T184159Z",
        "30 November 2026 18:41:59 GMT",
        "1234567",
        1234567.5,
    ],
)
def test_a_time_is_what_botocore_would_make_of_it(text: str | float) -> None:
    assert _moment(text) == parse_timestamp(text)  # type: ignore[arg-type]  # the stubs know texts only


def test_what_is_no_time_is_refused_as_botocore_refuses_it() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        _moment("yesterday")
