"""What was seen of each page over time: its first and last look, and what became another between two of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.exporting.blobs import Blobs
from archive.exporting.selection import COMPARISONS, Selection
from archive.exporting.sheets import Cell
from archive.log import LoggedEvent
from archive.surface import Shown, shown_of
from custody import canonical
from custody.checks.looks import CHANGED, MAX_BYTES, UNCHANGED
from custody.errors import FormatError
from custody.instant import format_utc

SEEN = (
    "item", "page", "looks", "unchanged", "first_look", "last_look", "first_seen", "last_seen", "first_capture",
    "last_capture",
)  # fmt: skip
"""Looks that reached an end with a record, or found what an earlier one had kept; seen: by those that showed the page,
as one that found it gone or walled did not."""
CHANGES = (
    "event", "kind", "before_capture", "before_at", "after_capture", "after_at", "sentence", "page", "path", "entry",
)  # fmt: skip
"""One row a change; of a comparison by two observers that found none, one that says so."""


@dataclass(slots=True)
class _Page:
    looks: list[tuple[str, str]] = field(default_factory=list)
    """When, and the capture: in log order."""
    shown: list[str] = field(default_factory=list)
    """When, of those that showed the page."""
    unchanged: int = 0


def seen(chosen: Selection, blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    """One row for each page that was asked for, of each item. Times are those of our clock when a look began."""
    pages: dict[tuple[str, str], _Page] = {}
    as_before = {
        str(each.event.body["capture"]): str(each.event.body["compared_with"])
        for each in chosen.events
        if each.event.type == UNCHANGED
    }
    for capture, started in _started(chosen).items():
        _, record = blobs.records.get(as_before.get(capture, capture), (0, None))
        if record is None:
            continue
        each = pages.setdefault((started.event.chain.removeprefix("item:"), record.requested_url), _Page())
        at = format_utc(started.event.occurred_at)
        each.looks.append((at, capture))
        if shown_of(record.circumstances, record.outcome, record.http_status) == Shown.CONTENT:
            each.shown.append(at)
        each.unchanged += capture in as_before
    for (item, url), found in pages.items():
        looks = sorted(found.looks)
        yield (
            item, url, len(looks), found.unchanged, looks[0][0], looks[-1][0], min(found.shown, default=None),
            max(found.shown, default=None), looks[0][1], looks[-1][1],
        )  # fmt: skip


def changes(chosen: Selection, blobs: Blobs) -> Iterator[tuple[Cell, ...]]:
    """As the signed events and their blobs tell of them."""
    started = _started(chosen)
    for each in chosen.events:
        if each.event.type not in COMPARISONS:
            continue
        detail, path = _detail(each, blobs)
        body: Mapping[str, Any] = each.event.body
        after = str(body["capture"])
        if each.event.type == CHANGED:
            before, told = str(body["before"]), _listed(detail, "changes")
            rows = [(str(one["kind"]), _text(one.get("sentence"))) for one in told]
            rows = rows or [(kind, None) for kind in body["kinds"]]  # the detail is not here
        else:
            before, after = after, str(body["other"])
            told = _listed(detail, "differences")
            rows = [(str(one["kind"]), _text(one.get("sentence"))) for one in told]
            rows = rows or [(f"{body['differences']} differences", None)]
        _, record = blobs.records.get(str(body["capture"]), (0, None))
        for kind, sentence in rows:
            yield (
                each.event.type, kind, before, _at(started.get(before)), after, _at(started.get(after)), sentence,
                None if record is None else record.final_url or record.requested_url, path, each.index,
            )  # fmt: skip


def _started(chosen: Selection) -> dict[str, LoggedEvent]:
    return {str(each.event.body["capture"]): each for each in chosen.events if each.event.type == "capture.started"}


def _detail(each: LoggedEvent, blobs: Blobs) -> tuple[Mapping[str, Any], str | None]:
    """What the event's blob says, and where it lies; nothing of one that is not here or is no such blob."""
    path = blobs.paths.get(each.event.subjects[0].digest)
    if path is None:
        return {}, None
    try:
        value: Any = canonical.loads(blobs.bag.read(path, MAX_BYTES) or b"")
    except FormatError:
        return {}, path
    return (value if isinstance(value, dict) else {}), path


def _listed(detail: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = detail.get(name)
    return [each for each in found if isinstance(each, dict) and "kind" in each] if isinstance(found, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _at(started: LoggedEvent | None) -> str | None:
    """None: a capture of another log."""
    return None if started is None else format_utc(started.event.occurred_at)
