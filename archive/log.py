"""The log as it lies in a store: read in order, each commit checked against the one before it."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from archive.errors import LogError, LogRollback, NotStored, StoreError
from archive.store import ObjectStore
from custody import keyspace, merkle, tiles
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.commit import Commit
from custody.digest import Digest
from custody.errors import CustodyError, FormatError
from custody.event import Event
from custody.leaf import Leaf
from custody.note import VerifierKey

_WINDOW = 8  # commits that are fetched at once when we are far behind; each has at most 16 MiB
_CACHED_NODES = 4096


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log was read."""

    n: int = 0
    """Of the last commit; 0 before the first."""
    size: int = 0
    """Leaves up to and with it."""
    commit_sha256: Digest | None = None
    """Of the whole object ``commit/<n>``."""


START = Position()


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    commit: Commit
    sha256: Digest

    @property
    def position(self) -> Position:
        return Position(self.commit.n, self.commit.new, self.sha256)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A leaf and the event in it. Its signature is for whoever holds the keys to check."""

    n: int
    index: int
    leaf: Leaf
    leaf_sha256: Digest
    """RFC 6962 leaf hash."""
    event: Event
    data: bytes = field(repr=False)


class LogReader:
    """Reads one log from any store, a mirror included. Holds nothing but what it was given; safe for threads."""

    def __init__(self, store: ObjectStore, log: str) -> None:
        self.store = store
        self.log = log

    def commits(
        self, after: Position = START, *, to: int | None = None, given: Mapping[int, bytes] = MappingProxyType({})
    ) -> Iterator[LoggedCommit]:
        """All commits after the position, to the newest there is, or to number ``to`` if that comes first.

        ``given``: by number, those that the store has given just now, which need not be asked for again.

        Raises ``LogRollback`` when they do not continue that position, or one is missing in between, and ``LogError``
        when one is not a commit.
        """
        position = after
        window = 1
        with ThreadPoolExecutor(_WINDOW, "log-reader") as threads:
            while to is None or position.n < to:
                numbers = range(position.n + 1, min(position.n + window, to or sys.maxsize) + 1)

                def read(n: int) -> bytes | None:
                    return given[n] if n in given else self._read(n)

                found = list(threads.map(read, numbers)) if window > 1 else [read(numbers[0])]
                for n, data in zip(numbers, found, strict=True):
                    if data is None:
                        if not any(found[n - numbers[0] :]):
                            return
                        # Written while we were reading: then it is there now.
                        data = self._read(n)  # noqa: PLW2901
                    if data is None:
                        raise LogRollback(f"commit {n} of {self.log} is missing, and there are later ones: {_HELP}")
                    logged = self._follow(data, position, first=position == after)
                    yield logged
                    position = logged.position
                window = min(_WINDOW, position.n - after.n)

    def events(self, *types: str, after: Position = START) -> Iterator[LoggedEvent]:
        """All events after the position, in log order; of these types only, when any are named."""
        for logged in self.commits(after):
            for index, data in enumerate(logged.commit.leaves, logged.commit.old):
                each = self.parse(logged.commit.n, index, data)
                if not types or each.event.type in types:
                    yield each

    def parse(self, n: int, index: int, data: bytes) -> LoggedEvent:
        """Read a leaf that is said to be the one at ``index``; raises ``LogError``."""
        try:
            leaf = Leaf.parse(data)
            event = Event.parse(leaf.event.payload)
        except CustodyError as error:
            raise LogError(f"leaf {index} of {self.log} cannot be read ({error}): {_HELP}") from error
        if (leaf.log, leaf.index) != (self.log, index):
            raise LogError(f"expected leaf {index} of {self.log}, got leaf {leaf.index} of {leaf.log[:80]}: {_HELP}")
        return LoggedEvent(n, index, leaf, Digest(merkle.leaf_hash(data).hex()), event, data)

    def tile(self, level: int, index: int, width: int = tiles.WIDTH) -> bytes:
        try:
            return self.store.read(keyspace.tile(self.log, level, index, width))
        except NotStored:
            if width == tiles.WIDTH:
                raise
            # C2SP tlog-tiles: partial tiles may be gone once the full one is there.
            return self.store.read(keyspace.tile(self.log, level, index))[: width * merkle.HASH_BYTES]

    def bundle(self, index: int, width: int = tiles.WIDTH) -> bytes:
        try:
            return self.store.read(keyspace.entries(self.log, index, width))
        except NotStored:
            if width == tiles.WIDTH:
                raise
            full = tiles.decode_bundle(self.store.read(keyspace.entries(self.log, index)), tiles.WIDTH)
            return tiles.encode_bundle(full[:width])

    def confirm(
        self,
        vkey: VerifierKey,
        checkpoint: bytes,
        leaves: Mapping[int, Digest],
        *,
        held: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Checkpoint:
        """Each of these leaf hashes is in the tree that the checkpoint signs, by the bytes that the store gives now.

        Bundles and tiles are read, but for those that the caller holds because it has read them just now; nothing that
        we remember is believed. Raises ``StoreError``.
        """

        def read_tile(level: int, index: int, width: int) -> bytes:
            return held.get(keyspace.tile(self.log, level, index, width)) or self.tile(level, index, width)

        @lru_cache(4)
        def bundle(index: int, width: int) -> list[bytes]:
            data = held.get(keyspace.entries(self.log, index, width)) or self.bundle(index, width)
            return tiles.decode_bundle(data)

        try:
            signed = open_checkpoint(checkpoint, vkey)
            node = lru_cache(_CACHED_NODES)(tiles.TileReader(signed.size, read_tile))
            for index, digest in sorted(leaves.items()):
                at, inside = divmod(index, tiles.WIDTH)
                width = min(tiles.WIDTH, signed.size - at * tiles.WIDTH)
                stored = bundle(at, width)[inside] if inside < width else b""
                # The tile's own word for the leaf is no part of its proof, only of its neighbours'.
                if merkle.leaf_hash(stored) != digest.raw or node(0, index) != digest.raw:
                    raise StoreError(f"leaf {index} was read back as other bytes than were written: {_HELP}")
                proof = merkle.inclusion_proof(index, signed.size, node)
                merkle.check_inclusion(digest.raw, index, signed.size, proof, signed.root)
        except CustodyError as error:
            raise StoreError(f"{self.store.name} gave back a log that does not hold ({error}): {_HELP}") from error
        except NotStored as error:
            raise StoreError(f"{self.store.name} lost a part of the log ({error}): {_HELP}") from error
        return signed

    def leaf(self, index: int, size: int) -> bytes:
        """One leaf out of its bundle in a tree of ``size``."""
        at, inside = divmod(index, tiles.WIDTH)
        return self.leaves(at, min(tiles.WIDTH, size - at * tiles.WIDTH))[inside]

    def leaves(self, bundle: int, width: int) -> list[bytes]:
        """The first ``width`` leaves of a bundle. Raises ``LogError`` where they cannot be read."""
        try:
            return tiles.decode_bundle(self.bundle(bundle, width), width)
        except CustodyError as error:
            raise LogError(f"bundle {bundle} of {self.log} cannot be read ({error}): {_HELP}") from error

    def _read(self, n: int) -> bytes | None:
        try:
            return self.store.read(keyspace.commit(self.log, n))
        except NotStored:
            return None

    def _follow(self, data: bytes, position: Position, *, first: bool) -> LoggedCommit:
        try:
            commit = Commit.parse(data)
        except FormatError as error:
            raise LogError(f"commit {position.n + 1} of {self.log} is damaged ({error}): {_HELP}") from error
        if (commit.n, commit.old, commit.prev) != (position.n + 1, position.size, position.commit_sha256):
            kind = LogRollback if first and position.n else LogError
            raise kind(
                f"commit {position.n + 1} of {self.log} does not follow the commit {position.n} that was read before "
                f"(it is number {commit.n}, on a tree of {commit.old} after {commit.prev}; expected {position.size} "
                f"after {position.commit_sha256}): {_HELP}"
            )
        return LoggedCommit(commit, Digest.of(data))


_HELP = "nothing was changed; run `counterproof verify`, and compare the store with a mirror"
