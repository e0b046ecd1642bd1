"""Agreement: what the catalogue says of one capture, held against the leaves and the record that it was taken from.

Pages are laid out by the catalogue, which is no evidence and may be a database that many can write to. So a badge that
holds has to mean that the row behind the page is what the log says, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from archive import indexer
from archive.errors import NotStored
from archive.index.rows import Entry
from archive.store import ObjectStore
from custody.checks.states import ENDS, RECORDED, status_of
from custody.errors import FormatError
from custody.event import Event

_OF_RECORD = ("origin", "final_url", "title", "parent", "surface", "shown", "platform", "quarantine")


def differing(store: ObjectStore, entry: Entry, started: Event, ended: Event) -> list[str]:
    """Names of what the row says otherwise. ``started``, ``ended``: of the leaves that the row names, believed.

    What a record says is compared where the record is what the log says; judging that is not done here. Raises
    ``StoreError`` where the store does not answer.
    """
    told = {**_by_start(started), **_by_end(ended)}
    if entry.disposed_at is None:  # else what was known of it was forgotten
        told |= _by_blobs(store, entry, started, ended)
    return sorted(name for name, value in told.items() if getattr(entry, name) != value)


def is_disposal(event: Event, entry: Entry) -> bool:
    """Whether this is what the row says: that its evidence was disposed of, and when."""
    is_own = event.type == "evidence.disposed" and event.body.get("item") == entry.unit
    return is_own and event.occurred_at == entry.disposed_at


def _by_start(event: Event) -> Mapping[str, Any]:
    """Another type of event says nothing of a start: then all of it differs."""
    if event.type != "capture.started":
        return {"capture_id": None}
    kind, _, unit = event.chain.partition(":")
    return {
        "capture_id": event.body["capture"],
        "unit": unit if kind == "item" else None,
        "started_at": event.occurred_at,
        "anchor": event.anchor,
    }


def _by_end(event: Event) -> Mapping[str, Any]:
    if event.type not in ENDS:
        return {"index": None}
    return {
        "ended_at": event.occurred_at,
        "status": status_of(event),
        "outcome": event.body.get("outcome"),
        "http_status": event.body.get("http_status"),
        "record_sha256": event.subjects[0].digest.hex if event.type in RECORDED else None,
    }


def _by_blobs(store: ObjectStore, entry: Entry, started: Event, ended: Event) -> Iterator[tuple[str, Any]]:
    """What the catalogue took from the job and from the record. A blob that cannot be read says nothing."""
    job = indexer.detail_of(store, started.subjects[0].digest)
    if isinstance(job.get("url"), str):
        yield "requested_url", indexer.text_of(job["url"], indexer.MAX_URL)
    if ended.type not in RECORDED or entry.trouble is not None:
        return
    try:
        record = indexer.record_of(store, ended.subjects[0].digest, capture_id=entry.capture_id)
    except (NotStored, FormatError):
        return
    told = indexer.told_by(record)
    yield from ((name, told[name]) for name in _OF_RECORD)
