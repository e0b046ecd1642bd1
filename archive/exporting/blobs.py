"""The blobs of an export: fetched by many hands, hashed on the way; what is not handed over is named, and why."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress
from typing import Any

from archive.errors import NotStored
from archive.exporting.bag import Bag, Put
from archive.exporting.naming import Named, Names
from archive.exporting.selection import Selection
from archive.exporting.zipping import TooLong
from archive.log import LoggedEvent
from archive.payload import CHUNK_BYTES
from archive.stewardship.desk import Map
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.bundle.statement import DISPOSED, WITHHELD, MissingBlob
from custody.digest import Digest
from custody.errors import FormatError
from custody.received import MAX_BYTES as MAX_RECEIPT_BYTES
from custody.received import NAME as RECEIVED
from custody.received import Received
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record, quarantine_of

# Whoever put evidence on hold said for which matter, and a replica or a refused event is not of this one.
_OTHER_MATTERS = frozenset({"hold.json", "release.json", "replica.json", "rejected.json"})
_LOOKED_INTO = frozenset({
    "run.json", "run-closed.json", "disposal.json", "disposal-report.json", "correction.json", "decision.json",
    "statement.json",
})  # fmt: skip
_UUID7 = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MAX_DETAIL_BYTES = 16 * 1024 * 1024
_TOLD_EVERY = 500
_ODD = "of another length"


class _Buffers(threading.local):
    """One for each thread, used again: as long as the store's own, so that bytes go straight into it."""

    def __init__(self) -> None:
        self._mine = memoryview(bytearray(CHUNK_BYTES))

    def mine(self) -> memoryview:
        return self._mine


class _Altered(Exception):
    """The store has other bytes."""


@dataclass(slots=True)
class Blobs:
    """Written into ``bag``, each once, under names for people."""

    store: ObjectStore
    bag: Bag
    progress: Callable[[str], None]
    map: Map = map
    digests: dict[str, Digest] = field(default_factory=dict)
    """By the path in the bag."""
    paths: dict[Digest, str] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)
    """Every naming of every blob, in the order of the log: one blob may have many."""
    records: dict[str, tuple[int, Record]] = field(default_factory=dict)
    """By capture: the leaf of its end, and what it says."""
    receipts: dict[str, tuple[int, Received]] = field(default_factory=dict)
    """By item: what others handed over, and the leaf that tells of it."""
    length: int = 0
    """Bytes of all of them."""
    missing: list[MissingBlob] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    """Captures that nobody may hand over without a decision."""
    _read: dict[Digest, bytes] = field(default_factory=dict)
    """What was looked into before it has a name, until it is written."""
    _failed: dict[Digest, str] = field(default_factory=dict)
    _disposed: set[str] = field(default_factory=set)
    _buffers: _Buffers = field(default_factory=_Buffers)

    @property
    def origins(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for _, record in self.records.values():
            found[record.origin.value] = found.get(record.origin.value, 0) + 1
        return dict(sorted(found.items()))

    def look(self, chosen: Selection) -> None:
        """What events and records name; nothing is written yet. Raises ``StoreError``."""
        for logged in chosen.events:
            if logged.event.type == "evidence.disposed":
                self._disposed |= set(_disposed(self.store, logged))
        told = list(self._told(chosen))
        inner = {RECEIVED: MAX_RECEIPT_BYTES, "record.json": MAX_RECORD_BYTES}
        wanted = {each.digest: inner[each.name] for each in told if each.name in inner}
        for digest, data in zip(wanted, self.map(self._look_into, wanted.items()), strict=True):
            if data is not None:
                self._read[digest] = data
        kept = [
            artifact
            for each in told
            if each.name in inner
            for artifact in (self._received(each) if each.name == RECEIVED else self._artifacts(each))
        ]
        self.named = sorted([*told, *kept], key=lambda each: each.index)

    def take(self, chosen: Selection) -> None:
        """Write all of them. Raises ``StoreError``, ``DiskError``."""
        names = Names(chosen, {capture: record for capture, (_, record) in self.records.items()})
        wanted: dict[Digest, tuple[str, int]] = {}
        for each in self.named:
            if each.digest not in wanted:
                wanted[each.digest] = (names.path(each), each.bytes)
        self.bag.place.reserve(list(wanted.values()))
        odd: list[Digest] = []
        for done, (digest, reason, length) in enumerate(self.map(self._fetch, wanted.items()), 1):
            path = wanted[digest][0]
            if reason == _ODD:
                odd.append(digest)
            elif reason is not None:
                self._failed[digest] = reason
            else:
                self._settle(digest, path, length)
            if done % _TOLD_EVERY == 0:
                self.progress(f"{done} of {len(wanted)} files, {self.length} bytes in all")
        self.bag.place.settle()
        self._read.clear()
        for digest in odd:
            self._take_odd(digest, wanted[digest][0])
        for each in self.named:
            if each.digest in self._failed:
                self._miss(each, self._failed[each.digest])

    def put(self, path: str, data: bytes) -> None:
        """A blob that is at hand."""
        digest = self.bag.write(path, data)
        self.digests[path] = digest
        self.paths[digest] = path
        self.length += len(data)

    def _told(self, chosen: Selection) -> Iterator[Named]:
        """What events name; what is kept back is not asked for at all."""
        ours = frozenset({*chosen.items, *chosen.captures, *chosen.runs, *([chosen.scope] if chosen.scope else ())})
        named = [
            Named(
                digest=subject.digest,
                bytes=subject.bytes,
                index=each.index,
                name=subject.name,
                chain=each.event.chain,
                capture=None if (capture := each.event.body.get("capture")) is None else str(capture),
            )
            for each in chosen.events
            for subject in each.event.subjects
        ]
        looked_into = list(dict.fromkeys(each.digest for each in named if each.name in _LOOKED_INTO))
        foreign = set(compress(looked_into, self.map(lambda digest: self._speaks_of_others(digest, ours), looked_into)))
        for each in named:
            if each.name in _OTHER_MATTERS or (each.name in _LOOKED_INTO and each.digest in foreign):
                self._miss(each, WITHHELD)
            else:
                yield each

    def _speaks_of_others(self, digest: Digest, ours: frozenset[str]) -> bool:
        """In whatever thread ``map`` uses."""
        try:
            with self.store.open(keyspace.blob(digest)) as stream:
                data = stream.read(_MAX_DETAIL_BYTES + 1)
        except NotStored:
            return False  # said to be absent when it is asked for
        if len(data) > _MAX_DETAIL_BYTES:
            return True  # what nobody has looked through to its end is not handed over
        return any(each.decode() not in ours for each in _UUID7.findall(data))

    def _artifacts(self, named: Named) -> list[Named]:
        try:
            record = Record.parse(self._read.get(named.digest, b""))
        except FormatError:
            return []  # it is handed over as it is; whoever verifies is told
        self.records[str(named.capture)] = (named.index, record)
        if quarantine_of(record.circumstances):
            self.quarantined.append(record.capture_id)
        return [
            Named(
                digest=each.digest,
                bytes=each.bytes,
                index=named.index,
                name=each.name,
                chain=named.chain,
                capture=named.capture,
                role=each.role,
                media_type=each.media_type,
            )
            for each in record.artifacts
        ]

    def _received(self, named: Named) -> list[Named]:
        """The files of a receipt."""
        try:
            found = Received.parse(self._read.get(named.digest, b""))
        except FormatError:
            return []  # as above
        self.receipts[found.item] = (named.index, found)
        return [
            Named(
                digest=each.artifact.digest,
                bytes=each.artifact.bytes,
                index=named.index,
                name=each.artifact.name,
                chain=named.chain,
                role=each.artifact.role,
                media_type=each.artifact.media_type,
            )
            for each in found.files
        ]

    def _look_into(self, wanted: tuple[Digest, int]) -> bytes | None:
        """In whatever thread ``map`` uses. None: whatever is wrong with it is named when it is asked for to be kept."""
        digest, limit = wanted
        try:
            with self.store.open(keyspace.blob(digest)) as stream:
                data = stream.read(limit + 1)
        except NotStored:
            return None
        return data if len(data) <= limit and Digest.of(data) == digest else None

    def _fetch(self, wanted: tuple[Digest, tuple[str, int]]) -> tuple[Digest, str | None, int]:
        """In whatever thread ``map`` uses. Why it cannot be handed over, and its length."""
        digest, (path, _) = wanted
        try:
            with self.bag.place.filling(path) as put:
                if (data := self._read.get(digest)) is not None:
                    put(memoryview(data))
                    return digest, None, len(data)
                return digest, None, self._copy(digest, put)
        except NotStored:
            return digest, DISPOSED if digest.hex in self._disposed else "absent", 0
        except _Altered:
            return digest, "altered", 0
        except TooLong:
            return digest, _ODD, 0

    def _copy(self, digest: Digest, put: Put) -> int:
        hasher, length, buffer = sha256(), 0, self._buffers.mine()
        with self.store.open(keyspace.blob(digest)) as stream:
            while count := stream.readinto(buffer):  # type: ignore[attr-defined]  # as every stream of ours has it
                hasher.update(buffer[:count])
                length += count
                put(buffer[:count])
        if hasher.hexdigest() != digest.hex:
            raise _Altered
        return length

    def _take_odd(self, digest: Digest, path: str) -> None:
        """Not as long as the log says. Where it is what its digest says, it is handed over all the same."""
        hasher, length, buffer = sha256(), 0, self._buffers.mine()
        with self.store.open(keyspace.blob(digest)) as stream:
            while count := stream.readinto(buffer):  # type: ignore[attr-defined]  # as above
                hasher.update(buffer[:count])
                length += count
        if hasher.hexdigest() != digest.hex:
            self._failed[digest] = "altered"
            return
        self.bag.place.reserve([(path, length)])
        with self.bag.place.filling(path) as put:
            self._copy(digest, put)
        self.bag.place.settle()
        self._settle(digest, path, length)

    def _settle(self, digest: Digest, path: str, length: int) -> None:
        self.bag.note(path, digest, length)
        self.digests[path] = digest
        self.paths[digest] = path
        self.length += length

    def _miss(self, named: Named, reason: str) -> None:
        self.missing.append(
            MissingBlob(digest=named.digest, bytes=named.bytes, index=named.index, name=named.name, reason=reason)
        )


def _disposed(store: ObjectStore, event: LoggedEvent) -> Iterator[str]:
    """The digests of what was disposed of, as its signed detail says."""
    try:
        value: Any = canonical.loads(store.read(keyspace.blob(event.event.subjects[0].digest)))
    except (NotStored, FormatError):
        return
    listed = value.get("blobs") if isinstance(value, dict) else None
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("sha256"), str):
            yield each["sha256"]
