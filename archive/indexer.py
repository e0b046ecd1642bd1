"""Events of the log -> rows of the catalogue. Reads the blobs they name, believes none of them, and keeps little."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from archive.errors import NotStored
from archive.index.database import Change
from archive.index.forgetting import Disposal
from archive.index.rows import artifacts_text, prefix_of
from archive.index.tables import ARTIFACT, CHUNK_LEAVES, JOB, RECORD, SPAN_LEAVES, SUBJECT
from archive.log import LoggedEvent
from archive.reading import reading_of
from archive.store import ObjectStore
from archive.surface import platform_of, shown_of, surface_of
from custody import canonical, keyspace
from custody.checks.states import ENDS, RECORDED, status_of
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc
from custody.record import MAX_BYTES, Record, quarantine_of

_INSERT_START = (
    "INSERT INTO captures"
    " (capture_id, unit, parent, started_at, started_index, started_sha256, job_sha256, requested_url, url_key, host"
    ", anchor_size, anchor_sha256, look_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT_BRIEF = (
    "INSERT INTO briefs SELECT ?, ?, ?, ?, ? WHERE ? = 1 +"
    " (SELECT coalesce(max(version), 0) FROM briefs WHERE scope = ?) ON CONFLICT DO NOTHING"
)
"""Of two versions with one number, the first in the log counts."""
_OF_START = "capture_id = ? AND unit = ? AND started_sha256 = ?"
_OF_END = f"FROM captures WHERE {_OF_START} AND end_index = ?"
_INSERT_DIGEST = f"INSERT INTO digests SELECT ?, ?, started_index {_OF_END}"
_PLACE_CAPTURE = (
    "INSERT INTO placed SELECT scope, captures.started_index FROM members JOIN captures ON captures.unit = members.unit"
    " WHERE captures.started_index = ? ON CONFLICT DO NOTHING"
)
_PLACE_UNIT = "INSERT INTO placed SELECT ?, started_index FROM captures WHERE unit = ? ON CONFLICT DO NOTHING"
_UNPACK_END = f"DELETE FROM packed WHERE chunk IN (SELECT started_index / {CHUNK_LEAVES} {_OF_END})"  # noqa: S608  # ours
_INSERT_KEPT = f"INSERT INTO kept SELECT started_index, ? {_OF_END} ON CONFLICT DO NOTHING"
_SPAN = (
    "INSERT INTO spans VALUES (?, ?, ?) ON CONFLICT (span) DO UPDATE SET oldest = CASE WHEN excluded.oldest <"
    " spans.oldest THEN excluded.oldest ELSE spans.oldest END, newest = CASE WHEN excluded.newest > spans.newest THEN"
    " excluded.newest ELSE spans.newest END"
)
_TO_READ = f"INSERT INTO unread SELECT started_index, 0 {_OF_END} ON CONFLICT DO NOTHING"

ACTS = frozenset({
    "evidence.held", "evidence.released", "evidence.disposed", "record.corrected", "evidence.allowed",
    "evidence.received", "capture.witnessed",
})  # fmt: skip
"""What is done with evidence later; and what others handed over, which has no capture."""
Step = Change | Disposal

MAX_DETAIL_BYTES = 64 * 1024
MAX_ARTIFACTS = 1_000
"""Of one capture; the record names them all."""
MAX_URL = 16_384
_MAX_WORDS = 1_000


def changes(store: ObjectStore, logged: LoggedEvent) -> list[Step]:
    """What an event changes in the catalogue, in order. Raises ``StoreError`` where the store does not answer.

    A blob that is gone, damaged, too long or of another form is a capture's ``trouble``: judging it is for ``verify``.
    """
    event = logged.event
    kind, _, chain = event.chain.partition(":")
    if event.type == "capture.started" and kind == "item":
        return list(_started(store, logged, unit=chain))
    if event.type in ENDS and kind == "item":
        return list(_ended(store, logged, unit=chain))
    steps: list[Step] = list(_listed(logged))
    if event.type == "case.opened":
        detail = detail_of(store, event.subjects[0].digest)
        name = text_of(detail.get("name"), _MAX_WORDS) if detail.get("scope") == chain else None
        steps.append(("INSERT INTO cases VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (chain, name, logged.index)))
    elif event.type == "item.assigned":
        unit = event.body["item"]
        steps.append(("INSERT INTO members VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (chain, unit, logged.index)))
        steps.append((_PLACE_UNIT, (chain, unit)))
    elif event.type == "case.described":
        version, digest = event.body["version"], event.subjects[0].digest.hex
        row = (chain, version, logged.index, format_utc(event.occurred_at), digest, version, chain)
        steps.append((_INSERT_BRIEF, row))
    elif event.type == "log.timestamped":
        token = (event.body["authority"], event.body["size"], event.subjects[0].digest.hex, logged.index)
        steps.append(("INSERT INTO tokens VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", token))
    elif event.type in ACTS:
        steps += _acts(logged)
    return steps


def _listed(logged: LoggedEvent) -> Iterator[Change]:
    """Every event but the starts and ends of captures, which have rows of their own."""
    event, payload = logged.event, logged.leaf.event.payload_sha256.hex
    kind, _, chain = event.chain.partition(":")
    item, capture = text_of(event.body.get("item"), _MAX_WORDS), text_of(event.body.get("capture"), _MAX_WORDS)
    subjects = [[each.name[:_MAX_WORDS], each.digest.hex, each.bytes] for each in event.subjects[:MAX_ARTIFACTS]]
    told = json.dumps(subjects, ensure_ascii=False, separators=(",", ":"))
    at = format_utc(event.occurred_at)
    item = chain if kind == "item" else item
    row = (logged.index, logged.n, event.type, event.chain, item, capture, at, event.event_id, payload, told)
    yield "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
    for sha256 in dict.fromkeys(each.digest.hex for each in event.subjects[:MAX_ARTIFACTS]):
        place = (prefix_of(sha256), SUBJECT, logged.index)
        yield "INSERT INTO digests VALUES (?, ?, ?)", place


def _acts(logged: LoggedEvent) -> Iterator[Step]:
    """What is disposed of is forgotten here too, unless a hold came first: then it is not disposed of."""
    event, payload = logged.event, logged.leaf.event.payload_sha256.hex
    unit, capture = event.body.get("item"), event.body.get("capture")
    if event.type == "evidence.received":
        unit = event.chain.partition(":")[2]
    at, refers_to = format_utc(event.occurred_at), next((ref.payload_sha256.hex for ref in event.refs), None)
    detail = event.subjects[0].digest.hex
    row = (logged.index, event.type, unit, capture, at, payload, refers_to, detail)
    yield "INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
    if event.type == "evidence.disposed":
        yield Disposal(str(unit), at)


def _started(store: ObjectStore, logged: LoggedEvent, *, unit: str) -> Iterator[Change]:
    event = logged.event
    job = detail_of(store, event.subjects[0].digest)
    url, key, parent = (text_of(job.get(name), MAX_URL) for name in ("url", "url_key", "parent"))
    at, started = format_utc(event.occurred_at), logged.leaf.event.payload_sha256.hex
    anchor = (None, None) if event.anchor is None else (event.anchor.size, event.anchor.token_sha256.hex)
    asked = event.subjects[0].digest.hex
    look = text_of(event.body.get("look_id"), _MAX_WORDS)
    of = (event.body["capture"], unit, parent, at, logged.index, started, asked, url, key or url, host_of(url))
    yield _INSERT_START, (*of, *anchor, look)
    yield _PLACE_CAPTURE, (logged.index,)
    yield _SPAN, (logged.index // SPAN_LEAVES, at, at)
    place = (prefix_of(asked), JOB, logged.index)
    yield "INSERT INTO digests VALUES (?, ?, ?)", place
    yield "DELETE FROM packed WHERE chunk = ?", (logged.index // CHUNK_LEAVES,)


def _ended(store: ObjectStore, logged: LoggedEvent, *, unit: str) -> Iterator[Change]:
    """An end belongs to the start that it refers to, in the same chain; an end of nothing changes nothing."""
    event = logged.event
    begun = next((ref.payload_sha256.hex for ref in event.refs if ref.rel == "started_by"), "")
    body = event.body
    values: dict[str, object] = {
        "ended_at": format_utc(event.occurred_at),
        "end_index": logged.index,
        "status": status_of(event),
        "outcome": body.get("outcome"),
        "http_status": body.get("http_status"),
    }
    record: Record | None = None
    if event.type in RECORDED:
        digest = event.subjects[0].digest
        values["record_sha256"] = digest.hex
        try:
            record = record_of(store, digest, capture_id=str(body["capture"]))
        except (NotStored, FormatError) as error:
            values["trouble"] = str(error)[:300]
    if record is not None:
        values |= told_by(record)
    assigned = ", ".join(f"{name} = ?" for name in values)
    start = (body["capture"], unit, begun)
    yield f"UPDATE captures SET {assigned} WHERE {_OF_START} AND end_index IS NULL", (*values.values(), *start)  # noqa: S608  # names of ours
    end = (*start, logged.index)
    if event.type not in RECORDED:
        yield from _listed(logged)  # what it names is no record, and is found as the blob of an event
    else:
        yield _INSERT_DIGEST, (prefix_of(event.subjects[0].digest.hex), RECORD, *end)
    if record is not None:
        for each in dict.fromkeys(artifact.digest.hex for artifact in record.artifacts[:MAX_ARTIFACTS]):
            yield _INSERT_DIGEST, (prefix_of(each), ARTIFACT, *end)
        yield _INSERT_KEPT, (artifacts_of(record), *end)
        yield _TO_READ, end
    yield _UNPACK_END, end


def told_by(record: Record) -> dict[str, object]:
    """What a record says of its capture, by the catalogue's columns."""
    reading = reading_of(record.circumstances)
    platform = text_of(platform_of(record.circumstances), _MAX_WORDS)
    read_by = text_of(reading.get("platform"), _MAX_WORDS)
    told: dict[str, object] = {
        "origin": record.origin.value,
        "final_url": text_of(record.final_url, MAX_URL),
        "title": text_of(record.title, _MAX_WORDS),
        "parent": record.parent,
        "surface": text_of(surface_of(record.circumstances), _MAX_WORDS),
        "shown": shown_of(record.circumstances, record.outcome, record.http_status)[:_MAX_WORDS],
        "platform": platform,
        "reader": platform or read_by,
        "kind": text_of(reading.get("kind"), _MAX_WORDS),
        "quarantine": text_of(quarantine_of(record.circumstances).get("reason"), _MAX_WORDS),
    }
    host = host_of(record.final_url)
    return told if host is None else {**told, "host": host}


def artifacts_of(record: Record) -> str:
    """As the catalogue keeps them (``archive.index.rows``)."""
    return artifacts_text(
        [
            (each.role, each.name[:_MAX_WORDS], each.digest.hex, each.bytes, each.media_type[:_MAX_WORDS])
            for each in record.artifacts[:MAX_ARTIFACTS]
        ]
    )


def host_of(url: str | None) -> str | None:
    """In small letters; None where there is none to be read."""
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return text_of(host, 253) or None


def record_of(store: ObjectStore, digest: Digest, *, capture_id: str) -> Record:
    record = Record.parse(_read(store, digest, MAX_BYTES))
    if record.capture_id != capture_id:
        raise FormatError(f"the record {digest} is of another capture, {record.capture_id}")
    return record


def detail_of(store: ObjectStore, digest: Digest) -> dict[str, Any]:
    """A small JSON blob; empty where it is gone, damaged or no object."""
    try:
        value = canonical.loads(_read(store, digest, MAX_DETAIL_BYTES))
    except (NotStored, FormatError):
        return {}
    return dict(value) if isinstance(value, dict) else {}


def text_of(value: object, longest: int) -> str | None:
    # PostgreSQL's texts hold no NUL.
    return value[:longest].replace("\0", "\ufffd") if isinstance(value, str) else None


def _read(store: ObjectStore, digest: Digest, limit: int) -> bytes:
    with store.open(keyspace.blob(digest)) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(f"the blob {digest} is longer than the {limit} bytes that are read of it")
    if Digest.of(data) != digest:
        raise FormatError(f"the blob {digest} is not what its key says")
    return data
