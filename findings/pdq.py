"""PDQ: a picture's brightness in; 256 bits out that hardly change when it is packed anew, and how telling they are.

After its authors' description (Facebook, 2019: hashing/hashing.pdf of facebook/ThreatExchange), and bit for bit what
their C++ makes of the vectors in the tests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from operator import mul

BITS = 256
SCALED_SIDE = 512
"""Pixels: as long the reference makes a longer side before it begins."""
LEAST_SIDE = 5
"""Pixels: of less the reference makes nothing."""
_GRID = 64
_WAVES = 16

Grid = list[list[float]]


@dataclass(frozen=True, slots=True)
class Hash:
    """What the brightness comes to."""

    bits: int
    """Each says whether one of the 256 slowest waves is stronger than the middle one; the reference's order."""
    quality: int
    """0 to 100: how much changes from place to place; a rule that the authors found by trying."""


def hash_of(luma: bytes, width: int, height: int) -> Hash:
    """``luma``: a byte a pixel, row by row; neither side longer than ``SCALED_SIDE``, or it takes long."""
    return _hash(_rows(luma, width, height))


def both_of(luma: bytes, width: int, height: int) -> tuple[Hash, Hash]:
    """Of the picture, and of what a mirror shows of it: of that itself, since waves turned over are less exact."""
    rows = _rows(luma, width, height)
    return _hash(rows), _hash([row[::-1] for row in rows])


def _hash(rows: Grid) -> Hash:
    """``rows``: none where the picture is too small."""
    if not rows:
        return Hash(0, 0)
    grid = _columns(rows)
    return Hash(_bits(_waves(grid)), _quality(grid))


def _rows(luma: bytes, width: int, height: int) -> Grid:
    """64 rows, each of what lies round its place."""
    if len(luma) != width * height:
        raise ValueError(f"{len(luma)} bytes are no {width} x {height} picture")
    if min(width, height) < LEAST_SIDE:
        return []
    small: Grid = []
    for places in _shares(height):
        row = [0.0] * width
        for at, share in places:
            line = luma[at * width : (at + 1) * width]
            row = [before + share * value for before, value in zip(row, line, strict=True)]
        small.append(row)
    return small


def _columns(rows: Grid) -> Grid:
    across = _shares(len(rows[0]))
    return [[sum(share * row[at] for at, share in places) for places in across] for row in rows]


@lru_cache(64)
def _shares(length: int) -> tuple[tuple[tuple[int, float], ...], ...]:
    """For each of 64 places on a line of pixels, which of them count and how much.

    The reference averages over a window and does so again (a tent), then takes every 64th part's middle. All of it is
    sums, so what is not taken need not be made.
    """
    window = (length + 2 * _GRID - 1) // (2 * _GRID)
    return tuple(_tent((2 * place + 1) * length // (2 * _GRID), window, length) for place in range(_GRID))


def _tent(middle: int, window: int, length: int) -> tuple[tuple[int, float], ...]:
    shares: dict[int, float] = {}
    once = _window(middle, window, length)
    for at in once:
        again = _window(at, window, length)
        for pixel in again:
            shares[pixel] = shares.get(pixel, 0.0) + 1 / (len(once) * len(again))
    return tuple(sorted(shares.items()))


def _window(middle: int, window: int, length: int) -> range:
    """One more to the right than to the left where the window is even, as the reference has it."""
    after = (window + 2) // 2
    return range(max(0, middle - (window - after)), min(length, middle + after))


def _quality(grid: Grid) -> int:
    """Steps between neighbours in whole hundredths of the way from black to white: small ones count for nothing."""
    beside = ((one, other) for row in grid for one, other in pairwise(row))
    below = (pair for row, lower in pairwise(grid) for pair in zip(row, lower, strict=True))
    steps = sum(int(abs(one - other) * 100 / 255) for pairs in (beside, below) for one, other in pairs)
    return min(100, steps // 90)


def _waves(grid: Grid) -> list[float]:
    """The first 16 x 16 of the cosine transform, without the row and column that do not change; row by row."""
    columns = list(zip(*grid, strict=True))
    partly = [[sum(map(mul, wave, column)) for column in columns] for wave in _cosines()]
    return [sum(map(mul, row, wave)) for row in partly for wave in _cosines()]


@cache
def _cosines() -> tuple[tuple[float, ...], ...]:
    scale = math.sqrt(2 / _GRID)
    return tuple(
        tuple(scale * math.cos(math.pi / (2 * _GRID) * wave * (2 * at + 1)) for at in range(_GRID))
        for wave in range(1, _WAVES + 1)
    )


def _bits(waves: Sequence[float]) -> int:
    middle = sorted(waves)[BITS // 2 - 1]
    return sum(1 << at for at, value in enumerate(waves) if value > middle)
