"""What an event may say: a schema for each type, as data, and the small checker that holds values against them.

The schemas are JSON Schema 2020-12, of which the checker knows the few words in ``KEYWORDS``. No type has room for a
URL, a handle, a name or free text: every string is an enum, an id, a digest, a key, a number or an instant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from custody.canonical import MAX_INTEGER
from custody.errors import FormatError
from custody.fitting import fits
from custody.instant import parse_utc
from custody.model import Outcome, Status

Schema = Mapping[str, Any]

HEX64: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
NONCE: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
UTC: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
    "format": "date-time",
}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
UUID7: Schema = {"type": "string", "pattern": f"^{_UUID7}$"}
CHAIN: Schema = {
    "type": "string",
    "pattern": f"^(?:(?:item|scope|run|work):{_UUID7}|log:[a-z0-9][a-z0-9._-]{{0,199}})$",
}
LOG: Schema = {"type": "string", "pattern": "^(?=.{1,200}$)[a-z0-9][a-z0-9.-]*(?:/[a-z0-9][a-z0-9.-]*)*$"}
AUTHORITY: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{0,63}$"}
BASE64: Schema = {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"}
_KEY: Schema = {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}
_VKEY: Schema = {"type": "string", "pattern": r"^[a-z0-9./-]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$"}
_SERIAL: Schema = {"type": "string", "pattern": "^-?[0-9]{1,60}$"}
_VERSION: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}
_DAYS: Schema = {"type": "integer", "minimum": 1, "maximum": 36_500}
_PIXELS: Schema = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_HTTP_STATUS: Schema = {"type": "integer", "minimum": 100, "maximum": 999}


def enum(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def constant(value: str | int) -> Schema:
    return {"const": value}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, schema]}


def array(items: Schema, minimum: int = 0, maximum: int = 64) -> Schema:
    return {"type": "array", "items": items, "minItems": minimum, "maxItems": maximum}


def fields(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "required": sorted(required),
        "additionalProperties": False,
        "properties": {**required, **(optional or {})},
    }


def open_ended(schema: Schema) -> Schema:
    """The same object, in which a later version may have added keys that this one passes over."""
    return {**schema, "additionalProperties": True}


STAGES = ("visit", "hashing", "archiving", "recording")
"""Where a capture failed: while the browser looked, or in which pipeline stage."""
REASONS_ABANDONED = ("worker_died", "interrupted")
REASONS_REJECTED = (
    "ENTRY_PARSE", "ENTRY_SCHEMA", "EVENT_SIG", "EVENT_KEY_UNKNOWN", "EVENT_KEY_REVOKED",
    "AUTHORITY_MISSING", "EVENT_DUPLICATE",
)  # fmt: skip
"""Why the sequencer would not take an event out of the inbox."""
REASONS_REVOKED = ("rotated", "lost", "compromised")
PURPOSES_FIXITY = ("asked", "scheduled", "export", "certification")
ROLES = ("log", "worker", "person", "root")
CHANGES = (
    "link_added", "link_gone", "caption_edited", "bio_edited", "name_changed", "title_changed", "price_changed",
    "seller_changed", "availability_changed", "disclosure_added", "disclosure_removed", "picture_changed",
    "redirect_changed", "account_private", "post_removed", "listing_unavailable", "page_removed", "shown_again",
    "outcome_changed", "words_changed",
)  # fmt: skip
"""What became another between two looks at one address."""
STATEMENTS = ("fair_and_accurate", "differs")
"""What a person says who looked at the page and at the capture."""
PACKAGES = ("wacz-1.1.1",)
"""What a package is made by."""
DERIVED = ("redaction",)
"""Why something was derived from an artifact and kept."""
MAX_BOXES = 48
"""As many as a signed message has room for."""
RELATIONS = ("started_by", "derived_from", "about", "corrects", "releases", "renews", "control_for")


def _end(*statuses: Status) -> Mapping[str, Schema]:
    return {
        "capture": UUID7,
        "status": enum(*statuses),
        "outcome": enum(*Outcome),
        "http_status": nullable(_HTTP_STATUS),
        "started_at": UTC,
        "ended_at": UTC,
    }


By = Literal["worker", "person", "people", "root"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What is particular to one type of event."""

    body: Schema
    subject: str
    """The name of its one subject, always the same, so that a name says nothing."""
    chains: tuple[str, ...]
    """The kinds of chain that it may stand in."""
    relation: str | None = None
    """The ``rel`` of its one reference; None: it has no references."""
    by: By = "worker"
    """Whose signatures it needs; docs/manifest.md, "Events", says what each word asks for."""

    @property
    def by_root(self) -> bool:
        """It changes who is believed, and needs as many root signatures as the trust file says."""
        return self.by == "root"


KINDS: Mapping[str, Kind] = {
    "log.opened": Kind(body=fields(log=LOG, vkey=_VKEY), subject="policy.json", chains=("log",), by="root"),
    "key.introduced": Kind(
        body=fields(keyid=HEX64, role=enum(*ROLES), public_key=_KEY, valid_from=UTC),
        subject="key.pem",
        chains=("log",),
        by="root",
    ),
    "key.revoked": Kind(
        body=fields(keyid=HEX64, reason=enum(*REASONS_REVOKED), since=UTC),
        subject="revocation.json",
        chains=("log",),
        by="root",
    ),
    "trust.changed": Kind(
        body=fields(authorities=array(AUTHORITY, maximum=16)), subject="trust.json", chains=("log",), by="root"
    ),
    "storage.probed": Kind(
        body=fields(passed={"type": "boolean"}, bypass=enum("yes", "no", "unknown")),
        subject="probe.json",
        chains=("log",),
    ),
    "log.timestamped": Kind(
        body=fields(size=COUNT, authority=AUTHORITY, gen_time=UTC, serial=_SERIAL),
        subject="token.tsr",
        chains=("log",),
    ),
    "run.opened": Kind(body=fields(purpose=enum("case")), subject="run.json", chains=("run",)),
    "run.closed": Kind(
        body=fields(captures=COUNT, complete=COUNT, partial=COUNT, failed=COUNT, lost=COUNT),
        subject="run-closed.json",
        chains=("run",),
    ),
    "case.opened": Kind(body=fields(), subject="case.json", chains=("scope",)),
    "case.described": Kind(body=fields(version=_VERSION), subject="brief.json", chains=("work",), by="person"),
    "findings.made": Kind(body=fields(promotions=COUNT, candidates=COUNT), subject="findings.jsonl", chains=("work",)),
    "exhibits.frozen": Kind(
        body=fields(version=_VERSION, first=_VERSION, exhibits=COUNT),
        subject="exhibits.json",
        chains=("work",),
        by="person",
    ),
    "certificate.drafted": Kind(
        body=fields(documents=COUNT, exhibits=COUNT, specimen={"type": "boolean"}),
        subject="certificate.json",
        chains=("work",),
    ),
    "item.assigned": Kind(body=fields(item=UUID7), subject="item.json", chains=("scope",)),
    "capture.started": Kind(
        body=fields(
            {"look_id": UUID7}, capture=UUID7, attempt={"type": "integer", "minimum": 1, "maximum": 1000}, deadline=UTC
        ),
        subject="job.json",
        chains=("item",),
    ),
    "capture.completed": Kind(
        body=fields(**_end(Status.COMPLETE, Status.PARTIAL)),
        subject="record.json",
        chains=("item",),
        relation="started_by",
    ),
    "capture.failed": Kind(
        body=fields(**_end(Status.FAILED), stage=enum(*STAGES)),
        subject="record.json",
        chains=("item",),
        relation="started_by",
    ),
    "capture.abandoned": Kind(
        body=fields(capture=UUID7, reason=enum(*REASONS_ABANDONED)),
        subject="detail.json",
        chains=("item",),
        relation="started_by",
    ),
    "look.unchanged": Kind(
        body=fields(
            capture=UUID7,
            compared_with=UUID7,
            outcome=enum(*Outcome),
            http_status=nullable(_HTTP_STATUS),
            started_at=UTC,
            ended_at=UTC,
        ),
        subject="look.json",
        chains=("item",),
        relation="started_by",
    ),
    "change.observed": Kind(
        body=fields(
            capture=UUID7,
            before=UUID7,
            changes={"type": "integer", "minimum": 1, "maximum": 1000},
            kinds=array(enum(*CHANGES), 1, len(CHANGES)),
        ),
        subject="change.json",
        chains=("work",),
        relation="about",
    ),
    "looks.compared": Kind(
        body=fields(
            capture=UUID7,
            other=UUID7,
            other_sha256=HEX64,
            operator=enum("same", "other"),
            differences=COUNT,
            apart_s=COUNT,
        ),
        subject="agreement.json",
        chains=("work",),
        relation="about",
    ),
    "instruction.received": Kind(body=fields(rows=COUNT), subject="instruction", chains=("work",)),
    "package.made": Kind(
        body=fields(format=enum(*PACKAGES), members=COUNT, members_sha256=HEX64),
        subject="package.wacz",
        chains=("item",),
        relation="derived_from",
    ),
    "artifact.derived": Kind(
        body=fields(
            purpose=enum(*DERIVED),
            capture=UUID7,
            of_sha256=HEX64,
            boxes=array(fields(x=_PIXELS, y=_PIXELS, width=_PIXELS, height=_PIXELS), 1, MAX_BOXES),
        ),
        subject="redacted.png",
        chains=("item",),
        relation="derived_from",
    ),
    "evidence.received": Kind(
        body=fields(files=COUNT, bytes=COUNT), subject="received.json", chains=("item",), by="person"
    ),
    "artifact.archived": Kind(
        body=fields(blobs=COUNT, bytes=COUNT), subject="replica.json", chains=("log", "run", "work")
    ),
    "event.rejected": Kind(
        body=fields(reason=enum(*REASONS_REJECTED), bytes_sha256=HEX64), subject="rejected.json", chains=("log",)
    ),
    "retention.set": Kind(body=fields(days=_DAYS), subject="retention.json", chains=("scope",)),
    "fixity.verified": Kind(
        body=fields(
            purpose=enum(*PURPOSES_FIXITY),
            method=enum("download", "store_checksum"),
            checked=COUNT,
            failed=COUNT,
            bytes=COUNT,
        ),
        subject="fixity.json",
        chains=("work",),
    ),
    "evidence.held": Kind(body=fields(item=UUID7), subject="hold.json", chains=("work",), by="person"),
    "evidence.released": Kind(
        body=fields(item=UUID7), subject="release.json", chains=("work",), relation="releases", by="people"
    ),
    "evidence.disposed": Kind(
        body=fields(item=UUID7, blobs=COUNT, bytes=COUNT), subject="disposal.json", chains=("work",), by="people"
    ),
    "disposal.completed": Kind(
        body=fields(item=UUID7, removed=COUNT, refused=COUNT),
        subject="disposal-report.json",
        chains=("work",),
        relation="about",
    ),
    "record.corrected": Kind(
        body=fields(capture=UUID7), subject="correction.json", chains=("work",), relation="corrects", by="person"
    ),
    "evidence.allowed": Kind(
        body=fields(capture=UUID7), subject="decision.json", chains=("work",), relation="about", by="person"
    ),
    "evidence.accessed": Kind(body=fields(looked=COUNT, took=COUNT), subject="accesses.jsonl", chains=("work",)),
    "capture.witnessed": Kind(
        body=fields(capture=UUID7, statement=enum(*STATEMENTS), keyid=nullable(HEX64)),
        subject="statement.json",
        chains=("work",),
        relation="about",
    ),
    "evidence.exported": Kind(
        body=fields(entries=COUNT, blobs=COUNT, bytes=COUNT), subject="export.json", chains=("work",)
    ),
}
"""The types of version 1. A type that is not here verifies with a note."""

TYPE_PATTERN = "[a-z]{1,32}\\.[a-z_]{1,32}/v[1-9][0-9]{0,3}"

KEYWORDS = frozenset({
    "type", "const", "enum", "pattern", "format", "minimum", "maximum", "anyOf", "items", "minItems", "maxItems",
    "required", "properties", "additionalProperties", "maxLength", "propertyNames", "maxProperties",
})  # fmt: skip
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "string": str,
    "array": (list, tuple),
    "object": Mapping,
}


def check(schema: Schema, value: Any, path: str = "$", *, code: str = "ENTRY_SCHEMA") -> None:
    """Return, or raise ``FormatError`` that names the first place where the value is not what the schema says."""
    if not fits(schema, value):
        explain(schema, value, path, code=code)


def explain(schema: Schema, value: Any, path: str = "$", *, code: str = "ENTRY_SCHEMA") -> None:
    """As ``check``, word by word: what it refuses is refused. Slow; ``check`` asks it when ``fits`` has said no."""
    if "anyOf" in schema:
        _check_any(schema["anyOf"], value, path, code)
        return
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        raise _refused(path, f"expected {schema['const']!r}, got {value!r:.80}", code)
    if "type" in schema:
        kind = schema["type"]
        # bool is an int to Python, not to JSON
        if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
            raise _refused(path, f"expected {kind}, got {type(value).__name__}", code)
        _CHECKS.get(kind, _check_nothing)(schema, value, path, code)


def _check_nothing(schema: Schema, value: Any, path: str, code: str) -> None:
    pass


def _check_any(schemas: Sequence[Schema], value: Any, path: str, code: str) -> None:
    *others, last = schemas
    for each in others:
        try:
            explain(each, value, path, code=code)
        except FormatError:
            continue
        return
    explain(last, value, path, code=code)


def _check_string(schema: Schema, value: str, path: str, code: str) -> None:
    if "enum" in schema and value not in schema["enum"]:
        raise _refused(path, f"expected one of {', '.join(schema['enum'])}; got {value!r:.80}", code)
    if len(value) > schema.get("maxLength", len(value)):
        raise _refused(path, f"expected at most {schema['maxLength']} characters, got {len(value)}", code)
    if "pattern" in schema and not _pattern(schema["pattern"]).fullmatch(value):
        raise _refused(path, f"expected {schema['pattern']}, got {value!r:.80}", code)
    if schema.get("format") == "date-time":
        try:
            parse_utc(value)
        except FormatError as error:
            raise _refused(path, str(error), code) from error


def _check_integer(schema: Schema, value: int, path: str, code: str) -> None:
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise _refused(path, f"expected {schema.get('minimum')} to {schema.get('maximum')}, got {value}", code)


def _check_array(schema: Schema, value: Sequence[Any], path: str, code: str) -> None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        wanted = f"{schema.get('minItems', 0)} to {schema.get('maxItems')}"
        raise _refused(path, f"expected {wanted} elements, got {len(value)}", code)
    for at, each in enumerate(value):
        explain(schema["items"], each, f"{path}[{at}]", code=code)


def _check_object(schema: Schema, value: Mapping[str, Any], path: str, code: str) -> None:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    if missing := set(schema.get("required", ())) - value.keys():
        raise _refused(path, f"expected the key {min(missing)!r}", code)
    if len(value) > schema.get("maxProperties", len(value)):
        raise _refused(path, f"expected at most {schema['maxProperties']} keys, got {len(value)}", code)
    for key, each in value.items():
        if not isinstance(key, str):
            raise _refused(path, f"expected text as key, got {type(key).__name__}", code)
        explain(schema.get("propertyNames", {}), key, f"{path}.{key:.80}", code=code)
        if key in properties:
            explain(properties[key], each, f"{path}.{key}", code=code)
        elif others is False:
            raise _refused(path, f"the key {key[:80]!r} is not known here", code)
        elif others is not True:
            explain(others, each, f"{path}.{key:.80}", code=code)


_CHECKS: Mapping[str, Callable[[Schema, Any, str, str], None]] = {
    "string": _check_string,
    "integer": _check_integer,
    "array": _check_array,
    "object": _check_object,
}


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    # Python's "$" lets a newline follow; fullmatch, and no anchors, do not.
    return re.compile(pattern.removeprefix("^").removesuffix("$"))


def _refused(path: str, reason: str, code: str) -> FormatError:
    return FormatError(f"{path}: {reason}", code=code)
