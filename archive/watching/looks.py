"""Looks: each time that a watch was due, from its release to its end. Each method is given a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from archive.lookid import look_id
from archive.queue import ON_DEMAND, Queue
from archive.watching import watches
from archive.watching.database import Connection
from archive.watching.watch import Watch

MAX_CRASHES = 3
"""A look whose worker died so often is a kept failure: what kills every worker must not do so for ever."""
MAX_ATTEMPTS = 30
"""As is one that so often could not be carried out, as by a store that was down."""
BATCH = 500
AHEAD = 2
"""Looks released of a host for each visit that it takes at a time; what has no room there waits as a row alone."""

_NEW, _CHANGED = 40, 20  # further apart than priorities, which go up to 9
_RECENT = timedelta(days=7)
_RISK = f"""
  w.priority + CASE WHEN w.looked_at IS NULL THEN {_NEW} ELSE 0 END
  + CASE WHEN w.changed_at > %(recent)s THEN {_CHANGED} ELSE 0 END"""
"""New before changed before the rest, each by priority: where a host's budget is spent first. Always less than
``ON_DEMAND``."""

_DUE = f"""
WITH alive AS (SELECT coalesce(array_agg(DISTINCT egress), ARRAY['direct']) AS names FROM counterproof.workers
  WHERE seen_at > now() - interval '5 minutes'),
due AS (SELECT w.id, w.host, row_number() OVER (PARTITION BY w.host ORDER BY {_RISK} DESC, w.due_at) AS place
  FROM counterproof.watches w
  WHERE w.state = 'active' AND w.due_at <= %(now)s AND (%(host)s::text IS NULL OR w.host = %(host)s)
  AND NOT EXISTS (SELECT FROM counterproof.looks l WHERE l.watch = w.id AND l.state IN ('queued', 'running'))),
room AS (SELECT h.host, sum(h.slots) FILTER (WHERE h.back_at <= %(now)s) AS slots,
  sum(greatest(0, h.per_day - CASE WHEN h.day = %(day)s THEN h.used ELSE 0 END))
    FILTER (WHERE h.back_at <= %(now)s) AS spare
  FROM counterproof.hosts h, alive WHERE h.egress = ANY(alive.names) GROUP BY h.host),
taken AS (SELECT host, count(*) AS n FROM counterproof.looks WHERE state IN ('queued', 'running') GROUP BY host)
SELECT due.id FROM due LEFT JOIN room USING (host) LEFT JOIN taken USING (host)
WHERE due.place <= CASE WHEN room.host IS NULL THEN {AHEAD} ELSE
  least(coalesce(room.slots, 0) * {AHEAD}, coalesce(room.spare, 0)) END - coalesce(taken.n, 0)
LIMIT %(limit)s"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A look that a worker has taken."""

    look: str
    slot: datetime
    due_at: datetime
    reason: str
    """``new``, ``scheduled`` or ``asked``."""
    attempt: int
    """1 for the first; the end of a later one's is no longer this one's to tell."""
    watch: Watch


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What came of it."""

    outcome: str
    run: str | None = None
    unit: str | None = None
    changed: bool | None = None
    """None: nothing was compared."""
    captures: int = 0
    bytes: int = 0
    """That went into the store, before equal ones are counted once."""
    requests: int = 0
    """To the store."""
    kinds: tuple[str, ...] = ()
    """In what the page had changed: words of the evidence format."""
    differing: tuple[str, ...] = ()
    """In what two observers differ, in the same words."""
    found: int | None = None
    """Fields that the reader found in the page. None: nobody read, or there was no page; or both are as before."""
    detail: str = ""


def release(connection: Connection, queue: Queue, *, now: datetime, limit: int = BATCH, host: str | None = None) -> int:
    """What is due and has room at its host becomes a job: row and job in one transaction, so each exactly once.

    Any number of schedulers may do this at once. Returns how many.
    """
    values = {"now": now, "day": now.date(), "recent": now - _RECENT, "limit": limit, "host": host}
    chosen = [row[0] for row in connection.execute(_DUE.encode(), values)]
    if not chosen:
        return 0
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"SELECT w.*, {_RISK} AS risk FROM counterproof.watches w WHERE w.id = ANY(%(ids)s) AND w.state = 'active' "
            "AND w.due_at <= %(now)s ORDER BY risk DESC FOR UPDATE SKIP LOCKED".encode(),
            {**values, "ids": chosen},
        )
        due = [(watches.of_row(row), int(row["risk"])) for row in cursor]
    released: list[tuple[str, int]] = []
    with connection.cursor() as cursor:
        for watch, risk in due:
            look = look_id(watch.id, watch.slot)
            reason = "new" if watch.looked_at is None else "scheduled"
            cursor.execute(
                "INSERT INTO counterproof.looks (id, watch, slot, due_at, host, reason, priority, state, released_at) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, 'queued', %s) ON CONFLICT DO NOTHING",
                (look, watch.id, watch.slot, watch.due_at, watch.host, reason, risk, now),
            )
            if cursor.rowcount == 1:
                released.append((look, risk))
            slot = watch.timing.next_slot(watch.slot, now)
            cursor.execute(
                "UPDATE counterproof.watches SET slot = %s, due_at = %s WHERE id = %s",
                (slot, watch.timing.due(slot, watch.id), watch.id),
            )
    _defer(connection, queue, released)
    return len(released)


def ask(connection: Connection, queue: Queue, watch: Watch, *, now: datetime) -> tuple[str, bool]:
    """A look now, before all that is scheduled. The look's id; False: one was waiting already, and goes first now."""
    waiting = connection.execute(
        "SELECT id, job, state FROM counterproof.looks WHERE watch = %s AND state IN ('queued', 'running')", (watch.id,)
    ).fetchone()
    if waiting is not None:
        if waiting[2] == "queued":
            connection.execute(
                "UPDATE procrastinate_jobs SET priority = %s WHERE id = %s AND status = 'todo'", (ON_DEMAND, waiting[1])
            )
        return str(waiting[0]), False
    slot = now
    while True:  # a time of the schedule has one look: somebody who asks at that very moment takes the next free one
        look = look_id(watch.id, slot)
        done = slot != watch.slot and connection.execute(
            "INSERT INTO counterproof.looks (id, watch, slot, due_at, host, reason, priority, state, released_at) "
            "VALUES (%s, %s, %s, %s, %s, 'asked', %s, 'queued', %s) ON CONFLICT (id) DO NOTHING",
            (look, watch.id, slot, slot, watch.host, ON_DEMAND, now),
        )
        if done and done.rowcount == 1:
            break
        slot += timedelta(microseconds=1)
    _defer(connection, queue, [(look, ON_DEMAND)])
    return look, True


class Busy(Exception):  # it is no error
    """Another worker, alive, is at it: the same job was delivered twice."""


def begin(
    connection: Connection, look: str, *, worker: str, now: datetime, silent: timedelta = timedelta(0)
) -> Begun | None:
    """Take it. None: it has ended, or its watch was removed meanwhile. Raises ``Busy``.

    ``silent``: for so long a worker that was not heard of is taken to be alive.
    """
    held = connection.execute(
        "SELECT w.seen_at > now() - %s FROM counterproof.looks l JOIN counterproof.workers w ON w.id = l.worker "
        "WHERE l.id = %s AND l.state = 'running' FOR UPDATE OF l",
        (silent, look),
    ).fetchone()
    if held is not None and held[0]:
        raise Busy
    row = connection.execute(
        "UPDATE counterproof.looks SET state = 'running', worker = %s, attempts = attempts + 1, begun_at = %s "
        "WHERE id = %s AND state IN ('queued', 'running') RETURNING watch, slot, due_at, reason, attempts",
        (worker, now, look),
    ).fetchone()
    if row is None:
        return None
    watch = watches.get(connection, str(row[0]))
    if watch.state == "removed":
        _end(connection, look, None, state="cancelled", now=now, detail="its watch was removed")
        return None
    return Begun(look=look, slot=row[1], due_at=row[2], reason=row[3], attempt=row[4], watch=watch)


def finish(connection: Connection, begun: Begun, ended: Ended, *, now: datetime) -> bool:
    """False: a later attempt has taken it over, and tells its end."""
    if not _end(connection, begun.look, begun.attempt, state="done", now=now, detail=ended.detail, ended=ended):
        return False
    connection.execute(
        "UPDATE counterproof.watches SET looked_at = %s, last_outcome = %s, last_unit = coalesce(%s, last_unit), "
        "looks = looks + 1, failures = 0, changed_at = CASE WHEN %s THEN %s ELSE changed_at END, "
        "found = coalesce(%s, found), found_at = CASE WHEN %s THEN %s ELSE found_at END WHERE id = %s",
        (
            now,
            ended.outcome,
            ended.unit,
            bool(ended.changed),
            now,
            ended.found,
            bool(ended.found),
            now,
            begun.watch.id,
        ),
    )
    return True


def fail(connection: Connection, look: str, reason: str, *, now: datetime, attempt: int | None = None) -> bool:
    """A failure that is kept, with its reason. ``attempt``: only if it still is this one's."""
    if not _end(connection, look, attempt, state="failed", now=now, detail=reason):
        return False
    connection.execute(
        "UPDATE counterproof.watches SET failures = failures + 1 "
        "WHERE id = (SELECT watch FROM counterproof.looks WHERE id = %s)",
        (look,),
    )
    return True


def put_back(connection: Connection, begun: Begun, detail: str) -> bool:
    """It waits again, as its worker was told to stop."""
    done = connection.execute(
        "UPDATE counterproof.looks SET state = 'queued', worker = NULL, detail = %s "
        "WHERE id = %s AND attempts = %s AND state = 'running'",
        (detail[:1000], begun.look, begun.attempt),
    )
    return done.rowcount == 1


def cancel(connection: Connection, queue: Queue, look: str, *, now: datetime) -> str:
    """What became of it: ``cancelled``, ``told`` (it runs, and is told to stop) or ``over``."""
    row = connection.execute("SELECT state, job FROM counterproof.looks WHERE id = %s FOR UPDATE", (look,)).fetchone()
    if row is None or row[0] not in {"queued", "running"}:
        return "over"
    if row[1] is not None:
        queue.cancel(connection, int(row[1]))
    if row[0] == "running":
        return "told"
    _end(connection, look, None, state="cancelled", now=now, detail="cancelled by a person")
    return "cancelled"


def cancelled(connection: Connection, begun: Begun, detail: str, *, now: datetime) -> bool:
    return _end(connection, begun.look, begun.attempt, state="cancelled", now=now, detail=detail)


def crashed(connection: Connection, look: str, *, now: datetime) -> bool:
    """Its worker has died. True: it may be tried again; False: that was once too often, and it is a kept failure."""
    row = connection.execute(
        "UPDATE counterproof.looks SET crashes = crashes + 1 WHERE id = %s AND state IN ('queued', 'running') "
        "RETURNING crashes",
        (look,),
    ).fetchone()
    if row is None:
        return False
    if row[0] < MAX_CRASHES:
        return True
    fail(connection, look, worn_out(row[0]), now=now)
    return False


def take_up(connection: Connection, queue: Queue, *, now: datetime) -> tuple[int, int]:
    """Looks that are open while their job is over or gone, as after a crash in between: they get a new job.

    Returns how many wait again, and how many have failed too often.
    """
    rows = connection.execute(
        "SELECT l.id, l.priority, l.attempts FROM counterproof.looks l LEFT JOIN procrastinate_jobs j ON j.id = l.job "
        "WHERE l.state IN ('queued', 'running') AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing')) "
        "FOR UPDATE OF l SKIP LOCKED"
    ).fetchall()
    given_up = [row for row in rows if row[2] >= MAX_ATTEMPTS]
    for row in given_up:
        fail(connection, str(row[0]), f"given up after {row[2]} attempts, none of which came to an end", now=now)
    again = [(str(row[0]), int(row[1])) for row in rows if row[2] < MAX_ATTEMPTS]
    if again:
        connection.execute(
            "UPDATE counterproof.looks SET state = 'queued', worker = NULL WHERE id = ANY(%s::uuid[])",
            ([each for each, _ in again],),
        )
    _defer(connection, queue, again)
    return len(again), len(given_up)


def worn_out(times: int) -> str:
    return f"given up: its worker died {times} times before it came to an end"


def of_watch(connection: Connection, watch: str, *, limit: int) -> list[dict[str, Any]]:
    """Newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT id::text, slot, due_at, reason, state, attempts, worker, released_at, begun_at, ended_at, "
            "run::text, unit::text, outcome, changed, captures, bytes, requests, kinds, detail "
            "FROM counterproof.looks WHERE watch = %s "
            "ORDER BY slot DESC, released_at DESC LIMIT %s",
            (watch, limit),
        )
        return list(cursor)


def of_ids(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By id: its watch (``watch``, ``url``, ``source``, ``kept``), ``state``, since when (``at``), what came of it."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT l.id::text, l.watch::text, w.url, w.source, w.state AS kept, l.state, l.unit::text, l.outcome, "
            "l.detail, coalesce(l.ended_at, l.begun_at, l.released_at) AS at FROM counterproof.looks l "
            "JOIN counterproof.watches w ON w.id = l.watch WHERE l.id = ANY(%s::uuid[])",
            (list(ids),),
        )
        return {str(row["id"]): row for row in cursor}


def achieved(connection: Connection, watch: str, *, over: int = 20) -> timedelta | None:
    """The mean time between its newest looks; None where there were fewer than two."""
    row = connection.execute(
        "SELECT count(*), max(begun_at) - min(begun_at) FROM (SELECT begun_at FROM counterproof.looks WHERE watch = %s "
        "AND state = 'done' AND reason <> 'asked' ORDER BY begun_at DESC LIMIT %s) newest",
        (watch, over),
    ).fetchone()
    if row is None or row[0] < 2:
        return None
    span: timedelta = row[1]
    return span / (int(row[0]) - 1)


def _end(
    connection: Connection,
    look: str,
    attempt: int | None,
    *,
    state: str,
    now: datetime,
    detail: str,
    ended: Ended | None = None,
) -> bool:
    done = connection.execute(
        "UPDATE counterproof.looks SET state = %s, ended_at = %s, detail = %s, run = %s, unit = %s, outcome = %s, "
        "changed = %s, captures = %s, bytes = %s, requests = %s, kinds = %s, found = CASE WHEN %s THEN (SELECT w.found "
        "FROM counterproof.watches w WHERE w.id = looks.watch) ELSE %s END "
        "WHERE id = %s AND state IN ('queued', 'running') AND (%s::integer IS NULL OR attempts = %s)",
        (
            state,
            now,
            detail[:1000],
            None if ended is None else ended.run,
            None if ended is None else ended.unit,
            None if ended is None else ended.outcome,
            None if ended is None else ended.changed,
            None if ended is None else ended.captures,
            None if ended is None else ended.bytes,
            None if ended is None else ended.requests,
            None if ended is None else list(ended.kinds),
            ended is not None and ended.changed is False,
            None if ended is None else ended.found,
            look,
            attempt,
            attempt,
        ),
    )
    return done.rowcount == 1


def _defer(connection: Connection, queue: Queue, released: Sequence[tuple[str, int]]) -> None:
    jobs = queue.defer(connection, released)
    if jobs:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE counterproof.looks SET job = %s WHERE id = %s",
                [(job, look) for job, (look, _) in zip(jobs, released, strict=True)],
            )
