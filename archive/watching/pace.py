"""How each host is spared, by all workers together: visits at a time, pauses between them, visits a day, back-off.

One row for each host and egress, and one for each visit that is under way; PostgreSQL's own row locks order them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archive.errors import QueueDown, UsageError
from archive.watching.database import Connection
from archive.watching.timing import Timing

DIRECT = "direct"
"""The egress of a worker without a proxy."""
SLOTS, DELAY_MS, PER_DAY = 1, 5_000, 2_000
"""What a host takes of us where nobody said otherwise. Five seconds is the pause that careful crawlers keep."""
FIRST_BACK_OFF = timedelta(minutes=10)
LONGEST_BACK_OFF = timedelta(hours=24)
ASKED_TO_STOP = frozenset({"rate_limited", "captcha"})
"""Outcomes by which a host says that we come too often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What a host takes from one egress."""

    host: str
    egress: str = DIRECT
    slots: int = SLOTS
    delay_ms: int = DELAY_MS
    per_day: int = PER_DAY
    used: int = 0
    """Today, by UTC."""
    back_at: datetime | None = None
    """Until then it is left alone."""

    @property
    def a_day(self) -> float:
        """Visits that it allows in a day, by whichever limit is the narrower; a visit itself is taken to last 10 s."""
        seconds = self.delay_ms / 1000 + _VISIT_S
        return min(float(self.per_day), self.slots * 86_400 / seconds)


_VISIT_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Whether a visit may begin, and when."""

    wait_s: float
    """0: now. Else: ask again then, or (``granted``) begin then."""
    granted: bool
    why: str = ""
    """``taken``, ``backing_off`` or ``spent``, where it was not."""


def take(
    connection: Connection,
    host: str,
    egress: str,
    holder: str,
    *,
    now: datetime,
    lasts: timedelta,
    spends: bool,
    worker: str | None = None,
    silent: timedelta = timedelta(seconds=60),
) -> Turn:
    """Ask for a turn at a host. A granted one is the holder's until ``leave``, or until ``lasts`` is over.

    ``worker``: whose it is; once that was not heard of for ``silent``, its turns are anybody's again.
    ``spends``: it counts against the day's visits, and waits while the host is left alone; what a person asks for by
    hand does neither.
    """
    row = connection.execute(
        "INSERT INTO counterproof.hosts AS h (host, egress) VALUES (%s, %s) ON CONFLICT (host, egress) DO UPDATE "
        "SET host = h.host RETURNING slots, delay_ms, per_day, next_at, day, used, back_at, now()",
        (host, egress),
    ).fetchone()
    slots, delay_ms, per_day, next_at, day, used, back_at, moment = _needed(row)
    if spends and back_at > now:
        return Turn(wait_s=(back_at - now).total_seconds(), granted=False, why="backing_off")
    if day != now.date():
        used = 0
    if spends and used >= per_day:
        return Turn(wait_s=_until_tomorrow(now), granted=False, why="spent")
    connection.execute(
        "DELETE FROM counterproof.turns t WHERE host = %s AND egress = %s AND (until < now() OR (worker IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM counterproof.workers w WHERE w.id = t.worker AND w.seen_at > now() - %s)))",
        (host, egress, silent),
    )
    held = _needed(
        connection.execute(
            "SELECT count(*) FROM counterproof.turns WHERE host = %s AND egress = %s AND holder <> %s",
            (host, egress, holder),
        ).fetchone()
    )[0]
    if held >= slots:
        return Turn(wait_s=0.5, granted=False, why="taken")
    begins = max(next_at, moment)
    connection.execute(
        "INSERT INTO counterproof.turns (host, egress, holder, worker, until) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (host, egress, holder) DO UPDATE SET until = excluded.until",
        (host, egress, holder, worker, begins + lasts),
    )
    connection.execute(
        "UPDATE counterproof.hosts SET next_at = %s, day = %s, used = %s WHERE host = %s AND egress = %s",
        (begins + timedelta(milliseconds=delay_ms), now.date(), used + 1, host, egress),
    )
    return Turn(wait_s=max(0.0, (begins - moment).total_seconds()), granted=True)


def leave(connection: Connection, host: str, egress: str, holder: str) -> None:
    """The visit is over: the pause is counted from its end."""
    connection.execute(
        "DELETE FROM counterproof.turns WHERE host = %s AND egress = %s AND holder = %s", (host, egress, holder)
    )
    connection.execute(
        "UPDATE counterproof.hosts SET next_at = greatest(next_at, now() + delay_ms * interval '1 millisecond') "
        "WHERE host = %s AND egress = %s",
        (host, egress),
    )


def heard(connection: Connection, host: str, egress: str, outcome: str, *, now: datetime) -> timedelta | None:
    """What the host answered. Asked to stop, we stay away: ten minutes, then twice as long each time.

    Returns for how long; None where it said nothing of the kind.
    """
    if outcome not in ASKED_TO_STOP:
        if outcome == "ok":
            connection.execute(
                "UPDATE counterproof.hosts SET strikes = 0 WHERE host = %s AND egress = %s AND strikes > 0",
                (host, egress),
            )
        return None
    row = connection.execute(
        "UPDATE counterproof.hosts SET strikes = strikes + 1 WHERE host = %s AND egress = %s AND back_at <= %s "
        "RETURNING strikes",
        (host, egress, now),
    ).fetchone()
    if row is None:
        return None  # another visit has heard the same, and it is being left alone
    away: timedelta = min(FIRST_BACK_OFF * 2.0 ** min(int(row[0]) - 1, 20), LONGEST_BACK_OFF)
    connection.execute(
        "UPDATE counterproof.hosts SET back_at = %s WHERE host = %s AND egress = %s", (now + away, host, egress)
    )
    return away


def allow(
    connection: Connection,
    host: str,
    egress: str = DIRECT,
    *,
    slots: int | None = None,
    delay_ms: int | None = None,
    per_day: int | None = None,
) -> None:
    """Set a host's budget; what is None stays. Raises ``UsageError``."""
    bounds = (("slots", slots, 1, 64), ("delay_ms", delay_ms, 0, 86_400_000), ("per_day", per_day, 0, 1_000_000))
    for name, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} of a host is {least} to {most}, got {value}")
    connection.execute(
        "INSERT INTO counterproof.hosts AS h (host, egress, slots, delay_ms, per_day) VALUES (%s, %s, "
        "coalesce(%s, %s), coalesce(%s, %s), coalesce(%s, %s)) ON CONFLICT (host, egress) DO UPDATE SET "
        "slots = coalesce(%s, h.slots), delay_ms = coalesce(%s, h.delay_ms), per_day = coalesce(%s, h.per_day)",
        (host, egress, slots, SLOTS, delay_ms, DELAY_MS, per_day, PER_DAY, slots, delay_ms, per_day),
    )


def budgets(connection: Connection, *, now: datetime, host: str | None = None) -> list[Budget]:
    rows = connection.execute(
        "SELECT host, egress, slots, delay_ms, per_day, CASE WHEN day = %s THEN used ELSE 0 END, "
        "CASE WHEN back_at > %s THEN back_at END FROM counterproof.hosts WHERE %s::text IS NULL OR host = %s "
        "ORDER BY host, egress",
        (now.date(), now, host, host),
    )
    return [
        Budget(
            host=each[0],
            egress=each[1],
            slots=each[2],
            delay_ms=each[3],
            per_day=each[4],
            used=each[5],
            back_at=each[6],
        )
        for each in rows
    ]


def asked_a_day(connection: Connection, host: str) -> float:
    """Looks a day that the host's active watches ask for together."""
    row = connection.execute(
        "SELECT coalesce(sum(86400.0 / every_s) FILTER (WHERE every_s IS NOT NULL), 0), "
        "array_agg(cron || '|' || zone) FILTER (WHERE cron IS NOT NULL) "
        "FROM counterproof.watches WHERE host = %s AND state = 'active'",
        (host,),
    ).fetchone()
    total, crons = _needed(row)
    return float(total) + sum(_cron_a_day(each) for each in crons or ())


def allowed_interval(budgets: Mapping[str, Budget], egresses: int, asked_a_day: float, asked: timedelta) -> timedelta:
    """What an interval comes to when a host's budget is shared among all that is asked of it.

    ``budgets``: of the host, by egress; ``egresses``: workers' egresses where none is known. Never shorter than asked.
    """
    known = list(budgets.values()) or [Budget(host="", egress=DIRECT)] * max(1, egresses)
    allowed = sum(each.a_day for each in known)
    if allowed <= 0:
        return timedelta(days=36_500)
    return asked * max(1.0, asked_a_day / allowed)


def _cron_a_day(text: str) -> float:
    cron, _, zone = text.partition("|")
    return timedelta(days=1) / Timing(cron=cron, zone=zone).mean_interval


def _until_tomorrow(now: datetime) -> float:
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()


def _needed(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    if row is None:  # a query that always has a row
        raise QueueDown("the database of watches gave no answer: run the command again")
    return row
