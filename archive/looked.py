"""What the log already has of a scheduled look: whether it was carried out, and which of its captures have no end.

Asked before a look is tried again, by whoever took it over; the log's word counts, and no database's.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.breakoff import is_broken_off
from archive.draft import EventRefused
from archive.errors import NotStored
from archive.ledger import Ledger
from archive.log import START, LoggedEvent, LogReader, Position
from archive.lookid import end_id
from archive.scribe import Scribe
from custody import keyspace
from custody.checks.states import ENDS
from custody.commit import Commit
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Ref
from custody.leaf import Leaf
from custody.model import Json, Outcome
from custody.record import Record

MARGIN = timedelta(hours=1)
"""By which the clocks of two machines may differ."""
_MOST = 100_000
"""Looks that are remembered; beyond, reading begins anew where it is needed."""
_STARTED = "capture.started"
_ABANDONED = "capture.abandoned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A capture that was started as part of a look."""

    capture: str
    unit: str
    run: str | None
    chain: str
    started: Digest
    """Payload of its start."""
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What was done of a look."""

    begun: tuple[Begun, ...] = ()
    ends: dict[str, str] = field(default_factory=dict)
    """By capture: the type of its end."""
    ended_as: dict[str, Digest] = field(default_factory=dict)
    """By capture: the payload of its end."""
    fruitless: frozenset[str] = frozenset()
    """Captures that were broken off on our side, and had not got their page."""

    @property
    def open(self) -> tuple[Begun, ...]:
        return tuple(each for each in self.begun if each.capture not in self.ends)

    @property
    def done(self) -> Begun | None:
        """The capture of the address itself, if it came to an end other than being given up or broken off."""
        return next(iter(self.roots), None)

    @property
    def roots(self) -> tuple[Begun, ...]:
        """Captures that came to such an end of the address, and of what it called for: a unit of its own each."""
        own = (each for each in self.begun if each.capture == each.unit)
        ended = (each for each in own if self.ends.get(each.capture, _ABANDONED) != _ABANDONED)
        return tuple(each for each in ended if each.capture not in self.fruitless)


@dataclass(frozen=True, slots=True)
class _End:
    type_: str
    payload: Digest
    failed: Digest | None
    """The record of one whose visit itself came to an error."""


class Looked:
    """Follows one log. Safe for threads; blocking."""

    def __init__(self, reader: LogReader, newest: Callable[[], Position]) -> None:
        """``newest``: how far the log goes, read on to its newest commit."""
        self._reader = reader
        self._newest = newest
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._position = START
        self._begun: dict[str, list[Begun]] = {}
        self._ends: dict[Digest, _End] = {}

    def before(self, look: str, *, since: datetime) -> Before:
        """``since``: when the look was due; it has no start before that, but for the difference of two clocks."""
        with self._lock:
            if self._since is None or since < self._since or len(self._ends) > _MOST:
                self._begin(since)
            for logged in self._reader.commits(self._position):
                for index, data in enumerate(logged.commit.leaves, logged.commit.old):
                    self._see(self._reader.parse(logged.commit.n, index, data))
                self._position = logged.position
            begun = tuple(self._begun.get(look, ()))
            ended = {each.capture: self._ends[each.started] for each in begun if each.started in self._ends}
            return Before(
                begun=begun,
                ends={capture: end.type_ for capture, end in ended.items()},
                ended_as={capture: end.payload for capture, end in ended.items()},
                fruitless=frozenset(capture for capture, end in ended.items() if self._is_fruitless(end)),
            )

    def _begin(self, since: datetime) -> None:
        self._since = since
        self._begun.clear()
        self._ends.clear()
        self._position = self._commit_before(since - MARGIN)

    def _see(self, logged: LoggedEvent) -> None:
        event = logged.event
        if event.type == _STARTED and (look := event.body.get("look_id")) is not None:
            begun = Begun(
                capture=str(event.body["capture"]),
                unit=event.chain.removeprefix("item:"),
                run=event.run,
                chain=event.chain,
                started=logged.leaf.event.payload_sha256,
                attempt=int(str(event.body["attempt"])),
            )
            self._begun.setdefault(str(look), []).append(begun)
        elif event.type in ENDS or event.type == "look.unchanged":
            stage, outcome = event.body.get("stage"), event.body.get("outcome")
            failed = (stage, outcome) == ("visit", Outcome.ERROR.value)
            end = _End(event.type, logged.leaf.event.payload_sha256, event.subjects[0].digest if failed else None)
            for ref in event.refs:
                if ref.rel == "started_by":
                    self._ends[ref.payload_sha256] = end

    def _is_fruitless(self, end: "_End") -> bool:
        """Broken off by us. Where no record can say so, the page is looked at once more: a look is not to be lost."""
        if end.failed is None:
            return False
        try:
            record = Record.parse(self._reader.store.read(keyspace.blob(end.failed)))
        except (NotStored, FormatError):
            return True
        return is_broken_off(record.outcome_reason)

    def _commit_before(self, at: datetime) -> Position:
        """The newest commit that was made before then, found by halving."""
        low, high = 0, self._newest().n
        while low < high:
            middle = (low + high + 1) // 2
            if self._made_at(self._commit(middle)[0]) < at:
                low = middle
            else:
                high = middle - 1
        if low == 0:
            return START
        commit, digest = self._commit(low)
        return Position(low, commit.new, digest)

    def _commit(self, n: int) -> tuple[Commit, Digest]:
        data = self._reader.store.read(keyspace.commit(self._reader.log, n))
        return Commit.parse(data), Digest.of(data)

    def _made_at(self, commit: Commit) -> datetime:
        return Leaf.parse(commit.leaves[0]).logged_at


def abandon(begun: Begun, *, scribe: Scribe, ledger: Ledger) -> bool:
    """End a capture whose worker has died elsewhere. False: it has its end after all, by somebody who was quicker.

    What that worker kept lies on its own disk; of a run of this home, recovery keeps it.
    """
    detail: dict[str, Json] = {"capture": begun.capture, "reason": "worker_died", "files": []}
    envelope = scribe.event(
        _ABANDONED,
        chain=begun.chain,
        run=begun.run,
        subject=scribe.detail("detail.json", detail),
        body={"capture": begun.capture, "reason": "worker_died"},
        refs=(Ref(rel="started_by", payload_sha256=begun.started),),
        event_id=end_id(begun.started, begun.capture),
    )
    try:
        ledger.submit([envelope])
    except EventRefused as error:
        if error.code != "EVENT_DUPLICATE":
            raise
        return False
    return True
