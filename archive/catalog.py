"""The catalogue: the log indexed for browsing, in SQLite. It follows the log, can be made again, is never evidence."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, cast

from archive import disk
from archive.errors import DiskError, NotStored, UsageError
from archive.log import LoggedEvent, LogReader, Position
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc
from custody.model import Json
from custody.record import MAX_BYTES, Record

SCHEMA = 1
_BUSY_SECONDS = 30.0
_MAX_DETAIL_BYTES = 64 * 1024

_TABLES = """
CREATE TABLE followed (log TEXT NOT NULL, first TEXT, n INTEGER NOT NULL, size INTEGER NOT NULL, commit_sha256 TEXT);
CREATE TABLE cases (scope TEXT PRIMARY KEY, name TEXT);
CREATE TABLE members (scope TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (scope, unit));
CREATE TABLE captures (
  capture_id TEXT PRIMARY KEY, unit TEXT NOT NULL, parent TEXT,
  started_at TEXT NOT NULL, started_index INTEGER NOT NULL,
  ended_at TEXT, end_index INTEGER, status TEXT, outcome TEXT, origin TEXT, http_status INTEGER,
  requested_url TEXT, final_url TEXT, title TEXT, url_key TEXT, record_sha256 TEXT, trouble TEXT);
CREATE INDEX captures_by_url ON captures (url_key, started_index);
CREATE INDEX captures_by_unit ON captures (unit);
CREATE TABLE starts (payload_sha256 TEXT PRIMARY KEY, capture_id TEXT NOT NULL);
CREATE TABLE artifacts (
  capture_id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL, PRIMARY KEY (capture_id, name));
CREATE INDEX artifacts_by_digest ON artifacts (sha256);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One capture, as far as the log and its record say. Without an end it is open, or was never brought to one."""

    capture_id: str
    unit: str
    parent: str | None
    started_at: datetime
    started_index: int
    ended_at: datetime | None
    index: int | None
    """Of its end in the log."""
    status: str | None
    """``complete``, ``partial``, ``failed`` or ``abandoned``; None while it is open."""
    outcome: str | None
    origin: str | None
    http_status: int | None
    requested_url: str
    final_url: str | None
    title: str | None
    record_sha256: str | None
    trouble: str | None
    """Why its record could not be read; None when it could."""

    def to_json(self) -> dict[str, Json]:
        value = asdict(self)
        value["started_at"] = format_utc(self.started_at)
        value["ended_at"] = format_utc(self.ended_at) if self.ended_at else None
        return cast("dict[str, Json]", value)


class Catalog:
    """Safe for threads, and for several processes on one file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises ``DiskError``. A file of another version, or one that is no database, is made anew."""
        disk.make_directory(path.parent)
        for attempt in (1, 2):
            try:
                connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                catalog = cls(connection, path)
                catalog._prepare()
            except sqlite3.DatabaseError as error:
                if attempt == 1 and not isinstance(error, sqlite3.OperationalError):
                    path.unlink(missing_ok=True)  # a cache that cannot be read is made again from the log
                    continue
                raise DiskError(f"{path} cannot be used ({error}): remove it, it is made again") from error
            return catalog
        raise DiskError(f"{path} cannot be used: remove it, it is made again")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def advance(self, store: ObjectStore, reader: LogReader) -> int:
        """Read on to the log's newest commit; how many events were new. Another log makes it begin anew."""
        with self._lock, self._transaction():
            position = self._position(reader)
            seen = 0
            for logged in reader.commits(position):
                for index, data in enumerate(logged.commit.leaves, logged.commit.old):
                    self._take(store, reader.parse(logged.commit.n, index, data))
                    seen += 1
                if position.n == 0 and logged.commit.n == 1:
                    self._connection.execute("UPDATE followed SET first = ?", (logged.sha256.hex,))
                at = logged.position
                self._connection.execute(
                    "UPDATE followed SET n = ?, size = ?, commit_sha256 = ?", (at.n, at.size, logged.sha256.hex)
                )
            return seen

    def captures(self, case: str | None = None, *, limit: int = 100) -> list[Entry]:
        """Newest first. Raises ``UsageError`` for a case that there is not."""
        if case is None:
            return self._entries("ORDER BY started_index DESC LIMIT ?", (limit,))
        scope = self._scope(case)
        return self._entries(
            "WHERE unit IN (SELECT unit FROM members WHERE scope = ?) ORDER BY started_index DESC LIMIT ?",
            (scope, limit),
        )

    def find(self, text: str) -> list[Entry]:
        """Captures whose id is, begins with or ends with the text."""
        wanted = text.lower()
        if not set(wanted) <= set("0123456789abcdef-"):
            return []
        return self._entries(
            "WHERE capture_id = ? OR capture_id LIKE ? OR capture_id LIKE ? ORDER BY started_index LIMIT 100",
            (wanted, f"{wanted}%", f"%{wanted}"),
        )

    def by_url(self, key: str, *, limit: int = 5) -> list[Entry]:
        """Captures that asked for this address (its dedupe key), newest first."""
        return self._entries("WHERE url_key = ? ORDER BY started_index DESC LIMIT ?", (key, limit))

    def _entries(self, rest: str, values: Sequence[object]) -> list[Entry]:
        columns = (
            "capture_id, unit, parent, started_at, started_index, ended_at, end_index, status, outcome, origin,"
            " http_status, requested_url, final_url, title, record_sha256, trouble"
        )
        with self._lock:
            rows = self._connection.execute(f"SELECT {columns} FROM captures {rest}", values).fetchall()  # noqa: S608  # ours
        return [
            Entry(
                capture_id=row[0],
                unit=row[1],
                parent=row[2],
                started_at=parse_utc(row[3]),
                started_index=row[4],
                ended_at=parse_utc(row[5]) if row[5] else None,
                index=row[6],
                status=row[7],
                outcome=row[8],
                origin=row[9],
                http_status=row[10],
                requested_url=row[11] or "",
                final_url=row[12],
                title=row[13],
                record_sha256=row[14],
                trouble=row[15],
            )
            for row in rows
        ]

    def _scope(self, case: str) -> str:
        with self._lock:
            row = self._connection.execute(
                "SELECT scope FROM cases WHERE name = ? ORDER BY rowid LIMIT 1", (case,)
            ).fetchone()
            if row is None:
                names = [each[0] for each in self._connection.execute("SELECT name FROM cases LIMIT 5") if each[0]]
        if row is None:
            others = f"; there are {', '.join(map(repr, names))}" if names else ""
            raise UsageError(f"there is no case {case!r}{others}")
        return str(row[0])

    def _take(self, store: ObjectStore, logged: LoggedEvent) -> None:
        event = logged.event
        kind, _, chain = event.chain.partition(":")
        if event.type == "case.opened":
            detail = _detail(store, event.subjects[0].digest)
            name = detail.get("name") if detail.get("scope") == chain else None
            self._connection.execute("INSERT OR IGNORE INTO cases VALUES (?, ?)", (chain, name))
        elif event.type == "item.assigned":
            self._connection.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (chain, event.body["item"]))
        elif event.type == "capture.started" and kind == "item":
            self._started(store, logged, unit=chain)
        elif event.type in {"capture.completed", "capture.failed", "capture.abandoned"}:
            self._ended(store, logged)

    def _started(self, store: ObjectStore, logged: LoggedEvent, *, unit: str) -> None:
        event = logged.event
        job = _detail(store, event.subjects[0].digest)
        url, key, parent = (_text(job.get(name)) for name in ("url", "url_key", "parent"))
        self._connection.execute(
            "INSERT OR IGNORE INTO captures"
            " (capture_id, unit, parent, started_at, started_index, requested_url, url_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                event.body["capture"],
                unit,
                parent,
                format_utc(event.occurred_at),
                logged.index,
                url,
                key or url,
            ),
        )
        self._connection.execute(
            "INSERT OR IGNORE INTO starts VALUES (?, ?)", (_payload(logged).hex, event.body["capture"])
        )

    def _ended(self, store: ObjectStore, logged: LoggedEvent) -> None:
        event = logged.event
        capture_id = event.body["capture"]
        body = event.body
        self._connection.execute(
            "UPDATE captures SET ended_at = ?, end_index = ?, status = ?, outcome = ?, http_status = ?"
            " WHERE capture_id = ? AND end_index IS NULL",
            (
                format_utc(event.occurred_at),
                logged.index,
                body.get("status", "abandoned"),
                body.get("outcome"),
                body.get("http_status"),
                capture_id,
            ),
        )
        if event.type == "capture.abandoned":
            return
        digest = event.subjects[0].digest
        try:
            record = Record.parse(_read(store, digest, MAX_BYTES))
        except (NotStored, FormatError) as error:
            self._connection.execute(
                "UPDATE captures SET record_sha256 = ?, trouble = ? WHERE capture_id = ?",
                (digest.hex, str(error)[:300], capture_id),
            )
            return
        self._connection.execute(
            "UPDATE captures SET record_sha256 = ?, origin = ?, final_url = ?, title = ?, parent = ?"
            " WHERE capture_id = ?",
            (digest.hex, record.origin.value, record.final_url, record.title, record.parent, capture_id),
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO artifacts VALUES (?, ?, ?, ?, ?, ?)",
            [
                (capture_id, each.role, each.name, each.digest.hex, each.bytes, each.media_type)
                for each in record.artifacts
            ],
        )

    def _position(self, reader: LogReader) -> Position:
        row = self._connection.execute("SELECT log, first, n, size, commit_sha256 FROM followed").fetchone()
        first = next((each.sha256.hex for each in reader.commits()), None) if row is not None and row[2] else None
        if row is None or row[0] != reader.log or (row[2] and row[1] != first):
            for table in ("followed", "cases", "members", "captures", "starts", "artifacts"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names of ours
            self._connection.execute("INSERT INTO followed VALUES (?, NULL, 0, 0, NULL)", (reader.log,))
            return Position()
        return Position(row[2], row[3], Digest(row[4])) if row[2] else Position()

    def _prepare(self) -> None:
        with self._transaction():
            if self._connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
                return
            known = self._connection.execute(
                "SELECT type, name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for _, name in known:
                self._connection.execute(f'DROP TABLE "{name}"')
            for statement in _TABLES.split(";"):
                if statement.strip():
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One writer at a time, also between processes; all of it or nothing."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise DiskError(f"{self._path} cannot be written ({error}): free some space, or remove it") from error


def _payload(logged: LoggedEvent) -> Digest:
    return logged.leaf.event.payload_sha256


def _detail(store: ObjectStore, digest: Digest) -> dict[str, Any]:
    """A small JSON blob; empty where it is gone, damaged or no object, which is for ``verify`` to say."""
    try:
        value = canonical.loads(_read(store, digest, _MAX_DETAIL_BYTES))
    except (NotStored, FormatError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read(store: ObjectStore, digest: Digest, limit: int) -> bytes:
    with store.open(keyspace.blob(digest)) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit or Digest.of(data) != digest:
        raise FormatError(f"the blob {digest} is not what its key says")
    return data
