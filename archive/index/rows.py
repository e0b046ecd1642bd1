"""Rows of the catalogue, as they are given out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, unquote

from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor
from custody.instant import format_utc, parse_utc
from custody.model import Json

COLUMNS = (
    "capture_id, unit, parent, started_at, started_index, ended_at, end_index, status, outcome, origin, http_status"
    ", requested_url, final_url, title, record_sha256, trouble, disposed_at, quarantine, surface, shown, platform"
    ", anchor_size, anchor_sha256"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One capture, as far as the log and its record say. Without an end it is open, or was never brought to one."""

    capture_id: str
    unit: str
    parent: str | None
    started_at: datetime
    started_index: int
    ended_at: datetime | None
    index: int | None
    """Of its end in the log."""
    status: str | None
    """``complete``, ``partial``, ``failed``, ``abandoned``, or ``unchanged``: a look that kept nothing. None: open."""
    outcome: str | None
    origin: str | None
    http_status: int | None
    requested_url: str
    final_url: str | None
    title: str | None
    record_sha256: str | None
    trouble: str | None
    """Why its record could not be read; None when it could."""
    disposed_at: datetime | None
    """When its evidence was disposed of; what was known of it is forgotten here as well."""
    quarantine: str | None
    """Why secrets may be in it, so that it is not handed over without a decision; None: it is not quarantined."""
    surface: str | None
    """One of ``archive.surface.Surface``, or a later version's word; None without a record."""
    shown: str | None
    """One of ``archive.surface.Shown``, or a later version's word; None without a record."""
    platform: str | None
    """Whose surface it is, where the record says so."""
    anchor: Anchor | None
    """The token that its start names: it began after that."""

    def to_json(self) -> dict[str, Json]:
        # Written out: ``asdict`` copies each value deeply, which a list of hundreds feels.
        value: dict[str, Any] = {"id": self.capture_id}  # as `capture --json` has always called it
        value |= {name: getattr(self, name) for name in _JSON}
        value["started_at"] = format_utc(self.started_at)
        value["ended_at"] = format_utc(self.ended_at) if self.ended_at else None
        value["disposed_at"] = format_utc(self.disposed_at) if self.disposed_at else None
        return cast("dict[str, Json]", value)


_JSON = tuple(each.name for each in fields(Entry) if each.name != "anchor")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One artifact of a capture, as its record lists it."""

    role: str
    name: str
    digest: Digest
    bytes: int
    media_type: str

    @property
    def key(self) -> str:
        return keyspace.blob(self.digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How often one address was asked for on one day, on one surface, and with what result."""

    url: str
    platform: str | None
    surface: str
    day: str
    """In UTC, as the log has its start."""
    shown: str
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRow:
    """One case, and how much there is of it."""

    scope: str
    name: str | None
    """None: its name was disposed of, or cannot be read."""
    units: int
    captures: int
    newest: datetime | None
    """When its newest capture began."""
    unfinished: int
    """Captures without an end in the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Something that was done with evidence later: a hold, a correction, a disposal."""

    type: str
    index: int
    at: datetime
    detail: Digest
    """The blob that says more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """One event of the log, as it is listed: what it is of, and where it stands."""

    index: int
    type: str
    chain: str
    item: str | None
    capture: str | None
    at: datetime
    """When it happened, as its maker says."""
    event_id: str | None
    """None for the start and the end of a capture: the leaf has it."""


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Of a row with ``COLUMNS``."""
    found = dict(zip(COLUMNS.split(", "), row, strict=True))
    found["index"] = found.pop("end_index")
    size, sha256 = found.pop("anchor_size"), found.pop("anchor_sha256")
    found["anchor"] = None if size is None else Anchor(size=size, token_sha256=Digest(sha256))
    found["started_at"] = parse_utc(found["started_at"])
    found["ended_at"] = parse_utc(found["ended_at"]) if found["ended_at"] else None
    found["disposed_at"] = parse_utc(found["disposed_at"]) if found["disposed_at"] else None
    found["requested_url"] = found["requested_url"] or ""
    return Entry(**found)


def kept_of(artifacts: str | None) -> list[Kept]:
    """Of the column ``artifacts``, in the order of the record."""
    found = []
    for line in (artifacts or "").split("|")[:-1]:
        role, name, sha256, length, media_type = line.split(",")
        found.append(
            Kept(role=role, name=name, digest=Digest(sha256), bytes=int(length), media_type=unquote(media_type))
        )
    return found


def artifacts_text(artifacts: Sequence[tuple[str, str, str, int, str]]) -> str:
    """What ``kept_of`` reads: role, name, digest, length, media type. No quotation marks: packs are JSON."""
    return "".join(
        f"{role},{name},{sha256},{length},{quote(media_type, safe='/=+ ;')}|"
        for role, name, sha256, length, media_type in artifacts
    )


def prefix_of(sha256: str) -> int:
    """The first eight bytes of a digest as SQL's largest integer: enough to find it by; the rest is compared."""
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
