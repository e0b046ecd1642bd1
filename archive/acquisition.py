"""One run's acquisition events: an intent before each look, one end after it, whatever happens in between."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from archive import breakoff
from archive.cases import assign
from archive.errors import ArchiveError
from archive.journal import SpooledBlob
from archive.keeping import Class, class_of
from archive.lookid import end_id
from archive.receipt import Receipt
from archive.result import Captured, Unchanged
from archive.scribe import NONCE_BYTES, Scribe
from archive.spool import RunSpool, VisitSpool
from archive.store import Stored
from custody import keyspace
from custody.artifact import Artifact
from custody.digest import Digest
from custody.event import Envelope, Event, Ref, Subject
from custody.instant import format_utc
from custody.model import Json, Outcome, Role, Snapshot, Started, Status, Visit
from custody.record import Record

DEADLINE_FACTOR = 4
"""A start without an end is given up after this many times the page's own limit."""

TOGETHER_S = 5.0
"""What an end may wait for the next start, to be one commit with it, while other captures of its run are under way.

Its files are in the store and it is in the journal by then: what dies meanwhile, the next command submits."""


class Log(Protocol):
    """What an acquisition needs of an ``archive.ledger.Ledger``."""

    @property
    def log(self) -> str: ...

    def submit(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt | None, ...]: ...

    def wait(self, envelopes: Sequence[Envelope], within_s: float) -> tuple[Receipt | None, ...]: ...


class Acquisition:
    """Blocking and safe for threads. Every method returns when what it says is durable."""

    def __init__(
        self,
        *,
        run: str,
        scope: str,
        scribe: Scribe,
        log: Log,
        spool: RunSpool,
        advance_catalog: Callable[[], object],
        case_name: str,
        classes: Mapping[Class, Scribe] | None = None,
    ) -> None:
        """``classes``: what keeps what scheduled looks leave, each for as long as its class; None: as everything."""
        self.log = log.log
        self.run = run
        self.scope = scope
        self.case_name = case_name
        self.spool = spool
        self.advance_catalog = advance_catalog
        self.captured: list[Captured] = []
        """What was recorded so far, in the order of recording."""
        self.unchanged: list[Unchanged] = []
        """Looks that ended as ``look.unchanged``, in the order of recording."""
        self.ended_as: dict[str, Digest] = {}
        """The payload of each capture's end, for what is said about it later."""
        self.stages: dict[str, str] = {}
        """The stage that each capture in flight has entered last."""
        self._scribe = scribe
        self._classes = classes or {}
        self._opening: list[Envelope] = []
        """``run.opened``, while it waits for the first start."""
        self._scheduled: set[str] = set()
        """Captures that are part of a look."""
        self._light: dict[str, list[Digest]] = {}
        """What was stored as a light look's, to be kept as a capture's should it become one."""
        self._log = log
        self._lock = threading.Lock()
        self._ended: set[Digest] = set()
        self._under_way: set[str] = set()
        """Captures that were begun, and whose end is not fixed yet."""
        self._starts: dict[str, Envelope] = {}
        self._ends: dict[str, Envelope] = {}
        _OPEN[run] = self

    def new_id(self) -> str:
        return self._scribe.new_id()

    def nonce(self) -> str:
        return self._scribe.random(NONCE_BYTES).hex()

    def visit_spool(self, capture_id: str) -> VisitSpool:
        return self.spool.visit(capture_id)

    def enter(self, capture_id: str, stage: str) -> None:
        """Said by each stage as it begins, so that a loss can name where."""
        self.stages[capture_id] = stage

    def store_file(self, snapshot: Snapshot, *, class_: Class = Class.FULL) -> Stored:
        until = self._keeping(class_).retain_until()
        key = keyspace.blob(snapshot.digest)
        return self._scribe.store.create(key, snapshot.path, digest=snapshot.digest, retain_until=until)

    def _submit(self, envelopes: Sequence[Envelope]) -> tuple[Receipt | None, ...]:
        """After what has waited for them: two starts at once may both bring it, and the log takes it once."""
        opening = self._opening
        receipts = self._log.submit([*opening, *envelopes])
        self._opening = []
        return receipts[len(opening) :]

    def class_of(self, capture_id: str, outcome: Outcome) -> Class:
        """For how long what it leaves is locked. What a person asked for is kept as everything is."""
        return class_of(outcome) if capture_id in self._scheduled else Class.FULL

    def _keeping(self, class_: Class) -> Scribe:
        return self._classes.get(class_, self._scribe)

    def open(self, value: Mapping[str, Json], *, with_first: bool = False) -> Receipt | None:
        """``run.opened``: who looks, with what; it names no case and no URL. None: it waits in the inbox.

        ``with_first``: it waits here, and becomes durable in one commit with the first start, or with the run's end: of
        many short runs, each asks the store for one commit less.
        """
        self.spool.journal.case(self.scope)
        subject = self._scribe.detail("run.json", {"run": self.run, **value})
        envelope = self._event("run.opened", f"run:{self.run}", subject, {"purpose": "case"})
        if with_first:
            self._opening = [envelope]
            return None
        return self._log.submit([envelope])[0]

    def close(self, counts: Mapping[str, int], value: Mapping[str, Json]) -> Receipt | None:
        """``run.closed``: how it went. None: it waits in the inbox."""
        subject = self._scribe.detail("run-closed.json", {"run": self.run, **value})
        envelope = self._event("run.closed", f"run:{self.run}", subject, dict(counts))
        return self._submit([envelope])[0]

    def settle(self, within_s: float) -> int:
        """Wait a while for what lies in the inbox, and say of each capture where it is; how many still wait."""
        with self._lock:
            waiting = [*self._starts.items(), *self._ends.items()]
        receipts = self._log.wait([envelope for _, envelope in waiting], within_s) if waiting else ()
        taken = {
            envelope.payload_sha256: receipt
            for (_, envelope), receipt in zip(waiting, receipts, strict=True)
            if receipt is not None
        }
        for at, capture in enumerate(self.captured):
            start, end = self._starts.get(capture.capture_id), self._ends.get(capture.capture_id)
            if start is not None and (receipt := taken.get(start.payload_sha256)) is not None:
                self.captured[at] = capture = replace(capture, started_index=receipt.index)  # noqa: PLW2901
            if end is not None and (receipt := taken.get(end.payload_sha256)) is not None:
                self.captured[at] = replace(capture, index=receipt.index, tree_size=receipt.tree_size)
        for at, look in enumerate(self.unchanged):
            end = self._ends.get(look.capture_id)
            if end is not None and (receipt := taken.get(end.payload_sha256)) is not None:
                self.unchanged[at] = replace(look, index=receipt.index)
        for capture_id, envelope in list(self._ends.items()):
            if (receipt := taken.get(envelope.payload_sha256)) is not None:
                self.spool.journal.submitted(envelope, receipt)
                del self._ends[capture_id]
        return len(self._ends)

    def start(
        self,
        *,
        capture_id: str,
        unit: str,
        url: str,
        parent: str | None,
        timeout_s: float,
        facts: Mapping[str, Json],
        look_id: str | None = None,
        attempt: int = 1,
        light: bool = False,
    ) -> Started:
        """``capture.started``, durable before the browser goes anywhere; the unit's first also joins the case.

        ``look_id``: of the scheduled look that it is part of; ``attempt``: the how manieth of that look.

        Durable in the inbox is enough where this home has no log key: a post that is vanishing waits for nobody.
        """
        now = self._scribe.clock()
        if look_id is not None:
            self._scheduled.add(capture_id)
            if self._classes:
                ends = {each.value: format_utc(scribe.retain_until()) for each, scribe in self._classes.items()}
                facts = {**facts, "locked_until": ends}
        scribe = self._keeping(Class.UNCHANGED) if light else self._scribe
        job = scribe.detail(
            "job.json",
            {"capture_id": capture_id, "unit": unit, "parent": parent, "url": url, "at": format_utc(now), **facts},
        )
        deadline = now + timedelta(seconds=timeout_s * DEADLINE_FACTOR)
        body: dict[str, Json] = {"capture": capture_id, "attempt": attempt, "deadline": format_utc(deadline)}
        if look_id is not None:
            body["look_id"] = look_id
        envelope = self._event("capture.started", f"item:{unit}", job, body)
        envelopes = [envelope]
        if parent is None:
            envelopes.append(assign(unit, self.scope, scribe))
        if light:
            self._light[capture_id] = [each.digest for one in envelopes for each in Event.parse(one.payload).subjects]
        self.spool.journal.intent(envelope)
        with self._lock:
            self._under_way.add(capture_id)
        try:
            receipt = self._submit(envelopes)[0]
        except BaseException:
            with self._lock:
                self._under_way.discard(capture_id)
            raise
        self.spool.journal.started(envelope, receipt)
        if receipt is None:
            with self._lock:
                self._starts[capture_id] = envelope
        index = None if receipt is None else receipt.index
        return Started(payload_sha256=envelope.payload_sha256, index=index, job_sha256=job.digest)

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
        together: bool = False,
    ) -> Receipt | None:
        """``capture.completed`` or ``capture.failed``: exactly one for each start. None: it waits in the inbox.

        ``together``: it may wait a while for another capture's start, to be one commit with it; the last never does.
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
        subject = Subject(name="record.json", digest=record.digest, bytes=record.bytes)
        class_ = self.class_of(capture_id, outcome) if stage == "visit" else Class.FULL
        return self._finish(
            type_, subject, body, capture_id=capture_id, unit=unit, started=started, said=record, files=files,
            unstored=unstored, class_=class_, together=together,
        )  # fmt: skip

    def end_unchanged(
        self, *, capture_id: str, unit: str, started: Started, said: Snapshot, body: Mapping[str, Json]
    ) -> Receipt | None:
        """``look.unchanged``: the one end of a look that showed nothing new. ``said``: its ``look.json``, spooled."""
        subject = Subject(name="look.json", digest=said.digest, bytes=said.bytes)
        full = {"capture": capture_id, **body}
        return self._finish(
            "look.unchanged", subject, full, capture_id=capture_id, unit=unit, started=started, said=said,
            class_=Class.UNCHANGED,
        )  # fmt: skip

    def _finish(
        self,
        type_: str,
        subject: Subject,
        body: Mapping[str, Json],
        *,
        capture_id: str,
        unit: str,
        started: Started,
        said: Snapshot,
        class_: Class,
        files: Sequence[Snapshot] = (),
        unstored: Sequence[Snapshot] = (),
        together: bool = False,
    ) -> Receipt | None:
        with self._lock:
            if started.payload_sha256 in self._ended:
                raise ArchiveError(f"capture {capture_id} has its end already; the journal holds it")
            envelope = self._event(
                type_,
                f"item:{unit}",
                subject,
                body,
                (Ref(rel="started_by", payload_sha256=started.payload_sha256),),
                event_id=end_id(started.payload_sha256, capture_id),
            )
            self.spool.journal.end(envelope, [self._spooled(each) for each in (*files, said)])
            self._ended.add(started.payload_sha256)
            self.ended_as[capture_id] = envelope.payload_sha256
            self._under_way.discard(capture_id)
        for each in unstored:
            self.store_file(each, class_=class_)
        self._keep(type_, capture_id, said, class_)
        patience_s = TOGETHER_S if together and self._under_way else 0.0
        receipt = self._log.submit([envelope], patience_s=patience_s)[0]
        if receipt is None:
            with self._lock:
                self._ends[capture_id] = envelope
        else:
            self.spool.journal.submitted(envelope, receipt)
        return receipt

    def _keep(self, type_: str, capture_id: str, said: Snapshot, class_: Class) -> None:
        """What the end names, and what its start named, for as long as such an end is kept."""
        until = self._keeping(class_).retain_until()
        self._scribe.store.create(keyspace.blob(said.digest), said.path, digest=said.digest, retain_until=until)
        if type_ != "look.unchanged":
            for digest in self._light.pop(capture_id, ()):
                key = keyspace.blob(digest)
                self._scribe.store.create(key, self._scribe.store.read(key), digest=digest, retain_until=until)

    def fail(self, visit: Visit, *, stage: str, reason: str) -> None:
        """The end of a capture whose evidence did not get through a stage; nothing if its end is fixed already.

        Its record names the files without the store's word on them, since nobody has read them back; whoever submits
        the journalled end later puts the files into the store first. Raises when the store or the log is not there
        now, which is when the journal has it.
        """
        if self.has_ended(visit.started):
            return
        failed = replace(
            visit,
            status=Status.FAILED,
            outcome=Outcome.ERROR,
            outcome_reason=f"{breakoff.LOST} {stage}: {reason[:500]}",
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

    def _event(
        self,
        type_: str,
        chain: str,
        subject: Subject,
        body: Mapping[str, Json],
        refs: tuple[Ref, ...] = (),
        *,
        event_id: str | None = None,
    ) -> Envelope:
        return self._scribe.event(
            type_, chain=chain, subject=subject, body=body, run=self.run, refs=refs, event_id=event_id
        )

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
