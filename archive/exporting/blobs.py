"""The blobs of an export: fetched, hashed on the way, and what is not handed over named with the reason."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive import disk
from archive.errors import NotStored
from archive.exporting.selection import Selection
from archive.log import LoggedEvent
from archive.payload import CHUNK_BYTES
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.bundle import layout
from custody.bundle.statement import DISPOSED, WITHHELD, MissingBlob
from custody.digest import Digest
from custody.errors import FormatError
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record, quarantine_of

# Whoever put evidence on hold said for which matter, and a replica or a refused event is not of this one.
_OTHER_MATTERS = frozenset({"hold.json", "release.json", "replica.json", "rejected.json"})
_LOOKED_INTO = frozenset(
    {"run.json", "run-closed.json", "disposal.json", "disposal-report.json", "correction.json", "decision.json"}
)
_UUID7 = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MAX_DETAIL_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class Blobs:
    """Copied into ``folder``, each once."""

    store: ObjectStore
    folder: Path
    progress: Callable[[str], None]
    digests: dict[str, Digest] = field(default_factory=dict)
    """By the path in the bag."""
    length: int = 0
    """Bytes of all of them."""
    missing: list[MissingBlob] = field(default_factory=list)
    origins: dict[str, int] = field(default_factory=dict)
    """Of the records."""
    quarantined: list[str] = field(default_factory=list)
    """Captures that nobody may hand over without a decision."""
    _failed: dict[Digest, str] = field(default_factory=dict)
    _disposed: set[str] = field(default_factory=set)

    def take(self, chosen: Selection) -> None:
        """Everything that the chosen events name, and what their records name. Raises ``StoreError``, ``DiskError``."""
        ours = frozenset({*chosen.items, *chosen.captures, *chosen.runs, *([chosen.scope] if chosen.scope else ())})
        for each in chosen.events:
            if each.event.type == "evidence.disposed":
                self._disposed |= set(_disposed(self.store, each))
        for done, each in enumerate(chosen.events, 1):
            for subject in each.event.subjects:
                if not self._is_handed_over(subject.name, subject.digest, ours):
                    self._miss(subject.digest, subject.bytes, each.index, subject.name, WITHHELD)
                elif self._copy(subject.digest, subject.bytes, each.index, subject.name) and (
                    subject.name == "record.json"
                ):
                    self._take_artifacts(subject.digest, each.index)
            if done % 100 == 0:
                self.progress(f"{done} of {len(chosen.events)} events, {len(self.digests)} files, {self.length} bytes")

    def put(self, digest: Digest, data: bytes) -> None:
        """A blob that is at hand."""
        path = layout.artifact(digest.hex)
        write(self.folder / path, data)
        self.digests[path] = digest
        self.length += len(data)

    def _is_handed_over(self, name: str, digest: Digest, ours: frozenset[str]) -> bool:
        if name in _OTHER_MATTERS:
            return False
        if name not in _LOOKED_INTO:
            return True
        try:
            with self.store.open(keyspace.blob(digest)) as stream:
                data = stream.read(_MAX_DETAIL_BYTES + 1)
        except NotStored:
            return True  # said to be absent when it is asked for
        if len(data) > _MAX_DETAIL_BYTES:
            return False  # what nobody has looked through to its end is not handed over
        return all(each.decode() in ours for each in _UUID7.findall(data))

    def _take_artifacts(self, digest: Digest, index: int) -> None:
        path = self.folder / layout.artifact(digest.hex)
        with disk.trouble(path):
            data = path.read_bytes() if path.stat().st_size <= MAX_RECORD_BYTES else b""
        try:
            record = Record.parse(data)
        except FormatError:
            return  # it is handed over as it is; whoever verifies is told
        self.origins[record.origin.value] = self.origins.get(record.origin.value, 0) + 1
        if quarantine_of(record.circumstances):
            self.quarantined.append(record.capture_id)
        for each in record.artifacts:
            self._copy(each.digest, each.bytes, index, each.name)

    def _copy(self, digest: Digest, length: int, index: int, name: str) -> bool:
        path = layout.artifact(digest.hex)
        if path in self.digests:
            return True
        if digest not in self._failed:
            reason, found = self._fetch(digest, self.folder / path)
            if reason is None:
                self.digests[path] = digest
                self.length += found
                return True
            self._failed[digest] = reason
        self._miss(digest, length, index, name, self._failed[digest])
        return False

    def _fetch(self, digest: Digest, path: Path) -> tuple[str | None, int]:
        """Why it cannot be handed over, and its length."""
        hasher, length = sha256(), 0
        try:
            with self.store.open(keyspace.blob(digest)) as stream, disk.trouble(path), path.open("xb") as file:
                while chunk := stream.read(CHUNK_BYTES):
                    hasher.update(chunk)
                    length += len(chunk)
                    file.write(chunk)
        except NotStored:
            return DISPOSED if digest.hex in self._disposed else "absent", 0
        if hasher.hexdigest() == digest.hex:
            return None, length
        with disk.trouble(path):
            path.unlink()
        return "altered", length

    def _miss(self, digest: Digest, length: int, index: int, name: str, reason: str) -> None:
        self.missing.append(MissingBlob(digest=digest, bytes=length, index=index, name=name, reason=reason))


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


def write(path: Path, data: bytes) -> None:
    """A new file, or ``DiskError``."""
    with disk.trouble(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
