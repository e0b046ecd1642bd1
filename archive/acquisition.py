"""One run's acquisition events: an intent before each look, one end after it, whatever happens in between."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from archive.errors import ArchiveError
from archive.journal import SpooledBlob
from archive.receipt import Receipt
from archive.result import Captured
from archive.spool import RunSpool, VisitSpool
from archive.store import ObjectStore, Stored
from custody import canonical, event, keyspace
from custody.artifact import Artifact
from custody.digest import Digest
from custody.event import Anchor, Envelope, Event, Ref, Subject
from custody.ids import uuid7
from custody.instant import format_utc
from custody.keys import Signer
from custody.model import Json, Outcome, Role, Snapshot, Started, Status, Visit
from custody.record import Record

NONCE_BYTES = 16
SALT_BYTES = 16
ID_BYTES = 10
DEADLINE_FACTOR = 4
"""A start without an end is given up after this many times the page's own limit."""


class Log(Protocol):
    """What an acquisition needs of the sequencer."""

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]: ...


class Acquisition:
    """Blocking and safe for threads. Every method returns when what it says is durable."""

    def __init__(
        self,
        *,
        run: str,
        scope: str,
        store: ObjectStore,
        log: Log,
        signer: Signer,
        spool: RunSpool,
        anchor: Callable[[], Anchor | None],
        retain_until: Callable[[], datetime],
        clock: Callable[[], datetime],
        advance_catalog: Callable[[], object],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.advance_catalog = advance_catalog
        self.run = run
        self.scope = scope
        self.spool = spool
        self._store = store
        self._log = log
        self._signer = signer
        self._anchor = anchor
        self._retain_until = retain_until
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._ended: set[Digest] = set()
        self.captured: list[Captured] = []
        """What was recorded so far, in the order of recording."""
        self.stages: dict[str, str] = {}
        """The stage that each capture in flight has entered last."""
        _OPEN[run] = self

    def new_id(self) -> str:
        return uuid7(self._clock(), self._random(ID_BYTES))

    def nonce(self) -> str:
        return self._random(NONCE_BYTES).hex()

    def visit_spool(self, capture_id: str) -> VisitSpool:
        return self.spool.visit(capture_id)

    def enter(self, capture_id: str, stage: str) -> None:
        """Said by each stage as it begins, so that a loss can name where."""
        self.stages[capture_id] = stage

    def store_file(self, snapshot: Snapshot) -> Stored:
        key = keyspace.blob(snapshot.digest)
        return self._store.create(key, snapshot.path, digest=snapshot.digest, retain_until=self._retain_until())

    def detail(self, name: str, value: Mapping[str, Json]) -> Subject:
        """A JSON blob with a nonce of its own, since the digest of a guessable URL is no secret; stored, read back."""
        data = canonical.dumps({"schema": 1, "nonce": self.nonce(), **value})
        digest = Digest.of(data)
        self._store.create(keyspace.blob(digest), data, digest=digest, retain_until=self._retain_until())
        return Subject(name=name, digest=digest, bytes=len(data))

    def event(
        self, type_: str, *, chain: str, subject: Subject, body: Mapping[str, Json], refs: tuple[Ref, ...] = ()
    ) -> Envelope:
        made = Event(
            type=type_,
            event_id=self.new_id(),
            salt=self._random(SALT_BYTES).hex(),
            occurred_at=self._clock(),
            run=self.run,
            chain=chain,
            anchor=self._anchor(),
            refs=refs,
            subjects=(subject,),
            body=body,
        )
        return event.sign(made, self._signer)

    def open(self, value: Mapping[str, Json]) -> Receipt:
        """``run.opened``: who looks, with what; it names no case and no URL."""
        subject = self.detail("run.json", {"run": self.run, **value})
        envelope = self.event("run.opened", chain=f"run:{self.run}", subject=subject, body={"purpose": "case"})
        return self._log.append([envelope])[0]

    def close(self, counts: Mapping[str, int], value: Mapping[str, Json]) -> Receipt:
        """``run.closed``: how it went."""
        subject = self.detail("run-closed.json", {"run": self.run, **value})
        envelope = self.event("run.closed", chain=f"run:{self.run}", subject=subject, body=dict(counts))
        return self._log.append([envelope])[0]

    def start(
        self, *, capture_id: str, unit: str, url: str, parent: str | None, timeout_s: float, facts: Mapping[str, Json]
    ) -> Started:
        """``capture.started``, durable before the browser goes anywhere; the unit's first also joins the case."""
        now = self._clock()
        job = self.detail(
            "job.json",
            {"capture_id": capture_id, "unit": unit, "parent": parent, "url": url, "at": format_utc(now), **facts},
        )
        deadline = now + timedelta(seconds=timeout_s * DEADLINE_FACTOR)
        envelope = self.event(
            "capture.started",
            chain=f"item:{unit}",
            subject=job,
            body={"capture": capture_id, "attempt": 1, "deadline": format_utc(deadline)},
        )
        envelopes = [envelope]
        if parent is None:
            member = self.detail("item.json", {"item": unit, "scope": self.scope})
            envelopes.append(
                self.event("item.assigned", chain=f"scope:{self.scope}", subject=member, body={"item": unit})
            )
        self.spool.journal.intent(envelope)
        receipt = self._log.append(envelopes)[0]
        self.spool.journal.started(envelope, receipt)
        return Started(payload_sha256=envelope.payload_sha256, index=receipt.index, job_sha256=job.digest)

    def end(
        self,
        *,
        capture_id: str,
        unit: str,
        started: Started,
        record: Snapshot,
        files: Sequence[Snapshot],
        status: Status,
        outcome: Outcome,
        http_status: int | None,
        started_at: datetime,
        ended_at: datetime,
        stage: str,
        unstored: Sequence[Snapshot] = (),
    ) -> Receipt:
        """``capture.completed`` or ``capture.failed``: exactly one for each start.

        The signed end is in the journal before anything is tried, with the files that it rests on: if the store is
        gone now, the next command submits these very bytes.
        """
        body: dict[str, Json] = {
            "capture": capture_id,
            "status": status.value,
            "outcome": outcome.value,
            "http_status": http_status,
            "started_at": format_utc(started_at),
            "ended_at": format_utc(ended_at),
        }
        type_ = "capture.completed"
        if status is Status.FAILED:
            type_ = "capture.failed"
            body["stage"] = stage
        with self._lock:
            if started.payload_sha256 in self._ended:
                raise ArchiveError(f"capture {capture_id} has its end already; the journal holds it")
            envelope = self.event(
                type_,
                chain=f"item:{unit}",
                subject=Subject(name="record.json", digest=record.digest, bytes=record.bytes),
                body=body,
                refs=(Ref(rel="started_by", payload_sha256=started.payload_sha256),),
            )
            self.spool.journal.end(envelope, [self._spooled(each) for each in (*files, record)])
            self._ended.add(started.payload_sha256)
        for each in (*unstored, record):
            self.store_file(each)
        receipt = self._log.append([envelope])[0]
        self.spool.journal.submitted(envelope, receipt)
        return receipt

    def fail(self, visit: Visit, *, stage: str, reason: str) -> None:
        """The end of a capture whose evidence did not get through a stage; nothing if its end is fixed already.

        Its record names the files without the store's word on them, since nobody has read them back; whoever submits
        the journalled end later puts the files into the store first. Raises when the store or the log is not there
        now, which is when the journal has it.
        """
        if self.has_ended(visit.started):
            return
        failed = replace(
            visit, status=Status.FAILED, outcome=Outcome.ERROR, outcome_reason=f"lost in {stage}: {reason[:500]}"
        )
        entries = tuple(
            Artifact(
                role=each.role.value,
                name=each.name,
                media_type=each.media_type,
                bytes=each.bytes,
                digest=each.digest,
                version_id=None,
                lock=None,
                made_at=each.made_at,
            )
            for each in visit.snapshots
            if _intact(each)
        )
        data = Record.of(failed, artifacts=entries, nonce=self.nonce()).format()
        record = self.visit_spool(visit.capture_id).write(Role.RECORD, f"record-{stage}.json", "application/json", data)
        kept = {each.digest for each in entries}
        files = [each for each in visit.snapshots if each.digest in kept]
        self.end(
            capture_id=visit.capture_id,
            unit=visit.unit,
            started=visit.started,
            record=record,
            files=files,
            status=Status.FAILED,
            outcome=Outcome.ERROR,
            http_status=visit.http_status,
            started_at=visit.times.get("requested_at", visit.times["closed_at"]),
            ended_at=visit.times["closed_at"],
            stage=stage,
            unstored=files,
        )

    def has_ended(self, started: Started) -> bool:
        """Whether an end for this start is fixed: submitted, or in the journal for the next command."""
        with self._lock:
            return started.payload_sha256 in self._ended

    def _spooled(self, snapshot: Snapshot) -> SpooledBlob:
        return SpooledBlob(digest=snapshot.digest, path=snapshot.path.relative_to(self.spool.path))

    def close_run(self) -> bool:
        """Let go of the spool; True when nothing is left for the next command to submit."""
        del _OPEN[self.run]
        return self.spool.close()


def _intact(snapshot: Snapshot) -> bool:
    """Whether the spooled file still is what was written: a failed record must not name what is gone."""
    try:
        with snapshot.path.open("rb") as stream:
            return Digest.of_stream(stream) == (snapshot.digest, snapshot.bytes)
    except OSError:
        return False


_OPEN: dict[str, Acquisition] = {}


def acquisition_of(run: str) -> Acquisition:
    """The run that an item in flight belongs to: stages are made by Scrapy, which knows nothing of runs."""
    return _OPEN[run]
