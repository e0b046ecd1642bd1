"""Sealing: trusted time over checkpoints that hold what was recorded, by as many authorities as were asked for."""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from archive.authority import Authority, Refused, Stamped
from archive.confirmation import read_back
from archive.errors import ArchiveError, NotStored
from archive.ledger import Ledger
from archive.pacing import Acquaintances
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.turn import turn
from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor, Envelope
from custody.instant import format_utc
from custody.model import Json

WITHIN_S = 15.0
"""How long an authority has for its answer, unless the caller says otherwise."""

_LOOK_BACK = 16  # tokens of each authority that are judged in search of the newest that holds
_GRACE_S = 2.0  # for those that have not answered when enough others have
_REMEMBERED = 8192  # leaves that wait for their time; older ones are under the same tree as these
_TIMESTAMPED = "log.timestamped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """What came of asking for the time."""

    sealed: bool
    """As many authorities as the trust file asks for have stamped checkpoints that hold all of the leaves."""
    size: int | None
    """Of the tree whose checkpoint was stamped last; None when there is no authority."""
    proved: int
    """Leaves below this index are under trusted time, and those of them that were noted here were proved to be in the
    trees that were stamped, by what the store gives back."""
    quorum: int | None
    """How many authorities have to stamp; None where there is none to ask."""
    by: tuple[str, ...]
    """Ids of the authorities whose tokens stand over the leaves."""
    second_opinions: tuple[str, ...] = ()
    """Ids of those whose token our own verifier cannot read, and OpenSSL can."""
    stamps: tuple[Stamped | Refused, ...]
    """What each that was asked said."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token that holds, and the checkpoint that it is of."""

    stamped: Stamped
    checkpoint: bytes


@dataclass(slots=True)
class _Round:
    """One checkpoint, and what each authority has said to it so far."""

    size: int
    checkpoint: bytes
    answers: dict[str, Stamped | Refused] = field(default_factory=dict)

    def can_go_on(self, missing: Sequence[str]) -> bool:
        """Whether those that are missing may still answer: an answer that does not hold is kept, and stays."""
        return all(not isinstance(self.answers.get(each), Stamped) for each in missing)


class Sealing:
    """Of one log. Safe for threads and processes; one of them asks at a time, and all of them rest on its answers."""

    def __init__(
        self,
        ledger: Ledger,
        scribe: Scribe,
        authorities: Sequence[Authority],
        *,
        acquaintances: Acquaintances | None = None,
        turn_lock: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``turn_lock``: a file that other processes of this home take turns by."""
        self._ledger = ledger
        self._scribe = scribe
        self._authorities = {each.id: each for each in authorities}
        self._acquaintances = acquaintances or Acquaintances(None, clock=scribe.clock)
        self._turn_lock = turn_lock
        self._monotonic = monotonic
        self._stamping = threading.Lock()
        self._round: _Round | None = None
        self._late: queue.SimpleQueue[tuple[_Round, Stamped | Refused]] = queue.SimpleQueue()
        self._looking = threading.Lock()
        self._looked_to = -1  # index of the newest token's leaf that was looked at
        self._looked = False
        self._held: dict[str, _Held] = {}
        self._noted: OrderedDict[int, Digest] = OrderedDict()
        self._noting = threading.Lock()
        self._last = -1
        self._proved = 0

    @property
    def asks(self) -> bool:
        """Whether there is an authority to ask."""
        return bool(self._authorities)

    def anchor(self) -> Anchor | None:
        """The newest token that is known here and holds: no event that names it is older. Never asks an authority."""
        if not self._looked:
            with self._looking:
                if not self._looked:
                    self._adopt()
                    self._looked = True
        newest = max(list(self._held.values()), key=lambda each: each.stamped.size, default=None)
        if newest is None:
            return None
        return Anchor(size=newest.stamped.size, token_sha256=newest.stamped.token_sha256)

    @property
    def covered(self) -> int:
        """Leaves below this index are under trusted time, as far as is known here."""
        sizes = sorted((each.stamped.size for each in list(self._held.values())), reverse=True)
        quorum = self._ledger.trust.quorum
        return sizes[quorum - 1] if len(sizes) >= quorum else 0

    @property
    def pending(self) -> bool:
        """Whether a leaf that was noted here waits for its time."""
        return bool(self._authorities) and self._last >= self.covered

    def note(self, receipts: Sequence[Receipt]) -> None:
        """These leaves want trusted time. Tokens' own leaves are not among them, else each would ask for another."""
        if not self._authorities:
            return
        with self._noting:
            for each in receipts:
                self._noted[each.index] = each.leaf_sha256
                self._last = max(self._last, each.index)
            while len(self._noted) > _REMEMBERED:
                self._noted.popitem(last=False)

    def seal(self, receipts: Sequence[Receipt], *, within_s: float | None = None) -> Sealed:
        """Have the newest checkpoint stamped, unless enough tokens are over these leaves already.

        Takes no longer than the time limit, and the store. Raises ``StoreError`` and ``LogError``; an authority that is
        down raises nothing, it is in ``stamps``.
        """
        self.note(receipts)
        if not self._authorities or not receipts:
            return self._none()
        return self._seal(max(each.index for each in receipts), within_s)

    def seal_noted(self, *, within_s: float | None = None, unless_asked_within_s: float | None = None) -> Sealed:
        """The same for all that was noted so far; nobody is asked if another process has just done so."""
        return self._seal(self._last, within_s, unless_asked_within_s)

    def look(self) -> float | None:
        """Rest on what other processes have had stamped meanwhile, without asking; seconds since anybody asked."""
        if self._stamping.acquire(blocking=False):
            try:
                with self._looking:
                    self._adopt()
                    self._looked = True
                if self.covered > self._proved:
                    self._prove()
            finally:
                self._stamping.release()
        return self._acquaintances.since_asked_s()

    def seal_log(self, *, within_s: float | None = None) -> Sealed:
        """The same for the whole log, whoever wrote it."""
        return self._seal(self.note_log(), within_s)

    def note_log(self) -> int:
        """Note the newest leaf of the log that is no token's own, whoever wrote it; its index, -1 without one."""
        size = self._ledger.refresh().size
        reader = self._ledger.reader
        for index in range(size - 1, -1, -1):
            each = reader.parse(0, index, reader.leaf(index, size))
            if each.event.type != _TIMESTAMPED:
                with self._noting:
                    self._noted[index] = each.leaf_sha256
                    self._last = max(self._last, index)
                return index
        return -1

    def _seal(self, last: int, within_s: float | None, unless_asked_within_s: float | None = None) -> Sealed:
        if not self._authorities or last < 0:
            return self._none()
        patience = WITHIN_S if within_s is None else within_s
        deadline = self._monotonic() + patience
        stamps: tuple[Stamped | Refused, ...] = ()
        with self._turn(patience) as mine:
            if mine:
                with self._looking:
                    self._ledger.refresh()
                    self._adopt()
                    self._looked = True
                if self.covered <= last and not self._asked_within(unless_asked_within_s):
                    stamps = self._ask(last, deadline)
                self._prove()
            else:
                stamps = tuple(
                    Refused(authority=each, size=0, reason="another request for the time is under way")
                    for each in self._missing(last)
                )
        return self._standing(last, stamps)

    def standing(self) -> Sealed:
        """What is known of all that was noted, without asking anybody or reading anything."""
        return self._standing(self._last, ()) if self._authorities else self._none()

    def _none(self) -> Sealed:
        quorum = self._ledger.trust.quorum if self._authorities else None
        return Sealed(sealed=False, size=None, proved=0, quorum=quorum, by=(), stamps=())

    def _standing(self, last: int, stamps: tuple[Stamped | Refused, ...]) -> Sealed:
        over = {name: each.stamped for name, each in self._held.items() if each.stamped.size > last}
        asked = None if self._round is None else self._round.size
        return Sealed(
            sealed=0 <= last < self._proved,
            size=max([each.size for each in over.values()], default=asked),
            proved=self._proved,
            quorum=self._ledger.trust.quorum,
            by=tuple(name for name in self._authorities if name in over),
            second_opinions=tuple(name for name, each in over.items() if each.second_opinion),
            stamps=stamps or tuple(over.values()),
        )

    @contextmanager
    def _turn(self, patience: float) -> Iterator[bool]:
        if not self._stamping.acquire(timeout=patience):
            yield False
            return
        try:
            with nullcontext() if self._turn_lock is None else turn(self._turn_lock):
                yield True
        finally:
            self._stamping.release()

    def _asked_within(self, seconds: float | None) -> bool:
        since = None if seconds is None else self._acquaintances.since_asked_s()
        return seconds is not None and since is not None and since < seconds

    def _missing(self, last: int) -> list[str]:
        """Authorities without a token over this leaf."""
        return [
            name for name in self._authorities if (held := self._held.get(name)) is None or held.stamped.size <= last
        ]

    def _ask(self, last: int, deadline: float) -> tuple[Stamped | Refused, ...]:
        """Those that are missing, at once; no longer than until enough of them have answered, or until the deadline."""
        missing = self._missing(last)
        done = self._round
        if done is None or done.size <= last or not done.can_go_on(missing):
            done = self._round = _Round(*self._ledger.checkpoint())
        answers: queue.SimpleQueue[Stamped | Refused | BaseException] = queue.SimpleQueue()
        over = threading.Event()
        for name in missing:
            arguments = (self._authorities[name], done, deadline, answers, over)
            threading.Thread(target=self._ask_one, args=arguments, name=f"sealing-{name}", daemon=True).start()
        said: dict[str, Stamped | Refused] = {}
        try:
            until = deadline + _GRACE_S  # each keeps to the deadline by itself
            while len(said) < len(missing):
                try:
                    answer = answers.get(timeout=max(0.01, until - self._monotonic()))
                except queue.Empty:
                    break
                if isinstance(answer, BaseException):
                    raise answer
                said[answer.authority] = answer
                self._take(done, answer)
                if self.covered > last:
                    until = min(until, self._monotonic() + _GRACE_S)
        finally:
            over.set()
            while not answers.empty():
                answer = answers.get()
                if not isinstance(answer, BaseException):
                    self._late.put((done, answer))
        for name in missing:
            if name not in said:
                said[name] = Refused(authority=name, size=done.size, reason="no answer in time; it is asked again")
        done.answers.update(said)
        events = [*self._late_events(), *self._events(done, [said[name] for name in missing])]
        if events:
            self._ledger.append(events)
        return tuple(said[name] for name in missing)

    def _ask_one(
        self,
        authority: Authority,
        done: _Round,
        deadline: float,
        answers: "queue.SimpleQueue[Stamped | Refused | BaseException]",
        over: threading.Event,
    ) -> None:
        answer: Stamped | Refused | BaseException
        try:
            answer = self._asked(authority, done, deadline, over)
        except ArchiveError as error:
            answer = error
        if over.is_set():  # nobody waits any more: the next round logs it
            if not isinstance(answer, BaseException):
                self._late.put((done, answer))
        else:
            answers.put(answer)

    def _asked(self, authority: Authority, done: _Round, deadline: float, over: threading.Event) -> Stamped | Refused:
        left = max(0.0, deadline - self._monotonic())
        wait = self._acquaintances.turn(authority.id, authority.spacing_s, within_s=left)
        if wait is None:
            reason = f"it wants {authority.spacing_s:g} s between requests, and was asked a moment ago"
            return Refused(authority=authority.id, size=done.size, reason=reason)
        if wait and over.wait(wait):
            return Refused(authority=authority.id, size=done.size, reason="enough others had answered")
        return authority.stamp(done.checkpoint, done.size, within_s=max(1.0, deadline - self._monotonic()))

    def _take(self, done: _Round, answer: Stamped | Refused) -> None:
        if not isinstance(answer, Stamped) or not answer.trusted:
            return
        known = self._held.get(answer.authority)
        if known is None or known.stamped.size < answer.size:
            self._held[answer.authority] = _Held(answer, done.checkpoint)
        if answer.signer_ends is not None:
            self._acquaintances.note_signer(answer.authority, answer.signer_ends)

    def _late_events(self) -> Iterator[Envelope]:
        while not self._late.empty():
            done, answer = self._late.get()
            self._take(done, answer)
            yield from self._events(done, [answer])

    def _events(self, done: _Round, answers: Sequence[Stamped | Refused]) -> Iterator[Envelope]:
        """A token that is not believed here is logged too: somebody may hold the roots that it needs."""
        chain = f"log:{keyspace.slug(self._ledger.log)}"
        for each in answers:
            if isinstance(each, Stamped) and each.token is not None:
                body: dict[str, Json] = {
                    "size": done.size,
                    "authority": each.authority,
                    "gen_time": format_utc(each.token.gen_time),
                    "serial": str(each.token.serial),
                }
                subject = self._scribe.blob("token.tsr", each.response)
                yield self._scribe.event(_TIMESTAMPED, chain=chain, subject=subject, body=body)

    def _adopt(self) -> None:
        """What this log tells of tokens that others have fetched, judged anew."""
        newest = self._looked_to
        look_back = _LOOK_BACK * max(1, len(self._authorities))
        for each in islice(self._ledger.events(_TIMESTAMPED, newest_first=True), look_back):
            if each.index <= self._looked_to:
                break
            newest = max(newest, each.index)
            name, size = str(each.event.body["authority"]), each.event.body["size"]
            authority, known = self._authorities.get(name), self._held.get(name)
            if authority is None or not isinstance(size, int) or (known is not None and known.stamped.size >= size):
                continue
            try:
                checkpoint = self._ledger.reader.store.read(keyspace.checkpoint_at(self._ledger.log, size))
            except NotStored:
                continue
            kept = authority.kept(checkpoint, size)
            if kept is not None and kept.trusted and kept.token_sha256 == each.event.subjects[0].digest:
                self._held[name] = _Held(kept, checkpoint)
        self._looked_to = newest

    def _prove(self) -> None:
        """The noted leaves that now have their time are in each of the trees that were stamped, as stored today."""
        covered = self.covered
        with self._noting:
            due = {index: digest for index, digest in self._noted.items() if index < covered}
        for size, checkpoint in self._stamped_over().items() if due else ():
            stored = read_back(self._ledger.reader, self._ledger.trust.log, size, due)
            if stored != checkpoint:
                self._ledger.reader.confirm(self._ledger.trust.log, checkpoint, due)
        with self._noting:
            for index in due:
                self._noted.pop(index, None)
        self._proved = covered

    def _stamped_over(self) -> Mapping[int, bytes]:
        """As many checkpoints as make the quorum, the largest first; those of one size are one."""
        held = sorted(self._held.values(), key=lambda each: each.stamped.size, reverse=True)
        return {each.stamped.size: each.checkpoint for each in held[: self._ledger.trust.quorum]}
