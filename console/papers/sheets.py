"""A sheet: one capture in a paper: what was asked for and shown, when by whose word, what was read, what is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from archive.stewardship.corrections import FIELDS
from console.papers import limits
from console.papers.casefile import CaseFile, Look
from console.papers.passages import direction
from console.papers.plates import Plate
from console.papers.seen import Seen
from console.papers.zones import told
from custody.artifact import Artifact
from custody.model import Origin

MAX_FIELD = 1_500
"""Characters of a field that is shown; all of it is in the reading."""
_FIELDS = (
    "author", "handle", "account_id", "post_id", "published_shown", "caption", "text", "title", "brand", "seller",
    "seller_id", "item_id", "asin", "price_shown", "price", "currency", "availability", "bio",
)  # fmt: skip
_TIMES = {
    "requested_at": "asked",
    "viewport_at": "picture of the window",
    "screenshot_at": "picture of the page",
    "closed_at": "closed",
}
_VANTAGE = ("user_agent", "languages", "timezone", "device")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Of one capture."""

    id: str
    title: str
    exhibit: str
    """Its label; empty where it has no number."""
    asked: str
    shown: str
    outcome: str
    status: str
    origin: str
    is_public: bool
    times: tuple[tuple[str, str], ...]
    seen: str
    """When this page was seen first and last in the case; empty where no look tells."""
    vantage: str
    fields: tuple[tuple[str, str, str], ...]
    """Name, value, direction."""
    artifacts: tuple[Artifact, ...]
    record: str
    indexes: tuple[int, int | None]
    picture: Plate | None
    lacks: tuple[str, ...]
    corrections: tuple[str, ...]
    witnesses: tuple[str, ...]
    """What people stated who held the live page against the capture."""


def sheet(  # one sheet
    file: CaseFile, look: Look, *, title: str, exhibit: str, picture: Plate | None, seen: Seen | None = None
) -> Sheet:
    record, entry = look.record, look.entry
    return Sheet(
        id=look.id,
        title=title,
        exhibit=exhibit,
        asked=entry.requested_url,
        shown="" if record is None else record.final_url or "",
        outcome="not known" if record is None else f"{record.outcome.value}: {record.outcome_reason}",
        status=entry.status or "open",
        origin="not known" if record is None else record.origin.value,
        is_public=record is not None and record.origin is Origin.PUBLIC,
        times=tuple(_times(look, file.zone)),
        seen="" if seen is None else seen.words(file.zone),
        vantage="; ".join(_vantage(look)),
        fields=tuple(_fields(look)),
        artifacts=() if record is None else record.artifacts,
        record=entry.record_sha256 or "none",
        indexes=(entry.started_index, entry.index),
        picture=picture,
        lacks=tuple(limits.of_look(look)),
        corrections=tuple(_corrections(file, look.id)),
        witnesses=tuple(file.witnesses(look.id)),
    )


def _times(look: Look, zone: ZoneInfo | None) -> Iterator[tuple[str, str]]:
    bracket = look.dated.bracket
    begun = f"{told(bracket.not_before, zone)}, token of {look.dated.before}"
    yield "not before", begun if bracket.not_before else "no token before it: no authority says"
    times = {} if look.record is None else look.record.times
    own = [f"{words} {told(times[name], zone)}" for name, words in _TIMES.items() if name in times]
    if not own:
        own = [f"begun {told(look.entry.started_at, zone)}"]
    yield "by our own clock", "; ".join(own)
    ended = f"{told(bracket.not_after, zone)}, token of {', '.join(look.dated.after)}"
    yield "not after", ended if bracket.not_after else "NO TRUSTED TIME"


def _vantage(look: Look) -> Iterator[str]:
    environment: Any = {} if look.record is None else look.record.circumstances.get("environment", {})
    for name in _VANTAGE:
        if name in environment:
            yield f"{name.replace('_', ' ')} {environment[name]}"
    egress = environment.get("egress")
    if isinstance(egress, Mapping):
        yield f"from the address {egress.get('address')}"


def _fields(look: Look) -> Iterator[tuple[str, str, str]]:
    read: Any = (look.reading or {}).get("reading") or {}
    fields = read.get("fields") or {}
    for name in _FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            cut = value if len(value) <= MAX_FIELD else f"{value[:MAX_FIELD]} … ({len(value)} characters in all)"
            yield name.replace("_", " "), cut, direction(value)


def _corrections(file: CaseFile, capture: str) -> Iterator[str]:
    names = {path: name for name, path in FIELDS.items()}
    for each in file.survey.corrections.get(capture, ()):
        said = file.shelf.detail(each.detail)
        field = str(said.get("field"))
        yield (
            f"Corrected by a person (entry {each.index}): {names.get(field, field)} is “{said.get('is')}”, the record "
            f"says “{said.get('was')}”: {said.get('why')}. The record stays as it is."
        )
