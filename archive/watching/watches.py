"""The watches as they are kept: added, listed, paused, resumed, removed. Each method is given a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from archive.errors import UsageError
from archive.watching.database import Connection
from archive.watching.timing import Timing
from archive.watching.watch import Asked, Kind, State, Watch
from custody.ids import is_uuid7

_COLUMNS = (
    "id, case_name, url, url_key, host, kind, every_s, cron, zone, jitter_s, priority, options, state, why, source"
    ", created_at, slot, due_at, looked_at, changed_at, last_outcome, last_unit, looks, failures"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What came of asking for a watch."""

    watch: Watch
    what: str
    """``new``, ``changed`` or ``same``."""


def put(connection: Connection, asked: Asked, *, new_id: str, now: datetime) -> Added:
    """Add it, or bring the one of this case and address to what is asked. A new one is due at once."""
    known = find(connection, asked.case, asked.key)
    values = _values(asked)
    if known is None:
        values |= {"id": new_id, "created_at": now, "slot": now, "due_at": now, "state": "active", "why": ""}
        names = ", ".join(values)
        holes = ", ".join(f"%({name})s" for name in values)
        connection.execute(
            f"INSERT INTO counterproof.watches ({names}) VALUES ({holes})".encode(),
            values,  # our names
        )
        _note(connection, new_id, now)
        return Added(watch=get(connection, new_id), what="new")
    if differs(known, asked):
        slot = known.slot
        if known.timing != asked.timing and known.looked_at is not None:
            slot = asked.timing.next_slot(min(known.slot, now), now)
        due = asked.timing.due(slot, known.id) if known.looked_at is not None else known.due_at
        values |= {"id": known.id, "slot": slot, "due_at": due}
        changes = ", ".join(f"{name} = %({name})s" for name in values if name != "id")
        connection.execute(
            f"UPDATE counterproof.watches SET {changes} WHERE id = %(id)s".encode(),
            values,  # our names
        )
        if known.timing != asked.timing:
            _note(connection, known.id, now)
        return Added(watch=get(connection, known.id), what="changed")
    return Added(watch=known, what="same")


def differs(known: Watch, asked: Asked) -> bool:
    return (known.url, known.kind, known.timing, known.priority, dict(known.options)) != (
        asked.url,
        asked.kind,
        asked.timing,
        asked.priority,
        dict(asked.options),
    )


def find(connection: Connection, case: str, key: str) -> Watch | None:
    found = _select(connection, "WHERE case_name = %s AND url_key = %s AND state <> 'removed'", (case, key))
    return found[0] if found else None


def get(connection: Connection, watch: str) -> Watch:
    found = _select(connection, "WHERE id = %s", (watch,))
    if not found:
        raise UsageError(f"there is no watch {watch[:60]!r}: `counterproof watch list` has their ids")
    return found[0]


def resolve(connection: Connection, text: str) -> Watch:
    """By an id, how it begins or ends, or the address itself. Raises ``UsageError``."""
    if is_uuid7(text):
        return get(connection, text)
    wanted = text.strip()
    found = _select(
        connection,
        "WHERE state <> 'removed' AND (url = %s OR id::text LIKE %s OR id::text LIKE %s)",
        (wanted, f"{_literal(wanted)}%", f"%{_literal(wanted)}"),
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"there is no watch {wanted[:80]!r}: `counterproof watch list` has their ids")
    raise UsageError(f"{wanted[:80]!r} names {len(found)} watches: give more of the id")


def every(
    connection: Connection, *, case: str | None = None, state: State | None = None, host: str | None = None
) -> list[Watch]:
    """In the order of their making, without those that were removed unless they are asked for."""
    rules, values = ["state <> 'removed'" if state is None else "state = %s"], [] if state is None else [state.value]
    if case is not None:
        rules, values = [*rules, "case_name = %s"], [*values, case]
    if host is not None:
        rules, values = [*rules, "host = %s"], [*values, host]
    return _select(connection, f"WHERE {' AND '.join(rules)}", values)


def of_pages(connection: Connection, keys: Sequence[str]) -> list[Watch]:
    """By their addresses for comparing, of all cases, also those that were removed."""
    return _select(connection, "WHERE url_key = ANY(%s)", (list(keys),))


def pause(connection: Connection, watch: str, why: str, *, now: datetime) -> bool:
    """False: it was not active."""
    return _turn(connection, watch, State.ACTIVE, State.PAUSED, why, now=now)


def resume(connection: Connection, watch: str, *, now: datetime) -> bool:
    """It is due at its next slot; what was missed is not made up for. False: it was not paused."""
    if not _turn(connection, watch, State.PAUSED, State.ACTIVE, "", now=now):
        return False
    known = get(connection, watch)
    if known.looked_at is not None and known.slot < now:
        slot = known.timing.next_slot(known.slot, now)
        connection.execute(
            "UPDATE counterproof.watches SET slot = %s, due_at = %s WHERE id = %s",
            (slot, known.timing.due(slot, watch), watch),
        )
    return True


def remove(connection: Connection, watch: str, why: str = "", *, now: datetime) -> bool:
    """Its looks stay known, and what they captured stays evidence. False: it was removed before."""
    return _turn(connection, watch, State.ACTIVE, State.REMOVED, why, now=now) or _turn(
        connection, watch, State.PAUSED, State.REMOVED, why, now=now
    )


def _turn(connection: Connection, watch: str, before: State, after: State, why: str, *, now: datetime) -> bool:
    done = connection.execute(
        "UPDATE counterproof.watches SET state = %s, why = %s WHERE id = %s AND state = %s",
        (after.value, why[:500], watch, before.value),
    )
    if done.rowcount == 1:
        _note(connection, watch, now)
    return done.rowcount == 1


def _note(connection: Connection, watch: str, now: datetime) -> None:
    """What is asked for from now on (``archive.watching.intervals``)."""
    connection.execute(
        "INSERT INTO counterproof.asked (watch, since, every_s, cron, zone) SELECT id, %s, "
        "CASE WHEN state = 'active' THEN every_s END, CASE WHEN state = 'active' THEN cron END, zone "
        "FROM counterproof.watches WHERE id = %s",
        (now, watch),
    )


def _values(asked: Asked) -> dict[str, Any]:
    timing = asked.timing
    return {
        "case_name": asked.case,
        "url": asked.url,
        "url_key": asked.key,
        "host": asked.host,
        "kind": asked.kind.value,
        "every_s": None if timing.every is None else int(timing.every.total_seconds()),
        "cron": timing.cron,
        "zone": timing.zone,
        "jitter_s": int(timing.jitter.total_seconds()),
        "priority": asked.priority,
        "options": Jsonb(dict(asked.options)),
        "source": asked.source,
    }


def _select(connection: Connection, rest: str, values: Sequence[Any] = ()) -> list[Watch]:
    with connection.cursor(row_factory=dict_row) as cursor:
        query = f"SELECT {_COLUMNS} FROM counterproof.watches {rest} ORDER BY id"  # of our own words alone
        cursor.execute(query.encode(), values)
        return [of_row(row) for row in cursor]


def of_row(row: dict[str, Any]) -> Watch:
    every_s = row["every_s"]
    return Watch(
        id=str(row["id"]),
        case=row["case_name"],
        url=row["url"],
        key=row["url_key"],
        kind=Kind(row["kind"]),
        timing=Timing(
            every=None if every_s is None else timedelta(seconds=every_s),
            cron=row["cron"],
            zone=row["zone"],
            jitter=timedelta(seconds=row["jitter_s"]),
        ),
        priority=row["priority"],
        options=row["options"],
        source=row["source"],
        state=State(row["state"]),
        why=row["why"],
        created_at=row["created_at"],
        slot=row["slot"],
        due_at=row["due_at"],
        looked_at=row["looked_at"],
        changed_at=row["changed_at"],
        last_outcome=row["last_outcome"],
        last_unit=None if row["last_unit"] is None else str(row["last_unit"]),
        looks=row["looks"],
        failures=row["failures"],
    )


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
