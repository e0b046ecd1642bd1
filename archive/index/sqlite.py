"""The catalogue in one file: SQLite with FTS5. One writer at a time, also between processes; readers do not wait."""

import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Self

from archive import disk
from archive.errors import DiskError
from archive.index.database import Matching, Row, Transaction
from archive.index.tables import CHUNK_LEAVES, INDEXES, SCHEMA, TABLES, statements

_BUSY_SECONDS = 30.0
_READERS = 4
_CACHE_KIB = 8 * 1024
"""Of each connection; the system keeps the rest of the file at hand."""
_NARROW = 4
_AT_ONCE = 250
_BULK_CACHE_KIB = 128 * 1024
_SEARCHED = "CREATE VIRTUAL TABLE {name} USING fts5(words, content='', tokenize='ascii')"
"""Without its own copy of the texts; the tokens are ours, and stand between spaces (``archive.index.tokens``).

One for each ``CHUNK_LEAVES`` of the log: FTS5 goes through all hits of a word that may go on before it gives the first.
"""
_WINDOWS = "CREATE TABLE windows (n INTEGER PRIMARY KEY)"
_STATEMENTS = 512
"""Kept ready by a connection: a search for a rare word asks of each window."""


class SqliteTransaction:
    """On the one connection that writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(query, values).fetchall()

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        self._connection.execute(statement, values)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES"
        one = f"({', '.join('?' * len(columns))})"
        if len(columns) > _NARROW:
            self._connection.executemany(f"{into} {one}", rows)
            return
        # Of narrow rows, what a statement costs by itself is half of all: many at a time.
        many = f"{into} {', '.join([one] * _AT_ONCE)}"
        rows = iter(rows)
        while batch := list(islice(rows, _AT_ONCE)):
            whole = many if len(batch) == _AT_ONCE else f"{into} {', '.join([one] * len(batch))}"
            self._connection.execute(whole, list(chain.from_iterable(batch)))

    def run_each(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(statement, rows)


class SqliteDatabase:
    """Safe for threads, and for several processes on one file."""

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self._path = path
        self._writer = writer
        self._writing = threading.Lock()
        self._idle: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        self._open: list[sqlite3.Connection] = []
        for _ in range(_READERS):
            self._idle.put(None)  # a place for a connection that is opened when it is wanted

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises ``DiskError``. A file of another version, or one that is no database, is made anew."""
        disk.make_directory(path.parent)
        try:
            return cls._opened(path)
        except sqlite3.OperationalError as error:
            raise _unusable(path, error) from error
        except sqlite3.DatabaseError:
            with disk.trouble(path):  # a cache that cannot be read is made again from the log
                for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                    each.unlink(missing_ok=True)
        try:
            return cls._opened(path)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error

    @classmethod
    def _opened(cls, path: Path) -> Self:
        with disk.trouble(path):
            path.touch(mode=disk.PRIVATE_FILE)
        writer = _connect(path)
        try:
            # Of processes that open a new file at once, one turns it to WAL; the others may be told that it is busy.
            with suppress(sqlite3.OperationalError):
                writer.execute("PRAGMA journal_mode=WAL")
            writer.execute("PRAGMA synchronous=NORMAL")
            writer.execute("PRAGMA secure_delete=ON")  # what was disposed of is not to be read in the file's gaps
            database = cls(path, writer)
            database._prepare()
        except sqlite3.Error:
            writer.close()
            raise
        return database

    @property
    def name(self) -> str:
        return str(self._path)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            with self._reader() as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield SqliteTransaction(self._writer)
                except BaseException:
                    self._writer.execute("ROLLBACK")
                    raise
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                raise _unusable(self._path, error) from error

    def prepare(self) -> None:
        try:
            self._prepare()
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def _prepare(self) -> None:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                if self._writer.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
                    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                    # First those of FTS5, which go with the tables that it keeps beside them.
                    for more in (" AND sql LIKE 'CREATE VIRTUAL%'", ""):
                        for (name,) in self._writer.execute(named + more).fetchall():
                            self._writer.execute(f'DROP TABLE "{name}"')
                    made = statements(
                        key="INTEGER PRIMARY KEY", integer="INTEGER", octets="BLOB", flat=" WITHOUT ROWID"
                    )
                    for statement in (*made, _WINDOWS):
                        self._writer.execute(statement)
                    self._writer.execute(f"PRAGMA user_version = {SCHEMA}")
            except sqlite3.Error:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def begin_anew(self, transaction: Transaction) -> None:
        for table in TABLES:
            transaction.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
        for (n,) in transaction.rows("SELECT n FROM windows"):
            transaction.run(f"INSERT INTO searched_{n} (searched_{n}) VALUES ('delete-all')")  # noqa: S608  # names of ours

    def bulk(self, transaction: Transaction, *, begin: bool) -> None:
        transaction.run(f"PRAGMA cache_size=-{_BULK_CACHE_KIB if begin else _CACHE_KIB}")
        for name, of in INDEXES.items():
            transaction.run(f"DROP INDEX IF EXISTS {name}" if begin else f"CREATE INDEX {name} ON {of}")

    def write_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        n = place // CHUNK_LEAVES
        if not transaction.rows("SELECT 1 FROM windows WHERE n = ?", (n,)):
            transaction.run(_SEARCHED.format(name=f"searched_{n}"))
            transaction.run("INSERT INTO windows VALUES (?)", (n,))
        transaction.run(f"INSERT INTO searched_{n} (rowid, words) VALUES (?, ?)", (place, tokens))  # noqa: S608  # ours

    def forget_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        name = f"searched_{place // CHUNK_LEAVES}"
        transaction.run(f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)", (place, tokens))  # noqa: S608  # ours
        # What FTS5 takes out stays in its older segments until they are merged (sqlite.org/fts5.html, 6.8).
        transaction.run(f"INSERT INTO {name} ({name}) VALUES ('optimize')")  # noqa: S608  # ours

    def matching(self, phrases: Sequence[Sequence[str]], labels: Sequence[str] = ()) -> Iterator[Matching]:
        # Tokens hold letters and digits alone.
        said = " AND ".join([*(f'"{each}"' for each in labels), *(f'"{" ".join(each)}" *' for each in phrases)])
        for (n,) in self.rows("SELECT n FROM windows ORDER BY n DESC"):
            yield Matching(
                # CROSS JOIN: SQLite takes the tables in this order, newest hit first, and stops when there are enough.
                source=f"searched_{n} CROSS JOIN captures ON captures.started_index = searched_{n}.rowid",
                condition=f"searched_{n} MATCH ?",
                values=(said,),
                order=f"searched_{n}.rowid",
                first=n * CHUNK_LEAVES,
                last=(n + 1) * CHUNK_LEAVES - 1,
            )

    def settle(self) -> None:
        try:
            with self._writing:
                self._writer.execute("PRAGMA analysis_limit=4000")
                self._writer.execute("ANALYZE")
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def close(self) -> None:
        with self._writing:
            self._writer.close()
            for each in self._open:
                each.close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connection = self._idle.get()
        try:
            if connection is None:
                connection = _connect(self._path)
                connection.execute("PRAGMA query_only=ON")
                self._open.append(connection)
            yield connection
        finally:
            self._idle.put(connection)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None, cached_statements=_STATEMENTS
    )
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    return connection


def _unusable(path: Path, error: sqlite3.Error) -> DiskError:
    return DiskError(f"{path} cannot be used ({error}): free some space, or remove it; it is made again from the log")
