"""record.json: all that is known of one capture. It is a blob, so what it says of people can be disposed of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from custody import canonical, schema
from custody.artifact import ARTIFACT, WORD, Artifact
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc
from custody.model import Candidate, Hop, HopKind, Json, Missing, Origin, Outcome, Role, Status, Via, Visit

SCHEMA = 1
NAME = "record.json"
MAX_BYTES = 4 * 1024 * 1024
SECTIONS = ("network", "environment", "session", "robots")
LATER = ("traffic", "quarantine", "surface")
"""Sections that came after the first records: one that is not given is not there."""

_TEXT: schema.Schema = {"type": "string"}
_STATUS = schema.nullable({"type": "integer", "minimum": 100, "maximum": 999})
_DEPTH = {"type": "integer", "minimum": 1, "maximum": 1000}
_VIA = {"href": _TEXT, "text": _TEXT, "where": WORD}
_HOP = {"from": _TEXT, "to": _TEXT, "kind": schema.enum(*HopKind), "status": _STATUS, "at": schema.UTC}

RECORD = schema.open_ended(
    schema.fields(
        {
            "traffic": {"type": "object"},
            "quarantine": schema.open_ended(schema.fields(reason=WORD, since=schema.UTC)),
            "surface": schema.open_ended(schema.fields({"shown": WORD}, name=WORD)),
        },
        schema=schema.constant(SCHEMA),
        nonce=schema.NONCE,
        capture_id=schema.UUID7,
        unit=schema.UUID7,
        parent=schema.nullable(schema.UUID7),
        via=schema.nullable(schema.open_ended(schema.fields(**_VIA))),
        depth=_DEPTH,
        run=schema.UUID7,
        job_sha256=schema.HEX64,
        started_sha256=schema.HEX64,
        target=schema.open_ended(
            schema.fields(requested_url=_TEXT, final_url=schema.nullable(_TEXT), title=schema.nullable(_TEXT))
        ),
        hops=schema.array(schema.open_ended(schema.fields(n=_DEPTH, **_HOP)), maximum=1000),
        times={"type": "object", "propertyNames": WORD, "additionalProperties": schema.UTC, "maxProperties": 64},
        network={"type": "object"},
        environment={"type": "object"},
        session={"type": "object"},
        robots={"type": "object"},
        origin=schema.enum(*Origin),
        origin_reasons=schema.array(_TEXT),
        status=schema.enum(*Status),
        outcome=schema.enum(*Outcome),
        outcome_reason=_TEXT,
        http_status=_STATUS,
        artifacts=schema.array(ARTIFACT, maximum=10_000),
        missing=schema.array(schema.open_ended(schema.fields(role=schema.enum(*Role), reason=_TEXT))),
        candidates=schema.array(
            schema.open_ended(schema.fields(**_VIA, follow={"type": "boolean"}, reason=_TEXT)), maximum=10_000
        ),
    )
)
"""Later versions may add keys and roles; what stands here never changes its meaning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One capture, as its visit saw it and as its artifacts were stored."""

    nonce: str
    """32 random hex digits: without them, whoever guesses a URL could confirm it by the record's digest."""
    capture_id: str
    unit: str
    parent: str | None
    via: Via | None
    depth: int
    run: str
    job_sha256: Digest
    started_sha256: Digest
    """Payload of the ``capture.started`` event."""
    requested_url: str
    final_url: str | None
    title: str | None
    hops: tuple[Hop, ...]
    times: Mapping[str, datetime]
    circumstances: Mapping[str, Json] = field(repr=False)
    """The sections of ``SECTIONS``, one that is not given as an empty object, and what is there of ``LATER``."""
    origin: Origin
    origin_reasons: tuple[str, ...]
    status: Status
    outcome: Outcome
    outcome_reason: str
    http_status: int | None
    artifacts: tuple[Artifact, ...]
    missing: tuple[Missing, ...]
    candidates: tuple[Candidate, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if unknown := self.circumstances.keys() - {*SECTIONS, *LATER}:
            raise _refused(f"$: expected the sections {', '.join(SECTIONS + LATER)}; got {min(unknown)[:80]!r}")
        given = {name: self.circumstances.get(name, {}) for name in SECTIONS}
        given |= {name: self.circumstances[name] for name in LATER if self.circumstances.get(name)}
        object.__setattr__(self, "circumstances", given)

    @classmethod
    def of(cls, visit: Visit, *, artifacts: tuple[Artifact, ...], nonce: str) -> Self:
        return cls(
            nonce=nonce,
            capture_id=visit.capture_id,
            unit=visit.unit,
            parent=visit.parent,
            via=visit.via,
            depth=visit.depth,
            run=visit.run,
            job_sha256=visit.started.job_sha256,
            started_sha256=visit.started.payload_sha256,
            requested_url=visit.requested_url,
            final_url=visit.final_url,
            title=visit.title,
            hops=visit.hops,
            times=visit.times,
            circumstances=visit.circumstances,
            origin=visit.origin,
            origin_reasons=visit.origin_reasons,
            status=visit.status,
            outcome=visit.outcome,
            outcome_reason=visit.outcome_reason,
            http_status=visit.http_status,
            artifacts=artifacts,
            missing=visit.missing,
            candidates=visit.candidates,
        )

    def format(self) -> bytes:
        """JCS. ``FormatError`` with code ``RECORD_FORMAT``."""
        value: dict[str, Json] = {
            "schema": SCHEMA,
            "nonce": self.nonce,
            "capture_id": self.capture_id,
            "unit": self.unit,
            "parent": self.parent,
            "via": None if self.via is None else _via(self.via),
            "depth": self.depth,
            "run": self.run,
            "job_sha256": self.job_sha256.hex,
            "started_sha256": self.started_sha256.hex,
            "target": {"requested_url": self.requested_url, "final_url": self.final_url, "title": self.title},
            "hops": [
                {
                    "n": each.n,
                    "from": each.from_url,
                    "to": each.to_url,
                    "kind": each.kind,
                    "status": each.status,
                    "at": format_utc(each.at),
                }
                for each in self.hops
            ],
            "times": {name: format_utc(at) for name, at in self.times.items()},
            **self.circumstances,
            "origin": self.origin,
            "origin_reasons": self.origin_reasons,
            "status": self.status,
            "outcome": self.outcome,
            "outcome_reason": self.outcome_reason,
            "http_status": self.http_status,
            "artifacts": [each.to_json() for each in self.artifacts],
            "missing": [{"role": each.role, "reason": each.reason} for each in self.missing],
            "candidates": [
                {**_via(each.via), "follow": each.follow, "reason": each.reason} for each in self.candidates
            ],
        }
        schema.check(RECORD, value, code="RECORD_FORMAT")
        data = canonical.dumps(value)
        if len(data) > MAX_BYTES:
            raise _refused(f"a record has at most {MAX_BYTES} bytes, got {len(data)}")
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Keys that are not known here are passed over. ``FormatError`` with code ``RECORD_FORMAT``."""
        try:
            value: Any = canonical.loads(data, max_bytes=MAX_BYTES)
            schema.check(RECORD, value)
            return cls._read(value)
        except FormatError as error:
            raise _refused(str(error)) from error

    @classmethod
    def _read(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            nonce=value["nonce"],
            capture_id=value["capture_id"],
            unit=value["unit"],
            parent=value["parent"],
            via=None if value["via"] is None else _read_via(value["via"]),
            depth=value["depth"],
            run=value["run"],
            job_sha256=Digest(value["job_sha256"]),
            started_sha256=Digest(value["started_sha256"]),
            requested_url=value["target"]["requested_url"],
            final_url=value["target"]["final_url"],
            title=value["target"]["title"],
            hops=tuple(
                Hop(
                    n=each["n"],
                    from_url=each["from"],
                    to_url=each["to"],
                    kind=HopKind(each["kind"]),
                    status=each["status"],
                    at=parse_utc(each["at"]),
                )
                for each in value["hops"]
            ),
            times={name: parse_utc(at) for name, at in value["times"].items()},
            circumstances={name: value[name] for name in (*SECTIONS, *LATER) if name in value},
            origin=Origin(value["origin"]),
            origin_reasons=tuple(value["origin_reasons"]),
            status=Status(value["status"]),
            outcome=Outcome(value["outcome"]),
            outcome_reason=value["outcome_reason"],
            http_status=value["http_status"],
            artifacts=tuple(Artifact.read(each) for each in value["artifacts"]),
            missing=tuple(Missing(role=Role(each["role"]), reason=each["reason"]) for each in value["missing"]),
            candidates=tuple(
                Candidate(via=_read_via(each), follow=each["follow"], reason=each["reason"])
                for each in value["candidates"]
            ),
        )


def quarantine_of(sections: Mapping[str, Json]) -> Mapping[str, Json]:
    """A record's section, of its JSON or its ``circumstances``; empty where it is not quarantined."""
    found = sections.get("quarantine")
    return found if isinstance(found, Mapping) else {}


def _via(via: Via) -> dict[str, Json]:
    return {"href": via.href, "text": via.text, "where": via.where}


def _read_via(value: Mapping[str, Any]) -> Via:
    return Via(href=value["href"], text=value["text"], where=value["where"])


def _refused(reason: str) -> FormatError:
    return FormatError(f"this is not a record: {reason}", code="RECORD_FORMAT")
