"""Copy an archive to a directory: the same keys as files, each re-hashed on the way, the newest checkpoint last."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from archive.errors import NotStored, StoreError
from archive.store import ObjectStore
from custody import keyspace
from custody.digest import Digest
from custody.model import Json

_LEFT_OUT = (keyspace.PROBES, "v1/inbox/")
_CHUNK_BYTES = 1 << 20
_TOLD_EVERY = 1000


@dataclass(kw_only=True, slots=True)
class MirrorReport:
    """What was copied, and what could not be."""

    copied: int = 0
    equal: int = 0
    """There already, byte for byte: hashed again, not believed."""
    bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "copied": self.copied,
            "equal": self.equal,
            "bytes": self.bytes,
            "problems": list(self.problems),
        }


def mirror(store: ObjectStore, target: Any, *, progress: Callable[[str], None]) -> MirrorReport:
    """Resumable: what lies in the target already is compared and skipped. Raises ``StoreError`` where either fails.

    A blob whose bytes are not what its key says is not copied; it is a problem of the report. Objects of the log are
    copied as they are: the verifier judges them. The mutable ``checkpoint`` comes last and as it was read first, so
    that a log which grows meanwhile leaves a copy that is whole up to it.
    """
    report = MirrorReport()
    pointers = {key: store.read(key) for key in store.keys(keyspace.LOGS) if key.endswith("/checkpoint")}
    for number, key in enumerate(_keys(store, pointers), 1):
        _copy(store, target, key, report)
        if number % _TOLD_EVERY == 0:
            progress(f"{number} objects looked at, {report.bytes} bytes copied")
    for key, data in pointers.items():
        target.replace(key, data)
        report.copied += 1
        report.bytes += len(data)
    return report


def _keys(store: ObjectStore, pointers: dict[str, bytes]) -> Iterator[str]:
    for key in store.keys(keyspace.ROOT):
        if key not in pointers and not key.startswith(_LEFT_OUT):
            yield key


def _copy(store: ObjectStore, target: Any, key: str, report: MirrorReport) -> None:
    try:
        digest, length = _digest(store, key)
    except NotStored:
        return  # a partial tile may go once the full one is there
    if key.startswith(keyspace.BLOBS) and key != keyspace.blob(digest):
        report.problems.append(f"{key} holds other bytes ({digest}): not copied; run `counterproof verify`")
        return
    try:
        there, _ = _digest(target, key)
    except NotStored:
        pass
    else:
        if there == digest:
            report.equal += 1
        else:
            report.problems.append(f"{key} is in the copy already with other bytes ({there}): remove it there")
        return
    _transfer(store, target, key, digest, length)
    report.copied += 1
    report.bytes += length


def _transfer(store: ObjectStore, target: Any, key: str, digest: Digest, length: int) -> None:
    with store.open(key) as stream:
        data = stream.read(length + 1)
    if Digest.of(data) != digest:
        raise StoreError(f"{key} changed while it was copied: run the command again")
    target.create(key, data, digest=digest, retain_until=None)


def _digest(store: ObjectStore, key: str) -> tuple[Digest, int]:
    hasher, length = hashlib.sha256(), 0
    with store.open(key) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            hasher.update(chunk)
            length += len(chunk)
    return Digest(hasher.hexdigest()), length
