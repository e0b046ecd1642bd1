"""Reviews: what people decided about candidates. Working records of one home, apart from evidence and from the log.

Nothing is overwritten: a later decision on a candidate stands beside the earlier one, and counts.
"""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive import disk
from archive.errors import DiskError, UsageError
from custody.instant import format_utc, parse_utc

NAME = "reviews.sqlite"
MAX_NOTE = 4_000
_SCHEMA = 1
_BUSY_SECONDS = 30.0
_COLUMNS = "scope, candidate, word, note, by, at"


class Word(StrEnum):
    """What was decided."""

    CONFIRMED = "confirmed"
    """The link is the post's own, and what it leads to is what the case is about."""
    NOT_OURS = "not_ours"
    UNSURE = "unsure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """One decision."""

    scope: str
    candidate: str
    """Its id, as ``findings`` gives it."""
    word: Word
    note: str
    by: str
    at: datetime


class Reviews:
    """Safe for threads, and for several processes on one file."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        disk.make_directory(home)
        with disk.trouble(self.path):
            self.path.touch(mode=disk.PRIVATE_FILE)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        with suppress(sqlite3.OperationalError):  # another process turns it to WAL just now
            self._db.execute("PRAGMA journal_mode=WAL")
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, _SCHEMA}:
                raise DiskError(f"{self.path} is of a later version of the program: use that")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS reviews (n INTEGER PRIMARY KEY, scope TEXT NOT NULL,"
                " candidate TEXT NOT NULL, word TEXT NOT NULL, note TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL)"
            )
            self._db.execute("CREATE INDEX IF NOT EXISTS reviews_of_case ON reviews (scope, candidate, n)")
            self._db.execute(f"PRAGMA user_version = {_SCHEMA}")
        except sqlite3.Error as error:
            self._db.close()
            raise self._unusable(error) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def decide(self, review: Review) -> None:
        """Durable when it returns. Raises ``UsageError`` for a note that is too long."""
        if len(review.note) > MAX_NOTE:
            raise UsageError(f"a note has at most {MAX_NOTE} characters, got {len(review.note)}")
        values = (review.scope, review.candidate, review.word.value, review.note, review.by, format_utc(review.at))
        self._run(f"INSERT INTO reviews ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608  # names of ours

    def of(self, scope: str) -> dict[str, Review]:
        """The newest of each candidate of a case."""
        return {each.candidate: each for each in self.all(scope)}

    def all(self, scope: str) -> list[Review]:
        """Oldest first."""
        rows = self._run(f"SELECT {_COLUMNS} FROM reviews WHERE scope = ? ORDER BY n", (scope,))  # noqa: S608  # names of ours
        return [
            Review(scope=row[0], candidate=row[1], word=Word(row[2]), note=row[3], by=row[4], at=parse_utc(row[5]))
            for row in rows
        ]

    def _run(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> DiskError:
        return DiskError(f"{self.path} cannot be used ({error}): free some space, or put it back from your backup")
