"""A TrueType font of blocks, about 90 KB: small tables by hand (OpenType 1.9), for a browser checks each of them."""

import random
import struct

NAME = "Bench Blocks"
_EM, _ASCENT, _DESCENT = 1000, 1300, -200
_CELL = 150
_PRIVATE = 0xE000
_LATIN = range(0x20, 0x7F)
_MORE = 55
"""Glyphs of the private use area, which make up the weight of a real font."""


def truetype() -> bytes:
    """The same bytes each time."""
    draw = random.Random(NAME)  # noqa: S311  # shapes
    glyphs = [b""] + [_glyph(draw) for _ in range(len(_LATIN) + _MORE)]
    count = len(glyphs)
    offsets = [0]
    for each in glyphs:
        offsets.append(offsets[-1] + len(each))
    tables = {
        b"OS/2": _os2(),
        b"cmap": _cmap(),
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _EM, 0, 0,
                             0, 0, _EM, _ASCENT, 0, 8, 2, 1, 0),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, _ASCENT, _DESCENT, 0, _EM, 0, 0, _EM,
                             1, 0, 0, 0, 0, 0, 0, 0, count),
        b"hmtx": struct.pack(">Hh", _EM, 0) * count,
        b"loca": struct.pack(f">{count + 1}I", *offsets),
        b"maxp": struct.pack(">I14H", 0x10000, count, 400, 100, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
        b"name": _name(),
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, -100, 50, 0, 0, 0, 0, 0),
    }  # fmt: skip
    return _file(tables)


def _glyph(draw: random.Random) -> bytes:
    """Some of 7 x 7 squares; each is a contour of four points."""
    cells = [(x * _CELL, y * _CELL) for x in range(7) for y in range(7) if draw.random() < 0.55] or [(0, 0)]
    side = _CELL - 10
    points = [point for x, y in cells for point in ((x, y), (x, y + side), (x + side, y + side), (x + side, y))]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    ends = struct.pack(f">{len(cells)}H", *range(3, len(points), 4))
    deltas = b"".join(
        struct.pack(f">{len(side)}h", *(now - before for before, now in zip([0, *side], side, strict=False)))
        for side in (xs, ys)
    )
    head = struct.pack(">hhhhh", len(cells), min(xs), min(ys), max(xs), max(ys))
    data = head + ends + struct.pack(">H", 0) + bytes([1]) * len(points) + deltas
    return data + bytes(-len(data) % 4)


def _cmap() -> bytes:
    """Format 4: Latin letters, the private ones, and the segment that ends it."""
    segments = [
        (_LATIN[0], _LATIN[-1], 1 - _LATIN[0]),
        (_PRIVATE, _PRIVATE + _MORE - 1, 1 + len(_LATIN) - _PRIVATE),
        (0xFFFF, 0xFFFF, 1),
    ]
    count = len(segments)
    ends = struct.pack(f">{count}HH", *(end for _, end, _ in segments), 0)
    starts = struct.pack(f">{count}H", *(start for start, _, _ in segments))
    deltas = struct.pack(f">{count}H", *(delta % 0x10000 for _, _, delta in segments))
    rest = ends + starts + deltas + bytes(2 * count)
    table = struct.pack(">7H", 4, 14 + len(rest), 0, count * 2, 4, 1, count * 2 - 4) + rest
    return struct.pack(">HHHHI", 0, 1, 3, 1, 12) + table


def _name() -> bytes:
    said = NAME.encode("utf-16-be")
    ids = range(1, 7)
    records = b"".join(struct.pack(">6H", 3, 1, 0x409, each, len(said), 0) for each in ids)
    return struct.pack(">3H", 0, len(ids), 6 + len(records)) + records + said


def _os2() -> bytes:
    sizes = (4, 1000, 400, 5, 0, 650, 600, 0, 75, 650, 600, 0, 350, 50, 300, 0)
    rest = (0x40, 0x20, 0xE0FF, _ASCENT, _DESCENT, 0, _ASCENT, -_DESCENT, 1, 0, 500, 700, 0, 32, 2)
    return struct.pack(">HhHHH11h10s4I4sHHHhhhHHIIhhHHH", *sizes, bytes(10), 1, 0, 0, 0, b"CPBB", *rest)


def _file(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">I4H", 0x10000, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    records, data = b"", b""
    begin = len(head) + 16 * count
    for tag in sorted(tables):
        table = tables[tag]
        padded = table + bytes(-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) % (1 << 32)
        records += tag + struct.pack(">III", total, begin + len(data), len(table))
        data += padded
    return head + records + data
