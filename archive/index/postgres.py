"""The catalogue on PostgreSQL, for many machines: each log in a schema of its own, whoever is first follows the log."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from archive.errors import StoreDown, UsageError
from archive.index.database import Matching, Row, Transaction
from archive.index.tables import INDEXES, SCHEMA, TABLES, statements

_CONNECTIONS = 8
_WAIT_S = 30.0
_LOCK = 0x636F756E746572  # "counter": of an advisory lock, together with the schema's own number
_WORDS = "ALTER TABLE readings ADD COLUMN lexemes tsvector"
_WORDS_INDEX = "CREATE INDEX readings_by_word ON readings USING gin (lexemes)"


class PostgresTransaction:
    """On one connection, under the lock that one writer holds."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        return _rows(self._connection, query, values)

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        _cursor(self._connection).execute(_spelled(statement), values or None)

    def run_each(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        _cursor(self._connection).executemany(_spelled(statement), rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.cursor().copy(into) as copy:
            for row in rows:
                copy.write_row(row)


class PostgresDatabase:
    """Safe for threads, and for many machines."""

    def __init__(self, pool: "ConnectionPool[psycopg.Connection[Row]]", schema: str, where: str) -> None:
        self._pool = pool
        self._schema = schema
        self._where = where
        self._number = int.from_bytes(sha256(schema.encode()).digest()[:4], "big", signed=True)

    @classmethod
    def open(cls, dsn: str, log: str) -> Self:
        """Raises ``StoreDown`` where the server does not answer, ``UsageError`` for a DSN that is none."""
        schema = f"catalog_{sha256(log.encode()).hexdigest()[:16]}"
        try:
            told = psycopg.conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError as error:
            raise UsageError("COUNTERPROOF_DSN is postgresql://USER@HOST/NAME, or host=… dbname=…") from error
        where = f"postgresql, database {told.get('dbname') or 'by default'} at {told.get('host') or 'by default'}"

        def configure(connection: psycopg.Connection[Row]) -> None:
            connection.autocommit = True
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))

        pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            dsn, min_size=1, max_size=_CONNECTIONS, open=False, timeout=_WAIT_S, configure=configure
        )
        database = cls(pool, schema, where)
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=10):
                pass  # a pool would only say that it took too long
            pool.open()
            database.prepare()
        except psycopg.Error as error:
            pool.close()
            raise database._unusable(error) from error
        except BaseException:
            pool.close()
            raise
        return database

    @property
    def name(self) -> str:
        return f"{self._where}, schema {self._schema}"

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        with self._connection() as connection:
            return _rows(connection, query, values)

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with self._connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK % (1 << 31), self._number))
            yield PostgresTransaction(connection)

    def prepare(self) -> None:
        with self._connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK % (1 << 31), self._number))
            there = connection.execute("SELECT to_regclass(%s)", (f"{self._schema}.version",)).fetchone()
            if there is not None and there[0] is not None:
                version = connection.execute("SELECT n FROM version").fetchone()
                if version is not None and version[0] == SCHEMA:
                    return
            name = sql.Identifier(self._schema)
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            made = statements(key="BIGINT PRIMARY KEY", integer="BIGINT", octets="BYTEA", flat="")
            for statement in (*made, _WORDS, _WORDS_INDEX, "CREATE TABLE version (n INTEGER NOT NULL)"):
                connection.execute(_spelled(statement))
            connection.execute("INSERT INTO version VALUES (%s)", (SCHEMA,))

    def begin_anew(self, transaction: Transaction) -> None:
        transaction.run(f"TRUNCATE {', '.join(TABLES)}")

    def bulk(self, transaction: Transaction, *, begin: bool) -> None:
        for name, of in INDEXES.items():
            transaction.run(f"DROP INDEX IF EXISTS {name}" if begin else f"CREATE INDEX {name} ON {of}")

    def write_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        transaction.run("UPDATE readings SET lexemes = ?::tsvector WHERE started_index = ?", (_lexemes(tokens), place))

    def forget_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        transaction.run("UPDATE readings SET lexemes = NULL WHERE started_index = ?", (place,))

    def matching(self, phrases: Sequence[Sequence[str]], labels: Sequence[str] = ()) -> Sequence[Matching]:
        meant = [" <-> ".join([*map(_quoted, each[:-1]), f"{_quoted(each[-1])}:*"]) for each in phrases]
        said = " & ".join([*map(_quoted, labels), *(f"({each})" for each in meant)])
        return [
            Matching(
                source="captures JOIN readings ON readings.started_index = captures.started_index",
                condition="readings.lexemes @@ ?::tsquery",
                values=(said,),
                order="captures.started_index",
            )
        ]

    def settle(self) -> None:
        with self._connection() as connection:
            for table in TABLES:
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _connection(self) -> "Iterator[psycopg.Connection[Row]]":
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreDown:
        said = " ".join(str(error).split())[:200]
        return StoreDown(f"the catalogue's database cannot be used ({said}): look at COUNTERPROOF_DSN and its server")


def _cursor(connection: psycopg.Connection[Row]) -> "psycopg.ClientCursor[Row]":
    """Values are put in here and not by the server, which would ask of what type an empty one is."""
    return psycopg.ClientCursor(connection)


def _rows(connection: psycopg.Connection[Row], query: str, values: Sequence[object]) -> list[Row]:
    return _cursor(connection).execute(_spelled(query), values or None).fetchall()


def _spelled(statement: str) -> Any:
    return statement.replace("%", "%%").replace("?", "%s") if "?" in statement else statement


def _lexemes(tokens: str) -> str:
    """A text search vector with places: made here, since the server's own parser takes words otherwise."""
    places: dict[str, list[str]] = {}
    for place, token in enumerate(tokens.split(), start=1):
        there = places.setdefault(token, [])
        if len(there) < 255:  # it keeps so many of one word
            there.append(str(place))
    return " ".join(f"{_quoted(token)}:{','.join(there)}" for token, there in places.items())


def _quoted(token: str) -> str:
    return f"'{token}'"  # letters and digits alone (``archive.index.tokens``)
