"""What the sequencer knows of its log at one commit: chain heads, seen events, keys. SQLite, rebuildable from commits.

Shared by all processes of one home. It only ever moves forward, a whole commit at a time.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from archive import disk
from archive.errors import DiskError
from archive.known import INDEXED_TYPES, ChainHead, KnownKey, SeenEvent
from archive.log import Position
from archive.segments import Segments, Span
from custody import tiles
from custody.digest import Digest
from custody.tiles import Edge

_VERSION = 6
_BUSY_SECONDS = 60
_TABLES = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL, size INTEGER NOT NULL,
  commit_sha256 TEXT NOT NULL, root BLOB NOT NULL, levels BLOB NOT NULL, leaves BLOB NOT NULL);
CREATE TABLE chains (scope TEXT PRIMARY KEY, seq INTEGER NOT NULL, leaf BLOB NOT NULL, n INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE events (leaf_index INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, payload BLOB NOT NULL,
  leaf BLOB NOT NULL, n INTEGER NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL, indexed INTEGER NOT NULL);
CREATE INDEX typed ON events (type, leaf_index) WHERE indexed = 1;
CREATE TABLE segments (n INTEGER PRIMARY KEY, size INTEGER NOT NULL, span TEXT NOT NULL, held INTEGER NOT NULL);
CREATE TABLE keys (keyid TEXT PRIMARY KEY, public_key BLOB NOT NULL, role TEXT NOT NULL, revoked INTEGER NOT NULL)
  WITHOUT ROWID;
"""


@dataclass(kw_only=True, slots=True)
class Advance:
    """All that one commit changes here."""

    position: Position
    root: bytes
    edge: Edge
    chains: Mapping[str, ChainHead] = field(default_factory=dict)
    events: Sequence[SeenEvent] = ()
    keys: Sequence[KnownKey] = ()


class Heads:
    """Open it once a process; the sequencer sees to it that one thread at a time is in here.

    What was learnt from a snapshot is not in here, but in ``segments`` that are read when they are asked for.
    """

    def __init__(self, path: Path, fetch: Callable[[Span], bytes]) -> None:
        self.path = path
        self._fetch = fetch
        self._segments = Segments((), fetch)
        disk.make_directory(path.parent)
        # SQLite does not wait for its turn when a file is switched to WAL, or when its last user leaves.
        self._door = path.with_name(f"{path.name}.lock")
        with disk.exclusive(self._door):
            self._db = self._open()
        self.recall()

    def close(self) -> None:
        with disk.exclusive(self._door):
            self._db.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._trouble(error) from error
        # Not a database, or one that is damaged: it holds nothing that the commits do not hold.
        with disk.trouble(self.path):
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            for beside in ("-wal", "-shm"):
                self.path.with_name(f"{self.path.name}{beside}").unlink(missing_ok=True)
        with self._errors():
            return self._connect()

    @contextmanager
    def reading(self) -> Iterator[Self]:
        """All reads inside see the same commit, whatever other processes write meanwhile."""
        with self._errors():
            self._db.execute("BEGIN")
        try:
            yield self
        finally:
            with self._errors():
                self._db.execute("ROLLBACK")

    def position(self) -> Position:
        with self._errors():
            row = self._db.execute("SELECT n, size, commit_sha256 FROM head").fetchone()
        return Position() if row is None else Position(row[0], row[1], Digest(row[2]))

    def edge(self) -> Edge:
        with self._errors():
            row = self._db.execute("SELECT size, levels, leaves FROM head").fetchone()
        if row is None:
            return Edge()
        levels = tuple(
            tuple(tiles.decode_tile(level, len(level) // 32)) for level in tiles.decode_bundle(bytes(row[1]))
        )
        return Edge(row[0], levels, tuple(tiles.decode_bundle(bytes(row[2]))))

    def chain(self, scope: str) -> ChainHead | None:
        row = self._one("SELECT seq, leaf FROM chains WHERE scope = ?", scope)
        return self._segments.chain(scope) if row is None else ChainHead(row[0], Digest(row[1].hex()))

    def key(self, keyid: str) -> KnownKey | None:
        with self._errors():
            row = self._db.execute("SELECT * FROM keys WHERE keyid = ?", (keyid,)).fetchone()
        return None if row is None else KnownKey(row[0], row[1], row[2], bool(row[3]))

    def event(self, event_id: str) -> SeenEvent | None:
        row = self._one(_SELECT_EVENT_BY_ID, event_id)
        return self._segments.event(event_id) if row is None else _seen(row)

    def _one(self, query: str, key: str) -> Any:
        """Asked for each event of a log; a context manager would take as long as the database."""
        try:
            return self._db.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def typed(self, *types: str, newest_first: bool = False) -> Iterator[SeenEvent]:
        """Events of some of the ``INDEXED_TYPES``, in log order or backwards; a page at a time."""
        if unknown := set(types) - set(INDEXED_TYPES):
            raise ValueError(f"no index of {', '.join(sorted(unknown))}")
        older = self._segments.typed(set(types), newest_first=newest_first)
        if newest_first:
            yield from self._typed(types, newest_first=True)
            yield from older
        else:
            yield from older
            yield from self._typed(types, newest_first=False)

    def _typed(self, types: Sequence[str], *, newest_first: bool) -> Iterator[SeenEvent]:
        """Those that are held here."""
        marks = ", ".join("?" * len(types))
        before, order = ("<", "DESC") if newest_first else (">", "ASC")
        query = (
            f"{_SELECT_EVENT} WHERE indexed = 1 AND type IN ({marks}) AND leaf_index {before} ? "
            f"ORDER BY leaf_index {order} LIMIT 256"
        )
        at = 2**62 if newest_first else -1
        while True:
            with self._errors():
                rows = self._db.execute(query, (*types, at)).fetchall()
            if not rows:
                return
            yield from map(_seen, rows)
            at = rows[-1][4]

    def all_keys(self) -> Iterator[KnownKey]:
        with self._errors():
            for row in self._db.execute("SELECT * FROM keys ORDER BY keyid"):
                yield KnownKey(row[0], row[1], row[2], bool(row[3]))

    def chains(self, *, after_commit: int) -> Iterator[tuple[str, ChainHead]]:
        """Those that grew after a commit."""
        with self._errors():
            for row in self._db.execute(
                "SELECT scope, seq, leaf FROM chains WHERE n > ? ORDER BY scope", (after_commit,)
            ):
                yield row[0], ChainHead(row[1], Digest(row[2].hex()))

    def events(self, *, first_index: int) -> Iterator[SeenEvent]:
        with self._errors():
            for row in self._db.execute(f"{_SELECT_EVENT} WHERE leaf_index >= ? ORDER BY leaf_index", (first_index,)):
                yield _seen(row)

    def lasting_chains(self) -> Iterator[tuple[str, ChainHead]]:
        """The few that every snapshot lists; all of them are held here."""
        with self._errors():
            for row in self._db.execute(
                "SELECT scope, seq, leaf FROM chains WHERE scope GLOB 'log:*' OR scope GLOB 'scope:*' ORDER BY scope"
            ):
                yield row[0], ChainHead(row[1], Digest(row[2].hex()))

    def spans(self) -> list[Span]:
        """Of all segments up to here, held or not, oldest first."""
        with self._errors():
            rows = self._db.execute("SELECT span FROM segments ORDER BY n").fetchall()
        return [Span.parse(json.loads(row[0])) for row in rows]

    def newest_span(self) -> tuple[int, int]:
        """The commit that the newest segment ends with, and the leaves up to it; zeros without one."""
        with self._errors():
            row = self._db.execute("SELECT n, size FROM segments ORDER BY n DESC LIMIT 1").fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def add_spans(self, spans: Iterable[Span], *, held: bool) -> None:
        """Inside ``advancing`` alone. ``held``: the rows of these segments are here."""
        rows = ((each.n, each.size, json.dumps(each.to_json()), int(held)) for each in spans)
        self._many("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?)", rows)

    def recall(self) -> None:
        """Look again which segments lie below the rows, as another process may have come to know, or forget."""
        with self._errors():
            rows = self._db.execute("SELECT span FROM segments WHERE held = 0 ORDER BY n").fetchall()
        self._segments = Segments([Span.parse(json.loads(row[0])) for row in rows], self._fetch)

    def forget(self) -> None:
        """Everything: the commits hold it."""
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            for statement in _FORGET:
                self._db.execute(statement)
            self._db.execute("COMMIT")
        self.recall()

    @contextmanager
    def advancing(self, before: Position) -> Iterator[bool]:
        """One transaction from ``before`` on. False: another process was here first, and nothing may be written."""
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self.position() == before
            with self._errors():
                self._db.execute("COMMIT")
        except BaseException:
            self._db.rollback()
            raise

    def write(self, advance: Advance) -> None:
        """Inside ``advancing`` alone."""
        at = advance.position
        if at.commit_sha256 is None:
            raise ValueError("a head is at a commit")
        levels = tiles.encode_bundle(map(tiles.encode_tile, advance.edge.levels))
        leaves = tiles.encode_bundle(advance.edge.leaves)
        self._many(
            "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?)",
            [(at.n, at.size, at.commit_sha256.hex, advance.root, levels, leaves)],
        )
        self.write_chains(advance.chains, at.n)
        self.write_events(advance.events)
        self.write_keys(advance.keys)

    def write_chains(self, chains: Mapping[str, ChainHead], n: int) -> None:
        rows = ((scope, head.seq, head.leaf_sha256.raw, n) for scope, head in chains.items())
        self._many("INSERT OR REPLACE INTO chains VALUES (?, ?, ?, ?)", rows)

    def write_events(self, events: Sequence[SeenEvent]) -> None:
        rows = (
            (
                each.index,
                each.event_id,
                each.payload_sha256.raw,
                each.leaf_sha256.raw,
                each.n,
                each.tree_size,
                each.type,
                int(each.type in INDEXED_TYPES),
            )
            for each in events
        )
        self._many("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def write_keys(self, keys: Sequence[KnownKey]) -> None:
        rows = ((each.keyid, each.public_key, each.role, int(each.revoked)) for each in keys)
        self._many("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", rows)

    def _many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self._errors():
            self._db.executemany(statement, rows)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # A power cut may cost the newest rows, never the file; the commits give them again.
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    db.execute(statement)
            db.execute("COMMIT")
            if version not in {0, _VERSION}:
                raise sqlite3.DatabaseError(f"version {version}")
            db.execute("SELECT count(*) FROM head, keys").fetchone()
        except sqlite3.Error:
            db.close()
            raise
        return db

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _trouble(self, error: sqlite3.Error) -> DiskError:
        return DiskError(
            f"{self.path} cannot be used ({error}): free disk space, or remove this file; it is made again from the log"
        )


_FORGET = ("DELETE FROM head", "DELETE FROM chains", "DELETE FROM events", "DELETE FROM segments", "DELETE FROM keys")
_SELECT_EVENT = "SELECT event_id, payload, leaf, n, leaf_index, size, type FROM events"

_SELECT_EVENT_BY_ID = f"{_SELECT_EVENT} WHERE event_id = ?"


def _seen(row: tuple[str, bytes, bytes, int, int, int, str]) -> SeenEvent:
    return SeenEvent(
        event_id=row[0],
        payload_sha256=Digest(row[1].hex()),
        leaf_sha256=Digest(row[2].hex()),
        n=row[3],
        index=row[4],
        tree_size=row[5],
        type=row[6],
    )
