"""Copy an archive to a directory or a second bucket: the same keys, each re-hashed on the way, the checkpoint last."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from archive import disk
from archive.errors import NotPlain, NotStored, StoreError
from archive.moment import heads, is_later
from archive.payload import CHUNK_BYTES, checked_key
from archive.store import Lock, ObjectStore, Stored, Version
from custody import keyspace
from custody.digest import Digest
from custody.model import Json

_LEFT_OUT = (keyspace.PROBES, keyspace.INBOX)
_IN_MEMORY = 8 * 1024 * 1024
_TOLD_EVERY = 500
_BATCH = 50

T = TypeVar("T")
R = TypeVar("R")

_BLOB = re.compile(rf"{keyspace.BLOBS}[0-9a-f]{{2}}/([0-9a-f]{{64}})")
_POINTER = re.compile(rf"({keyspace.LOGS}[^/]+/)checkpoint")
_LOCKED = re.compile(
    rf"{keyspace.BLOBS}|{keyspace.QUARANTINE}|{keyspace.LOGS}[^/]+/(?:commit|checkpoints|timestamps|keys)/"
    rf"|{keyspace.LOGS}[^/]+/tile/(?!.*\.p/)"
)
"""docs/manifest.md, "Where it lives": written once and locked; of tiles, the full ones."""


class Target(Protocol):
    """Where the copy goes: an ``ObjectStore``, of which only this is asked."""

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored: ...

    def replace(self, key: str, data: bytes) -> None: ...

    def open(self, key: str) -> BinaryIO: ...

    def head(self, key: str) -> Stored: ...

    def versions(self, prefix: str) -> Iterator[Version]: ...


class LockedTarget(Target, Protocol):
    """One that keeps locks: a bucket."""

    def lengthen(self, key: str, until: datetime) -> Lock | None: ...


class Map(Protocol):
    """The builtin ``map``, or that of an executor."""

    def __call__(self, function: Callable[[T], R], arguments: Iterable[T], /) -> Iterable[R]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Locking:
    """How objects are locked in a copy that keeps locks."""

    target: LockedTarget
    fresh: Callable[[], datetime]
    """The end of a lock on what has none in the source, or one that has run out."""
    clock: Callable[[], datetime]

    def until(self, key: str, source: Stored) -> datetime | None:
        """As long as the source's own; None for what no archive locks."""
        if source.lock is not None and source.lock.retain_until > self.clock():
            return source.lock.retain_until
        return self.fresh() if _LOCKED.match(key) else None


@dataclass(kw_only=True, slots=True)
class MirrorReport:
    """What was copied, and what could not be."""

    copied: int = 0
    equal: int = 0
    """There already, byte for byte: a file is hashed again, of a bucket it is the SHA-256 that it keeps itself."""
    bytes: int = 0
    later: int = 0
    """Objects of the log that are not under the newest checkpoint yet: the next copy has them."""
    problems: list[str] = field(default_factory=list)
    objects: dict[str, int] = field(default_factory=dict, repr=False)
    """Every key that the copy holds now, and its bytes."""
    size: int = 0
    """Leaves under the newest checkpoint of the copy."""
    locked: int = 0
    """Objects whose lock was set or seen in the copy."""

    @property
    def keys_sha256(self) -> Digest:
        """Of all keys of the copy, in byte order, a line each: what was there, in 32 bytes."""
        return Digest.of("".join(f"{key}\n" for key in sorted(self.objects)).encode())

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "copied": self.copied,
            "equal": self.equal,
            "bytes": self.bytes,
            "later": self.later,
            "problems": list(self.problems),
            "objects": len(self.objects),
            "objects_bytes": sum(self.objects.values()),
            "keys_sha256": self.keys_sha256.hex,
            "size": self.size,
            "locked": self.locked,
        }


def mirror(
    store: ObjectStore,
    target: Target,
    *,
    progress: Callable[[str], None],
    locking: Locking | None = None,
    map: Map = map,  # noqa: A002  # the builtin's own shape
) -> MirrorReport:
    """Resumable: what lies in the target already is compared and skipped. Raises ``StoreError`` where either fails.

    A blob whose bytes are not what its key says is not copied; it is a problem of the report. Objects of the log are
    copied as they are: the verifier judges them. A log may grow meanwhile: what is newer than the checkpoint that was
    read first is left for the next time, and that checkpoint is written last, so that a copy that has it is whole.
    """
    report = MirrorReport()
    logs = heads(store)
    job = _Job(store, target, locking)
    waiting: list[str] = []
    for number, key in enumerate(store.keys(keyspace.ROOT), 1):
        # Packed rows of the catalogue tell of people, can be made again, and would outlive a disposal in a copy.
        if key.startswith(_LEFT_OUT) or keyspace.is_index(key) or _POINTER.fullmatch(key):
            continue
        try:
            _check_key(key)
            if is_later(store, key, logs):
                report.later += 1
            else:
                waiting.append(key)
        except NotStored as error:
            report.problems += _strange(error)
        except _Unlike as unlike:
            report.problems.append(str(unlike))
        if len(waiting) >= _BATCH or number % _TOLD_EVERY == 0:
            _take(report, map(job, waiting))
            waiting = []
        if number % _TOLD_EVERY == 0:
            progress(f"{number} objects looked at, {report.copied} copied, {report.bytes} bytes")
    _take(report, map(job, waiting))
    for prefix, head in logs.items():
        if head.pointer is not None:
            _point(target, f"{prefix}checkpoint", head.pointer, report)
        report.size = max(report.size, head.size or 0)
    report.problems += _written_twice(target, report)
    return report


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What came of one object."""

    key: str
    copied: bool = False
    held: bool = False
    """The copy has it, and it is what it should be."""
    bytes: int = 0
    locked: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    store: ObjectStore
    target: Target
    locking: Locking | None

    def __call__(self, key: str) -> _Told:
        """In whatever thread the map uses."""
        try:
            return _copy(self.store, self.target, key, self.locking)
        except NotStored as error:
            return _Told(key=key, problems=tuple(_strange(error)))
        except _Unlike as unlike:
            return _Told(key=key, problems=(str(unlike),))


def _strange(error: NotStored) -> list[str]:
    """What is listed, and gone since, is no problem: a partial tile may go once the full one is there."""
    return [f"not copied: {error}"] if isinstance(error, NotPlain) else []


def _take(report: MirrorReport, told: Iterable[_Told]) -> None:
    for each in told:
        report.problems += each.problems
        if each.held:
            report.copied += each.copied
            report.equal += not each.copied
            report.bytes += each.bytes if each.copied else 0
            report.objects[each.key] = each.bytes
            report.locked += each.locked


def _written_twice(target: Target, report: MirrorReport) -> list[str]:
    """A bucket tells of every version: each object of a copy has one, but for the pointer, and none is hidden."""
    versions: dict[str, int] = {}
    problems = []
    for each in target.versions(keyspace.ROOT):
        if each.is_delete_marker and each.key in report.objects:
            problems.append(f"{each.key} has a delete marker in the copy: see who set it, and remove it")
        elif not each.is_delete_marker and not _POINTER.fullmatch(each.key):
            versions[each.key] = versions.get(each.key, 0) + 1
    problems += [
        f"{key} has {count} versions in the copy, and was to be written once: see who wrote the others"
        for key, count in versions.items()
        if count > 1 and key in report.objects and "/snapshots/" not in key
    ]
    return problems


class _Unlike(Exception):
    """Bytes that are not copied, and why."""


def _check_key(key: str) -> None:
    try:
        checked_key(key)
    except StoreError as error:
        raise _Unlike(f"not copied: {error}") from error


def _copy(store: ObjectStore, target: Target, key: str, locking: Locking | None) -> _Told:
    blob = _BLOB.fullmatch(key)
    there, length = _there(target, key)
    until = None if locking is None else locking.until(key, store.head(key))
    if blob is not None and there is not None and there.hex == blob[1]:
        # Equal to its key is equal to what was stored: it need not be fetched.
        return _Told(key=key, held=True, bytes=length, locked=_lengthened(locking, key, until))
    with _fetched(store, key) as (data, digest, length):
        if blob is not None and digest.hex != blob[1]:
            raise _Unlike(f"{key} holds other bytes ({digest}): not copied; run `counterproof verify`")
        if there == digest:
            return _Told(key=key, held=True, bytes=length, locked=_lengthened(locking, key, until))
        if there is not None:
            raise _Unlike(f"{key} is in the copy already with other bytes ({there}): remove that file, it was changed")
        target.create(key, data, digest=digest, retain_until=until)
    return _Told(key=key, copied=True, held=True, bytes=length, locked=until is not None)


def _lengthened(locking: Locking | None, key: str, until: datetime | None) -> bool:
    """The lock of what is there already is as long as the source's, and was read back. Raises ``StoreError``."""
    if locking is None or until is None:
        return False
    locking.target.lengthen(key, until)
    return True


def _point(target: Target, key: str, data: bytes, report: MirrorReport) -> None:
    report.objects[key] = len(data)
    if _there(target, key)[0] == Digest.of(data):
        report.equal += 1
        return
    target.replace(key, data)
    report.copied += 1
    report.bytes += len(data)


def _there(target: Target, key: str) -> tuple[Digest | None, int]:
    """What the copy has under the key. A bucket that keeps no SHA-256 of it is read."""
    try:
        head = target.head(key)
        if head.sha256 is not None:
            return head.sha256, head.bytes
        with target.open(key) as stream:
            return Digest.of_stream(stream)
    except NotPlain as error:
        raise StoreError(f"{error}: take it out of the copy") from error
    except NotStored:
        return None, 0


@contextmanager
def _fetched(store: ObjectStore, key: str) -> Iterator[tuple[bytes | Path, Digest, int]]:
    """An object's bytes, hashed as they come: in memory, or in a file where they are many."""
    with store.open(key) as stream:
        data = stream.read(_IN_MEMORY)
        if len(data) < _IN_MEMORY:
            yield data, Digest.of(data), len(data)
            return
        with disk.trouble(Path(tempfile.gettempdir())), tempfile.NamedTemporaryFile(prefix="counterproof-") as file:
            hasher, length = hashlib.sha256(), 0
            while data:
                hasher.update(data)
                length += len(data)
                file.write(data)
                data = stream.read(CHUNK_BYTES)
            file.flush()
            yield Path(file.name), Digest(hasher.hexdigest()), length
