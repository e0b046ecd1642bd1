"""The inbox: how a worker without the log's key gets its events into the log.

It puts each event, signed, under a key of its own in the store, and whoever runs ``counterproof sequence`` where the
log's key is gives it its place. What is said here of the log was read back from it, as everywhere.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from archive.draft import EventRefused, Identified, identified
from archive.errors import Collision, LogError, NotStored, NotTaken, StoreError
from archive.follower import Follower
from archive.known import SeenEvent
from archive.log import LogReader
from archive.receipt import Receipt
from archive.store import ObjectStore
from archive.view import View
from custody import keyspace
from custody.digest import Digest
from custody.event import Envelope
from custody.trust import Trust

WAIT_S = 30.0

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_THREADS = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Inbox(View):
    """``archive.ledger.Ledger`` without the log's key. Call ``open`` once before anything else.

    To the store it writes below ``v1/inbox/`` and nowhere else.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        trust: Trust,
        worker: str,
        state_dir: Path,
        retain_until: Callable[[], datetime],
        wait_s: float = WAIT_S,
        hook: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``worker`` is the id of the key that signs for this machine; ``wait_s`` is how long ``append`` waits."""
        reader = LogReader(store, trust.log.name)
        super().__init__(
            store,
            reader,
            trust=trust,
            follower=Follower(
                reader,
                trust=trust,
                log_signer=None,
                state_dir=state_dir,
                retain_until=retain_until,
                hook=hook,
            ),
            lock=state_dir / "turn.lock",
        )
        self.wait_s = wait_s
        self._worker = worker
        self._hook = hook

    @property
    def orders(self) -> bool:
        """Events get their place from somebody else."""
        return False

    def open(self, *, stranger: bool = False) -> None:
        """Read on to the newest commit. Raises ``LogForeign``, ``LogRollback``, and ``LogError`` without a log.

        ``stranger``: this home's worker need not be introduced, as where keys are looked after.
        """
        with self._turn():
            self._follower.begin()
            self._follow()
            if self._follower.position.n == 0:
                self._follower.refuse_other_logs()
                raise LogError(
                    f"{self.log} is not begun in {self._store.name}, and this home has no log key to begin it with: "
                    "run `counterproof capture` or `counterproof sequence` once in the home that has, on this store"
                )
            if not stranger:
                self._follower.refuse_stranger(self._worker)
            self._follower.refuse_removed()

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]:
        """Submit them, and wait until they are in the log. Raises ``NotTaken`` after ``wait_s``."""
        receipts = self.submit(envelopes)
        if None in receipts:
            receipts = self.wait(envelopes, self.wait_s)
        taken = tuple(each for each in receipts if each is not None)
        if len(taken) < len(receipts):
            raise NotTaken(
                f"{len(receipts) - len(taken)} of {len(receipts)} events wait in the inbox of {self._store.name}: run "
                "`counterproof sequence` where the log key is, then this again"
            )
        return taken

    def submit(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt | None, ...]:
        """Each lies in the inbox, read back, or is in the log; which of both, the log says when it was read on.

        ``patience_s`` is of no use here: each is an object of its own, and commits are made by somebody else.
        Raises ``EventRefused`` when the log has said that it will not take one of them.
        """
        events = identified(envelopes)
        if len(events) > 1:
            with ThreadPoolExecutor(_THREADS, "inbox") as threads:
                list(threads.map(self._put, events))
        else:
            for each in events:
                self._put(each)
        self._hook("submitted")
        return self._look(events, time.monotonic())

    def wait(self, envelopes: Sequence[Envelope], within_s: float) -> tuple[Receipt | None, ...]:
        """For events that were submitted: what the log has of them by then. Raises ``EventRefused`` as ``submit``."""
        return self._look(identified(envelopes), time.monotonic() + within_s)

    def holds(self, event_id: str) -> bool:
        """In the inbox, or in the log. Asked in this order, since nothing leaves the inbox before the log has it."""
        try:
            self._store.head(key_of(event_id))
        except NotStored:
            return self.find(event_id) is not None
        return True

    def _put(self, event: Identified) -> None:
        with self._turn():
            if self._seen(event) is not None:
                return
        data = event.envelope.format()
        try:
            self._store.create(key_of(event.id), data, digest=Digest.of(data), retain_until=None)
        except Collision as error:
            raise EventRefused(
                f"other bytes wait in the inbox as event {event.id}: sign this one under an id of its own",
                code="EVENT_DUPLICATE",
            ) from error
        except StoreError:
            # Taken between our writing and our reading back? Then the log has it.
            if self.find(event.id) is None:
                raise

    def _look(self, events: Sequence[Identified], until: float) -> tuple[Receipt | None, ...]:
        pause = _FIRST_PAUSE_S
        while True:
            with self._turn():
                self._follow()
                seen = [each for event in events if (each := self._seen(event)) is not None]
                missing = len({each.id for each in events}) - len({each.event_id for each in seen})
                if not missing or time.monotonic() >= until:
                    self._refuse_rejected(events, seen)
                    found = self._confirm(seen)
                    return tuple(found.get(each.id) for each in events)
            time.sleep(max(0.0, min(pause, until - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)

    def _refuse_rejected(self, events: Sequence[Identified], seen: Sequence[SeenEvent]) -> None:
        """What the log has said no to is not waited for: by the digest of what lay in the inbox."""
        known = {each.event_id for each in seen}
        waiting = {Digest.of(each.envelope.format()).hex: each.id for each in events if each.id not in known}
        if not waiting:
            return
        for each in self.events("event.rejected", newest_first=True):
            if (event_id := waiting.get(str(each.event.body["bytes_sha256"]))) is not None:
                reason = str(each.event.body["reason"])
                raise EventRefused(f"the log has refused event {event_id} ({reason}, leaf {each.index})", code=reason)


def key_of(event_id: str) -> str:
    """By the day that is in the id (UUIDv7), so that the same event has the same key whenever it is submitted."""
    milliseconds = UUID(event_id).int >> 80  # RFC 9562 §5.7: unix_ts_ms in the first 48 bits
    try:
        return keyspace.inbox(event_id, _EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError as error:
        raise EventRefused(f"event {event_id} has an id of no time that there is: sign it under another") from error
