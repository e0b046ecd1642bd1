"""The moment of a copy: how far each log went when it was begun. What came later is left for the next copy."""

import re
from dataclasses import dataclass

from archive.errors import NotStored
from archive.store import ObjectStore
from custody import canonical, keyspace, tiles
from custody.errors import FormatError

_HEADER_BYTES = 2 * 1024 * 1024  # of a commit: the ids of 8,192 events and more
_TRIES = 5

_OF_LOG = re.compile(rf"({keyspace.LOGS}[^/]+/)(commit|checkpoints|timestamps|snapshots|tile)/(.+)")
_TILE = re.compile(r"(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(slots=True)
class Head:
    """How far a log goes in the copy."""

    pointer: bytes | None
    """The mutable ``checkpoint``, as it was read before anything else."""
    size: int | None
    """Leaves under the newest checkpoint that the log signed then; None where it signed none: all is copied."""
    last: int = 0
    """Number of the last commit that is under it."""


def heads(store: ObjectStore) -> dict[str, Head]:
    """Of every log in the store, by its prefix."""
    return {prefix: _head(store, prefix) for prefix in _logs(store)}


def _logs(store: ObjectStore) -> list[str]:
    found = dict.fromkeys("/".join(key.split("/", 3)[:3]) + "/" for key in store.keys(keyspace.LOGS))
    return [prefix for prefix in found if prefix.startswith(keyspace.LOGS) and prefix != keyspace.LOGS]


def _head(store: ObjectStore, prefix: str) -> Head:
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
    return Head(pointer, newest)


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except NotStored:
        return None


def is_later(store: ObjectStore, key: str, heads: dict[str, Head]) -> bool:
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
