"""The timeline of an account, a listing or an address: what its captures showed, one after another.

Told from captures alone: what was between two of them, nobody saw.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from archive.gaps import Gaps
from archive.index.database import Database
from archive.index.rows import COLUMNS, Entry, entry_of
from archive.index.sight import Sight, of_case, seen
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json

MAX_CAPTURES = 2_000
_WIDTH = len(COLUMNS.split(", "))
_PRIVATE = "private"
_SAME = "unchanged"
"""Status of a look that found nothing new, and kept nothing (``look.unchanged``)."""
_GONE = frozenset({"removed", "unavailable"})


class Moment(StrEnum):
    """What a capture is in the life of its page, as it was seen here."""

    FIRST_SEEN = "first_seen"
    """The first capture in which it was shown: it may have been there for years."""
    UNCHANGED = "unchanged"
    """Shown, and what its reader found is as in the capture before; without readings, that it was shown."""
    CHANGED = "changed"
    """Shown, and a field that its reader found is another."""
    PRIVATE = "private"
    GONE = "gone"
    """The site said that it is not there: in one look, which a site may say to turn a visitor away."""
    BACK = "back"
    """Shown again after it was private or gone."""
    NOT_SHOWN = "not_shown"
    """A wall, a refusal or a failure: nothing is known of the page itself."""
    RECORDED_CHANGE = "recorded_change"
    """A ``change.observed`` in the log."""


_SHOWN = frozenset({Moment.FIRST_SEEN, Moment.UNCHANGED, Moment.CHANGED, Moment.BACK})
_ANOTHER = frozenset({Moment.CHANGED, Moment.PRIVATE, Moment.GONE, Moment.BACK})


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One moment."""

    moment: Moment
    entry: Entry
    at: datetime
    url: str
    changed: Mapping[str, tuple[Json, Json]]
    """By field of the reading, what it was and what it is; an empty mapping where nothing is told."""
    compared_with: str | None
    """The capture that it is compared with: the last one that showed the page."""
    unread: bool = False
    """Its reading was not taken in, or there is none: changes of fields are not seen."""
    index: int | None = None
    """The leaf of a recorded change."""
    detail: Digest | None = None
    """Its blob (``archive.changes.read``)."""
    after: datetime | None = None
    """Of what became another: the last look that showed the page as it was. Between it and ``at`` it came about."""

    def to_json(self) -> dict[str, Json]:
        return {
            "moment": self.moment.value,
            "at": format_utc(self.at),
            "url": self.url,
            "capture": self.entry.capture_id,
            "outcome": self.entry.outcome,
            "shown": self.entry.shown,
            "changed": {name: {"before": old, "after": new} for name, (old, new) in self.changed.items()},
            "compared_with": self.compared_with,
            "unread": self.unread,
            "index": self.index,
            "between": None if self.after is None else {"after": format_utc(self.after), "before": format_utc(self.at)},
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """Of one address, from its looks: what a person asks first."""

    url: str
    first_seen: datetime | None
    """It may have been there for years. None: no look showed it."""
    last_seen: datetime | None
    last_looked: datetime
    looks: int
    every: timedelta | None
    """Between two looks, in the mean; None where there was one."""
    shown: Gaps
    """Between two looks that showed the page."""

    def to_json(self) -> dict[str, Json]:
        return {
            "url": self.url,
            "first_seen": None if self.first_seen is None else format_utc(self.first_seen),
            "last_seen": None if self.last_seen is None else format_utc(self.last_seen),
            "last_looked": format_utc(self.last_looked),
            "looks": self.looks,
            "every_s": None if self.every is None else int(self.every.total_seconds()),
            "shown_every": self.shown.to_json(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Whose timeline: an address (by its dedupe key), or what readings call an account, a seller, an item, a post."""

    sort: str
    """``address``, or a sort of ``archive.words.NAMES``."""
    value: str


def targets(database: Database, text: str, key: str, sight: Sight) -> list[tuple[Target, int]]:
    """What a text may mean, and how many captures name it, most first. ``key``: its dedupe key as an address."""
    found = [
        (Target(sort="address", value=value), int(count))
        for value, count in _count_addresses(database, text, key, sight)
    ]
    rights, scopes = seen(sight, "names.started_index")
    rows = database.rows(
        f"SELECT sort, value, count(*) FROM names WHERE value = ?{rights} GROUP BY sort, value",  # noqa: S608  # ours
        [" ".join(text.casefold().split()).removeprefix("@"), *scopes],
    )
    found += [(Target(sort=sort, value=value), int(count)) for sort, value, count in rows]
    return sorted(found, key=lambda each: -each[1])


def history(database: Database, target: Target, sight: Sight) -> list[Told]:
    """Oldest first; of the newest ``MAX_CAPTURES`` captures. Each address has a life of its own among them."""
    rights, scopes = seen(sight)
    columns = ", ".join(f"captures.{name}" for name in COLUMNS.split(", "))
    if target.sort == "address":
        which, values = "captures.url_key = ?", [target.value]
    else:
        # A page that is gone is called nothing any more: what was called so stood at these addresses.
        inner, inner_scopes = seen(sight, "names.started_index")
        which = (
            "captures.url_key IN (SELECT named.url_key FROM names JOIN captures AS named ON named.started_index ="  # noqa: S608  # ours
            f" names.started_index WHERE names.sort = ? AND names.value = ?{inner})"
        )
        values = [target.sort, target.value, *(str(each) for each in inner_scopes)]
    rows = database.rows(
        f"SELECT {columns}, captures.url_key, readings.facts FROM captures"  # noqa: S608  # ours
        " LEFT JOIN readings ON readings.started_index = captures.started_index"
        f" WHERE {which} AND captures.end_index IS NOT NULL AND captures.status <> 'abandoned'{rights}"
        " ORDER BY captures.started_index DESC LIMIT ?",
        [*values, *scopes, MAX_CAPTURES],
    )
    looks = [(entry_of(row[:_WIDTH]), row[_WIDTH], row[_WIDTH + 1]) for row in reversed(rows)]
    told = list(_told(looks))
    told += _recorded(database, [entry for entry, _, _ in looks], sight)
    return sorted(told, key=lambda each: (each.at, each.entry.started_index, each.index or 0))


def lives(told: Sequence[Told]) -> list[Life]:
    """Of each address that a timeline tells of, in the order in which they were first looked at."""
    found: dict[str, list[Told]] = {}
    for each in told:
        if each.moment is not Moment.RECORDED_CHANGE:
            found.setdefault(each.url, []).append(each)
    return [_life(url, looks) for url, looks in found.items()]


def _life(url: str, looks: Sequence[Told]) -> Life:
    shown = [each.at for each in looks if each.moment in _SHOWN]
    span = looks[-1].at - looks[0].at
    return Life(
        url=url,
        first_seen=min(shown, default=None),
        last_seen=max(shown, default=None),
        last_looked=looks[-1].at,
        looks=len(looks),
        every=span / (len(looks) - 1) if len(looks) > 1 else None,
        shown=Gaps.between(shown),
    )


def _count_addresses(database: Database, text: str, key: str, sight: Sight) -> list[tuple[str, int]]:
    rights, scopes = seen(sight)
    rows = database.rows(
        "SELECT url_key, count(*) FROM captures WHERE url_key IN (?, ?) AND disposed_at IS NULL"  # noqa: S608  # ours
        f"{rights} GROUP BY url_key",
        [text, key, *scopes],
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def _told(looks: Sequence[tuple[Entry, str | None, str | None]]) -> list[Told]:
    last: dict[str, tuple[Entry, dict[str, Any] | None]] = {}
    looked: dict[str, tuple[Moment, datetime]] = {}
    away: set[str] = set()
    found = []
    for entry, key, facts in looks:
        place = f"{key} {entry.surface or 'page'}"
        is_shown = entry.shown == "content" or (entry.status == _SAME and entry.outcome == "ok")
        before = last.get(place)
        now = None if facts is None else json.loads(facts)
        changed: dict[str, tuple[Json, Json]] = {}
        if not is_shown:
            moment = Moment.NOT_SHOWN
            if entry.outcome == _PRIVATE:
                moment = Moment.PRIVATE
            elif entry.shown == "absent" or entry.outcome in _GONE:
                moment = Moment.GONE
            if moment is not Moment.NOT_SHOWN:
                away.add(place)
        else:
            if before is not None and before[1] is not None and now is not None:
                changed = differences(before[1], now)
            moment = Moment.CHANGED if changed else Moment.UNCHANGED
            if before is None:
                moment = Moment.FIRST_SEEN
            elif place in away:
                moment = Moment.BACK
            away.discard(place)
            if entry.status != _SAME:  # such a look kept nothing: what it was compared with stands for it
                last[place] = (entry, now)
        compared = before[0].capture_id if before is not None and is_shown else None
        earlier = looked.get(place)
        is_another = moment in _ANOTHER and earlier is not None and (is_shown or moment is not earlier[0])
        after = earlier[1] if is_another and earlier is not None else None
        if moment is not Moment.NOT_SHOWN:
            looked[place] = moment, entry.started_at
        found.append(
            Told(
                moment=moment,
                entry=entry,
                at=entry.started_at,
                url=entry.final_url or entry.requested_url,
                changed=changed,
                compared_with=compared,
                unread=not now and entry.status != _SAME,
                after=after,
            )
        )
    return found


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, tuple[Json, Json]]:
    """Fields that both readings have and that say another thing; one that a reading lacks may be its reader's doing."""
    return {name: (before[name], after[name]) for name in before if name in after and before[name] != after[name]}


def _recorded(database: Database, entries: Sequence[Entry], sight: Sight) -> list[Told]:
    """Those that were written down in a case that may be seen, each at the capture that showed it otherwise."""
    by_id = {each.capture_id: each for each in entries}
    found = []
    ids = list(by_id)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        marks = ", ".join("?" * len(part))
        for index, chain, capture, subjects in database.rows(
            "SELECT leaf_index, chain, capture, subjects FROM events WHERE type = 'change.observed'"  # noqa: S608  # ours
            f" AND capture IN ({marks})",
            part,
        ):
            if not of_case(chain.partition(":")[2], sight):
                continue
            entry, named = by_id[capture], json.loads(subjects)
            found.append(
                Told(
                    moment=Moment.RECORDED_CHANGE,
                    entry=entry,
                    at=entry.ended_at or entry.started_at,
                    url=entry.final_url or entry.requested_url,
                    changed={},
                    compared_with=None,
                    index=index,
                    detail=Digest(named[0][1]) if named else None,
                )
            )
    return found
