"""A builder's archive put into a real store, and stores that fail or grow at the worst moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from archive.errors import StoreDown
from archive.memory import MemoryStore
from archive.store import ObjectStore, Stored, Version
from custody import keyspace
from custody.digest import Digest
from tests.custody.archive_builder import ArchiveBuilder


def put(builder: ArchiveBuilder, store: ObjectStore) -> None:
    """All of it that is not there yet, in the order of a writer: what is named before what names it."""
    for key, data in sorted(
        builder.build().objects.items(), key=lambda each: (each[0].endswith("/checkpoint"), each[0])
    ):
        if key == keyspace.checkpoint(builder.log):
            store.replace(key, data)
        else:
            store.create(key, data, digest=Digest.of(data), retain_until=None)


def stored(builder: ArchiveBuilder) -> MemoryStore:
    store = MemoryStore()
    put(builder, store)
    return store


def forge(store: MemoryStore, key: str, data: bytes | None) -> None:
    """What a store must never let happen: other bytes under a key, or none."""
    assert store.read(key) != data
    if data is None:
        del store._objects[key]
    else:
        store._objects[key] = data


@dataclass
class WatchedStore:
    """A store that tells what is read from it, and can die, wait or change when it is."""

    inner: ObjectStore
    opened: list[str] = field(default_factory=list)
    dies_after: int | None = None
    before_open: Callable[[str], None] = lambda _: None
    before_keys: Callable[[str], None] = lambda _: None
    strange_keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"watched {self.inner.name}"

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        return self.inner.create(key, data, digest=digest, retain_until=retain_until)

    def replace(self, key: str, data: bytes) -> None:
        self.inner.replace(key, data)

    def read(self, key: str) -> bytes:
        return self.inner.read(key)

    def open(self, key: str) -> BinaryIO:
        self.before_open(key)
        if self.dies_after is not None and len(self.opened) >= self.dies_after:
            raise StoreDown("the store does not answer")
        self.opened.append(key)
        return self.inner.open(key)

    def head(self, key: str) -> Stored:
        return self.inner.head(key)

    def keys(self, prefix: str) -> Iterator[str]:
        self.before_keys(prefix)
        yield from self.inner.keys(prefix)
        yield from (key for key in self.strange_keys if key.startswith(prefix))

    def versions(self, prefix: str) -> Iterator[Version]:
        return self.inner.versions(prefix)

    def remove_unlocked(self, key: str) -> None:
        self.inner.remove_unlocked(key)
