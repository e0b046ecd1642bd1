"""The tiles and bundles that are there, and leaves out of them where a commit is lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from custody import keyspace, merkle, tiles
from custody.checks.inquiry import Inquiry
from custody.errors import FormatError
from custody.source import Absent, TooLong

CHECK = 4
ENTRIES = -1
"""Stands for a level, where bundles are meant."""

_MAX_TILE_BYTES = tiles.WIDTH * merkle.HASH_BYTES
_MAX_BUNDLE_BYTES = tiles.WIDTH * (2 + tiles.MAX_LEAF_BYTES)


@dataclass(frozen=True, slots=True)
class Shelf:
    inquiry: Inquiry
    widths: dict[tuple[int, int], list[int]]
    """Of the objects at each level and index, narrowest first; 256 is a full one."""

    def key(self, level: int, index: int, width: int) -> str:
        if level == ENTRIES:
            return keyspace.entries(self.inquiry.log, index, width)
        return keyspace.tile(self.inquiry.log, level, index, width)

    def bytes_of(self, level: int, index: int, width: int) -> bytes:
        """Raises ``Absent``, ``TooLong``."""
        return self.inquiry.reader.read(self.key(level, index, width), self._limit(level))

    @staticmethod
    def _limit(level: int) -> int:
        return _MAX_BUNDLE_BYTES if level == ENTRIES else _MAX_TILE_BYTES

    def objects(self, level: int, index: int) -> Iterator[tuple[int, bytes | Absent | TooLong]]:
        """Of every width, narrowest first."""
        widths = self.widths.get((level, index), [])
        keys = [self.key(level, index, width) for width in widths]
        return zip(widths, self.inquiry.fetched(keys, self._limit(level)), strict=True)

    def widest_tile(self, level: int, index: int) -> list[bytes]:
        """The hashes of the widest tile there; none when there is no tile, or none that can be read."""
        for width in reversed(self.widths.get((level, index), ())):
            try:
                return tiles.decode_tile(self.bytes_of(level, index, width), width)
            except (FormatError, Absent, TooLong):
                continue  # found again, and named, when this very object is compared
        return []

    def leaves(self, begin: int, end: int) -> Iterator[bytes]:
        """Out of bundles: as many as there are in one row. What they are worth, the root will tell."""
        while begin < end:
            index, at = divmod(begin, tiles.WIDTH)
            bundle = self._widest_bundle(index)
            wanted = bundle[at : at + end - begin]
            if not wanted:
                return
            yield from wanted
            begin += len(wanted)

    def _widest_bundle(self, index: int) -> list[bytes]:
        for width in reversed(self.widths.get((ENTRIES, index), ())):
            try:
                return tiles.decode_bundle(self.bytes_of(ENTRIES, index, width), width)
            except (FormatError, Absent, TooLong):
                continue
        return []


def survey(inquiry: Inquiry) -> Shelf:
    pattern = re.compile(
        re.escape(inquiry.prefix)
        + r"tile/(entries|[0-9]|[1-5][0-9])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?"
    )
    shelf = Shelf(inquiry, {})
    for key in inquiry.reader.keys(f"{inquiry.prefix}tile/"):
        if match := pattern.fullmatch(key):
            level = ENTRIES if match[1] == "entries" else int(match[1])
            index = int(match[2].replace("x", "").replace("/", ""))
            width = tiles.WIDTH if match[3] is None else int(match[3])
            # Only the one spelling: x000/001 or .p/007 would be a second object for the same tile.
            if 0 < width <= tiles.WIDTH and shelf.key(level, index, width) == key:
                shelf.widths.setdefault((level, index), []).append(width)
                continue
        inquiry.findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that a log has", key=key[:300])
    for widths in shelf.widths.values():
        widths.sort()
    return shelf
