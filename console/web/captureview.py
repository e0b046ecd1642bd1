"""One capture as its page shows it: its record, and what was kept beside it, as far as a page needs it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.catalog import Entry
from archive.errors import StoreError
from archive.wrapping import wrapper_line, wrappers_of
from console.web.holdings import Holdings
from custody.artifact import OTHERS, Artifact
from custody.model import Json, Role
from custody.record import Record

MAX_TEXT = 200_000
"""Bytes of the visible text that stand on the page; all of it can be fetched."""
_MAX_JSON = 4 << 20
_PICTURES = (Role.SCREENSHOT, Role.VIEWPORT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A field's place on a picture, in the picture's own units (CSS pixels)."""

    field: str
    n: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One picture of the whole page, and the fields that were read on it."""

    name: str
    width: int | None
    """CSS pixels; None: nobody has said, and nothing is drawn on it."""
    height: int | None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadField:
    """One field of the reading."""

    name: str
    value: Json
    source: str
    seen: str
    boxes: int
    why_no_box: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """An answer's headers, as they were recorded."""

    url: str
    status: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Parts that could not be had are empty, and ``trouble`` says why."""

    entry: Entry
    record: Record | None
    sheets: tuple[Sheet, ...] = ()
    text: str | None = None
    text_is_cut: bool = False
    fields: tuple[ReadField, ...] = ()
    reading: Mapping[str, Any] | None = None
    headers: tuple[Exchange, ...] = ()
    wrappers: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()

    @property
    def tls(self) -> Sequence[Mapping[str, Any]]:
        network: Any = {} if self.record is None else self.record.circumstances["network"]
        found = network.get("tls", [])
        return [each for each in found if isinstance(each, Mapping)]

    @property
    def picture(self) -> str | None:
        """Name of the first picture there is."""
        return self.sheets[0].name if self.sheets else None

    @property
    def document(self) -> str | None:
        """Name of the document that can be looked at without its scripts."""
        return document_of(self.record)


def document_of(record: Record | None) -> str | None:
    """As the browser had it, before the bytes as they were sent."""
    names = [] if record is None else [each.name for each in record.artifacts]
    return next((each for each in ("dom.html", "body.html") if each in names), None)


def view_of(holdings: Holdings, entry: Entry) -> View:
    """Raises ``StoreError`` and ``FormatError`` where the record itself is not what was recorded."""
    record = holdings.record(entry)
    if record is None:
        return View(entry=entry, record=None)
    trouble: list[str] = []
    reading = _json(holdings, _of_role(record, Role.READING), trouble)
    reading = reading if isinstance(reading, Mapping) else {}
    text, is_cut = _text(holdings, record, trouble)
    return View(
        entry=entry,
        record=record,
        sheets=tuple(_sheets(record, reading)),
        text=text,
        text_is_cut=is_cut,
        fields=tuple(_fields(reading)),
        reading=reading or None,
        headers=tuple(_headers(_json(holdings, _of_role(record, Role.HEADERS), trouble))),
        wrappers=tuple(wrapper_line(each) for each in wrappers_of(record.circumstances)),
        trouble=tuple(trouble),
    )


def own(record: Record) -> list[Artifact]:
    """Of the page that the record speaks of, and not of pages in between or other moments."""
    return [each for each in record.artifacts if not each.name.startswith(OTHERS)]


def read_from(record: Record) -> list[Artifact]:
    """What its fields rest on: the reading of the visit, or else the document."""
    found = [each for each in own(record) if each.role == Role.READING]
    return found or [each for each in own(record) if each.name == document_of(record)]


def thumbnail(record: Record) -> str | None:
    """The picture that says most of a page at a glance: the window as it was first seen."""
    pictures = {each.role: each.name for each in reversed(own(record)) if each.media_type == "image/png"}
    return pictures.get(Role.VIEWPORT) or pictures.get(Role.SCREENSHOT)


def _of_role(record: Record, role: Role) -> Artifact | None:
    return next((each for each in own(record) if each.role == role), None)


def _json(holdings: Holdings, artifact: Artifact | None, trouble: list[str]) -> Any:
    if artifact is None or artifact.bytes > _MAX_JSON:
        return None
    try:
        return json.loads(holdings.archive.kept.blob(artifact.digest, _MAX_JSON))
    except (StoreError, ValueError, RecursionError) as error:
        trouble.append(f"{artifact.name} is not shown: {error}")
        return None


def _text(holdings: Holdings, record: Record, trouble: list[str]) -> tuple[str | None, bool]:
    artifact = _of_role(record, Role.TEXT)
    if artifact is None:
        return None, False
    try:
        with holdings.archive.kept.file(artifact.digest) as file:
            data = file.read(MAX_TEXT + 1)
    except StoreError as error:
        trouble.append(f"{artifact.name} is not shown: {error}")
        return None, False
    return data[:MAX_TEXT].decode("utf-8", "replace"), len(data) > MAX_TEXT


def _sheets(record: Record, reading: Mapping[str, Any]) -> Iterator[Sheet]:
    """Full pages first, with their boxes."""
    told = _mapping(reading.get("picture"))
    places = {
        str(each["name"]): (_int(each.get("top")), _int(each.get("height")))
        for each in _list(told.get("files"))
        if isinstance(each, Mapping) and "name" in each
    }
    width = _int(told.get("width"))
    files = sorted(
        (each for each in record.artifacts if each.role in _PICTURES and each.media_type == "image/png"),
        key=lambda each: (each.name.startswith(OTHERS), _PICTURES.index(Role(each.role))),
    )
    for each in files:
        top, height = places.get(each.name, (None, None))
        if width is None or top is None or height is None or not 0 < width <= 100_000 or not 0 < height <= 1_000_000:
            yield Sheet(name=each.name, width=None, height=None)
        else:
            boxes = tuple(_boxes(reading, top, height))
            yield Sheet(name=each.name, width=width, height=height, boxes=boxes)


def _boxes(reading: Mapping[str, Any], top: int, height: int) -> Iterator[Box]:
    for name, places in _mapping(reading.get("boxes")).items():
        for n, each in enumerate(_list(places)):
            if not isinstance(each, Mapping):
                continue
            x, y, wide, high = (_int(each.get(key)) for key in ("x", "y", "width", "height"))
            if x is None or y is None or wide is None or high is None or not top <= y < top + height:
                continue
            yield Box(field=str(name), n=n, x=x, y=y - top, width=wide, height=high)


def _fields(reading: Mapping[str, Any]) -> Iterator[ReadField]:
    read = _mapping(reading.get("reading"))
    sources, seen = _mapping(read.get("sources")), _mapping(read.get("seen"))
    boxes, without = _mapping(reading.get("boxes")), _mapping(reading.get("without_box"))
    for name, value in _mapping(read.get("fields")).items():
        yield ReadField(
            name=str(name),
            value=value,
            source=str(sources.get(name, "")),
            seen=str(seen.get(name, "")),
            boxes=len(_list(boxes.get(name))),
            why_no_box=str(without[name]) if name in without else None,
        )


def _headers(value: Any) -> Iterator[Exchange]:
    for each in _list(value):
        if isinstance(each, Mapping):
            pairs = [pair for pair in _list(each.get("headers")) if isinstance(pair, (list, tuple)) and len(pair) == 2]
            status = f"{each.get('status') or ''} {each.get('status_text') or ''} {each.get('protocol') or ''}".strip()
            yield Exchange(
                url=str(each.get("url", "")),
                status=status,
                headers=tuple((str(name), str(text)) for name, text in pairs),
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else []


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
