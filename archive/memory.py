"""A store in memory, for tests: real digests, real refusals, gone with the process."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from archive.errors import Collision, NotStored, StoreError
from archive.payload import Payload, checked_key, checked_prefix, refuse_to_lose
from archive.store import HoldState, Removal, Stored, Version
from archive.store import Lock as ObjectLock
from custody.digest import Digest
from custody.keyspace import BLOBS


class MemoryStore:
    """``archive.store.ObjectStore`` without versions and without locks, and it says so."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        return "memory:"

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        payload = Payload.of(data, digest=digest)
        with payload.open() as stream:
            whole = stream.read()
        with self._lock:
            created = checked_key(key) not in self._objects
            there = self._objects.setdefault(key, whole)
        if there != whole:
            raise Collision(
                f"other bytes lie under {key}: expected {digest}, got {Digest.of(there)}; nothing was overwritten"
            )
        return self._stored(key, there, created=created)

    def replace(self, key: str, data: bytes) -> None:
        with self._lock:
            self._objects[checked_key(key)] = data

    def read(self, key: str) -> bytes:
        with self._lock:
            found = self._objects.get(checked_key(key))
        if found is None:
            raise NotStored(f"there is nothing under {key}")
        return found

    def open(self, key: str) -> BinaryIO:
        return io.BytesIO(self.read(key))

    def head(self, key: str) -> Stored:
        return self._stored(key, self.read(key), created=False)

    def keys(self, prefix: str) -> Iterator[str]:
        checked_prefix(prefix)
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        yield from found

    def versions(self, prefix: str) -> Iterator[Version]:
        checked_prefix(prefix)
        yield from ()

    def remove_unlocked(self, key: str) -> None:
        refuse_to_lose(checked_key(key))
        with self._lock:
            self._objects.pop(key, None)

    def lengthen(self, key: str, until: datetime) -> ObjectLock | None:
        self.read(key)
        return None

    def set_hold(self, key: str, *, on: bool) -> HoldState:
        self.read(key)
        return "none"

    def remove(self, key: str) -> tuple[Removal, ...]:
        if not checked_key(key).startswith(BLOBS):
            raise StoreError(f"{key} is no blob: it stays")
        with self._lock:
            found = self._objects.pop(key, None)
        return () if found is None else (Removal(version_id=None, removed=True, answer="removed"),)

    @staticmethod
    def _stored(key: str, data: bytes, *, created: bool) -> Stored:
        return Stored(key=key, bytes=len(data), sha256=Digest.of(data), version_id=None, lock=None, created=created)
