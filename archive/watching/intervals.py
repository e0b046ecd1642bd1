"""The interval that was asked for beside the one achieved, and how many looks were due, made, late and missed.

``interval`` is pure: from what was asked for at which time, and when looks were made. ``of_watches`` and ``of_pages``
read both.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.gaps import Gaps
from archive.watching import watches
from archive.watching.database import Connection
from archive.watching.timing import Timing
from archive.watching.watch import Watch
from custody.instant import format_utc
from custody.model import Json

LATE = timedelta(minutes=15)
"""A look that began so long after it was due is late."""
NEWEST = 500
"""Looks of a watch that count; what was before the oldest of them is left out."""
SAW = frozenset({"ok", "private", "removed", "unavailable"})
"""Outcomes that tell something of the page itself; a wall or an error does not."""
_MOST_MISSED = 100_000
_OPEN = frozenset({"queued", "running"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What was asked of a watch from a time on, until the next one says otherwise."""

    since: datetime
    timing: Timing | None
    """None: nothing; it was paused, or removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One that a schedule asked for."""

    slot: datetime
    due_at: datetime
    begun_at: datetime | None
    """Of its last attempt."""
    state: str
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Of one watch, up to a time. ``due`` is ``made``, ``failed``, ``waiting`` and ``missed`` together."""

    since: datetime | None
    """From when on it is told; None: it was never due."""
    asked: timedelta | None
    """As it stands; None while nothing is asked for."""
    achieved: Gaps
    """Between looks that saw the page."""
    last_seen: datetime | None
    due: int
    made: int
    """Carried out, whatever was shown."""
    saw: int
    """Of those made, the ones that saw the page."""
    late: int
    """Of those made, the ones that began ``LATE`` after they were due, or later."""
    failed: int
    """Given up, or cancelled."""
    waiting: int
    missed: int
    """Times at which nothing was released: no scheduler ran, the host had no room, or the look before was not over."""

    def to_json(self) -> dict[str, Json]:
        return {
            "since": None if self.since is None else format_utc(self.since),
            "asked_s": None if self.asked is None else round(self.asked.total_seconds()),
            "achieved": self.achieved.to_json(),
            "last_seen": None if self.last_seen is None else format_utc(self.last_seen),
            "due": self.due,
            "made": self.made,
            "saw": self.saw,
            "late": self.late,
            "failed": self.failed,
            "waiting": self.waiting,
            "missed": self.missed,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A watch with its interval."""

    watch: Watch
    interval: Interval

    def to_json(self) -> dict[str, Json]:
        return {
            "watch": self.watch.id,
            "case": self.watch.case,
            "url": self.watch.url,
            "state": self.watch.state.value,
            **self.interval.to_json(),
        }


@dataclass(slots=True)
class _Facts:
    asked: list[Asked] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)


def interval(asked: Sequence[Asked], looks: Sequence[Look], *, now: datetime) -> Interval:
    """``asked``: oldest first. ``looks``: those that a schedule asked for, in any order, each of another slot."""
    known = sorted((each for each in looks if each.due_at <= now), key=lambda each: each.slot)
    made = [each for each in known if each.state == "done" and each.begun_at is not None]
    saw = [each.begun_at for each in made if each.outcome in SAW and each.begun_at is not None]
    waiting = sum(each.state in _OPEN for each in known)
    missed = _missed(asked, [each.slot for each in known], now)
    stands = _at(asked, now)
    return Interval(
        since=known[0].slot if known else None,
        asked=None if stands is None else stands.mean_interval,
        achieved=Gaps.between(saw),
        last_seen=max(saw, default=None),
        due=len(known) + missed,
        made=len(made),
        saw=len(saw),
        late=sum(each.begun_at is not None and each.begun_at - each.due_at >= LATE for each in made),
        failed=len(known) - len(made) - waiting,
        waiting=waiting,
        missed=missed,
    )


def of_watches(connection: Connection, found: Sequence[Watch], *, now: datetime) -> list[Kept]:
    """In their order."""
    facts: Mapping[str, _Facts] = {each.id: _Facts() for each in found}
    for watch, since, every_s, cron, zone in connection.execute(
        "SELECT watch::text, since, every_s, cron, zone FROM counterproof.asked WHERE watch = ANY(%s::uuid[]) "
        "ORDER BY since, ctid",
        (list(facts),),
    ):
        timing = None if every_s is None and cron is None else Timing(every=_seconds(every_s), cron=cron, zone=zone)
        facts[watch].asked.append(Asked(since=since, timing=timing))
    for watch, slot, due_at, begun_at, state, outcome in connection.execute(
        "SELECT id::text, l.* FROM unnest(%s::uuid[]) AS wanted (id), LATERAL (SELECT slot, due_at, begun_at, state, "
        "outcome FROM counterproof.looks WHERE watch = wanted.id AND reason <> 'asked' ORDER BY slot DESC LIMIT %s) l",
        (list(facts), NEWEST),
    ):
        facts[watch].looks.append(Look(slot=slot, due_at=due_at, begun_at=begun_at, state=state, outcome=outcome))
    return [Kept(watch=each, interval=interval(facts[each.id].asked, facts[each.id].looks, now=now)) for each in found]


def of_pages(
    connection: Connection, keys: Sequence[str], *, now: datetime, cases: Collection[str] | None = None
) -> dict[str, list[Kept]]:
    """By the address for comparing (``dedupe_key``), its watches, in the order of their making.

    Also those that are removed now. ``cases``: only watches of cases so named; None: of all.
    """
    found = [each for each in watches.of_pages(connection, keys) if cases is None or each.case in cases]
    found.sort(key=lambda each: each.created_at)
    by_key: dict[str, list[Kept]] = {}
    for each in of_watches(connection, found, now=now):
        by_key.setdefault(each.watch.key, []).append(each)
    return by_key


def _at(asked: Sequence[Asked], at: datetime) -> Timing | None:
    stands = [each for each in asked if each.since <= at]
    return stands[-1].timing if stands else None


def _missed(asked: Sequence[Asked], slots: Sequence[datetime], now: datetime) -> int:
    """Times that were asked for, after the first look, at which none was released."""
    missed = 0
    for n, slot in enumerate(slots):
        end = slots[n + 1] if n + 1 < len(slots) else now
        at = slot
        while missed < _MOST_MISSED:
            timing = _at(asked, at)
            following = end if timing is None else timing.next_slot(at, at)
            otherwise = next((each.since for each in asked if at < each.since <= following), None)
            if otherwise is not None:
                at = otherwise
            elif following >= end:
                break
            else:
                at = following
                missed += 1
    return missed


def _seconds(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(seconds=count)
