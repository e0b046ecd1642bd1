"""The sequencer: events get their place in the log, and a receipt once all of it was read back.

Any number of processes on any number of machines append to one log. The order is made by one thing alone: whoever
creates ``commit/<n+1>`` first has it (docs/manifest.md, "Commits"). No lease and no clock is involved; what
dies at any point leaves either nothing or a commit that the next one finishes, byte for byte.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from archive.combiner import Combiner, Waiting
from archive.draft import Draft, EventRefused, Identified, identified
from archive.errors import Collision, KeyFileError, LogError
from archive.follower import Follower
from archive.known import SeenEvent
from archive.log import LogReader
from archive.receipt import Receipt
from archive.snapshots import EVERY, LEAVES
from archive.store import ObjectStore, create_and_read
from archive.view import View
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
    draft: Draft


class Sequencer(View):
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
        snapshot_leaves: int = LEAVES,
    ) -> None:
        """``worker`` is the id of the key that signs for this machine. ``hook`` is told of each step as it is done."""
        if log_signer.public_key != trust.log.public_key:
            raise KeyFileError(
                f"the log key is not the one that the trust file names for {trust.log.name}: put the right one back"
            )
        reader = LogReader(store, trust.log.name)
        super().__init__(
            store,
            reader,
            trust=trust,
            follower=Follower(
                reader,
                trust=trust,
                log_signer=log_signer,
                state_dir=state_dir,
                retain_until=retain_until,
                hook=hook,
                snapshot_every=snapshot_every,
                snapshot_leaves=snapshot_leaves,
            ),
            lock=state_dir / "turn.lock",
        )
        self._keyid = keys.keyid(log_signer.public_key)
        self._worker = worker
        self._clock = clock
        self._retain_until = retain_until
        self._random = random
        self._hook = hook
        self._pending: _Pending | None = None
        self._combiner = Combiner(self._serve, capacity=_CAPACITY)

    def open(self, *, stranger: bool = False) -> None:
        """Read on to the newest commit. Raises ``LogForeign`` and ``LogRollback``; an empty store is no error.

        ``stranger``: this home's worker need not be introduced, as where keys are looked after.
        """
        with self._turn():
            self._follower.begin()
            self._follow()
            if self._follower.position.n == 0:
                self._follower.refuse_other_logs()
            elif not stranger:
                self._follower.refuse_stranger(self._worker)
            self._follower.refuse_removed()

    @property
    def orders(self) -> bool:
        """Events get their place here."""
        return True

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

    def append(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt, ...]:
        """In this order, one receipt each. An event that is in the log already gets the receipt that it had.

        Returns only what was read back; on any ``ArchiveError`` the log may have the events or not, and appending the
        same envelopes again is right in both cases. ``patience_s``: as ``submit`` has it.
        """
        receipts: list[Receipt] = []
        for at in range(0, len(envelopes), _MAX_EVENTS):
            some = identified(envelopes[at : at + _MAX_EVENTS])
            receipts += self._combiner.submit(some, weight=len(some), patience_s=patience_s)
        return tuple(receipts)

    def submit(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt | None, ...]:
        """As ``append``: whoever holds the key need not wait for anybody.

        ``patience_s``: how long these may wait for others of this process, to be one commit with them.
        """
        return self.append(envelopes, patience_s=patience_s)

    def wait(self, envelopes: Sequence[Envelope], within_s: float) -> tuple[Receipt | None, ...]:
        """As ``append``, at once."""
        return self.append(envelopes)

    def take(self, envelopes: Sequence[Identified]) -> list[Receipt | EventRefused]:
        """Each on its own: one that is refused holds up none of the others. Raises what stops all of them."""
        answers: list[Receipt | EventRefused] = []
        for at in range(0, len(envelopes), _MAX_EVENTS):
            waiting = [_Waiting((each,), 1) for each in envelopes[at : at + _MAX_EVENTS]]
            self._serve(list(waiting))
            for each in waiting:
                try:
                    answers += each.result()
                except EventRefused as refused:
                    answers.append(refused)
        return answers

    def holds(self, event_id: str) -> bool:
        """Whether the log has the event."""
        return self.find(event_id) is not None

    def _serve(self, waiting: list[_Waiting]) -> None:
        with self._turn():
            for attempt in count():
                if attempt or self._pending is not None or not self._follower.is_at_end():
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
        self._pending = _Pending(n, commit.format(), draft)
        self._hook("built")
        return self._resolve()

    def _resolve(self) -> bool:
        """The only moment of truth. A slot is tried for with the same bytes until it is known whose it is."""
        if (pending := self._pending) is None:
            return True
        digest = Digest.of(pending.data)
        try:
            key = keyspace.commit(self.log, pending.n)
            given = create_and_read(self._store, key, pending.data, digest=digest, retain_until=self._retain_until())
        except Collision:
            self._pending = None
            return False
        self._pending = None
        self._follower.expect(pending.n, digest, pending.draft, given)
        self._hook("committed")
        return True

    def _follow(self) -> None:
        self._resolve()
        super()._follow()

    def _back_off(self, attempt: int) -> None:
        share = int.from_bytes(self._random(2)) / 0xFFFF
        time.sleep(share * min(_MAX_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2 ** min(attempt, 10)))
