"""The population: of how many looks, pages and promotions a paper shows how many. Pure.

Whoever reads a selection has to be able to ask what it was selected from.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.catalog import Entry
from archive.surface import Shown
from custody.model import Json
from custody.record import Record

WALLS = (Shown.WALL, Shown.SHELL, Shown.REFUSED)
"""The site answered, and did not show what was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Counts of captures, unless something else is said."""

    begun: int
    """Each is in the log before the browser went anywhere; none is left out."""
    asked: int
    """Of them, those that somebody asked for; the others were reached by links."""
    due: int
    """Of them, those that were begun because a schedule said that they were due. What was due and never begun leaves
    nothing in the log."""
    complete: int
    partial: int
    failed: int
    """Nothing, or not what is needed, could be had of the page."""
    abandoned: int
    unchanged: int
    """Looks that showed what an earlier capture had shown, and kept nothing of it once more."""
    open: int
    """Begun, and without an end in the log."""
    walled: int
    """Of those with a record: the site answered with something else (a login, a puzzle, a refusal, an empty page)."""
    absent: int
    """Likewise: the site said that there is nothing there, or not any more."""
    content: int
    """Likewise: the page itself was shown."""
    disposed: int
    quarantined: int
    links_seen: int
    """Links that were considered on all pages."""
    links_followed: int
    promotions: int
    candidates: int
    listings_seen: int
    shown: int
    """Promotions in this paper."""
    outcomes: Mapping[str, int]
    surfaces: Mapping[str, int]
    left: Mapping[str, int]
    """Links that were not followed, by reason."""

    def to_json(self) -> dict[str, Json]:
        return {
            name: dict(value) if isinstance(value := getattr(self, name), Mapping) else value
            for name in self.__dataclass_fields__
        }


def count(
    entries: Sequence[Entry],
    records: Iterable[Record],
    promotions: Sequence[Mapping[str, Any]],
    *,
    due: int,
    candidates: int,
    shown: int,
) -> Population:
    """``promotions``: records as they were filed (docs/findings.md)."""
    statuses = Counter(each.status or "open" for each in entries)
    outcomes = Counter(each.outcome for each in entries if each.outcome is not None)
    shown_as = Counter(each.shown for each in entries if each.shown is not None)
    links = [each for record in records for each in record.candidates]
    return Population(
        begun=len(entries),
        asked=sum(each.parent is None for each in entries),
        due=due,
        complete=statuses["complete"],
        partial=statuses["partial"],
        failed=statuses["failed"],
        abandoned=statuses["abandoned"],
        unchanged=statuses["unchanged"],
        open=statuses["open"],
        walled=sum(shown_as[each.value] for each in WALLS),
        absent=shown_as[Shown.ABSENT.value],
        content=shown_as[Shown.CONTENT.value],
        disposed=sum(each.disposed_at is not None for each in entries),
        quarantined=sum(each.quarantine is not None for each in entries),
        links_seen=len(links),
        links_followed=sum(each.follow for each in links),
        promotions=len(promotions),
        candidates=candidates,
        listings_seen=sum(each["state"] == "listing_seen" for each in promotions),
        shown=shown,
        outcomes=dict(sorted(outcomes.items())),
        surfaces=dict(sorted(Counter(each.surface or "not recorded" for each in entries).items())),
        left=dict(sorted(Counter(each.reason for each in links if not each.follow).items())),
    )
