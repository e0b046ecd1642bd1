"""Copy an archive to a directory: the same keys as files, each re-hashed on the way, the newest checkpoint last."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from archive import disk
from archive.errors import NotStored, StoreError
from archive.payload import CHUNK_BYTES, checked_key
from archive.store import ObjectStore, Stored
from custody import canonical, keyspace, tiles
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json

_LEFT_OUT = (keyspace.PROBES, "v1/inbox/")
_IN_MEMORY = 8 * 1024 * 1024
_HEADER_BYTES = 2 * 1024 * 1024  # of a commit: the ids of 8,192 events and more
_TOLD_EVERY = 500
_TRIES = 5

_BLOB = re.compile(rf"{keyspace.BLOBS}[0-9a-f]{{2}}/([0-9a-f]{{64}})")
_POINTER = re.compile(rf"({keyspace.LOGS}[^/]+/)checkpoint")
_OF_LOG = re.compile(rf"({keyspace.LOGS}[^/]+/)(commit|checkpoints|timestamps|snapshots|tile)/(.+)")
_TILE = re.compile(r"(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class Target(Protocol):
    """Where the copy goes: an ``ObjectStore``, of which only this is asked."""

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored: ...

    def replace(self, key: str, data: bytes) -> None: ...

    def open(self, key: str) -> BinaryIO: ...


@dataclass(kw_only=True, slots=True)
class MirrorReport:
    """What was copied, and what could not be."""

    copied: int = 0
    equal: int = 0
    """There already, byte for byte: hashed again, not believed."""
    bytes: int = 0
    later: int = 0
    """Objects of the log that are not under the newest checkpoint yet: the next copy has them."""
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "copied": self.copied,
            "equal": self.equal,
            "bytes": self.bytes,
            "later": self.later,
            "problems": list(self.problems),
        }


@dataclass(slots=True)
class _Head:
    """How far a log goes in the copy."""

    pointer: bytes | None
    """The mutable ``checkpoint``, as it was read before anything else."""
    size: int | None
    """Leaves under the newest checkpoint that the log signed then; None where it signed none: all is copied."""
    last: int = 0
    """Number of the last commit that is under it."""


def mirror(store: ObjectStore, target: Target, *, progress: Callable[[str], None]) -> MirrorReport:
    """Resumable: what lies in the target already is hashed and skipped. Raises ``StoreError`` where either fails.

    A blob whose bytes are not what its key says is not copied; it is a problem of the report. Objects of the log are
    copied as they are: the verifier judges them. A log may grow meanwhile: what is newer than the checkpoint that was
    read first is left for the next time, and that checkpoint is written last, so that a copy that has it is whole.
    """
    report = MirrorReport()
    heads = {prefix: _head(store, prefix) for prefix in _logs(store)}
    for number, key in enumerate(store.keys(keyspace.ROOT), 1):
        if key.startswith(_LEFT_OUT) or _POINTER.fullmatch(key):
            continue
        try:
            _check_key(key)
            if _is_later(store, key, heads):
                report.later += 1
            else:
                _copy(store, target, key, report)
        except NotStored:
            continue  # listed, and gone since: a partial tile may go once the full one is there
        except _Unlike as unlike:
            report.problems.append(str(unlike))
        if number % _TOLD_EVERY == 0:
            progress(f"{number} objects looked at, {report.copied} copied, {report.bytes} bytes")
    for prefix, head in heads.items():
        if head.pointer is not None:
            _point(target, f"{prefix}checkpoint", head.pointer, report)
    return report


class _Unlike(Exception):
    """Bytes that are not copied, and why."""


def _check_key(key: str) -> None:
    try:
        checked_key(key)
    except StoreError as error:
        raise _Unlike(f"not copied: {error}") from error


def _logs(store: ObjectStore) -> list[str]:
    found = dict.fromkeys("/".join(key.split("/", 3)[:3]) + "/" for key in store.keys(keyspace.LOGS))
    return [prefix for prefix in found if prefix.startswith(keyspace.LOGS) and prefix != keyspace.LOGS]


def _head(store: ObjectStore, prefix: str) -> _Head:
    """The pointer and the newest checkpoint, of one moment where they can be had so.

    A pointer that lags is copied as it is, with all that was signed: a copy must not hide that a log was cut short.
    """
    pointer, newest = None, None
    for _ in range(_TRIES):
        pointer = _read(store, f"{prefix}checkpoint")
        listed = [
            int(found[1]) for key in store.keys(f"{prefix}checkpoints/") if (found := re.search(r"/(\d{20})$", key))
        ]
        newest = max(listed, default=None)
        if newest is None or pointer == _read(store, f"{prefix}checkpoints/{newest:020d}"):
            break
    return _Head(pointer, newest)


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except NotStored:
        return None


def _is_later(store: ObjectStore, key: str, heads: dict[str, _Head]) -> bool:
    """Whether an object of a log is of leaves that come after the copy's checkpoint; a strange object is copied."""
    found = _OF_LOG.fullmatch(key)
    head = heads.get(found[1]) if found is not None else None
    if found is None or head is None or head.size is None:
        return found is not None and head is None  # a log that was opened since
    kind, rest = found[2], found[3]
    if kind == "tile":
        return _tile_end(rest) > head.size
    number = re.match(r"(\d{20})(/|$)", rest)
    if number is None:
        return False
    n = int(number[1])
    if kind in ("checkpoints", "timestamps"):
        return n > head.size
    if kind == "snapshots":
        return n > head.last
    later = _commit_end(store, key) > head.size
    head.last = head.last if later else max(head.last, n)
    return later


def _tile_end(rest: str) -> int:
    """The size that a tree has at least where this tile or bundle is there; 0 for what is neither."""
    found = _TILE.fullmatch(rest)
    if found is None:
        return 0
    level = 0 if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("x", "").replace("/", ""))
    width = tiles.WIDTH if found[3] is None else int(found[3])
    return int((index * tiles.WIDTH + width) * tiles.WIDTH**level)


def _commit_end(store: ObjectStore, key: str) -> int:
    """The size that the tree has after a commit, by its first line; 0 where that cannot be read."""
    with store.open(key) as stream:
        line = stream.readline(_HEADER_BYTES)
    try:
        header = canonical.loads(line)
    except FormatError:
        return 0
    new = header.get("new") if isinstance(header, dict) else None
    return new if isinstance(new, int) and not isinstance(new, bool) else 0


def _copy(store: ObjectStore, target: Target, key: str, report: MirrorReport) -> None:
    blob = _BLOB.fullmatch(key)
    there = _digest(target, key)
    if blob is not None and there is not None and there.hex == blob[1]:
        report.equal += 1  # equal to its key is equal to what was stored: it need not be fetched
        return
    with _fetched(store, key) as (data, digest, length):
        if blob is not None and digest.hex != blob[1]:
            raise _Unlike(f"{key} holds other bytes ({digest}): not copied; run `counterproof verify`")
        if there == digest:
            report.equal += 1
            return
        if there is not None:
            raise _Unlike(f"{key} is in the copy already with other bytes ({there}): remove that file, it was changed")
        target.create(key, data, digest=digest, retain_until=None)
    report.copied += 1
    report.bytes += length


def _point(target: Target, key: str, data: bytes, report: MirrorReport) -> None:
    if _digest(target, key) == Digest.of(data):
        report.equal += 1
        return
    target.replace(key, data)
    report.copied += 1
    report.bytes += len(data)


def _digest(target: Target, key: str) -> Digest | None:
    try:
        with target.open(key) as stream:
            return Digest.of_stream(stream)[0]
    except NotStored:
        return None


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
