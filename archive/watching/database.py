"""The database of watches and jobs: opened, embedded or by its DSN, and brought to this version's tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from archive import queue
from archive.config import ArchiveConfig
from archive.errors import QueueDown
from archive.postgres import embedded_postgres

Connection = psycopg.Connection[Any]

EMBEDDED = "postgres"
"""The folder in a home."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x636F756E  # any number, the same for all of us: who migrates goes first
_WAIT_S = 30.0
_CONNECTIONS = 8


class Database:
    """Safe for threads. Every use is a transaction of its own."""

    def __init__(self, conninfo: str, pool: "ConnectionPool[Connection]") -> None:
        self.conninfo = conninfo
        self.queue = queue.Queue(conninfo)
        self._pool = pool

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Committed when it is left without an error. Raises ``QueueDown`` when the database is gone."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise down(error) from error


@contextmanager
def open_database(config: ArchiveConfig) -> Iterator[Database]:
    """The one that the DSN names, else the home's own, which runs for as long as anybody uses it."""
    if config.dsn is not None:
        with opened(config.dsn) as database:
            yield database
        return
    with embedded_postgres(config.home / EMBEDDED) as conninfo, opened(conninfo) as database:
        yield database


@contextmanager
def opened(conninfo: str) -> Iterator[Database]:
    """Raises ``QueueDown``, with a sentence that names no password."""
    try:
        with psycopg.connect(conninfo, connect_timeout=int(_WAIT_S)) as connection:
            migrate(connection)
    except psycopg.Error as error:
        raise down(error) from error
    pool: ConnectionPool[Connection] = ConnectionPool(
        conninfo, min_size=1, max_size=_CONNECTIONS, timeout=_WAIT_S, open=False, check=ConnectionPool.check_connection
    )
    try:
        pool.open(wait=True, timeout=_WAIT_S)
        yield Database(conninfo, pool)
    except PoolTimeout as error:
        raise down(error) from error
    finally:
        pool.close()


def migrate(connection: Connection) -> None:
    """Each file of ``migrations/`` once, in their order, and Procrastinate's tables; all of it, or nothing."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS counterproof")
        connection.execute("CREATE TABLE IF NOT EXISTS counterproof.migrations (n integer PRIMARY KEY, at timestamptz)")
        queue.prepare(connection)
        found = connection.execute("SELECT coalesce(max(n), 0) FROM counterproof.migrations").fetchone()
        at = int(found[0]) if found else 0
        files = migrations()
        if at > max(files):
            raise QueueDown(
                f"the database is of a newer version (its tables are at {at}, this program knows {max(files)}): "
                "upgrade this machine too"
            )
        for n, path in files.items():
            if n > at:
                connection.execute(path.read_text(encoding="utf-8").encode())
                connection.execute("INSERT INTO counterproof.migrations VALUES (%s, now())", (n,))


def migrations() -> dict[int, Path]:
    return {int(path.stem): path for path in sorted(_MIGRATIONS.glob("[0-9][0-9][0-9][0-9].sql"))}


def down(error: Exception) -> QueueDown:
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    said = re.sub(r"(password\s*=\s*|://[^:@/\s]*:)\S+?(?=[\s@]|$)", r"\1…", said)
    return QueueDown(
        f"the database of watches does not answer ({said[:300]}): start it, or correct COUNTERPROOF_DSN; without one, "
        "the home's own is used"
    )
