"""What was done with a capture's evidence later, for whoever looks at it: corrections, holds, its disposal."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archive.catalog import Act, Catalog, Entry
from archive.reader import Reader
from archive.stewardship.desk import Shelf
from custody.instant import format_utc


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """Each with the blob that says more."""

    corrections: tuple[tuple[Act, dict[str, Any]], ...]
    holds: tuple[tuple[Act, dict[str, Any]], ...]
    disposal: tuple[Act, dict[str, Any]] | None
    decisions: tuple[tuple[Act, dict[str, Any]], ...] = ()
    witnesses: tuple[tuple[Act, dict[str, Any]], ...] = ()
    received: tuple[tuple[Act, dict[str, Any]], ...] = ()
    """What others handed over that has to do with its unit."""

    def to_json(self) -> dict[str, Any]:
        return {
            "corrections": [
                {"index": act.index, "at": format_utc(act.at), **{name: told.get(name) for name in _OF_CORRECTION}}
                for act, told in self.corrections
            ],
            "holds": [
                {"index": act.index, "at": format_utc(act.at), "matter": told.get("matter"), "why": told.get("why")}
                for act, told in self.holds
            ],
            "decisions": [
                {"index": act.index, "at": format_utc(act.at), "case_id": told.get("scope"), "why": told.get("why")}
                for act, told in self.decisions
            ],
            "witnesses": [
                {"index": act.index, "at": format_utc(act.at), **{name: told.get(name) for name in _OF_WITNESS}}
                for act, told in self.witnesses
            ],
            "received": [
                {"index": act.index, "at": format_utc(act.at), "surface": "received", "custody": "from_receipt"}
                | {name: told.get(name) for name in ("item", "about", "from", "how", "note", "files")}
                for act, told in self.received
            ],
            "disposal": self.disposal
            and {
                "index": self.disposal[0].index,
                "at": format_utc(self.disposal[0].at),
                "why": self.disposal[1].get("why"),
            },
        }

    def within(self, cases: Collection[str], has: Callable[[str], bool]) -> "Later":
        """What of it is told to whoever may see these cases, by their ids: what was decided, stated or received in
        others is not. ``has``: whether an item is in one of them.
        """
        seen = {*cases, None}  # None: what says whose it is is gone, which is told
        return replace(
            self,
            decisions=tuple(each for each in self.decisions if each[1].get("scope") in seen),
            witnesses=tuple(each for each in self.witnesses if each[1].get("scope") in seen),
            received=tuple(each for each in self.received if has(str(each[1].get("item")))),
        )

    def beside(self, name: str) -> list[str]:
        """Corrections of the field that is shown under this name."""
        return [
            _corrected(act, told) for act, told in self.corrections if _SHOWN_AS.get(str(told.get("field"))) == name
        ]

    def elsewhere(self) -> list[str]:
        """Corrections of fields that are not shown on a line of their own."""
        return [
            f"corrected {told.get('field', 'a field that cannot be read')}: was {told.get('was')!r}, "
            f"{_corrected(act, told)}"
            for act, told in self.corrections
            if str(told.get("field")) not in _SHOWN_AS
        ]

    def allowed(self) -> list[str]:
        return [
            f"allowed   on {format_utc(act.at)}, leaf {act.index}, to be handed over: "
            f"{told.get('why', 'the reason cannot be read')}"
            for act, told in self.decisions
        ]

    def witnessed(self) -> list[str]:
        return [
            f"witnessed on {format_utc(act.at)}, leaf {act.index}: {told.get('words', 'the statement cannot be read')} "
            f"({'signed by a key of theirs' if told.get('keyid') else 'not signed by a key of theirs'})"
            for act, told in self.witnesses
        ]

    def handed_over(self) -> list[str]:
        return [
            f"received  on {format_utc(act.at)}, leaf {act.index}, from {told.get('from')}, {told.get('how')}: "
            f"{', '.join(str(each.get('name')) for each in told.get('files', ()))} (item {told.get('item')}; custody "
            "begins at receipt)"
            for act, told in self.received
        ]

    def held(self) -> list[str]:
        return [
            f"held      since {format_utc(act.at)} for {told.get('matter', 'a matter that cannot be read')} "
            f"(leaf {act.index})"
            for act, told in self.holds
        ]


_OF_WITNESS = ("name", "statement", "differences", "words", "keyid", "opened_at", "stated_at", "browser", "way")
_OF_CORRECTION = ("field", "was", "is", "why")
_SHOWN_AS = {
    "target.requested_url": "asked",
    "target.final_url": "shown",
    "target.title": "title",
    "status": "status",
    "outcome": "status",
    "outcome_reason": "status",
    "http_status": "status",
    "origin": "origin",
}


def _corrected(act: Act, told: Mapping[str, Any]) -> str:
    why = f" ({told['why']})" if told.get("why") else ""
    return f"corrected on {format_utc(act.at)}, leaf {act.index}: is {told.get('is')!r}{why}"


def later_of(reader: Reader, catalog: Catalog, entry: Entry) -> Later:
    shelf = Shelf(store=reader.store, reader=reader.log)

    def told(act: Act) -> tuple[Act, dict[str, Any]]:
        return act, shelf.detail(act.detail)

    disposal = catalog.disposal(entry.unit) if entry.disposed_at is not None else None
    return Later(
        corrections=tuple(told(act) for act in catalog.corrections(entry.capture_id)),
        holds=tuple(told(act) for act in catalog.holds(entry.unit)),
        disposal=None if disposal is None else told(disposal),
        witnesses=tuple(told(act) for act in catalog.witnesses(entry.capture_id)),
        received=tuple(
            each
            for each in map(told, catalog.received())
            if isinstance(about := each[1].get("about"), dict) and about.get("unit") == entry.unit
        ),
        decisions=tuple(told(act) for act in catalog.decisions(entry.capture_id)),
    )
