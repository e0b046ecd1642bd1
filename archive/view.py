"""The log as one process has read it on to its newest commit; shared by those who order it and those who submit."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from archive.confirmation import confirm, read_back
from archive.draft import EventRefused, Identified
from archive.errors import StoreError
from archive.follower import Follower
from archive.known import KnownKey, SeenEvent
from archive.log import LoggedEvent, LogReader, Position
from archive.receipt import Receipt
from archive.segments import SegmentLost
from archive.store import ObjectStore
from archive.turn import turn
from custody import tiles
from custody.trust import Trust


class View:
    """Safe for threads."""

    def __init__(self, store: ObjectStore, reader: LogReader, *, trust: Trust, follower: Follower, lock: Path) -> None:
        self.trust = trust
        self.log = reader.log
        self.reader = reader
        self._store = store
        self._follower = follower
        self._heads = follower.heads
        self._turn_lock = lock
        self._lock = threading.RLock()

    @property
    def position(self) -> Position:
        """As far as was read; ``n`` is 0 as long as the log is not begun."""
        with self._lock:
            return self._follower.position

    def find(self, event_id: str) -> Receipt | None:
        """The receipt of an event, if the log has it."""
        with self._turn():
            self._follow()
            seen = self._heads.event(event_id)
            return None if seen is None else self._confirm([seen])[event_id]

    def key(self, keyid: str) -> KnownKey | None:
        """A key that the log has introduced, as far as was read."""
        with self._lock:
            return self._heads.key(keyid)

    def refresh(self) -> Position:
        """Read on to the newest commit."""
        with self._turn():
            self._follow()
            return self._follower.position

    def checkpoint(self) -> tuple[int, bytes]:
        """Size, and the newest signed note as it is stored."""
        size = self.refresh().size
        return size, read_back(self.reader, self.trust.log, size, {})

    def events(self, *types: str, newest_first: bool = False) -> Iterator[LoggedEvent]:
        """Events of some of ``archive.known.INDEXED_TYPES``, as far as was read, without reading the whole log."""
        size = self.position.size
        found = self._heads.typed(*types, newest_first=newest_first)
        leaves = lru_cache(1)(self.reader.leaves)  # neighbours come out of one bundle: it is read once
        while (seen := self._next(found)) is not None:
            # Another process of this home may have read on, and written what it read where we find it too.
            at, inside = divmod(seen.index, tiles.WIDTH)
            width = min(tiles.WIDTH, max(size, seen.tree_size) - at * tiles.WIDTH)
            each = self.reader.parse(seen.n, seen.index, leaves(at, width)[inside])
            if each.leaf_sha256 != seen.leaf_sha256:
                raise StoreError(f"leaf {seen.index} of {self.log} is not what was written: run `counterproof verify`")
            yield each

    def close(self) -> None:
        with self._lock:
            self._heads.close()

    def _next(self, found: Iterator[SeenEvent]) -> SeenEvent | None:
        try:
            with self._lock:
                return next(found, None)
        except SegmentLost as lost:
            with self._turn():
                self._follower.forget(lost)
            raise

    def _seen(self, event: Identified) -> SeenEvent | None:
        seen = self._heads.event(event.id)
        if seen is not None and seen.payload_sha256 != event.envelope.payload_sha256:
            raise EventRefused(
                f"event {event.id} is in the log with other bytes: sign this one under an id of its own",
                code="EVENT_DUPLICATE",
            )
        return seen

    def _confirm(self, seen: Sequence[SeenEvent]) -> dict[str, Receipt]:
        known = self._follower.known
        receipts = confirm(self.reader, self.trust.log, seen, known=known)
        older = [each.tree_size for each in seen if known is None or each.n != known.n]
        if older:
            newest = self._follower.publisher.newest()
            if newest is None or newest.size < max(older):
                raise StoreError(f"{self._store.name} lost the newest checkpoint: run the command again")
        return receipts

    def _follow(self) -> None:
        while True:
            try:
                self._follower.follow()
            except SegmentLost as lost:
                self._follower.forget(lost)  # each time one more is not believed, and in the end the commits are read
            else:
                return

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock, turn(self._turn_lock):
            try:
                yield
            except SegmentLost as lost:
                self._follower.forget(lost)
                raise
