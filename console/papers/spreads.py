"""A promotion as two facing pages tell it: the post, the way, the listing, what was observed, and what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from archive.filing import Filed
from console.papers.casefile import CaseFile, Look, captures_of
from console.papers.passages import Marked, Translation, direction, mark, wants_translation
from console.papers.plates import Cutter, Plate, Plates
from console.papers.seen import Seen
from console.papers.sheets import Sheet, sheet
from console.papers.zones import lasted, told
from console.telling import WHY
from custody.instant import parse_utc

MAX_OBSERVATIONS = 40
MAX_PASSAGES = 10
"""Of one observation; the rest is counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """One that an observation rests on."""

    capture: str
    text: str
    """Which text of the page."""
    marked: Marked
    dir: str
    where: str
    picture: Plate | None
    unpictured: str
    """Why there is no picture of it."""
    wants_translation: bool
    translations: tuple[Translation, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """One observation."""

    about: str
    sentence: str
    weak: bool
    passages: tuple[Passage, ...]
    more: int
    searched: tuple[str, ...]
    pictures: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One link of the way."""

    n: int
    to: str | None
    href: str
    text: str
    by: str
    quote: str
    hops: tuple[Mapping[str, Any], ...]
    permanence: str
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """One promotion."""

    n: int
    id: str
    digest: str
    title: str
    published: str
    state: str
    sheets: tuple[Sheet, ...]
    absent: tuple[str, ...]
    """Captures of it that are not in this case's reach."""
    units: frozenset[str]
    """Those of its captures."""
    post: tuple[tuple[str, str, str], ...]
    """As findings read it: name, value, direction."""
    listing: tuple[tuple[str, str, str], ...]
    steps: tuple[Step, ...]
    observations: tuple[Observed, ...]
    more: int
    """Observations that are not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Studio:
    """What spreads are made with."""

    file: CaseFile
    cutter: Cutter
    exhibits: Mapping[str, str] = field(default_factory=dict)
    """Labels, by capture."""
    translations: Mapping[str, list[Translation]] = field(default_factory=dict)
    translated: set[str] = field(default_factory=set)
    """Digests of the passages that a translation was shown with, so far."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """Of each page, by the address that was asked for."""

    @property
    def plates(self) -> Plates:
        return Plates(file=self.file, cutter=self.cutter)

    def spread(self, n: int, filed: Filed) -> Spread:
        record: Any = filed.record
        captures = captures_of(record)
        observed = record["observations"][:MAX_OBSERVATIONS]
        fields = record["post"]["fields"]
        return Spread(
            n=n,
            id=filed.id,
            digest=filed.digest.hex,
            title=str(fields.get("handle") or fields.get("author") or record["post"]["url"]),
            published=published(record["post"], self.file.zone),
            state=record["state"],
            sheets=tuple(
                self.sheet(self.file.looks[each], _title(each, record)) for each in captures if each in self.file.looks
            ),
            absent=tuple(each for each in captures if each not in self.file.looks),
            units=frozenset(self.file.looks[each].entry.unit for each in captures if each in self.file.looks),
            post=_fields(fields),
            listing=_fields(record["listing"]["fields"]),
            steps=tuple(self._step(number, edge) for number, edge in enumerate(record["edges"], 1)),
            observations=tuple(self._seen(each) for each in observed),
            more=len(record["observations"]) - len(observed),
        )

    def sheet(self, look: Look, title: str) -> Sheet:
        exhibit = self.exhibits.get(look.id, "")
        seen = self.seen.get(look.entry.requested_url)
        return sheet(self.file, look, title=title, exhibit=exhibit, picture=self.plates.page(look), seen=seen)

    def _seen(self, observed: Mapping[str, Any]) -> Observed:
        quotes = observed["rests_on"]
        return Observed(
            about=observed["about"],
            sentence=observed["sentence"],
            weak=observed["weak"],
            passages=tuple(self._passage(each) for each in quotes[:MAX_PASSAGES]),
            more=max(0, len(quotes) - MAX_PASSAGES),
            searched=tuple(
                f"{each['text']} of capture {each['capture']} ({each['characters']} of {each['of']} characters)"
                for each in observed["searched"]
            ),
            pictures=tuple(observed["pictures"]),
        )

    def _passage(self, quote: Mapping[str, Any]) -> Passage:
        capture, name = quote["capture"], quote["text"]
        look = self.file.looks.get(capture)
        marked = mark(self.file.text(capture, name), quote["start"], quote["end"], quote["raw"])
        picture, why = (None, "its capture is not at hand")
        read: Mapping[str, Any] = {}
        if look is not None:
            picture, why = self.plates.passage(look, name, quote["raw"])
            read = (look.reading or {}).get("reading") or {}
        whole = f"{marked.before}{marked.raw}{marked.after}"
        language = (read.get("fields") or {}).get("language")
        foreign = wants_translation(whole, language if isinstance(language, str) else None)
        translations = tuple(self.translations.get(marked.digest.hex, ()))
        if translations:
            self.translated.add(marked.digest.hex)
        return Passage(
            capture=capture,
            text=name,
            marked=marked,
            dir=direction(whole),
            where=str((read.get("sources") or {}).get(name, "")),
            picture=picture,
            unpictured=why,
            wants_translation=foreign or bool(translations),
            translations=translations,
        )

    def _step(self, n: int, edge: Mapping[str, Any]) -> Step:
        quote = edge["rests_on"]
        return Step(
            n=n,
            to=edge["to"],
            href=edge["href"],
            text=edge["text"],
            by="from the post to its author's profile" if edge["chosen"] == "author" else WHY.get(edge["by"], ""),
            quote="" if quote is None else quote["raw"],
            hops=tuple(edge["hops"]),
            permanence=_permanence(edge),
            at=told(parse_utc(edge["seen_at"]), self.file.zone),
        )


def published(post: Mapping[str, Any], zone: ZoneInfo | None) -> str:
    """When a post was made public, and by whose word."""
    shown = post["fields"].get("published_shown")
    said = f"; the page shows “{shown}”" if shown else ""
    at = post.get("published")
    if at is None:
        return f"when it was published is not known{said}"
    basis = {"page": "as the page says", "id": "as the post's id says"}.get(at["basis"], f"as {at['basis']} say")
    first, last = parse_utc(at["earliest"]), parse_utc(at["latest"])
    when = told(first, zone) if first == last else f"between {told(first, zone)} and {told(last, zone)}"
    return f"{when}, {basis}{said}"


def _fields(fields: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    said = {name: str(value) for name, value in fields.items() if value not in (None, "")}
    return tuple((name.replace("_", " "), value, direction(value)) for name, value in said.items())


def _title(capture: str, record: Mapping[str, Any]) -> str:
    if capture == record["post"]["capture"]:
        return "The post"
    return "Where the link led" if capture == record["listing"]["capture"] else "A page on the way"


def _permanence(edge: Mapping[str, Any]) -> str:
    if edge["permanence"] == "intrinsic":
        return "in the post itself"
    seconds = (edge["gap"] or {}).get("seconds")
    when = "when the post was published is not known" if seconds is None else f"seen {lasted(seconds)} after the post"
    return f"may be changed at any time ({', '.join(edge['mutable_by']).replace('_', ' ')}); {when}"
