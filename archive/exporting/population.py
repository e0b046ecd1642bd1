"""The population of an export: how much was looked for and seen, of which it is a part."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from archive.exporting.selection import Selection
from custody import canonical
from custody.checks.states import ENDS, status_of
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
    looks_due: int | None
    """By a schedule; None: the log keeps none, and nobody told."""
    looks_begun: int
    """Those among the captures that a schedule had asked for."""
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
    def of(cls, chosen: Selection, *, looks_due: int | None = None) -> "Population":
        statuses: Counter[str] = Counter()
        walled = begun = looks = 0
        for each in chosen.events:
            body = each.event.body
            if each.event.type == "capture.started":
                begun += 1
                looks += "look_id" in body
            elif each.event.type in ENDS:
                statuses[status_of(each.event)] += 1
                walled += body.get("outcome") in WALLS
        return cls(
            of_case=chosen.scope is not None,
            looks_due=looks_due,
            looks_begun=looks,
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
        value: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__}
        return canonical.dumps({"v": 1, **value})

    def lines(self) -> Iterator[str]:
        """For people."""
        if self.looks_due is not None:
            yield f"Looks that a schedule asked for: {self.looks_due} due, {self.looks_begun} begun."
        elif self.looks_begun:
            yield f"Looks that a schedule asked for: {self.looks_begun} begun. How many were due is not in the log."
        else:
            yield "No look here was asked for by a schedule: people or programs named each page."
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
