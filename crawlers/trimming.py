"""What a record has room for: strings and lists of strangers, cut to size; what was cut is counted, never silent."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from crawlers.text import clean
from custody.model import Candidate, Hop, Json, Missing, Via

T = TypeVar("T")

# Bytes. All of them together, each string doubled by JSON's escapes, stay below `custody.record.MAX_BYTES`.
URL = 8_000
"""Longer addresses are data that somebody put into one; the headers artifact has them whole."""
TITLE = 1_000
REASON = 2_000
LINK_TEXT = 1_000
FACT = 4_000
CONNECTIONS = 1_000_000
CANDIDATES = 1_000_000
INTERACTIONS = 300_000
CERTIFICATES = 200_000
REFUSALS = 100_000
HOPS = 640_000
INPUTS = 150_000
WRAPPERS = 60_000
PAGES = 100_000
MEDIA = 100_000
"""Connections of a second fetch."""
ANSWERS = 100_000


def url(value: str) -> str:
    return clean(value, limit=URL)


def hop(value: Hop) -> Hop:
    return replace(value, from_url=url(value.from_url), to_url=url(value.to_url), status=status(value.status))


def via(value: Via) -> Via:
    return replace(value, href=url(value.href), text=clean(value.text, limit=LINK_TEXT))


def candidate(value: Candidate) -> Candidate:
    return replace(value, via=via(value.via), reason=clean(value.reason, limit=FACT))


def missing(value: Missing) -> Missing:
    return replace(value, reason=clean(value.reason, limit=REASON))


def status(value: int | None) -> int | None:
    """An HTTP status, or None: what a browser makes up for answers that had none (0) is none."""
    return value if value is not None and 100 <= value <= 999 else None


def fact(value: Json) -> Json:
    """The same, with every string in it cleaned and cut."""
    if isinstance(value, str):
        return clean(value, limit=FACT)
    if isinstance(value, Mapping):
        return {clean(name, limit=FACT): fact(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [fact(each) for each in value]
    return value


def listed(
    name: str, values: Iterable[Mapping[str, Json]], *, budget: int, total: int | None = None
) -> dict[str, Json]:
    """As many as there is room for, the first first; with ``<name>_total`` beside them where there were more."""
    facts = [cast("Mapping[str, Json]", fact(each)) for each in values]
    kept = some(facts, budget=budget, size=_size)
    total = total or len(facts)
    said: dict[str, Json] = {name: kept}
    if total > len(kept):
        said[f"{name}_total"] = total
    return said


def some(values: Sequence[T], *, budget: int, size: Callable[[T], int]) -> list[T]:
    """From the front, as many as have room together."""
    kept, used = [], 0
    for each in values:
        used += size(each)
        if used > budget:
            break
        kept.append(each)
    return kept


def candidate_size(value: Candidate) -> int:
    return (
        _size({"href": value.via.href, "text": value.via.text, "where": value.via.where, "reason": value.reason}) + 20
    )


def hop_size(value: Hop) -> int:
    return _size({"from": value.from_url, "to": value.to_url}) + 100


def _size(value: Mapping[str, Json]) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode()) + 1
