"""Events of the log -> rows of the catalogue. Reads the blobs they name, believes none of them, and keeps little."""

from collections.abc import Iterator, Sequence
from typing import Any

from archive.errors import NotStored
from archive.log import LoggedEvent
from archive.store import ObjectStore
from archive.surface import platform_of, shown_of, surface_of
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc
from custody.record import MAX_BYTES, Record, quarantine_of

Change = tuple[str, Sequence[object]]
"""One SQL statement and what goes into it."""

TABLES = (
    "CREATE TABLE followed (log TEXT NOT NULL, n INTEGER NOT NULL, size INTEGER NOT NULL, commit_sha256 TEXT)",
    "CREATE TABLE cases (scope TEXT PRIMARY KEY, name TEXT)",
    "CREATE TABLE members (scope TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (scope, unit)) WITHOUT ROWID",
    """CREATE TABLE briefs (
    scope TEXT NOT NULL, version INTEGER NOT NULL, leaf_index INTEGER NOT NULL, at TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (scope, version)) WITHOUT ROWID""",
    """CREATE TABLE captures (
    capture_id TEXT PRIMARY KEY, unit TEXT NOT NULL, parent TEXT,
    started_at TEXT NOT NULL, started_index INTEGER NOT NULL, started_sha256 TEXT NOT NULL UNIQUE,
    anchor_size INTEGER, anchor_sha256 TEXT,
    ended_at TEXT, end_index INTEGER, status TEXT, outcome TEXT, origin TEXT, http_status INTEGER,
    requested_url TEXT, final_url TEXT, title TEXT, url_key TEXT, record_sha256 TEXT, trouble TEXT,
    disposed_at TEXT, quarantine TEXT, surface TEXT, shown TEXT, platform TEXT)""",
    "CREATE INDEX captures_by_url ON captures (url_key, started_index)",
    "CREATE INDEX captures_by_unit ON captures (unit)",
    "CREATE INDEX captures_in_order ON captures (started_index)",
    """CREATE TABLE artifacts (
    capture_id TEXT NOT NULL, place INTEGER NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL, media_type TEXT NOT NULL, PRIMARY KEY (capture_id, place)) WITHOUT ROWID""",
    "CREATE INDEX artifacts_by_digest ON artifacts (sha256)",
    """CREATE TABLE acts (
    leaf_index INTEGER PRIMARY KEY, type TEXT NOT NULL, unit TEXT, capture_id TEXT, at TEXT NOT NULL,
    payload TEXT NOT NULL, refers_to TEXT, detail TEXT NOT NULL)""",
    """CREATE TABLE tokens (
    authority TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (authority, size, sha256)
    ) WITHOUT ROWID""",
    "CREATE INDEX tokens_by_digest ON tokens (sha256)",
    "CREATE INDEX acts_by_unit ON acts (unit)",
    "CREATE INDEX acts_by_capture ON acts (capture_id)",
)

_INSERT_START = (
    "INSERT OR IGNORE INTO captures"
    " (capture_id, unit, parent, started_at, started_index, started_sha256, requested_url, url_key"
    ", anchor_size, anchor_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_BRIEF = (
    "INSERT OR IGNORE INTO briefs SELECT ?, ?, ?, ?, ? WHERE ? = 1 +"
    " (SELECT coalesce(max(version), 0) FROM briefs WHERE scope = ?)"
)
"""Of two versions with one number, the first in the log counts."""
_OF_START = "capture_id = ? AND unit = ? AND started_sha256 = ?"
_INSERT_ARTIFACT = (
    "INSERT OR IGNORE INTO artifacts SELECT capture_id, ?, ?, ?, ?, ?, ? FROM captures"
    " WHERE capture_id = ? AND unit = ? AND started_sha256 = ? AND end_index = ?"
)

ACTS = frozenset({
    "evidence.held", "evidence.released", "evidence.disposed", "record.corrected", "evidence.allowed",
    "evidence.received", "capture.witnessed",
})  # fmt: skip
"""What is done with evidence later; and what others handed over, which has no capture."""
HELD = (
    "SELECT {columns} FROM acts AS held WHERE held.type = 'evidence.held' AND held.unit = ? AND NOT EXISTS"
    " (SELECT 1 FROM acts AS released WHERE released.type = 'evidence.released' AND released.refers_to = held.payload)"
)
"""Holds on a unit that nothing has released."""

_FORGET_CAPTURES = (
    "UPDATE captures SET disposed_at = ?, requested_url = '', final_url = NULL, title = NULL, url_key = NULL,"  # noqa: S608  # ours
    " platform = NULL, trouble = NULL WHERE unit = ? AND disposed_at IS NULL"
    f" AND NOT EXISTS ({HELD.format(columns='1')})"
)
_FORGET_ARTIFACTS = (
    "DELETE FROM artifacts WHERE capture_id IN"
    " (SELECT capture_id FROM captures WHERE unit = ? AND disposed_at IS NOT NULL)"
)

MAX_DETAIL_BYTES = 64 * 1024
MAX_ARTIFACTS = 1_000
"""Of one capture; the record names them all."""
_MAX_URL = 16_384
_MAX_WORDS = 1_000


def changes(store: ObjectStore, logged: LoggedEvent) -> list[Change]:
    """What an event changes in the catalogue. Raises ``StoreError`` where the store does not answer.

    A blob that is gone, damaged, too long or of another form is a capture's ``trouble``: judging it is for ``verify``.
    """
    event = logged.event
    kind, _, chain = event.chain.partition(":")
    if event.type == "case.opened":
        detail = _detail(store, event.subjects[0].digest)
        name = _text(detail.get("name"), _MAX_WORDS) if detail.get("scope") == chain else None
        return [("INSERT OR IGNORE INTO cases VALUES (?, ?)", (chain, name))]
    if event.type == "item.assigned":
        return [("INSERT OR IGNORE INTO members VALUES (?, ?)", (chain, event.body["item"]))]
    if event.type == "case.described":
        version, digest = event.body["version"], event.subjects[0].digest.hex
        row = (chain, version, logged.index, format_utc(event.occurred_at), digest, version, chain)
        return [(_INSERT_BRIEF, row)]
    if event.type == "capture.started" and kind == "item":
        return [_started(store, logged, unit=chain)]
    if event.type in {"capture.completed", "capture.failed", "capture.abandoned"} and kind == "item":
        return list(_ended(store, logged, unit=chain))
    if event.type == "log.timestamped":
        token = (event.body["authority"], event.body["size"], event.subjects[0].digest.hex)
        return [("INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)", token)]
    if event.type in ACTS:
        return list(_acts(logged))
    return []


def _acts(logged: LoggedEvent) -> Iterator[Change]:
    """What is disposed of is forgotten here too, unless a hold came first: then it is not disposed of."""
    event, payload = logged.event, logged.leaf.event.payload_sha256.hex
    unit, capture = event.body.get("item"), event.body.get("capture")
    if event.type == "evidence.received":
        unit = event.chain.partition(":")[2]
    at, refers_to = format_utc(event.occurred_at), next((ref.payload_sha256.hex for ref in event.refs), None)
    detail = event.subjects[0].digest.hex
    row = (logged.index, event.type, unit, capture, at, payload, refers_to, detail)
    yield "INSERT OR IGNORE INTO acts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
    if event.type == "evidence.disposed":
        yield _FORGET_CAPTURES, (at, unit, unit)
        yield _FORGET_ARTIFACTS, (unit,)


def _started(store: ObjectStore, logged: LoggedEvent, *, unit: str) -> Change:
    event = logged.event
    job = _detail(store, event.subjects[0].digest)
    url, key, parent = (_text(job.get(name), _MAX_URL) for name in ("url", "url_key", "parent"))
    at, started = format_utc(event.occurred_at), logged.leaf.event.payload_sha256.hex
    anchor = (None, None) if event.anchor is None else (event.anchor.size, event.anchor.token_sha256.hex)
    return _INSERT_START, (event.body["capture"], unit, parent, at, logged.index, started, url, key or url, *anchor)


def _ended(store: ObjectStore, logged: LoggedEvent, *, unit: str) -> Iterator[Change]:
    """An end belongs to the start that it refers to, in the same chain; an end of nothing changes nothing."""
    event = logged.event
    begun = next((ref.payload_sha256.hex for ref in event.refs if ref.rel == "started_by"), "")
    body = event.body
    values: dict[str, object] = {
        "ended_at": format_utc(event.occurred_at),
        "end_index": logged.index,
        "status": body.get("status", "abandoned"),
        "outcome": body.get("outcome"),
        "http_status": body.get("http_status"),
    }
    record: Record | None = None
    if event.type != "capture.abandoned":
        digest = event.subjects[0].digest
        values["record_sha256"] = digest.hex
        try:
            record = _record(store, digest, capture_id=str(body["capture"]))
        except (NotStored, FormatError) as error:
            values["trouble"] = str(error)[:300]
    if record is not None:
        values |= {
            "origin": record.origin.value,
            "final_url": _text(record.final_url, _MAX_URL),
            "title": _text(record.title, _MAX_WORDS),
            "parent": record.parent,
            "surface": _text(surface_of(record.circumstances), _MAX_WORDS),
            "shown": shown_of(record.circumstances, record.outcome, record.http_status)[:_MAX_WORDS],
            "platform": _text(platform_of(record.circumstances), _MAX_WORDS),
            "quarantine": _text(quarantine_of(record.circumstances).get("reason"), _MAX_WORDS),
        }
    assigned = ", ".join(f"{name} = ?" for name in values)
    start = (body["capture"], unit, begun)
    yield f"UPDATE captures SET {assigned} WHERE {_OF_START} AND end_index IS NULL", (*values.values(), *start)  # noqa: S608  # names of ours
    for place, each in enumerate(record.artifacts[:MAX_ARTIFACTS] if record is not None else ()):
        kept = (place, each.role, each.name[:_MAX_WORDS], each.digest.hex, each.bytes, each.media_type[:_MAX_WORDS])
        yield _INSERT_ARTIFACT, (*kept, *start, logged.index)


def _record(store: ObjectStore, digest: Digest, *, capture_id: str) -> Record:
    record = Record.parse(_read(store, digest, MAX_BYTES))
    if record.capture_id != capture_id:
        raise FormatError(f"the record {digest} is of another capture, {record.capture_id}")
    return record


def _detail(store: ObjectStore, digest: Digest) -> dict[str, Any]:
    """A small JSON blob; empty where it is gone, damaged or no object."""
    try:
        value = canonical.loads(_read(store, digest, MAX_DETAIL_BYTES))
    except (NotStored, FormatError):
        return {}
    return dict(value) if isinstance(value, dict) else {}


def _text(value: object, longest: int) -> str | None:
    return value[:longest] if isinstance(value, str) else None


def _read(store: ObjectStore, digest: Digest, limit: int) -> bytes:
    with store.open(keyspace.blob(digest)) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(f"the blob {digest} is longer than the {limit} bytes that are read of it")
    if Digest.of(data) != digest:
        raise FormatError(f"the blob {digest} is not what its key says")
    return data
