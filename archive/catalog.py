"""The catalogue: the log indexed for browsing, in SQLite. It follows the log, can be made again, is never evidence."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self

from archive import indexer
from archive.briefs import Version
from archive.errors import NotStored, UsageError
from archive.index import forgetting
from archive.index.database import Database, Overtaken
from archive.index.following import read_position, write_position
from archive.index.rows import COLUMNS, Act, CaseRow, Entry, Kept, Leaf, Reached, entry_of, kept_of
from archive.index.sqlite import SqliteDatabase
from archive.index.tables import SCHEMA
from archive.log import LoggedCommit, LoggedEvent, LogReader, Position
from archive.packs import Packs
from archive.store import ObjectStore
from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor
from custody.instant import parse_utc

__all__ = ["SCHEMA", "Act", "CaseRow", "Catalog", "Entry", "Kept", "Leaf", "Reached"]

_COMMITS_AT_ONCE = 32
_THREADS = 8
_NO_END = 1 << 62
"""Beyond every leaf."""


class Catalog:
    """Safe for threads, and for several processes, or machines, on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._turn = threading.Lock()
        self._cases: tuple[list[tuple[Any, ...]], list[CaseRow]] | None = None
        """And as of which commit they were counted."""
        self._briefs: tuple[list[tuple[Any, ...]], dict[str, Version]] | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """In a file. Raises ``DiskError``. A file of another version, or one that is no database, is made anew."""
        return cls(SqliteDatabase.open(path))

    @classmethod
    def open_shared(cls, dsn: str, log: str) -> Self:
        """Of this log, in a PostgreSQL that many machines share. Raises ``StoreDown`` and ``UsageError``."""
        from archive.index.postgres import PostgresDatabase  # noqa: PLC0415  # a tenth of a second, wanted by few

        return cls(PostgresDatabase.open(dsn, log))

    def close(self) -> None:
        self.database.close()

    def advance(
        self, store: ObjectStore, reader: LogReader, packs: Packs | None = None, *, to: int | None = None
    ) -> int:
        """Read on to the log's newest commit; how many events were new. ``packs``: what an empty one begins with.

        ``to``: no further than this commit, for whoever has read so far: the end is not looked for in the store then.
        Another log, or one that no longer holds the commit that was read last, makes it begin anew. Raises
        ``StoreError``, ``LogError`` and ``DiskError``; what was read until then stays.
        """
        seen = 0
        with self._turn:
            while True:
                position = self._position(store, reader)
                if position.n == 0 and packs is not None and (loaded := packs.load(self.database)) is not None:
                    seen, packs = seen + loaded.size, None
                    continue
                try:
                    for added in self._follow(store, reader, position, to):
                        seen += added
                except Overtaken:
                    continue
                return seen

    def forget(self) -> None:
        """All of it: the next ``advance`` begins anew."""
        with self._turn, self.database.transaction() as transaction:
            self.database.begin_anew(transaction)

    def position(self) -> Position:
        """Up to which commit it has followed the log."""
        with self.database.transaction() as transaction:
            return read_position(transaction)[1]

    def size(self) -> int:
        """How many leaves of the log it has followed; asks nobody to wait."""
        rows = self._rows("SELECT size FROM followed")
        return int(rows[0][0]) if rows else 0

    def count(self) -> int:
        """Of all captures that were begun."""
        return int(self._rows("SELECT count(*) FROM captures")[0][0])

    def captures(self, case: str | None = None, *, limit: int = 100) -> list[Entry]:
        """Newest first. Raises ``UsageError`` for a case that there is not."""
        if case is None:
            return self._entries("ORDER BY started_index DESC LIMIT ?", (limit,))
        return self.of_case(self.scope_of(case), limit=limit)

    def listed(self, scopes: Collection[str] | None, *, only: str | None = None) -> list[CaseRow]:
        """Cases, those with the newest captures first. ``scopes``: those that may be seen; None: all."""
        return [
            each
            for each in self._counted()
            if (scopes is None or each.scope in scopes) and (only is None or each.scope == only)
        ]

    def _counted(self) -> list[CaseRow]:
        """All cases. Counting a large archive takes long: once for each commit that was followed."""
        at = self._followed()
        known = self._cases
        if known is None or known[0] != at:
            self._cases = known = (at, self._count_cases())
        return known[1]

    def _count_cases(self) -> list[CaseRow]:
        rows = self._rows(
            "SELECT cases.scope, name, cases.leaf_index,"
            " (SELECT count(*) FROM members WHERE members.scope = cases.scope),"
            " (SELECT count(*) FROM placed WHERE placed.scope = cases.scope),"
            " (SELECT max(started_index) FROM placed WHERE placed.scope = cases.scope),"
            " (SELECT count(*) FROM captures JOIN placed ON placed.started_index = captures.started_index"
            " WHERE captures.end_index IS NULL AND placed.scope = cases.scope) FROM cases"
        )
        begun: dict[int, datetime] = {}
        for place in {row[5] for row in rows} - {None}:
            ((at,),) = self._rows("SELECT started_at FROM captures WHERE started_index = ?", (place,))
            begun[place] = parse_utc(at)
        rows.sort(key=lambda row: (-1 if row[5] is None else row[5], row[2]), reverse=True)
        return [
            CaseRow(
                scope=row[0],
                name=row[1],
                units=row[3],
                captures=row[4],
                newest=begun.get(row[5]),
                unfinished=row[6],
            )
            for row in rows
        ]

    def entry(self, capture_id: str) -> Entry | None:
        """By its whole id."""
        found = self._entries("WHERE capture_id = ?", (capture_id,))
        return found[0] if found else None

    def of_case(self, scope: str, *, limit: int = 100) -> list[Entry]:
        """Newest first, by the case's id in the log."""
        return self._entries(
            "WHERE started_index IN"
            " (SELECT started_index FROM placed WHERE scope = ? ORDER BY started_index DESC LIMIT ?)"
            " ORDER BY started_index DESC",
            (scope, limit),
        )

    def reached(self, case: str | None = None) -> list[Reached]:
        """Of all captures that have a record and are not disposed of. Raises ``UsageError`` for a case there is not."""
        chosen = "" if case is None else " AND started_index IN (SELECT started_index FROM placed WHERE scope = ?)"
        rows = self._rows(
            "SELECT requested_url, platform, surface, substr(started_at, 1, 10), shown, count(*) FROM captures"  # noqa: S608  # ours
            f" WHERE surface IS NOT NULL AND shown IS NOT NULL AND disposed_at IS NULL{chosen}"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 4, 1, 3, 5",
            () if case is None else (self.scope_of(case),),
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

    def described(self) -> Mapping[str, Version]:
        """The newest version of what each case says of itself; without what was disposed of. Read once a commit."""
        at = self._followed()
        known = self._briefs
        if known is None or known[0] != at:
            rows = self._rows(
                "SELECT scope, version, leaf_index, at, sha256 FROM briefs WHERE NOT EXISTS"
                " (SELECT 1 FROM acts WHERE acts.type = 'evidence.disposed' AND acts.unit = briefs.scope)"
                " ORDER BY scope, version"
            )
            newest = {
                row[0]: Version(scope=row[0], version=row[1], digest=Digest(row[4]), index=row[2], at=parse_utc(row[3]))
                for row in rows
            }
            self._briefs = known = (at, newest)
        return known[1]

    def brief_disposed(self, scope: str) -> bool:
        """Whether what was said of a case as a whole was disposed of: nothing more is said of it then."""
        return bool(self._rows("SELECT 1 FROM acts WHERE type = 'evidence.disposed' AND unit = ? LIMIT 1", (scope,)))

    def find(self, text: str) -> list[Entry]:
        """Captures whose id is, begins with or ends with the text."""
        wanted = text.lower()
        if not wanted or not set(wanted) <= set("0123456789abcdef-"):
            return []
        if (found := self.entry(wanted)) is not None:
            return [found]
        return self._entries(
            "WHERE capture_id = ? OR capture_id LIKE ? OR capture_id LIKE ? ORDER BY started_index LIMIT 100",
            (wanted, f"{wanted}%", f"%{wanted}"),
        )

    def by_url(self, key: str, *, limit: int = 5) -> list[Entry]:
        """Captures that asked for this address (its dedupe key), newest first."""
        return self._entries("WHERE url_key = ? ORDER BY started_index DESC LIMIT ?", (key, limit))

    def url_key(self, capture_id: str) -> str | None:
        """The dedupe key of what was asked for; None where that is not known, or forgotten."""
        rows = self._rows("SELECT url_key FROM captures WHERE capture_id = ?", (capture_id,))
        return rows[0][0] if rows else None

    def recorded_at(self, key: str, scope: str, *, limit: int = 5) -> list[Entry]:
        """Captures of a case that asked for this address (its dedupe key) and have a record, newest first."""
        return self._entries(
            "WHERE url_key = ? AND record_sha256 IS NOT NULL AND disposed_at IS NULL"
            " AND unit IN (SELECT unit FROM members WHERE scope = ?) ORDER BY started_index DESC LIMIT ?",
            (key, scope, limit),
        )

    def unchanged_since(self, key: str, scope: str, index: int, *, below: int | None = None) -> Entry | None:
        """The newest look of a case at this address that found nothing new, begun after the leaf at ``index``.

        ``below``: and before that at this one.
        """
        found = self._entries(
            "WHERE url_key = ? AND status = 'unchanged' AND started_index > ? AND started_index < ?"
            " AND unit IN (SELECT unit FROM members WHERE scope = ?) ORDER BY started_index DESC LIMIT 1",
            (key, index, _NO_END if below is None else below, scope),
        )
        return found[0] if found else None

    def of_unit(self, unit: str, *, limit: int = 1_000) -> list[Entry]:
        """Captures of one unit, oldest first."""
        return self._entries("WHERE unit = ? ORDER BY started_index LIMIT ?", (unit, limit))

    def count_ended(self, below: int) -> tuple[int, int]:
        """How many captures have their end in the log, and how many of these in a leaf below this index."""
        (row,) = self._rows(
            "SELECT count(*), count(*) FILTER (WHERE end_index < ?) FROM captures WHERE end_index IS NOT NULL", (below,)
        )
        return int(row[0]), int(row[1])

    def unended(self, *, limit: int = 100) -> list[Entry]:
        """Captures that were begun and have no end in the log, oldest first."""
        return self._entries("WHERE end_index IS NULL ORDER BY started_index LIMIT ?", (limit,))

    def artifacts(self, capture_id: str) -> list[Kept]:
        """In the order of the record."""
        rows = self._rows(
            "SELECT artifacts FROM kept JOIN captures ON captures.started_index = kept.started_index"
            " WHERE capture_id = ?",
            (capture_id,),
        )
        return kept_of(rows[0][0]) if rows else []

    def by_look(self, look_id: str) -> Entry | None:
        """The first capture that a look of this id began."""
        found = self._entries("WHERE look_id = ? ORDER BY started_index LIMIT 1", (look_id,))
        return found[0] if found else None

    def events_of(self, unit: str) -> list[Leaf]:
        """All events of a unit, or that name it or one of its captures, oldest first."""
        columns = "leaf_index, type, chain, item, capture, at, event_id"
        own = ", ".join(f"events.{name}" for name in columns.split(", "))
        rows = self._rows(  # with OR, or IN, all events would be gone through
            f"SELECT {columns} FROM events WHERE item = ? UNION SELECT {own} FROM captures"  # noqa: S608  # ours
            " JOIN events ON events.capture = captures.capture_id WHERE captures.unit = ?",
            (unit, unit),
        )
        found = [_leaf(row) for row in rows]
        captures = self._rows(
            "SELECT capture_id, started_index, started_at, end_index, ended_at, status FROM captures WHERE unit = ?",
            (unit,),
        )
        for capture, started, begun, ended, done, status in captures:
            found.append(_leaf((started, "capture.started", f"item:{unit}", unit, capture, begun, None)))
            if ended is not None and status not in _LISTED:
                type_ = _ENDS.get(status, "capture.completed")
                found.append(_leaf((ended, type_, f"item:{unit}", unit, capture, done, None)))
        return sorted(found, key=lambda each: each.index)

    def events_typed(self, *types: str) -> list[Leaf]:
        """All events of these types, oldest first; starts and ends of captures are not among them."""
        rows = self._rows(
            "SELECT leaf_index, type, chain, item, capture, at, event_id FROM events WHERE type IN"  # noqa: S608  # ours
            f" ({', '.join('?' * len(types))}) ORDER BY leaf_index",
            types,
        )
        return [_leaf(row) for row in rows]

    def allowed(self, capture_id: str, scopes: Collection[str] | None) -> bool:
        """Whether somebody who may see these cases may see this capture; None: whoever may see all."""
        if scopes is None:
            return True
        rows = self._rows(
            "SELECT scope FROM placed JOIN captures ON captures.started_index = placed.started_index"
            " WHERE captures.capture_id = ?",
            (capture_id,),
        )
        return any(row[0] in scopes for row in rows)

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
        return self._acts(f"{forgetting.HELD.format(columns=columns)} ORDER BY held.leaf_index", (unit,))

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

    def _follow(self, store: ObjectStore, reader: LogReader, after: Position, to: int | None = None) -> Iterator[int]:
        """Some commits at a time: the store is asked first, then all of it is written or nothing."""
        position = after
        commits = reader.commits(after, to=to)
        with ThreadPoolExecutor(_THREADS, "catalog") as threads:
            while batch := list(islice(commits, _COMMITS_AT_ONCE)):
                events = [event for logged in batch for event in _events(reader, logged)]
                changed = list(threads.map(lambda event: indexer.changes(store, event), events))
                with self.database.transaction() as transaction:
                    if read_position(transaction) != (reader.log, position):
                        raise Overtaken
                    for step in (step for steps in changed for step in steps):
                        if isinstance(step, forgetting.Disposal):
                            forgetting.forget(self.database, transaction, step)
                        else:
                            transaction.run(*step)
                    position = batch[-1].position
                    write_position(transaction, reader.log, position)
                yield len(events)

    def _position(self, store: ObjectStore, reader: LogReader) -> Position:
        """Where we are in this log; at its beginning when what we have is of another one."""
        with self.database.transaction() as transaction:
            log, position = read_position(transaction)
        if log == reader.log and (position.n == 0 or _holds(store, reader.log, position)):
            return position
        with self.database.transaction() as transaction:
            if read_position(transaction) == (log, position):  # else another process has begun anew already
                self.database.begin_anew(transaction)
                write_position(transaction, reader.log, Position())
        return self._position(store, reader)

    def _followed(self) -> list[tuple[Any, ...]]:
        """As of which commit all is."""
        return self._rows("SELECT log, n, commit_sha256 FROM followed")

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.database.rows(query, values)

    def _entries(self, rest: str, values: Sequence[object]) -> list[Entry]:
        return [entry_of(row) for row in self._rows(f"SELECT {COLUMNS} FROM captures {rest}", values)]  # noqa: S608  # ours

    def scope_of(self, case: str) -> str:
        """Of two cases opened under one name, the first has it. Raises ``UsageError`` where there is none."""
        rows = self._rows("SELECT scope FROM cases WHERE name = ? ORDER BY leaf_index LIMIT 1", (case,))
        if rows:
            return str(rows[0][0])
        named = self._rows("SELECT name FROM cases WHERE name IS NOT NULL ORDER BY leaf_index LIMIT 5", ())
        others = f"; there are {', '.join(repr(name) for (name,) in named)}" if named else ""
        raise UsageError(f"there is no case {case!r}{others}")


_ENDS = {"failed": "capture.failed"}
_LISTED = frozenset({"abandoned", "unchanged"})
"""Ends without a record are among the other events."""


def _leaf(row: tuple[Any, ...]) -> Leaf:
    index, type_, chain, item, capture, at, event_id = row
    return Leaf(index=index, type=type_, chain=chain, item=item, capture=capture, at=parse_utc(at), event_id=event_id)


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
