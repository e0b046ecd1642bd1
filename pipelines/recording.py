"""Stored -> Recorded: the record is written last, its event appended, and both read back before anything is claimed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from archive.acquisition import Acquisition, acquisition_of
from archive.reading import reading_of
from archive.receipt import Receipt
from archive.result import Captured, Kept
from archive.surface import shown_of, surface_of
from archive.wrapping import wrappers_of
from custody import keyspace
from custody.artifact import Artifact as Entry
from custody.artifact import Lock
from custody.model import Role, Snapshot, Visit
from custody.record import NAME, Record, quarantine_of
from pipelines.stages import Artifact, Recorded, Stored

_THREADS = 8  # an end may wait for others to go with: it must not take a thread from those that it waits for


class Recording:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "recording")

    def close_spider(self) -> None:
        self._threads.shutdown(wait=False)

    async def process_item(self, item: Stored) -> Recorded:
        acquisition = acquisition_of(item.visit.run)
        acquisition.enter(item.visit.capture_id, "recording")
        return await asyncio.get_running_loop().run_in_executor(self._threads, record, acquisition, item)


def record(acquisition: Acquisition, item: Stored) -> Recorded:
    """Blocking. Raises when the record or its event did not become durable; the journal keeps them then."""
    visit = item.visit
    entries = tuple(_entry(each) for each in item.artifacts)
    data = Record.of(visit, artifacts=entries, nonce=acquisition.nonce()).format()
    snapshot = acquisition.visit_spool(visit.capture_id).write(Role.RECORD, NAME, "application/json", data)
    receipt = acquisition.end(
        capture_id=visit.capture_id,
        unit=visit.unit,
        started=visit.started,
        record=snapshot,
        files=visit.snapshots,
        status=visit.status,
        outcome=visit.outcome,
        http_status=visit.http_status,
        started_at=_began(visit),
        ended_at=visit.times["closed_at"],
        stage="visit",
        together=True,
    )
    acquisition.captured.append(_captured(item, snapshot, acquisition.log, receipt))
    return Recorded(
        visit=visit,
        artifacts=item.artifacts,
        record_sha256=snapshot.digest,
        record_bytes=snapshot.bytes,
        record_key=keyspace.blob(snapshot.digest),
        log=acquisition.log,
        index=None if receipt is None else receipt.index,
        tree_size=None if receipt is None else receipt.tree_size,
    )


def _captured(item: Stored, written: Snapshot, log: str, receipt: Receipt | None) -> Captured:
    visit = item.visit
    kept = [_kept(each.snapshot) for each in item.artifacts]
    kept.append(_kept(written))  # the record is an artifact to whoever fetches it, though it cannot list itself
    return Captured(
        capture_id=visit.capture_id,
        unit=visit.unit,
        parent=visit.parent,
        via=visit.via,
        looked_at=_began(visit),
        requested_url=visit.requested_url,
        final_url=visit.final_url,
        title=visit.title,
        status=visit.status,
        outcome=visit.outcome,
        outcome_reason=visit.outcome_reason,
        http_status=visit.http_status,
        origin=visit.origin,
        origin_reasons=visit.origin_reasons,
        hops=visit.hops,
        artifacts=tuple(kept),
        missing=visit.missing,
        candidates=visit.candidates,
        surface=surface_of(visit.circumstances),
        shown=shown_of(visit.circumstances, visit.outcome, visit.http_status),
        quarantine=quarantine_of(visit.circumstances),
        reading=reading_of(visit.circumstances),
        wrappers=wrappers_of(visit.circumstances),
        record_sha256=written.digest.hex,
        log=log,
        started_index=visit.started.index,
        index=None if receipt is None else receipt.index,
        tree_size=None if receipt is None else receipt.tree_size,
    )


def _kept(snapshot: Snapshot) -> Kept:
    return Kept(
        role=snapshot.role.value,
        name=snapshot.name,
        sha256=snapshot.digest.hex,
        bytes=snapshot.bytes,
        media_type=snapshot.media_type,
        key=keyspace.blob(snapshot.digest),
    )


def _began(visit: Visit) -> datetime:
    return visit.times.get("requested_at", visit.times["closed_at"])


def _entry(artifact: Artifact) -> Entry:
    snapshot, stored = artifact.snapshot, artifact.stored
    return Entry(
        role=snapshot.role.value,
        name=snapshot.name,
        media_type=snapshot.media_type,
        bytes=snapshot.bytes,
        digest=snapshot.digest,
        version_id=stored.version_id,
        lock=None if stored.lock is None else Lock(mode=stored.lock.mode, retain_until=stored.lock.retain_until),
        made_at=snapshot.made_at,
    )
