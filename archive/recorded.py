"""Recorded changes, as timelines tell of them: the signed ``change.observed``, and between which two looks it came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive import changes
from archive.errors import StoreError
from archive.index.history import Told
from archive.store import ObjectStore
from custody.instant import format_utc
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What a leaf and its blob say; empty where the blob cannot be had, and ``trouble`` says why."""

    index: int
    kinds: tuple[str, ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()
    """As docs/changes.md has them: kind, sentence, passages before and after, doubts."""
    before: str | None = None
    """The capture that it was compared with."""
    not_before: str | None = None
    """Instant of the last look that showed it as it was."""
    not_after: str | None = None
    """Instant of the first look that showed it otherwise."""
    trouble: str | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "index": self.index,
            "kinds": list(self.kinds),
            "changes": [dict(each) for each in self.changes],
            "before": self.before,
            "between": {"after": self.not_before, "before": self.not_after},
            "trouble": self.trouble,
        }


def recorded(store: ObjectStore, told: Sequence[Told]) -> dict[int, Recorded]:
    """By leaf, of all recorded changes among these moments. Each blob is held against its digest."""
    return {each.index: _read(store, each, each.index, told) for each in told if each.index is not None}


def documents(store: ObjectStore, told: Sequence[Told]) -> Iterator[dict[str, Json]]:
    """The moments in their public form, with what was recorded."""
    known = recorded(store, told)
    for each in told:
        mine = None if each.index is None else known[each.index]
        yield {**each.to_json(), "recorded": None if mine is None else mine.to_json()}


def _read(store: ObjectStore, each: Told, index: int, told: Sequence[Told]) -> Recorded:
    if each.detail is None:
        return Recorded(index=index, trouble="the event names no comparison")
    try:
        value = changes.read(store, each.detail)
    except StoreError as error:
        return Recorded(index=index, trouble=str(error))
    if value is None:
        return Recorded(
            index=index, trouble="what changed was disposed of, or is missing: counterproof verify says which"
        )
    found = [one for one in _list(value.get("changes")) if isinstance(one, Mapping)]
    before, after = (_side(value, name) for name in ("before", "after"))
    first = str(before.get("looked_at", ""))
    last = str(after.get("looked_at", ""))
    # A look that found nothing new kept nothing: it says all the same that the page was as before.
    same = [
        at
        for look in told
        if look.entry.status == "unchanged" and look.entry.requested_url == each.entry.requested_url
        and first < (at := format_utc(look.at)) < last
    ]  # fmt: skip
    return Recorded(
        index=index,
        kinds=tuple(dict.fromkeys(str(one.get("kind", "")) for one in found)),
        changes=tuple(found),
        before=str(before["capture"]) if "capture" in before else None,
        not_before=max([first, *same]) or None,
        not_after=last or None,
    )


def _side(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    side = value.get(name)
    return side if isinstance(side, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else []
