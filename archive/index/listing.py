"""Captures listed and searched: by words, case, platform, outcome, origin, kind, host and date, a page at a time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from archive.index.database import Database, Matching, Row
from archive.index.rows import COLUMNS, Entry, entry_of
from archive.index.sight import Sight, of_case, seen
from archive.index.tables import LABELS, SPAN_LEAVES
from archive.index.tokens import label_of, phrases_of, tokens_of, unfolded
from custody.instant import format_utc
from custody.model import Json

MAX_LIMIT = 500
_PASSAGE = 160
"""Characters of a text that are shown round a word."""
_LOOKED_AT = 4_000
"""Characters that are gone through one by one, where a word does not stand there as it was typed."""
_END = 1 << 62
"""A leaf after all there can be."""
_WIDTH = len(COLUMNS.split(", "))
_QUALIFIED = ", ".join(f"captures.{name}" for name in COLUMNS.split(", "))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is asked for; what is None or empty is not asked for."""

    words: str = ""
    """Each word, or phrase in quotation marks, has to stand in a capture's texts; its last word may go on there."""
    scope: str | None = None
    platform: str | None = None
    outcome: str | None = None
    shown: str | None = None
    origin: str | None = None
    kind: str | None = None
    host: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Begun before this."""
    before: int | None = None
    """``next`` of the page before: captures begun before that leaf of the log."""
    limit: int = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One capture of a list."""

    entry: Entry
    platform: str | None
    """Whose page it is, as its surface or its reader says."""
    kind: str | None
    """What sort of page its reader took it for, in the visit."""
    host: str | None
    scopes: tuple[str, ...]
    """Its cases, of those that may be seen."""
    passage: str | None
    """Text round the first word that was searched for; None where none was, or only a part of a word stands there."""

    def to_json(self) -> dict[str, Json]:
        value = self.entry.to_json()
        value |= {"platform": self.platform, "kind": self.kind, "host": self.host, "cases": list(self.scopes)}
        return {**value, "passage": self.passage}


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A page of them, newest first."""

    found: tuple[Found, ...]
    next: int | None
    """Where the next page begins; None: there is none."""
    unread: int = field(default=0)
    """Captures whose texts were not taken in yet, so that words of theirs are not found."""


def listed(database: Database, wanted: Wanted, sight: Sight) -> Listed:
    """Pages by the log's order, so that what comes meanwhile moves none of them."""
    limit = max(1, min(wanted.limit, MAX_LIMIT))
    phrases = phrases_of(wanted.words)
    if (wanted.words.strip() and not phrases) or (wanted.scope is not None and not of_case(wanted.scope, sight)):
        return Listed(found=(), next=None)
    between = _between(database, wanted)
    rows: list[Row] = []
    for part in _parts(database, wanted, phrases):
        if (
            between is not None
            and (part.first is None or part.first < between[1])
            and (part.last or _END) >= between[0]
        ):
            rows += _rows(database, part, wanted, sight, between=between, limit=limit + 1 - len(rows))
        if len(rows) > limit:
            break
    entries = [(entry_of(row[:_WIDTH]), row[_WIDTH:]) for row in rows[:limit]]
    places = [entry.started_index for entry, _ in entries]
    cases = _cases_of(database, places, sight)
    texts = _texts_of(database, places) if phrases else {}
    found = tuple(
        Found(
            entry=entry,
            platform=more[0],
            kind=more[1],
            host=more[2],
            scopes=tuple(cases.get(entry.started_index, ())),
            passage=passage_of(texts.get(entry.started_index, ()), phrases),
        )
        for entry, more in entries
    )
    unread = count_unread(database) if phrases else 0
    return Listed(found=found, next=places[-1] if len(rows) > limit else None, unread=unread)


def _parts(database: Database, wanted: Wanted, phrases: Sequence[Sequence[str]]) -> Iterable[Matching]:
    """What is gone through, newest first."""
    if phrases:
        told = {name: getattr(wanted, name) for name in LABELS}
        return database.matching(phrases, [label_of(name, value) for name, value in told.items() if value])
    if wanted.scope is not None:
        source = "placed JOIN captures ON captures.started_index = placed.started_index"
        return [
            Matching(source=source, condition="placed.scope = ?", values=(wanted.scope,), order="placed.started_index")
        ]
    return [Matching(source="captures", condition="1 = 1", values=(), order="captures.started_index")]


def _rows(
    database: Database, part: Matching, wanted: Wanted, sight: Sight, *, between: tuple[int, int], limit: int
) -> list[Row]:
    conditions, values, order = [part.condition], [*part.values], part.order
    if wanted.scope is not None and part.condition != "placed.scope = ?":
        conditions.append(
            "EXISTS (SELECT 1 FROM placed WHERE placed.scope = ? AND placed.started_index = captures.started_index)"
        )
        values.append(wanted.scope)
    limits: list[tuple[str, object]] = []
    if between[0] > 0:
        limits.append((f"{order} >= ?", between[0]))
    if between[1] < _END:
        limits.append((f"{order} < ?", between[1]))
    for condition, value in [*limits, *_filters(wanted)]:
        conditions.append(condition)
        values.append(value)
    # What may be seen is asked of every row, also where one case is wanted: one place to get it right.
    rights, scopes = seen(sight)
    return database.rows(
        f"SELECT {_QUALIFIED}, captures.reader, captures.kind, captures.host FROM {part.source}"  # noqa: S608  # ours
        f" WHERE {' AND '.join(conditions)}{rights} ORDER BY {order} DESC LIMIT ?",
        [*values, *scopes, limit],
    )


def count_unread(database: Database) -> int:
    return int(database.rows("SELECT count(*) FROM unread")[0][0])


def count_believed(database: Database) -> int:
    """Captures of which the packs alone tell, as the log's key has signed them; their records were not asked yet."""
    return int(database.rows("SELECT count(*) FROM unread WHERE packed = 1")[0][0])


def passage_of(texts: Sequence[str], phrases: Sequence[Sequence[str]]) -> str | None:
    """Of the first text that has the first word: what stands round it, white space made one."""
    if not phrases:
        return None
    word = phrases[0][0]
    own = list(reversed(texts))  # the page's own words come last, and say more than its address
    bare = ((text, at) for text in own if not text.isascii() and (at := place_of(word, _bare(text))) is not None)
    plain = ((text, at) for text in own if (at := place_of(word, text)) is not None)
    for text, at in chain(plain, bare):
        begin = max(0, at - _PASSAGE // 3)
        if begin:
            begin = text.find(" ", begin, at) + 1 or begin
        end = begin + _PASSAGE
        passage = " ".join(text[begin:end].split())
        return f"{'…' if begin else ''}{passage}{'…' if end < len(text) else ''}"
    return None


def place_of(word: str, text: str) -> int | None:
    """Where a word begins there, in whatever case; in a longer word only at its beginning."""
    if not text.isascii():
        found = re.search(rf"(?<![^\W_]){re.escape(word)}", text, re.IGNORECASE)
        return None if found is None else found.start()
    lowered = text.lower()  # an expression that heeds no case goes letter by letter, ten times as long
    at = lowered.find(word)
    while at > 0 and lowered[at - 1].isalnum():
        at = lowered.find(word, at + 1)
    return None if at < 0 else at


def _bare(text: str) -> str:
    """Of the same length, each letter without its accents where that leaves one letter."""
    return "".join(plain if len(plain := "".join(tokens_of(each))) == 1 else each for each in text[:_LOOKED_AT])


def _filters(wanted: Wanted) -> list[tuple[str, object]]:
    since = None if wanted.since is None else format_utc(wanted.since)
    until = None if wanted.until is None else format_utc(wanted.until)
    asked = (
        ("captures.reader = ?", wanted.platform),
        ("captures.outcome = ?", wanted.outcome),
        ("captures.shown = ?", wanted.shown),
        ("captures.origin = ?", wanted.origin),
        ("captures.kind = ?", wanted.kind),
        ("captures.host = ?", None if wanted.host is None else wanted.host.lower()),
        ("captures.started_at >= ?", since),
        ("captures.started_at < ?", until),
    )
    return [(condition, value) for condition, value in asked if value is not None]


def _between(database: Database, wanted: Wanted) -> tuple[int, int] | None:
    """From this leaf on and before that one all was begun that is asked for; None: there is nothing.

    By date it is found in spans of leaves, whatever the clocks of workers said.
    """
    first, last = 0, _END if wanted.before is None else wanted.before
    if wanted.since is not None or wanted.until is not None:
        since = "" if wanted.since is None else format_utc(wanted.since)
        until = "~" if wanted.until is None else format_utc(wanted.until)  # sorts after every date
        ((oldest, newest),) = database.rows(
            "SELECT min(span), max(span) FROM spans WHERE newest >= ? AND oldest < ?", (since, until)
        )
        if oldest is None:
            return None
        first, last = oldest * SPAN_LEAVES, min(last, (newest + 1) * SPAN_LEAVES)
    return first, last


def _cases_of(database: Database, places: Sequence[int], sight: Sight) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    if places:
        marks = ", ".join("?" * len(places))
        for scope, place in database.rows(
            f"SELECT scope, started_index FROM placed WHERE started_index IN ({marks}) ORDER BY scope",  # noqa: S608  # ours
            places,
        ):
            if of_case(scope, sight):
                found.setdefault(place, []).append(scope)
    return found


def _texts_of(database: Database, places: Sequence[int]) -> dict[int, list[str]]:
    if not places:
        return {}
    marks = ", ".join("?" * len(places))
    query = f"SELECT started_index, words FROM readings WHERE started_index IN ({marks})"  # noqa: S608  # ours
    return {place: unfolded(words) for place, words in database.rows(query, places)}
