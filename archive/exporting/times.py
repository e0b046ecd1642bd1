"""Which stamped checkpoints an export carries: those nearest to its captures, by every authority, and its own."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archive.errors import NotStored
from archive.log import LoggedEvent
from archive.store import ObjectStore
from custody import keyspace


@dataclass(slots=True)
class Stamped:
    """A checkpoint with the answers that authorities gave to it."""

    size: int
    checkpoint: bytes
    answers: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """Authority to query and answer."""


def sizes_of(told: Iterable[LoggedEvent]) -> dict[str, list[int]]:
    """Authority to the sizes that the log says it has stamped, in order."""
    found: dict[str, set[int]] = {}
    for each in told:
        found.setdefault(str(each.event.body["authority"]), set()).add(int(str(each.event.body["size"])))
    return {name: sorted(sizes) for name, sizes in found.items()}


def nearest(sizes: Mapping[str, list[int]], indexes: Iterable[int]) -> dict[int, set[str]]:
    """For each leaf and each authority the smallest stamped tree that holds it: size to authorities."""
    wanted: dict[int, set[str]] = {}
    for index in indexes:
        for authority, stamped in sizes.items():
            at = bisect_right(stamped, index)
            if at < len(stamped):
                wanted.setdefault(stamped[at], set()).add(authority)
    return wanted


def fetch(store: ObjectStore, log: str, wanted: Mapping[int, set[str]]) -> list[Stamped]:
    """What of it is there. A token that is gone proves nothing any more, and `verify` of the store names it."""
    found = []
    for size, authorities in sorted(wanted.items()):
        try:
            each = Stamped(size, store.read(keyspace.checkpoint_at(log, size)))
        except NotStored:
            continue
        for authority in sorted(authorities):
            try:
                each.answers[authority] = (
                    store.read(keyspace.query(log, size, authority)),
                    store.read(keyspace.token(log, size, authority)),
                )
            except NotStored:
                continue
        if each.answers:
            found.append(each)
    return found
