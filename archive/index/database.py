"""What the catalogue asks of a database, so that one machine's file and many machines' server are used alike."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]
Change = tuple[str, Sequence[object]]
"""One SQL statement, with ``?`` where a value goes, and the values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """How captures that hold some words are asked for."""

    source: str
    """After ``FROM``; ``captures`` is among it."""
    condition: str
    values: Sequence[object]
    order: str
    """A column that is ``captures.started_index``, by which it is quick to go."""
    first: int | None = None
    """It holds captures begun at this leaf or later alone; None: all of them."""
    last: int | None = None
    """And no later than at this one."""


class Overtaken(Exception):
    """Another process has moved the catalogue on since we looked."""


class Transaction(Protocol):
    """All of it is kept, or nothing. Nobody else writes meanwhile, on this machine or another."""

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]: ...

    def run(self, statement: str, values: Sequence[object] = ()) -> None: ...

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Many rows into a table, none of which is there yet; the quickest way there is."""
        ...

    def run_each(self, statement: str, rows: Iterable[Sequence[object]]) -> None: ...


class Database(Protocol):
    """Safe for threads. SQL is the part that SQLite and PostgreSQL share; what they spell apart is asked for here.

    Every failure is a ``DiskError`` (a file) or a ``StoreDown`` (a server) with what to do.
    """

    @property
    def name(self) -> str:
        """For people. Never holds a secret."""
        ...

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """As of one moment; readers do not wait for whoever writes."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]: ...

    def prepare(self) -> None:
        """Tables of this version are there afterwards; those of another one are made anew, empty."""
        ...

    def begin_anew(self, transaction: Transaction) -> None:
        """Every table is empty afterwards."""
        ...

    def bulk(self, transaction: Transaction, *, begin: bool) -> None:
        """Before many rows go into empty tables, and after: the indexes that can wait are made at the end."""
        ...

    def write_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        """What is searched of one capture (``archive.index.tokens``)."""
        ...

    def forget_words(self, transaction: Transaction, place: int, tokens: str) -> None:
        """Nothing of it is left in the file afterwards. ``tokens``: what was written."""
        ...

    def matching(self, phrases: Sequence[Sequence[str]], labels: Sequence[str] = ()) -> Iterable[Matching]:
        """Captures in which each of these phrases stands, and each label; the last word of a phrase may go on.

        Parts of the log, the newest first: who has found enough asks no further, however often a word stands there.
        """
        ...

    def settle(self) -> None:
        """After much was written: what the planner knows is brought up to date."""
        ...

    def close(self) -> None: ...
