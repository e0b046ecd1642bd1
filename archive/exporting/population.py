"""The population of an export: how much was looked for and seen, of which it is a part."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from archive.exporting.selection import Selection
from custody import canonical
from custody.checks.states import ENDS, status_of
from custody.instant import format_utc
from custody.model import Json, Outcome

WALLS = frozenset({
    Outcome.LOGIN_WALL, Outcome.PRIVATE, Outcome.AGE_GATE, Outcome.GEO_BLOCK, Outcome.CONSENT, Outcome.CAPTCHA,
    Outcome.RATE_LIMITED, Outcome.APP_ONLY,
})  # fmt: skip
"""Something else than what was asked for was shown in its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Of a case, as far as the log tells; of single items, of these alone, since more would speak of a case."""

    of_case: bool
    until: datetime
    """When the last entry was made that was looked at: the figures are of this time."""
    looks_due: int | None
    """By the schedules of the case's watches, as the database of watches has them; None: none was asked."""
    looks_due_begun: int | None
    """Of these, those that the log has a begun capture of: by the look's id, which both have."""
    looks_begun: int
    """Those among the captures that a watch had asked for."""
    captures: int
    """Begun."""
    complete: int
    partial: int
    walled: int
    """Of those that have a record: a wall was shown in place of the page."""
    failed: int
    abandoned: int
    unchanged: int
    """Looks that showed what an earlier capture had shown, and kept nothing of it once more."""
    open: int
    items_seen: int
    """Assigned to the case."""
    items_exported: int

    @classmethod
    def of(cls, chosen: Selection, *, until: datetime, due: Collection[str] | None = None) -> "Population":
        """``due``: ids of the looks that were due by ``until``."""
        statuses: Counter[str] = Counter()
        looks: Counter[str] = Counter()
        walled = begun = 0
        for each in chosen.events:
            body = each.event.body
            if each.event.type == "capture.started":
                begun += 1
                looks.update([str(body["look_id"])] if "look_id" in body else [])
            elif each.event.type in ENDS:
                statuses[status_of(each.event)] += 1
                walled += body.get("outcome") in WALLS
        return cls(
            of_case=chosen.scope is not None,
            until=until,
            looks_due=None if due is None else len(due),
            looks_due_begun=None if due is None else sum(each in looks for each in due),
            looks_begun=looks.total(),
            captures=begun,
            complete=statuses["complete"],
            partial=statuses["partial"],
            walled=walled,
            failed=statuses["failed"],
            abandoned=statuses["abandoned"],
            unchanged=statuses["unchanged"],
            open=begun - statuses.total(),
            items_seen=len(chosen.items),
            items_exported=sum(f"item:{each}" in chosen.through for each in chosen.items),
        )

    def format(self) -> bytes:
        value: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__ if name != "until"}
        return canonical.dumps({"v": 1, **value, "until": format_utc(self.until)})

    def lines(self) -> Iterator[str]:
        """For people."""
        if self.looks_due is not None and self.looks_due_begun is not None:
            yield (
                f"Looks that were due by the case's schedules until {format_utc(self.until)}, as the operator's "
                f"database of watches says: {self.looks_due}. Of these the log has a begun capture for "
                f"{self.looks_due_begun}, and none for {self.looks_due - self.looks_due_begun}."
            )
            yield "Times at which no scheduler was running are not among them."
        elif self.looks_begun:
            yield "How many looks were due by a schedule is not known: the log does not say it, nothing else was asked."
        else:
            yield "No look here was asked for by a schedule: people or programs named each page."
        if self.looks_begun:
            yield f"Captures here that a watch had asked for: {self.looks_begun}."
        yield (
            f"Captures begun: {self.captures}. Complete: {self.complete}. Partial: {self.partial}. "
            f"Failed: {self.failed}. Never brought to an end: {self.abandoned + self.open}."
        )
        if self.unchanged:
            yield f"Looks that showed what an earlier capture had shown, and kept nothing more: {self.unchanged}."
        yield f"Of these, {self.walled} show a wall (a login, a robot check, an age gate …) in place of the page."
        if self.of_case:
            yield f"Items that the case has: {self.items_seen}. Items in this export: {self.items_exported}."
        else:
            yield f"Items in this export: {self.items_exported}. They were picked: of how many, it does not say."
