"""Workers that are there: each says so every few seconds, with what it has to say of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from archive.watching.database import Connection

FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """As it was heard of last."""

    id: str
    place: str
    """The machine it runs on."""
    egress: str
    """Which way its visits go out: ``direct``, or the proxy."""
    begun_at: datetime
    seen_at: datetime
    facts: Mapping[str, Any]


def say(connection: Connection, worker: str, *, place: str, egress: str, facts: Mapping[str, Any]) -> None:
    """I am here."""
    connection.execute(
        "INSERT INTO counterproof.workers (id, place, egress, begun_at, seen_at, facts) "
        "VALUES (%s, %s, %s, now(), now(), %s) "
        "ON CONFLICT (id) DO UPDATE SET seen_at = now(), facts = excluded.facts",
        (worker, place, egress, Jsonb(dict(facts))),
    )


def leave(connection: Connection, worker: str) -> None:
    connection.execute("DELETE FROM counterproof.workers WHERE id = %s", (worker,))


def forget(connection: Connection) -> None:
    connection.execute("DELETE FROM counterproof.workers WHERE seen_at < now() - %s", (FORGOTTEN,))


def alive(connection: Connection, *, silent: timedelta) -> list[Worker]:
    rows = connection.execute(
        "SELECT id, place, egress, begun_at, seen_at, facts FROM counterproof.workers WHERE seen_at > now() - %s "
        "ORDER BY begun_at, id",
        (silent,),
    )
    return [
        Worker(id=each[0], place=each[1], egress=each[2], begun_at=each[3], seen_at=each[4], facts=each[5])
        for each in rows
    ]
