"""The catalogue: the log indexed for browsing, in SQLite. It follows the log, can be made again, is never evidence."""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self, cast

from archive import disk, indexer
from archive.briefs import Version
from archive.errors import DiskError, NotStored, UsageError
from archive.log import LoggedCommit, LoggedEvent, LogReader, Position
from archive.store import ObjectStore
from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor
from custody.instant import format_utc, parse_utc
from custody.model import Json

SCHEMA = 7
_BUSY_SECONDS = 30.0
_COMMITS_AT_ONCE = 32
_THREADS = 8
_COLUMNS = (
    "capture_id, unit, parent, started_at, started_index, ended_at, end_index, status, outcome, origin, http_status"
    ", requested_url, final_url, title, record_sha256, trouble, disposed_at, quarantine, surface, shown, platform"
    ", anchor_size, anchor_sha256"
)


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
    disposed_at: datetime | None
    """When its evidence was disposed of; what was known of it is forgotten here as well."""
    quarantine: str | None
    """Why secrets may be in it, so that it is not handed over without a decision; None: it is not quarantined."""
    surface: str | None
    """One of ``archive.surface.Surface``, or a later version's word; None without a record."""
    shown: str | None
    """One of ``archive.surface.Shown``, or a later version's word; None without a record."""
    platform: str | None
    """Whose surface it is, where the record says so."""
    anchor: Anchor | None
    """The token that its start names: it began after that."""

    def to_json(self) -> dict[str, Json]:
        value = asdict(self)
        del value["anchor"]
        value["started_at"] = format_utc(self.started_at)
        value["ended_at"] = format_utc(self.ended_at) if self.ended_at else None
        value["disposed_at"] = format_utc(self.disposed_at) if self.disposed_at else None
        return cast("dict[str, Json]", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One artifact of a capture, as its record lists it."""

    role: str
    name: str
    digest: Digest
    bytes: int
    media_type: str

    @property
    def key(self) -> str:
        return keyspace.blob(self.digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How often one address was asked for on one day, on one surface, and with what result."""

    url: str
    platform: str | None
    surface: str
    day: str
    """In UTC, as the log has its start."""
    shown: str
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRow:
    """One case, and how much there is of it."""

    scope: str
    name: str | None
    """None: its name was disposed of, or cannot be read."""
    units: int
    captures: int
    newest: datetime | None
    """When its newest capture began."""
    unfinished: int
    """Captures without an end in the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Something that was done with evidence later: a hold, a correction, a disposal."""

    type: str
    index: int
    at: datetime
    detail: Digest
    """The blob that says more."""


class _Overtaken(Exception):
    """Another process has moved the catalogue on since we looked."""


class Catalog:
    """Safe for threads, and for several processes on one file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock()
        """Held for each use of the connection, never while the store is asked."""
        self._turn = threading.Lock()

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
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            # Of processes that open a new file at once, one turns it to WAL; the others may be told that it is busy.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA secure_delete=ON")  # what was disposed of is not to be read in the file's gaps
            catalog = cls(connection, path)
            catalog._prepare()
        except sqlite3.Error:
            connection.close()
            raise
        return catalog

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def advance(self, store: ObjectStore, reader: LogReader) -> int:
        """Read on to the log's newest commit; how many events were new.

        Another log, or one that no longer holds the commit that was read last, makes it begin anew. Raises
        ``StoreError``, ``LogError`` and ``DiskError``; what was read until then stays.
        """
        seen = 0
        with self._turn:
            while True:
                position = self._position(store, reader)
                try:
                    for added in self._follow(store, reader, position):
                        seen += added
                except _Overtaken:
                    continue
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

    def listed(self, scopes: Collection[str] | None, *, only: str | None = None) -> list[CaseRow]:
        """Cases, those with the newest captures first. ``scopes``: those that may be seen; None: all."""
        rows = self._rows(
            "SELECT cases.scope, name, count(DISTINCT members.unit), count(captures.capture_id),"
            " max(captures.started_at), coalesce(sum(captures.capture_id IS NOT NULL AND end_index IS NULL), 0)"
            " FROM cases LEFT JOIN members ON members.scope = cases.scope"
            " LEFT JOIN captures ON captures.unit = members.unit WHERE ? IS NULL OR cases.scope = ?"
            " GROUP BY cases.scope ORDER BY max(captures.started_index) DESC, cases.rowid DESC",
            (only, only),
        )
        return [
            CaseRow(
                scope=row[0],
                name=row[1],
                units=row[2],
                captures=row[3],
                newest=parse_utc(row[4]) if row[4] else None,
                unfinished=row[5],
            )
            for row in rows
            if scopes is None or row[0] in scopes
        ]

    def entry(self, capture_id: str) -> Entry | None:
        """By its whole id."""
        found = self._entries("WHERE capture_id = ?", (capture_id,))
        return found[0] if found else None

    def of_case(self, scope: str, *, limit: int = 100) -> list[Entry]:
        """Newest first, by the case's id in the log."""
        return self._entries(
            "WHERE unit IN (SELECT unit FROM members WHERE scope = ?) ORDER BY started_index DESC LIMIT ?",
            (scope, limit),
        )

    def reached(self, case: str | None = None) -> list[Reached]:
        """Of all captures that have a record and are not disposed of. Raises ``UsageError`` for a case there is not."""
        chosen = "" if case is None else " AND unit IN (SELECT unit FROM members WHERE scope = ?)"
        rows = self._rows(
            "SELECT requested_url, platform, surface, substr(started_at, 1, 10), shown, count(*) FROM captures"  # noqa: S608  # ours
            f" WHERE surface IS NOT NULL AND shown IS NOT NULL AND disposed_at IS NULL{chosen}"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 4, 1, 3, 5",
            () if case is None else (self._scope(case),),
        )
        return [
            Reached(url=row[0] or "", platform=row[1], surface=row[2], day=row[3], shown=row[4], times=row[5])
            for row in rows
        ]

    def scopes_of(self, unit: str) -> list[str]:
        """The cases that a unit belongs to."""
        return [str(row[0]) for row in self._rows("SELECT scope FROM members WHERE unit = ? ORDER BY scope", (unit,))]

    def brief_of(self, scope: str) -> Version | None:
        """The newest version of what a case says of itself; None: nobody has described it."""
        rows = self._rows(
            "SELECT version, leaf_index, at, sha256 FROM briefs WHERE scope = ? ORDER BY version DESC LIMIT 1", (scope,)
        )
        if not rows:
            return None
        version, index, at, sha256 = rows[0]
        return Version(scope=scope, version=version, digest=Digest(sha256), index=index, at=parse_utc(at))

    def brief_disposed(self, scope: str) -> bool:
        """Whether what was said of a case as a whole was disposed of: nothing more is said of it then."""
        return bool(self._rows("SELECT 1 FROM acts WHERE type = 'evidence.disposed' AND unit = ? LIMIT 1", (scope,)))

    def find(self, text: str) -> list[Entry]:
        """Captures whose id is, begins with or ends with the text."""
        wanted = text.lower()
        if not wanted or not set(wanted) <= set("0123456789abcdef-"):
            return []
        return self._entries(
            "WHERE capture_id = ? OR capture_id LIKE ? OR capture_id LIKE ? ORDER BY started_index LIMIT 100",
            (wanted, f"{wanted}%", f"%{wanted}"),
        )

    def by_url(self, key: str, *, limit: int = 5) -> list[Entry]:
        """Captures that asked for this address (its dedupe key), newest first."""
        return self._entries("WHERE url_key = ? ORDER BY started_index DESC LIMIT ?", (key, limit))

    def of_unit(self, unit: str, *, limit: int = 1_000) -> list[Entry]:
        """Captures of one unit, oldest first."""
        return self._entries("WHERE unit = ? ORDER BY started_index LIMIT ?", (unit, limit))

    def count_ended(self, below: int) -> tuple[int, int]:
        """How many captures have their end in the log, and how many of these in a leaf below this index."""
        (row,) = self._rows(
            "SELECT count(*), coalesce(sum(end_index < ?), 0) FROM captures WHERE end_index IS NOT NULL", (below,)
        )
        return int(row[0]), int(row[1])

    def unended(self, *, limit: int = 100) -> list[Entry]:
        """Captures that were begun and have no end in the log, oldest first."""
        return self._entries("WHERE end_index IS NULL ORDER BY started_index LIMIT ?", (limit,))

    def artifacts(self, capture_id: str) -> list[Kept]:
        """In the order of the record."""
        rows = self._rows(
            "SELECT role, name, sha256, bytes, media_type FROM artifacts WHERE capture_id = ? ORDER BY place",
            (capture_id,),
        )
        return [Kept(role=row[0], name=row[1], digest=Digest(row[2]), bytes=row[3], media_type=row[4]) for row in rows]

    def corrections(self, capture_id: str) -> list[Act]:
        """Oldest first."""
        return self._acts(
            "SELECT type, leaf_index, at, detail FROM acts WHERE type = 'record.corrected' AND capture_id = ?"
            " ORDER BY leaf_index",
            (capture_id,),
        )

    def decisions(self, capture_id: str) -> list[Act]:
        """That it may be handed over though it is quarantined; oldest first."""
        return self._acts(
            "SELECT type, leaf_index, at, detail FROM acts WHERE type = 'evidence.allowed' AND capture_id = ?"
            " ORDER BY leaf_index",
            (capture_id,),
        )

    def witnesses(self, capture_id: str) -> list[Act]:
        """What people stated who saw the page as well; oldest first."""
        return self._acts(
            "SELECT type, leaf_index, at, detail FROM acts WHERE type = 'capture.witnessed' AND capture_id = ?"
            " ORDER BY leaf_index",
            (capture_id,),
        )

    def received(self) -> list[Act]:
        """What others handed over, of all cases; oldest first, without what was disposed of."""
        return self._acts(
            "SELECT type, leaf_index, at, detail FROM acts AS taken WHERE type = 'evidence.received' AND NOT EXISTS"
            " (SELECT 1 FROM acts AS gone WHERE gone.type = 'evidence.disposed' AND gone.unit = taken.unit)"
            " ORDER BY leaf_index",
            (),
        )

    def holds(self, unit: str) -> list[Act]:
        """Those on a unit that nothing has released, oldest first."""
        columns = "held.type, held.leaf_index, held.at, held.detail"
        return self._acts(f"{indexer.HELD.format(columns=columns)} ORDER BY held.leaf_index", (unit,))

    def disposal(self, unit: str) -> Act | None:
        """The one by which its captures are gone."""
        found = self._acts(
            "SELECT acts.type, leaf_index, at, detail FROM acts WHERE type = 'evidence.disposed' AND unit = ? AND at ="
            " (SELECT max(disposed_at) FROM captures WHERE captures.unit = acts.unit) ORDER BY leaf_index LIMIT 1",
            (unit,),
        )
        return found[0] if found else None

    def stamper_of(self, anchor: Anchor) -> str | None:
        """For ``archive.dating``: whose token this is, as the log tells of it."""
        rows = self._rows(
            "SELECT authority FROM tokens WHERE sha256 = ? AND size = ?", (anchor.token_sha256.hex, anchor.size)
        )
        return str(rows[0][0]) if rows else None

    def sizes_over(self, index: int, authority: str, limit: int) -> list[int]:
        """For ``archive.dating``: the smallest trees with this leaf that the authority has stamped, in order."""
        rows = self._rows(
            "SELECT DISTINCT size FROM tokens WHERE authority = ? AND size > ? ORDER BY size LIMIT ?",
            (authority, index, limit),
        )
        return [int(row[0]) for row in rows]

    def _acts(self, query: str, values: Sequence[object]) -> list[Act]:
        return [
            Act(type=row[0], index=row[1], at=parse_utc(row[2]), detail=Digest(row[3]))
            for row in self._rows(query, values)
        ]

    def _follow(self, store: ObjectStore, reader: LogReader, after: Position) -> Iterator[int]:
        """Some commits at a time: the store is asked first, then all of it is written or nothing."""
        position = after
        commits = reader.commits(after)
        with ThreadPoolExecutor(_THREADS, "catalog") as threads:
            while batch := list(islice(commits, _COMMITS_AT_ONCE)):
                events = [event for logged in batch for event in _events(reader, logged)]
                changed = list(threads.map(lambda event: indexer.changes(store, event), events))
                with self._transaction():
                    if self._read_position() != (reader.log, position):
                        raise _Overtaken
                    for statement, values in (change for changes in changed for change in changes):
                        self._connection.execute(statement, values)
                    position = batch[-1].position
                    self._write_position(reader.log, position)
                yield len(events)

    def _position(self, store: ObjectStore, reader: LogReader) -> Position:
        """Where we are in this log; at its beginning when what we have is of another one."""
        with self._transaction():
            log, position = self._read_position()
        if log == reader.log and (position.n == 0 or _holds(store, reader.log, position)):
            return position
        with self._transaction():
            if self._read_position() == (log, position):  # else another process has begun anew already
                for table in ("cases", "members", "briefs", "captures", "artifacts", "acts", "tokens"):
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names of ours
                self._write_position(reader.log, Position())
        return self._position(store, reader)

    def _read_position(self) -> tuple[str | None, Position]:
        row = self._connection.execute("SELECT log, n, size, commit_sha256 FROM followed").fetchone()
        if row is None:
            return None, Position()
        return row[0], Position(row[1], row[2], Digest(row[3]) if row[3] else None)

    def _write_position(self, log: str, position: Position) -> None:
        self._connection.execute("DELETE FROM followed")
        sha256 = position.commit_sha256.hex if position.commit_sha256 else None
        self._connection.execute("INSERT INTO followed VALUES (?, ?, ?, ?)", (log, position.n, position.size, sha256))

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise _unusable(self._path, error) from error

    def _entries(self, rest: str, values: Sequence[object]) -> list[Entry]:
        return [_entry(row) for row in self._rows(f"SELECT {_COLUMNS} FROM captures {rest}", values)]  # noqa: S608  # ours

    def _scope(self, case: str) -> str:
        """Of two cases that were opened under one name, the first has it."""
        rows = self._rows("SELECT scope FROM cases WHERE name = ? ORDER BY rowid LIMIT 1", (case,))
        if rows:
            return str(rows[0][0])
        named = self._rows("SELECT name FROM cases WHERE name IS NOT NULL ORDER BY rowid LIMIT 5", ())
        others = f"; there are {', '.join(repr(name) for (name,) in named)}" if named else ""
        raise UsageError(f"there is no case {case!r}{others}")

    def _prepare(self) -> None:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if self._connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
                    known = self._connection.execute(
                        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                    ).fetchall()
                    for (name,) in known:
                        self._connection.execute(f'DROP TABLE "{name}"')
                    for statement in indexer.TABLES:
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version = {SCHEMA}")
            except sqlite3.Error:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One writer at a time, also between processes; all of it or nothing."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise _unusable(self._path, error) from error


def _events(reader: LogReader, logged: LoggedCommit) -> list[LoggedEvent]:
    return [
        reader.parse(logged.commit.n, index, data) for index, data in enumerate(logged.commit.leaves, logged.commit.old)
    ]


def _holds(store: ObjectStore, log: str, position: Position) -> bool:
    """Whether the log still has the commit that was read last. Each names the one before it, so that one says all."""
    try:
        return Digest.of(store.read(keyspace.commit(log, position.n))) == position.commit_sha256
    except NotStored:
        return False


def _entry(row: tuple[Any, ...]) -> Entry:
    found = dict(zip(_COLUMNS.split(", "), row, strict=True))
    found["index"] = found.pop("end_index")
    size, sha256 = found.pop("anchor_size"), found.pop("anchor_sha256")
    found["anchor"] = None if size is None else Anchor(size=size, token_sha256=Digest(sha256))
    found["started_at"] = parse_utc(found["started_at"])
    found["ended_at"] = parse_utc(found["ended_at"]) if found["ended_at"] else None
    found["disposed_at"] = parse_utc(found["disposed_at"]) if found["disposed_at"] else None
    found["requested_url"] = found["requested_url"] or ""
    return Entry(**found)


def _unusable(path: Path, error: sqlite3.Error) -> DiskError:
    return DiskError(f"{path} cannot be used ({error}): free some space, or remove it; it is made again from the log")
