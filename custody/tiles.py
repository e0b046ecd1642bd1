"""C2SP tlog-tiles: which tiles and bundles a tree has, what is in them, what to write when it grows.

https://c2sp.org/tlog-tiles. A tile holds up to 256 hashes of level ``8 * tile level``; a bundle holds up to 256 leaves.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Self

from custody import merkle
from custody.errors import FormatError

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEAF_BYTES = 0xFFFF  # entry bundles: big-endian uint16 length prefixes

_CACHED_TILES = 64


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Where a tile is. A full one has width 256; one of less is never hashed into the level above."""

    level: int
    index: int
    width: int


@dataclass(frozen=True, slots=True, order=True)
class Bundle:
    """Where a bundle of leaves is; it lies beside the tile of level 0 with the same index and width."""

    index: int
    width: int


ReadTile = Callable[[int, int, int], bytes]
"""``read_tile(level, index, width)``: the bytes of one tile."""
ReadBundle = Callable[[int, int], bytes]
"""``read_bundle(index, width)``: the bytes of one bundle."""


def tiles(size: int, since: int = 0) -> Iterator[Tile]:
    """The tiles of a tree of ``size``; with ``since``, those alone that a tree of that size does not have."""
    level = 0
    while count := size >> (HEIGHT * level):
        for index, width in _spans(count, since >> (HEIGHT * level)):
            yield Tile(level, index, width)
        level += 1


def bundles(size: int, since: int = 0) -> Iterator[Bundle]:
    for index, width in _spans(size, since):
        yield Bundle(index, width)


def _spans(count: int, since: int) -> Iterator[tuple[int, int]]:
    if since < count:
        for index in range(since // WIDTH, count // WIDTH):
            yield index, WIDTH
        if width := count % WIDTH:
            yield count // WIDTH, width


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    return b"".join(hashes)


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """``FormatError`` with code ``TILE_WIDTH`` when the bytes are not exactly this many hashes."""
    if len(data) != width * merkle.HASH_BYTES:
        raise FormatError(
            f"a tile of width {width} has {width * merkle.HASH_BYTES} bytes, got {len(data)}", code="TILE_WIDTH"
        )
    return [data[at : at + merkle.HASH_BYTES] for at in range(0, len(data), merkle.HASH_BYTES)]


def encode_bundle(leaves: Iterable[bytes]) -> bytes:
    """Each leaf after its length in two bytes."""
    parts: list[bytes] = []
    for leaf in leaves:
        if len(leaf) > MAX_LEAF_BYTES:
            raise FormatError(f"a leaf has at most {MAX_LEAF_BYTES} bytes, got {len(leaf)}", code="BUNDLE_FORMAT")
        parts += (len(leaf).to_bytes(2, "big"), leaf)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int | None = None) -> list[bytes]:
    """``FormatError`` with code ``BUNDLE_FORMAT`` when it ends inside a leaf, or has not ``width`` of them."""
    leaves: list[bytes] = []
    at = 0
    while at < len(data):
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > len(data) or at > len(data):
            raise FormatError(f"the bundle ends inside its leaf {len(leaves)}", code="BUNDLE_FORMAT")
        leaves.append(data[begin:at])
    if width is not None and len(leaves) != width:
        raise FormatError(f"expected a bundle of {width} leaves, got {len(leaves)}", code="BUNDLE_FORMAT")
    return leaves


class TileReader:
    """Nodes of a tree, out of its tiles: the ``fetch`` that proofs ask for."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read_tile = read_tile
        # Neighbouring proofs share nearly all of their tiles.
        self._tile = lru_cache(_CACHED_TILES)(self._load)

    def __call__(self, level: int, index: int) -> bytes:
        if (index + 1) << level > self.size:
            raise FormatError(f"a tree of {self.size} has no whole node {index} of level {level}")
        tile_level, inside = divmod(level, HEIGHT)
        tile_index, at = divmod(index << inside, WIDTH)
        return merkle.root(self._tile(tile_level, tile_index)[at : at + (1 << inside)])

    def _load(self, level: int, index: int) -> list[bytes]:
        width = min(WIDTH, (self.size >> (HEIGHT * level)) - index * WIDTH)
        return decode_tile(self._read_tile(level, index, width), width)


class TileBuilder:
    """Every tile of a tree, out of the hashes of its leaves, in the memory of one tile a level.

    A verifier feeds it all leaves in order and compares: ``append`` gives the full tiles as they come about,
    ``edge`` those of less width at the end. The narrower tile of an earlier size is the beginning of the same bytes.
    """

    def __init__(self, size: int = 0, levels: Iterable[Iterable[bytes]] = ()) -> None:
        self.size = size
        self._levels = [list(hashes) for hashes in levels]

    def append(self, leaf_hashes: Iterable[bytes]) -> list[tuple[Tile, bytes]]:
        full: list[tuple[Tile, bytes]] = []
        rising = list(leaf_hashes)
        before = self.size
        self.size += len(rising)
        level = 0
        while rising:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level] + rising
            index = (before >> (HEIGHT * level)) // WIDTH
            rising = []
            for index_here, at in enumerate(range(0, len(hashes) - WIDTH + 1, WIDTH), index):
                tile = hashes[at : at + WIDTH]
                full.append((Tile(level, index_here, WIDTH), encode_tile(tile)))
                rising.append(merkle.root(tile))
            self._levels[level] = hashes[len(rising) * WIDTH :]
            level += 1
        return full

    def edge(self) -> list[tuple[Tile, bytes]]:
        """The tiles at the right edge that are not full."""
        return [
            (Tile(level, (self.size >> (HEIGHT * level)) // WIDTH, len(hashes)), encode_tile(hashes))
            for level, hashes in enumerate(self._levels)
            if hashes
        ]

    @property
    def levels(self) -> tuple[tuple[bytes, ...], ...]:
        return tuple(map(tuple, self._levels))

    def root(self) -> bytes:
        carry: list[bytes] = []
        for hashes in self._levels:
            # What is ragged below is the last, lower, node of the level above.
            if hashes:
                carry = [merkle.root(hashes + carry)]
        return merkle.root(carry)


@dataclass(frozen=True, slots=True)
class Edge:
    """All that a tree needs to grow: its tiles and leaves at the right edge. A value; ``grow`` gives another."""

    size: int = 0
    levels: tuple[tuple[bytes, ...], ...] = ()
    """The hashes of the tile of less width at each level; may be empty."""
    leaves: tuple[bytes, ...] = ()
    """The leaves of the bundle of less width."""

    @classmethod
    def read(cls, size: int, read_tile: ReadTile, read_bundle: ReadBundle) -> Self:
        """From what is stored. Whoever reads compares ``root`` with a checkpoint before building on it."""
        levels: list[tuple[bytes, ...]] = []
        while count := size >> (HEIGHT * len(levels)):
            index, width = divmod(count, WIDTH)
            levels.append(tuple(decode_tile(read_tile(len(levels), index, width), width)) if width else ())
        index, width = divmod(size, WIDTH)
        leaves = tuple(decode_bundle(read_bundle(index, width), width)) if width else ()
        if any(merkle.leaf_hash(leaf) != known for leaf, known in zip_longest(leaves, levels[0] if levels else ())):
            raise FormatError(f"the last bundle of a tree of {size} is not the one in its tile", code="TILE_HASH")
        return cls(size, tuple(levels), leaves)

    @property
    def root(self) -> bytes:
        return TileBuilder(self.size, self.levels).root()

    def grow(self, leaves: Sequence[bytes]) -> "Growth":
        builder = TileBuilder(self.size, self.levels)
        written = builder.append(map(merkle.leaf_hash, leaves))
        # A level that gained no hash keeps the tile it has.
        written += [
            (tile, data)
            for tile, data in builder.edge()
            if builder.size >> (HEIGHT * tile.level) != self.size >> (HEIGHT * tile.level)
        ]
        held = (*self.leaves, *leaves)
        first = self.size - len(self.leaves)
        bundled = tuple(
            (bundle, encode_bundle(held[bundle.index * WIDTH - first : bundle.index * WIDTH - first + bundle.width]))
            for bundle in bundles(builder.size, self.size)
        )
        rest = held[len(held) - builder.size % WIDTH :]
        return Growth(Edge(builder.size, builder.levels, rest), builder.root(), tuple(written), bundled)


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree after it grew, and what has to be written for it: exactly ``tiles`` and ``bundles`` of (new, old) size."""

    edge: Edge
    root: bytes
    tiles: tuple[tuple[Tile, bytes], ...]
    bundles: tuple[tuple[Bundle, bytes], ...]
