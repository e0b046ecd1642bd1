"""One picture of many tiles: the same pixels, whatever the tiles' filters; what cannot be composed is refused."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from crawlers import mosaic
from crawlers.mosaic import NotComposedError, compose, head


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered(rows: Sequence[bytes], filters: Sequence[int], pixel: int) -> bytes:
    """As an encoder does it that chooses these filters: PNG (third edition) §9.2, written out plainly."""
    out, above = bytearray(), bytes(len(rows[0]))
    for row, kind in zip(rows, filters, strict=True):
        out.append(kind)
        for at, value in enumerate(row):
            left, up = (row[at - pixel] if at >= pixel else 0), above[at]
            corner = above[at - pixel] if at >= pixel else 0
            p = left + up - corner
            nearest = min((left, up, corner), key=lambda each: abs(p - each))
            out.append((value - (0, left, up, (left + up) // 2, nearest)[kind]) % 256)
        above = row
    return bytes(out)


def png(
    rows: Sequence[bytes], filters: Sequence[int], *, alpha: bool, extra: bytes = b"", split: int = 1 << 20
) -> bytes:
    pixel = 4 if alpha else 3
    fields = struct.pack(">IIBBBBB", len(rows[0]) // pixel, len(rows), 8, 6 if alpha else 2, 0, 0, 0)
    packed = zlib.compress(filtered(rows, filters, pixel))
    parts = b"".join(chunk(b"IDAT", packed[at : at + split]) for at in range(0, len(packed), split))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", fields) + extra + parts + chunk(b"IEND", b"")


def composed(folder: Path, *pictures: bytes) -> bytes:
    tiles = []
    for n, data in enumerate(pictures):
        tiles.append(folder / f"{n}.png")
        tiles[-1].write_bytes(data)
    made = io.BytesIO()
    compose(tiles, made, is_late=lambda: False)
    return made.getvalue()


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.tobytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), alpha=st.booleans(), width=st.integers(1, 9), split=st.sampled_from([1, 7, 1 << 20]))
def test_its_pixels_are_those_of_the_tiles_one_under_another(
    tmp_path: Path, data: st.DataObject, alpha: bool, width: int, split: int
) -> None:
    length = width * (4 if alpha else 3)
    tiles, wanted = [], b""
    for height in data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=4)):
        rows = data.draw(st.lists(st.binary(min_size=length, max_size=length), min_size=height, max_size=height))
        filters = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
        tiles.append(png(rows, filters, alpha=alpha, split=split))
        wanted += b"".join(rows)
    assert b"".join(pixels(each) for each in tiles) == wanted, "the tiles of this test are what they should be"
    assert pixels(composed(tmp_path, *tiles)) == wanted


GREY = [bytes([90] * 12)] * 3
PLAIN = png(GREY, [0, 0, 0], alpha=False)
SRGB = chunk(b"sRGB", b"\0")


def test_what_says_how_colours_look_is_kept(tmp_path: Path) -> None:
    marked = png(GREY, [1, 2, 3], alpha=False, extra=SRGB)
    assert SRGB in composed(tmp_path, marked, marked)
    with pytest.raises(NotComposedError, match="differ"):
        composed(tmp_path, marked, PLAIN)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (png([bytes(9)], [0], alpha=False), "differ in width"),
        (png(GREY, [0, 0, 0], alpha=True), "differ in width or form"),
        (b"GIF89a" + PLAIN, "no PNG"),
        (PLAIN[:50], "damaged"),
        (PLAIN.replace(struct.pack(">II", 4, 3), struct.pack(">II", 4, 9)), "damaged"),
        (b"".join((PLAIN[:8], chunk(b"IEND", b""))), "no head"),
        (b"".join((PLAIN[:33], chunk(b"IDAT", b"not packed"))), "cannot be unpacked"),
        (b"".join((PLAIN[:33], chunk(b"IDAT", zlib.compress(bytes(13))))), "not whole"),
        (b"".join((PLAIN[:33], chunk(b"IDAT", zlib.compress(bytes(1 << 22))))), "more than it says"),
        (b"".join((PLAIN[:33], chunk(b"IDAT", zlib.compress(bytes([7] * 39))))), "no known filter"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused_in_words(tmp_path: Path, other: bytes, says: str) -> None:
    with pytest.raises(NotComposedError, match=says):
        composed(tmp_path, PLAIN, other)


def test_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaic, "MAX_PX", 23)
    with pytest.raises(NotComposedError, match="4 x 6 px is more than the 23 px"):
        composed(tmp_path, PLAIN, PLAIN)
    monkeypatch.undo()
    with pytest.raises(NotComposedError, match="no time left"):
        compose([tmp_path / "0.png", tmp_path / "1.png"], io.BytesIO(), is_late=lambda: True)


def test_it_holds_little_of_it_in_memory(tmp_path: Path) -> None:
    """A tile of 48 MB of pixels that packs to almost nothing."""
    width, height = 2000, 8000
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes([2]) + bytes(width * 3)) for _ in range(height)) + packer.flush()
    fields = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    tile = tmp_path / "tile.png"
    tile.write_bytes(PLAIN[:8] + chunk(b"IHDR", fields) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    assert head(tile).height == height
    with (tmp_path / "whole.png").open("wb") as file:
        tracemalloc.start()
        try:
            assert compose([tile, tile], file, is_late=lambda: False) == (width, 2 * height)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()
