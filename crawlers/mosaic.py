"""The tiles of a very tall page, one under another as one picture: the same pixels, in constant memory."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crawlers.recording.desk import File

MAX_PX = 200_000_000
"""Width times height: more than the tiles of one page can have, so that no limit of the camera's is hidden by it."""
MAX_SIDE_PX = 2**31 - 1  # PNG (third edition) §11.2.1
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIECE = 1 << 20
_HEAD = struct.Struct(">IIBBBBB")
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Colour type -> samples a pixel; a palette (3) is not taken, since each tile could have its own."""
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)  # PNG §9.2
_LOOKS = (b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"pHYs")
"""Chunks that change how the same samples look."""


class NotComposedError(Exception):
    """One picture could not be made of these; the message says why, in words for the record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What a PNG says before its first pixel."""

    width: int
    height: int
    depth: int
    colour: int
    looks: tuple[bytes, ...]
    """Whole chunks."""

    @property
    def pixel_bytes(self) -> int:
        return _CHANNELS[self.colour] * self.depth // 8

    @property
    def row_bytes(self) -> int:
        """One row as it is filtered: its filter's number, and its samples."""
        return 1 + self.width * self.pixel_bytes


def compose(tiles: Sequence[Path], file: File, *, is_late: Callable[[], bool]) -> tuple[int, int]:
    """Write the PNG of them all; its width and height. Raises NotComposedError; DiskError as the file does.

    A filtered row depends on nothing but the row above it (PNG §9.2): the rows of a tile stay as they are filtered, but
    for the first one, above which there was nothing and now is the tile before.
    """
    heads = [head(tile) for tile in tiles]
    first, width, height = heads[0], heads[0].width, sum(each.height for each in heads)
    kinds = {(each.width, each.depth, each.colour, each.looks) for each in heads}
    if len(kinds) > 1:
        raise NotComposedError("the tiles differ in width or form")
    if width * height > MAX_PX or height > MAX_SIDE_PX:
        raise NotComposedError(f"{width} x {height} px is more than the {MAX_PX} px of one picture")
    file.write(_SIGNATURE + _chunk(b"IHDR", _HEAD.pack(width, height, first.depth, first.colour, 0, 0, 0)))
    for looks in first.looks:
        file.write(looks)
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    for n, (tile, form) in enumerate(zip(tiles, heads, strict=True)):
        for piece in _rows(tile, form, alone=n == 0):
            if is_late():
                raise NotComposedError("there was no time left for it")
            if packed := packer.compress(piece):
                file.write(_chunk(b"IDAT", packed))
    file.write(_chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b""))
    return width, height


def head(path: Path) -> Head:
    """Raises NotComposedError where the file is no PNG of a kind that is taken."""
    with path.open("rb") as stream:
        if stream.read(len(_SIGNATURE)) != _SIGNATURE:
            raise NotComposedError("a tile is no PNG")
        looks, fields = [], None
        for kind, data, whole in _chunks(stream):
            if kind == b"IHDR" and len(data) == _HEAD.size:
                fields = _HEAD.unpack(data)
            elif kind in _LOOKS:
                looks.append(whole)
            elif kind == b"IDAT":
                break
    if fields is None:
        raise NotComposedError("a tile has no head")
    width, height, depth, colour, _, _, interlace = fields
    if depth not in {8, 16} or colour not in _CHANNELS or interlace or not width or not height:
        raise NotComposedError("a tile is a PNG of a kind that is not composed")
    return Head(width=width, height=height, depth=depth, colour=colour, looks=tuple(looks))


def _rows(path: Path, form: Head, *, alone: bool) -> Iterator[bytes]:
    """The filtered rows in pieces; ``alone``: there is no picture above."""
    expected, came = form.height * form.row_bytes, 0
    held = b"" if not alone else None
    for piece in _unpacked(path, expected):
        came += len(piece)
        if held is None:
            yield piece
            continue
        held += piece
        if len(held) >= form.row_bytes:
            yield _first_row(held[: form.row_bytes], form.pixel_bytes)
            yield held[form.row_bytes :]
            held = None
    if came != expected:
        raise NotComposedError("a tile is not whole")


def _unpacked(path: Path, limit: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    try:
        with path.open("rb") as stream:
            stream.read(len(_SIGNATURE))
            for kind, data, _ in _chunks(stream):
                rest = data if kind == b"IDAT" else b""
                while rest:
                    piece = unpacker.decompress(rest, _PIECE)
                    rest, limit = unpacker.unconsumed_tail, limit - len(piece)
                    if limit < 0:
                        raise NotComposedError("a tile holds more than it says")
                    yield piece
            yield unpacker.flush()
    except zlib.error as error:
        raise NotComposedError("a tile cannot be unpacked") from error


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, data, and the whole of each."""
    while len(front := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", front)
        data, check = stream.read(length), stream.read(4)
        if len(data) != length or struct.pack(">I", zlib.crc32(kind + data)) != check:
            raise NotComposedError("a tile is damaged")
        yield kind, data, front + data + check


def _first_row(row: bytes, pixel: int) -> bytes:
    """The same pixels, filtered so that the row above does not matter. There was none: it counted as zeros."""
    kind, data = row[0], row[1:]
    if kind in {_NONE, _SUB}:
        return row
    if kind == _UP:  # what is above is added: zero
        return bytes([_NONE]) + data
    if kind == _PAETH:  # of left, nothing and nothing the left one is chosen
        return bytes([_SUB]) + data
    if kind != _AVERAGE:
        raise NotComposedError("a tile has a row of no known filter")
    samples = bytearray(data)
    for at in range(pixel, len(samples)):
        samples[at] = samples[at] + samples[at - pixel] // 2 & 0xFF
    return bytes([_NONE]) + bytes(samples)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
