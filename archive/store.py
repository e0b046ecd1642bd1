"""ObjectStore: bytes under keys, created once. One key, the log's `checkpoint`, is swapped."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, runtime_checkable

from custody.digest import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """S3 Object Lock on one version."""

    mode: str
    """``GOVERNANCE`` or ``COMPLIANCE``."""
    retain_until: datetime
    """UTC, whole seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What the store itself says of an object, read back by HEAD after the write, never what we hoped."""

    key: str
    bytes: int
    sha256: Digest | None
    """The store's own full-object SHA-256; None where it keeps none (a directory is re-hashed instead)."""
    version_id: str | None
    lock: Lock | None
    created: bool
    """False when equal bytes were there already (HTTP 412, then compared)."""
    held: bool = False
    """Under a legal hold, which has no end and knows no bypass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of an object, as listed."""

    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """What the store answered when one version was to go."""

    version_id: str | None
    removed: bool
    answer: str
    """In the store's own words: status and code."""


HoldState = Literal["on", "off", "unsupported", "none"]
"""As read back. ``unsupported``: the bucket takes no legal hold; ``none``: the store keeps neither holds nor locks."""


class ObjectStore(Protocol):
    """Blocking and safe for threads. Every failure is an ``archive.errors.StoreError``; absence is ``NotStored``."""

    @property
    def name(self) -> str:
        """How people name it: ``s3://bucket/prefix``, ``file:/path``, ``embedded``. Never holds a secret."""
        ...

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        """Write once, in a single PUT whose SHA-256 the server checks, then read back by HEAD.

        Equal bytes already there: the lock is lengthened if ours is longer, and read back. Other bytes: ``Collision``.
        A timeout or 409 is retried with the same bytes until the store says yes or 412. Raises ``StoreError`` if what
        is read back (checksum, size, lock) is not what was sent.
        """
        ...

    def replace(self, key: str, data: bytes) -> None:
        """Overwrite the one mutable kind of key (a cache: latest checkpoint). Carries no lock."""
        ...

    def read(self, key: str) -> bytes:
        """All bytes; for what is known to be small (log objects, records)."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A stream over the bytes; close it."""
        ...

    def head(self, key: str) -> Stored: ...

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys below the prefix, in byte order."""
        ...

    def versions(self, prefix: str) -> Iterator[Version]:
        """All versions and delete markers below the prefix; nothing where the store keeps no versions."""
        ...

    def remove_unlocked(self, key: str) -> None:
        """Every version of what carries no lock and is no evidence: ``v1/inbox/``, ``v1/probe/``, a log's ``index/``.

        Nothing under the key is no error. Raises ``StoreError`` for any other key.
        """
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A store that tells in one answer what an object says of itself and its bytes."""

    def create_and_read(self, key: str, data: bytes, *, digest: Digest, retain_until: datetime | None) -> bytes:
        """As ``ObjectStore.create``, read back by GET: gives the bytes that the store gives now. For what is small."""
        ...


def create_and_read(
    store: ObjectStore, key: str, data: bytes, *, digest: Digest, retain_until: datetime | None
) -> bytes:
    """Write once, and give the bytes that the store gives back now, which are the caller's to compare."""
    if isinstance(store, ReadsBack):
        return store.create_and_read(key, data, digest=digest, retain_until=retain_until)
    store.create(key, data, digest=digest, retain_until=retain_until)
    return store.read(key)


@runtime_checkable
class Keeper(ObjectStore, Protocol):
    """A store that also takes part in what happens to evidence later: longer locks, holds, and the end of a blob."""

    def lengthen(self, key: str, until: datetime) -> Lock | None:
        """The lock as read back, never shorter than it was; None where the store keeps none. Raises ``NotStored``."""
        ...

    def set_hold(self, key: str, *, on: bool) -> HoldState:
        """A legal hold on every version of the key, or off it, then read back. Raises ``NotStored``."""
        ...

    def remove(self, key: str) -> tuple[Removal, ...]:
        """Every version and delete marker of a blob, each by its own id, never round a lock; empty: nothing was there.

        A no of the store is an answer. Raises ``StoreError`` for a key that is no blob's: the log stays.
        """
        ...
