"""An export made again: the entry that told of it first, found by what it binds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.errors import NotStored
from archive.log import LoggedEvent, LogReader
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """The entry that tells of an export, and its blob."""

    event: LoggedEvent
    size: int
    """Leaves under the first checkpoint that holds it."""
    data: bytes
    again: bool


def find(reader: LogReader, store: ObjectStore, size: int, binding: Mapping[str, Json]) -> Told | None:
    """The first export after a tree of ``size`` that bound the same. Reads the log on from there."""
    for logged in reader.commits():
        if logged.commit.new <= size:
            continue
        for index, data in enumerate(logged.commit.leaves, logged.commit.old):
            if index < size:
                continue
            each = reader.parse(logged.commit.n, index, data)
            if each.event.type == "evidence.exported":
                said = _said(store, each)
                if said is not None and all(said[1].get(name) == value for name, value in binding.items()):
                    return Told(event=each, size=logged.commit.new, data=said[0], again=True)
    return None


def _said(store: ObjectStore, event: LoggedEvent) -> tuple[bytes, Mapping[str, Any]] | None:
    digest = event.event.subjects[0].digest
    try:
        data = store.read(keyspace.blob(digest))
        value: Any = canonical.loads(data)
    except (NotStored, FormatError):
        return None
    return (data, value) if isinstance(value, Mapping) and Digest.of(data) == digest else None
