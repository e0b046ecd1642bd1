"""The sequencer: events get their place in the log, and a receipt once all of it was read back.

Any number of processes on any number of machines append to one log. The order is made by one thing alone: whoever
creates ``commit/<n+1>`` first has it (docs/manifest.md, "Commits"). No lease and no clock is involved; what
dies at any point leaves either nothing or a commit that the next one finishes, byte for byte.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from archive.combiner import Combiner, Waiting
from archive.confirmation import confirm, read_back
from archive.draft import Draft, EventRefused, Identified, identified
from archive.errors import Collision, KeyFileError, LogError, StoreError
from archive.follower import Follower
from archive.heads import KnownKey, SeenEvent
from archive.log import LoggedEvent, LogReader, Position
from archive.receipt import Receipt
from archive.snapshots import EVERY
from archive.store import ObjectStore
from archive.turn import turn
from custody import keys, keyspace
from custody.commit import Commit
from custody.digest import Digest
from custody.event import Envelope
from custody.keys import Signer
from custody.trust import Trust

__all__ = ["Receipt", "Sequencer"]

_MAX_EVENTS = 2048  # of one request; 4 kB each at most, so that twice as many fit into a commit of 16 MiB
_CAPACITY = 2048  # events that are combined into one commit when many threads ask at once
_BACKOFF_SECONDS = 0.02
_MAX_BACKOFF_SECONDS = 1.0
_NONCE_BYTES = 16

_Waiting = Waiting[tuple[Identified, ...], tuple[Receipt, ...]]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A commit that we tried to create, and do not know whether it is there."""

    n: int
    data: bytes


class Sequencer:
    """Safe for threads. Call ``open`` once before anything else."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        trust: Trust,
        log_signer: Signer,
        worker: str,
        state_dir: Path,
        clock: Callable[[], datetime],
        retain_until: Callable[[], datetime],
        random: Callable[[int], bytes] = secrets.token_bytes,
        hook: Callable[[str], None] = lambda _: None,
        snapshot_every: int = EVERY,
    ) -> None:
        """``worker`` is the id of the key that signs for this machine. ``hook`` is told of each step as it is done."""
        if log_signer.public_key != trust.log.public_key:
            raise KeyFileError(
                f"the log key is not the one that the trust file names for {trust.log.name}: put the right one back"
            )
        self.trust = trust
        self.log = trust.log.name
        self.reader = LogReader(store, self.log)
        self._store = store
        self._keyid = keys.keyid(log_signer.public_key)
        self._worker = worker
        self._clock = clock
        self._retain_until = retain_until
        self._random = random
        self._hook = hook
        self._turn_lock = state_dir / "turn.lock"
        self._follower = Follower(
            self.reader,
            trust=trust,
            log_signer=log_signer,
            state_dir=state_dir,
            retain_until=retain_until,
            hook=hook,
            snapshot_every=snapshot_every,
        )
        self._heads = self._follower.heads
        self._lock = threading.RLock()
        self._pending: _Pending | None = None
        self._combiner = Combiner(self._serve, capacity=_CAPACITY)

    def open(self) -> None:
        """Read on to the newest commit. Raises ``LogForeign`` and ``LogRollback``; an empty store is no error."""
        with self._turn():
            self._follower.begin()
            self._follow()
            if self._follower.position.n == 0:
                self._follower.refuse_other_logs()
            else:
                self._follower.refuse_stranger(self._worker)
            self._follower.refuse_removed()

    @property
    def position(self) -> Position:
        """As far as was read; ``n`` is 0 as long as the log is not begun."""
        with self._lock:
            return self._follower.position

    def begin(self, envelopes: Sequence[Envelope]) -> None:
        """The first commit, unless somebody else has made it by now."""
        with self._turn():
            for attempt in count():
                self._follow()
                if self._follower.position.n:
                    break
                mine = _Waiting(identified(envelopes), len(envelopes))
                committed = self._commit([mine])
                if mine.done:
                    mine.result()  # raises: these are not the beginning of a log
                if not committed:
                    self._back_off(attempt)
            self._follower.refuse_stranger(self._worker)

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]:
        """In this order, one receipt each. An event that is in the log already gets the receipt that it had.

        Returns only what was read back; on any ``ArchiveError`` the log may have the events or not, and appending the
        same envelopes again is right in both cases.
        """
        receipts: list[Receipt] = []
        for at in range(0, len(envelopes), _MAX_EVENTS):
            some = identified(envelopes[at : at + _MAX_EVENTS])
            receipts += self._combiner.submit(some, weight=len(some))
        return tuple(receipts)

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
        """Events of some of ``archive.heads.INDEXED_TYPES``, as far as was read, without reading the whole log."""
        size = self.position.size
        found = self._heads.typed(*types, newest_first=newest_first)
        while (seen := self._next(found)) is not None:
            each = self.reader.parse(seen.n, seen.index, self.reader.leaf(seen.index, size))
            if each.leaf_sha256 != seen.leaf_sha256:
                raise StoreError(f"leaf {seen.index} of {self.log} is not what was written: run `counterproof verify`")
            yield each

    def _next(self, found: Iterator[SeenEvent]) -> SeenEvent | None:
        with self._lock:
            return next(found, None)

    def close(self) -> None:
        with self._lock:
            self._heads.close()

    def _serve(self, waiting: list[_Waiting]) -> None:
        with self._turn():
            for attempt in count():
                self._follow()
                if self._follower.position.n == 0:
                    raise LogError(f"{self.log} is not begun: open it with its root key first")
                waiting = self._settle(waiting)
                if not waiting:
                    return
                if not self._commit(waiting) and not all(each.done for each in waiting):
                    self._back_off(attempt)

    def _settle(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """Answer those whose events the log has; give back the others."""
        rest: list[_Waiting] = []
        complete: list[tuple[_Waiting, list[SeenEvent]]] = []
        for each in waiting:
            if each.done:
                continue
            try:
                seen = [self._seen(event) for event in each.request]
            except EventRefused as error:
                each.fail(error)
                continue
            found = [event for event in seen if event is not None]
            if len(found) < len(seen):
                rest.append(each)
            else:
                complete.append((each, found))
        receipts = self._confirm([event for _, found in complete for event in found])
        for each, found in complete:
            each.answer(tuple(receipts[event.event_id] for event in found))
        return rest

    def _seen(self, event: Identified) -> SeenEvent | None:
        seen = self._heads.event(event.id)
        if seen is not None and seen.payload_sha256 != event.envelope.payload_sha256:
            raise EventRefused(f"event {event.id} is in the log with other bytes: sign this one under an id of its own")
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

    def _commit(self, waiting: Sequence[_Waiting]) -> bool:
        """Create ``commit/<n+1>`` with all that is new. False: somebody else has it, or there is nothing to commit."""
        position = self._follower.position
        with self._heads.reading():
            if self._heads.position() != position:
                return False
            draft = Draft(self._heads, self.trust, after=position)
            now = self._clock()
            for each in waiting:
                try:
                    draft.add(each.request, now)
                except EventRefused as error:
                    each.fail(error)
        if not draft.leaves:
            return False
        n = position.n + 1
        commit = Commit(
            n=n,
            prev=position.commit_sha256,
            old=position.size,
            new=draft.index,
            root=self._follower.edge.grow(draft.leaves).root,
            key=self._keyid,
            by=self._worker,
            nonce=self._random(_NONCE_BYTES).hex(),
            leaves=tuple(draft.leaves),
            events=draft.event_ids(),
        )
        self._pending = _Pending(n, commit.format())
        self._hook("built")
        return self._resolve()

    def _resolve(self) -> bool:
        """The only moment of truth. A slot is tried for with the same bytes until it is known whose it is."""
        if (pending := self._pending) is None:
            return True
        digest = Digest.of(pending.data)
        try:
            key = keyspace.commit(self.log, pending.n)
            self._store.create(key, pending.data, digest=digest, retain_until=self._retain_until())
        except Collision:
            self._pending = None
            return False
        self._pending = None
        self._follower.expect(pending.n, digest)
        self._hook("committed")
        return True

    def _follow(self) -> None:
        self._resolve()
        self._follower.follow()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock, turn(self._turn_lock):
            yield

    def _back_off(self, attempt: int) -> None:
        share = int.from_bytes(self._random(2)) / 0xFFFF
        time.sleep(share * min(_MAX_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2 ** min(attempt, 10)))
