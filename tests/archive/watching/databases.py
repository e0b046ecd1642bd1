"""Databases for tests: one real embedded PostgreSQL for all of a file, and a fresh database in it for each test."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from archive.postgres import embedded_postgres
from archive.watching import watches
from archive.watching.database import Connection, Database, opened
from archive.watching.timing import Timing
from archive.watching.watch import Watch, asked
from custody.ids import RANDOM_BYTES, uuid7

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@contextmanager
def server(directory: Path) -> Iterator[str]:
    with embedded_postgres(directory) as conninfo:
        yield conninfo


@contextmanager
def fresh(conninfo: str) -> Iterator[Database]:
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with opened(conninfo.replace("dbname=postgres", f"dbname={name}")) as database:
        yield database


def new_id() -> str:
    return uuid7(AT, secrets.token_bytes(RANDOM_BYTES))


def watched(
    connection: Connection,
    url: str = "https://shop.example/item/1",
    *,
    case: str = "bracelets",
    every: str = "6h",
    kind: str = "listing",
    priority: int = 5,
    timing: Timing | None = None,
    now: datetime = AT,
) -> Watch:
    timing = timing or Timing.of(every=every, jitter="0s")
    wanted = asked(case=case, url=url, key=url, kind=kind, timing=timing, priority=priority)
    return watches.put(connection, wanted, new_id=new_id(), now=now).watch
