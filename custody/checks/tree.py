"""Check 4, tree: every tile and bundle against the leaves of the commits, and the root against what is signed.

Three things say what a leaf is: its commit, its bundle, and its hash in the tile of level 0. When they differ, the
signed root tells which is right: whichever of commits and tiles leads to it. So a fault is named where it is, once,
and not in every tile and checkpoint above it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeGuard

from custody import merkle, tiles
from custody.checkpoint import Checkpoint
from custody.checks import commits
from custody.checks.checkpoint import Signed
from custody.checks.commits import Commits
from custody.checks.inquiry import Inquiry
from custody.checks.shelf import CHECK, ENTRIES, Shelf
from custody.commit import Commit
from custody.errors import FormatError
from custody.merkle import Frontier
from custody.model import Json
from custody.source import Absent, TooLong
from custody.tiles import WIDTH

_MAX_SUSPECTS = 10_000

_Read = bytes | Absent | TooLong


@dataclass(frozen=True, slots=True)
class _Pair:
    """One hash, as the leaves of the commits give it and as the stored tiles of level 0 do."""

    committed: bytes
    tiled: bytes

    def of(self, *, tiled: bool) -> bytes:
        return self.tiled if tiled else self.committed


@dataclass(slots=True)
class _Level:
    """The hashes of one level since its last full tile."""

    index: int = 0
    pairs: list[_Pair] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A stored hash or leaf that differs from what the commits or the tiles below lead to."""

    level: int
    index: int
    width: int
    at: int
    from_committed: bool
    from_tiled: bool


@dataclass(frozen=True, slots=True)
class _Stated:
    """A root that a checkpoint or a commit's header states, and what the leaves give."""

    size: int
    root: bytes
    computed: _Pair
    n: int = 0
    """The commit's number."""

    @property
    def differs(self) -> bool:
        return not self.root == self.computed.committed == self.computed.tiled


class Tree:
    def __init__(self, inquiry: Inquiry, signed: Signed, shelf: Shelf) -> None:
        self._findings = inquiry.findings
        self._signed = signed
        self._shelf = shelf
        self._committed = Frontier()
        self._tiled = Frontier()
        self._levels = [_Level()]
        self._bundle: list[bytes] = []
        self._stored: list[bytes] = []
        self._suspects: dict[bool, list[_Suspect]] = {False: [], True: []}
        self._altered: list[tuple[int, int]] = []
        self._checkpoints: list[_Stated] = []
        self._headers: list[_Stated] = []

    @property
    def size(self) -> int:
        return self._committed.size

    def roots(self) -> tuple[bytes, bytes]:
        """As the commits and as the tiles give it, of the leaves so far."""
        pair = self._root()
        return pair.committed, pair.tiled

    def append(self, leaf: bytes, n: int | None) -> tuple[bytes, bytes]:
        """The leaf's hash, and the one that its tile has: the same where there is no tile. ``n`` is its commit."""
        index, at = self.size, self.size % WIDTH
        if at == 0:
            self._stored = self._shelf.widest_tile(0, index // WIDTH)
        committed = merkle.leaf_hash(leaf)
        pair = _Pair(committed, self._stored[at] if at < len(self._stored) else committed)
        if n is not None and pair.committed != pair.tiled and len(self._altered) < _MAX_SUSPECTS:
            self._altered.append((n, index))
        self._committed.append(pair.committed)
        self._tiled.append(pair.tiled)
        self._bundle.append(leaf)
        self._push(0, pair)
        if checkpoint := self._signed.by_size.get(self.size):
            self._state(checkpoint)
        return pair.committed, pair.tiled

    def end(self, commit: Commit) -> None:
        """The commit's leaves are all in."""
        stated = _Stated(self.size, commit.root, self._root(), commit.n)
        if stated.differs:
            self._headers.append(stated)

    def finish(self, walked: Commits) -> None:
        for level, each in enumerate(self._levels):
            if each.pairs:
                self._compare(level, each.index, each.pairs)
        newest = self._signed.newest
        stated = next((each for each in self._checkpoints if newest is not None and each.size == newest.size), None)
        by_tiles = (
            stated is not None and stated.root != stated.computed.committed and stated.root == stated.computed.tiled
        )
        self._report_suspects(by_tiles=by_tiles)
        wrong = self._report_checkpoints(by_tiles=by_tiles)
        self._report_headers(walked, wrong, by_tiles=by_tiles)
        if stated is None:
            self._findings.skip(CHECK, "no signed root to compare with, see checks 2 and 3")
        else:
            self._report_missing(stated.size)
            self._findings.detail(CHECK, f"{stated.size} leaves under the signed root")
        if not walked.cut:
            self._report_wide()

    def _state(self, checkpoint: Checkpoint) -> None:
        """Keep what is signed of this size if something differs, or has just stopped to, and the newest in any case."""
        stated = _Stated(self.size, checkpoint.root, self._root())
        last = self._checkpoints[-1] if self._checkpoints else None
        if stated.differs or (last is not None and last.differs) or checkpoint == self._signed.newest:
            self._checkpoints.append(stated)

    def _root(self) -> _Pair:
        return _Pair(self._committed.root(), self._tiled.root())

    def _push(self, level: int, pair: _Pair) -> None:
        if level == len(self._levels):
            self._levels.append(_Level())
        here = self._levels[level]
        here.pairs.append(pair)
        if len(here.pairs) == WIDTH:
            self._compare(level, here.index, here.pairs)
            above = _Pair(*(merkle.root([each.of(tiled=tiled) for each in here.pairs]) for tiled in (False, True)))
            here.index, here.pairs = here.index + 1, []
            self._push(level + 1, above)

    def _compare(self, level: int, index: int, pairs: Sequence[_Pair]) -> None:
        """Every object of this tile, the narrow ones of earlier sizes too, with what should be in it."""
        for width, data in self._shelf.objects(level, index):
            for at, (stored, pair) in enumerate(zip(self._hashes(level, index, width, data), pairs, strict=False)):
                if stored != pair.committed or stored != pair.tiled:
                    self._suspect(_Suspect(level, index, width, at, stored != pair.committed, stored != pair.tiled))
        if level == 0:
            self._compare_bundles(index, pairs)
            self._bundle = []

    def _compare_bundles(self, index: int, pairs: Sequence[_Pair]) -> None:
        for width, data in self._shelf.objects(ENTRIES, index):
            for at, (leaf, pair) in enumerate(zip(self._leaves(index, width, data), pairs, strict=False)):
                if leaf != self._bundle[at] or pair.committed != pair.tiled:
                    from_tiled = merkle.leaf_hash(leaf) != pair.tiled
                    self._suspect(_Suspect(ENTRIES, index, width, at, leaf != self._bundle[at], from_tiled))

    def _suspect(self, suspect: _Suspect) -> None:
        """Under what the commits lead to, and under what the tiles do: only at the end is it known which is right, and
        a flood of what is wrong under one of them must not leave the other with nothing to tell.
        """
        for tiled, is_wrong in ((False, suspect.from_committed), (True, suspect.from_tiled)):
            if is_wrong and len(self._suspects[tiled]) < _MAX_SUSPECTS:
                self._suspects[tiled].append(suspect)

    def _hashes(self, level: int, index: int, width: int, data: _Read) -> list[bytes]:
        if not self._is_read(data, level, index, width):
            return []
        try:
            return tiles.decode_tile(data, width)
        except FormatError as error:
            self._fail("TILE_WIDTH", str(error), level, index, width)
            return []

    def _leaves(self, index: int, width: int, data: _Read) -> list[bytes]:
        if not self._is_read(data, ENTRIES, index, width):
            return []
        try:
            leaves = tiles.decode_bundle(data)
        except FormatError as error:
            self._fail("BUNDLE_FORMAT", str(error), ENTRIES, index, width)
            return []
        if len(leaves) != width:
            self._fail("TILE_WIDTH", f"expected {width} leaves, got {len(leaves)}", ENTRIES, index, width)
        return leaves

    def _is_read(self, data: _Read, level: int, index: int, width: int) -> TypeGuard[bytes]:
        if isinstance(data, bytes):
            return True
        self._fail("TILE_MISSING" if isinstance(data, Absent) else "TILE_WIDTH", str(data), level, index, width)
        return False

    def _report_suspects(self, *, by_tiles: bool) -> None:
        for each in self._suspects[by_tiles]:
            leaf = {"leaf": each.index * WIDTH + each.at} if each.level <= 0 else {"entry": each.at}
            self._fail("TILE_HASH", "it is not what the leaves lead to", each.level, each.index, each.width, **leaf)
        if by_tiles:
            for n, index in self._altered:
                self._findings.fail(
                    commits.CHECK,
                    "COMMIT_LEAF",
                    f"leaf {index} in commit {n} is not the one under the signed root",
                    n=n,
                    index=index,
                )

    def _report_checkpoints(self, *, by_tiles: bool) -> int | None:
        """The size from which on all signed roots are others than the leaves give; None if the newest is right."""
        wrong = [each.root != each.computed.of(tiled=by_tiles) for each in self._checkpoints]
        tail = sum(1 for _ in takewhile(bool, reversed(wrong)))
        first = len(wrong) - tail
        for at, each in enumerate(self._checkpoints[: first + 1]):
            if wrong[at]:
                more = f", nor are the {tail - 1} after it" if at == first and tail > 1 else ""
                self._findings.fail(
                    CHECK,
                    "CP_ROOT",
                    f"the signed root of {each.size} leaves is not theirs{more}: expected "
                    f"{each.computed.of(tiled=by_tiles).hex()}, got {each.root.hex()}",
                    size=each.size,
                )
        return self._checkpoints[first].size if tail else None

    def _report_headers(self, walked: Commits, wrong: int | None, *, by_tiles: bool) -> None:
        for each in self._headers:
            signed = self._signed.by_size.get(each.size)
            explained = signed.root == each.root if signed else wrong is not None and each.size >= wrong
            if each.root != each.computed.of(tiled=by_tiles) and not explained:
                walked.check_header(each.n, "root", f"commit {each.n} states another root than its leaves give")

    def _report_missing(self, size: int) -> None:
        wanted: Iterator[tuple[int, int, int]] = (
            (level, index, width)
            for level, index, width in (
                *((each.level, each.index, each.width) for each in tiles.tiles(size)),
                *((ENTRIES, each.index, each.width) for each in tiles.bundles(size)),
            )
        )
        for level, index, width in wanted:
            if max(self._shelf.widths.get((level, index), (0,))) < width:
                self._fail("TILE_MISSING", "it is not there", level, index, width)

    def _report_wide(self) -> None:
        for (level, index), widths in self._shelf.widths.items():
            held = (self.size >> (tiles.HEIGHT * max(level, 0))) - index * WIDTH
            for width in widths:
                if width > held:
                    message = f"the log of {self.size} leaves has no tile of this width"
                    self._fail("TILE_WIDTH", message, level, index, width)

    def _fail(self, code: str, message: str, level: int, index: int, width: int, **more: Json) -> None:
        name = "entries" if level == ENTRIES else level
        what = f"bundle {index}" if level == ENTRIES else f"tile {index} of level {level}"
        self._findings.fail(
            CHECK, code, f"{what}: {message}", level=name, tile=index, key=self._shelf.key(level, index, width), **more
        )
