"""How watching stands: what is due, late, waiting, failing; hosts and workers; asked beside achieved. Reads only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from archive.queue import Queue
from archive.watching import watches, workers
from archive.watching.database import Connection
from archive.watching.intervals import Interval, of_watches
from custody.model import Json

LATE = timedelta(minutes=15)
"""Of a look that was due so long ago, and not begun, it is said that it is late."""
WINDOW = timedelta(hours=24)
LEAST_LOOKS = 5
"""Of a host, in the window: fewer say nothing about it."""
WALLS = frozenset({"login_wall", "captcha", "rate_limited", "consent", "geo_block", "app_only", "age_gate"})
"""Outcomes that show nothing of what was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failing:
    """A host of which the last day's looks showed nothing, or ended badly, or were read in vain."""

    host: str
    why: str
    """``walled``: only walls. ``failing``: only errors. ``blind``: pages in which readers find nothing any more."""
    looks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Behind:
    """A watch whose looks are further apart than was asked for."""

    watch: str
    asked_s: int
    achieved_s: int
    """In the mean."""
    interval: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Of one database, at one time."""

    watches: Mapping[str, int]
    """By state."""
    due: int
    late: int
    waiting: int
    """Looks that are jobs, and wait."""
    running: int
    oldest_waiting_s: int
    looks: Mapping[str, int]
    """Of the last day, by outcome; kept failures as ``failed``."""
    captures: int
    """Of the last day."""
    bytes: int
    """That those looks brought into the store, before equal ones are counted once."""
    requests: int
    """That they made to the store."""
    changed: int
    """Looks of the last day that found a change."""
    kept_failures: tuple[Mapping[str, str], ...]
    failing: tuple[Failing, ...]
    left_alone: Mapping[str, str]
    """Hosts that asked us to stop: until when."""
    spent: tuple[str, ...]
    """Hosts whose visits of today are used up."""
    on_time: int
    """Watches with an interval that are looked at as often as was asked."""
    compared: int
    """Of so many that had two looks or more lately."""
    behind: tuple[Behind, ...]
    """Those furthest behind."""
    workers: tuple[Mapping[str, Any], ...]
    schedulers: int
    unsealed_since: str | None
    """Since when a worker has had events that no trusted time stands over."""

    @property
    def healthy(self) -> bool:
        """Nothing here wants a person now."""
        carried = self.schedulers > 0 and any(each["looks"] for each in self.workers)
        wanted = bool(self.watches.get("active"))
        return not (self.kept_failures or self.failing or self.late or (wanted and not carried))

    def to_json(self) -> dict[str, Json]:
        behind: list[Json] = [
            {"watch": each.watch, "asked_s": each.asked_s, "achieved_s": each.achieved_s, **each.interval.to_json()}
            for each in self.behind
        ]
        return {**_plain(asdict(self)), "behind": behind, "healthy": self.healthy}


def standing(
    connection: Connection, queue: Queue, *, now: datetime, silent: timedelta = timedelta(seconds=60)
) -> Standing:
    since = now - WINDOW
    jobs = queue.counts(connection)
    there = workers.alive(connection, silent=silent)
    outcomes = dict(
        connection.execute(
            "SELECT coalesce(outcome, state), count(*) FROM counterproof.looks WHERE ended_at > %s "
            "GROUP BY 1 ORDER BY 2 DESC",
            (since,),
        ).fetchall()
    )
    due, late = _one(
        connection,
        "SELECT count(*), count(*) FILTER (WHERE due_at < %s) FROM counterproof.watches "
        "WHERE state = 'active' AND due_at <= %s",
        (now - LATE, now),
    )
    oldest, begun_late = _one(
        connection,
        "SELECT min(released_at), count(*) FILTER (WHERE due_at < %s) FROM counterproof.looks WHERE state = 'queued'",
        (now - LATE,),
    )
    captures, size, requests, changed = _one(
        connection,
        "SELECT coalesce(sum(captures), 0), coalesce(sum(bytes), 0), coalesce(sum(requests), 0), "
        "count(*) FILTER (WHERE changed) FROM counterproof.looks WHERE ended_at > %s",
        (since,),
    )
    compared, late_ones = _one(
        connection, f"SELECT count(*), count(*) FILTER (WHERE achieved > 1.2 * every_s) FROM ({_ACHIEVED}) a", ()
    )
    unsealed = [str(each.facts["unsealed_since"]) for each in there if each.facts.get("unsealed_since")]
    return Standing(
        watches=dict(connection.execute("SELECT state, count(*) FROM counterproof.watches GROUP BY state").fetchall()),
        due=int(due),
        late=int(late) + int(begun_late),
        waiting=jobs.get("todo", 0),
        running=jobs.get("doing", 0),
        oldest_waiting_s=0 if oldest is None else max(0, int((now - oldest).total_seconds())),
        looks={str(name): int(count) for name, count in outcomes.items()},
        captures=int(captures),
        bytes=int(size),
        requests=int(requests),
        changed=int(changed),
        kept_failures=_failures(connection, since),
        failing=_failing(connection, since),
        left_alone={
            str(host): at.isoformat()
            for host, at in connection.execute(
                "SELECT host, max(back_at) FROM counterproof.hosts WHERE back_at > %s GROUP BY host ORDER BY host",
                (now,),
            )
        },
        spent=tuple(
            str(row[0])
            for row in connection.execute(
                "SELECT DISTINCT host FROM counterproof.hosts WHERE day = %s AND used >= per_day ORDER BY host",
                (now.date(),),
            )
        ),
        on_time=compared - late_ones,
        compared=compared,
        behind=_behind(connection, now),
        workers=tuple(
            {
                "id": each.id,
                "place": each.place,
                "egress": each.egress,
                "begun_at": each.begun_at.isoformat(),
                **each.facts,
            }
            for each in there
        ),
        schedulers=sum(bool(each.facts.get("schedule")) for each in there),
        unsealed_since=min(unsealed, default=None),
    )


def _failures(connection: Connection, since: datetime) -> tuple[Mapping[str, str], ...]:
    rows = connection.execute(
        "SELECT id, watch, ended_at, detail FROM counterproof.looks WHERE state = 'failed' AND ended_at > %s "
        "ORDER BY ended_at DESC LIMIT 20",
        (since,),
    )
    return tuple(
        {"look": str(each[0]), "watch": str(each[1]), "at": each[2].isoformat(), "why": each[3]} for each in rows
    )


def _failing(connection: Connection, since: datetime) -> tuple[Failing, ...]:
    """Hosts whose last looks, all of them, showed a wall, or came to nothing."""
    rows = connection.execute(
        "SELECT host, count(*), count(*) FILTER (WHERE outcome = ANY(%s)), count(*) FILTER (WHERE state = 'failed' "
        "OR outcome IN ('error', 'timeout', 'dns_error', 'tls_error', 'http_error')) FROM counterproof.looks "
        "WHERE ended_at > %s AND state IN ('done', 'failed') GROUP BY host HAVING count(*) >= %s ORDER BY host",
        (list(WALLS), since, LEAST_LOOKS),
    )
    found = []
    for host, looks, walled, failed in rows:
        if walled + failed == looks:
            found.append(Failing(host=str(host), why="walled" if walled >= failed else "failing", looks=int(looks)))
    told = {each.host for each in found}
    found += [each for each in _blind(connection, since) if each.host not in told]
    return tuple(sorted(found, key=lambda each: each.host))


def _blind(connection: Connection, since: datetime) -> list[Failing]:
    """Hosts whose newest pages, each of a watch in whose page something was found before, had nothing for a reader.

    A layout changes from one look to the next, so what was found earlier in the day does not speak for it.
    """
    rows = connection.execute(
        "SELECT host, count(*) FROM (SELECT l.host, l.found, row_number() OVER (PARTITION BY l.host "
        "ORDER BY l.ended_at DESC) AS place FROM counterproof.looks l JOIN counterproof.watches w ON w.id = l.watch "
        "WHERE l.ended_at > %s AND l.state = 'done' AND l.found IS NOT NULL AND w.found_at IS NOT NULL) newest "
        "WHERE place <= %s GROUP BY host HAVING count(*) >= %s AND max(found) = 0",
        (since, LEAST_LOOKS, LEAST_LOOKS),
    )
    return [Failing(host=str(host), why="blind", looks=int(looks)) for host, looks in rows]


_ACHIEVED = """
  SELECT w.id, w.every_s, extract(epoch FROM (max(l.begun_at) - min(l.begun_at)) / (count(*) - 1)) AS achieved
  FROM counterproof.watches w JOIN counterproof.looks l ON l.watch = w.id
  WHERE w.state = 'active' AND w.every_s IS NOT NULL AND l.state = 'done' AND l.reason <> 'asked'
  AND l.begun_at > now() - 10 * w.every_s * interval '1 second' GROUP BY w.id, w.every_s HAVING count(*) > 1"""


def _behind(connection: Connection, now: datetime) -> tuple[Behind, ...]:
    """Those furthest behind, by what they asked for; of cron expressions, ``watch show`` tells."""
    rows = connection.execute(
        f"SELECT id::text, every_s, achieved FROM ({_ACHIEVED}) a WHERE achieved > 1.2 * every_s "
        "ORDER BY achieved / every_s DESC LIMIT 10"
    ).fetchall()
    late = [watches.get(connection, row[0]) for row in rows]
    found = {each.watch.id: each.interval for each in of_watches(connection, late, now=now)}
    return tuple(
        Behind(watch=watch, asked_s=int(every_s), achieved_s=round(achieved), interval=found[watch])
        for watch, every_s, achieved in rows
    )


def _one(connection: Connection, query: str, values: tuple[object, ...]) -> tuple[Any, ...]:
    row = connection.execute(query.encode(), values).fetchone()
    return row if row is not None else (0, 0)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value
