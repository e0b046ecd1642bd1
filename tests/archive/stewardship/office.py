"""An archive with captures in it, on any store, and a desk to work at. Locks end when the test wants them to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from archive.cases import Cases, assign
from archive.inbox import key_of
from archive.log import LogReader
from archive.scribe import Scribe
from archive.sequencer import Sequencer
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from archive.store import Keeper
from custody import keyspace
from custody.artifact import Artifact, Lock
from custody.digest import Digest
from custody.event import Envelope, Ref, Subject, event_id_of
from custody.instant import format_utc
from custody.model import Json, Origin, Outcome, Status
from custody.record import Record
from custody.verdict import Severity, Verdict
from custody.verify import verify
from tests.archive.deployment import Deployment, now

FOREVER = timedelta(days=400)


@dataclass
class _Waiting:
    """Puts events where a worker without the log key puts them."""

    store: Keeper
    ids: list[str] = field(default_factory=list)

    def append(self, envelopes: Sequence[Envelope]) -> None:
        for each in envelopes:
            self.ids.append(event_id_of(each.payload))
            data = each.format()
            self.store.create(key_of(self.ids[-1]), data, digest=Digest.of(data), retain_until=None)


@dataclass
class Office:
    """One home, one log, one store."""

    deployment: Deployment
    sequencer: Sequencer
    store: Keeper
    lock_for: timedelta = FOREVER
    told: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, store: Keeper) -> "Office":
        deployment = Deployment.make(path, store)
        sequencer = deployment.open()
        return cls(deployment, sequencer, store)

    def retain_until(self) -> datetime:
        return now() + self.lock_for

    @property
    def scribe(self) -> Scribe:
        return Scribe(self.store, self.deployment.home.signers.worker, clock=now, retain_until=self.retain_until)

    @property
    def reader(self) -> LogReader:
        return LogReader(self.store, self.deployment.log)

    @property
    def desk(self) -> Desk:
        person = self.deployment.home.signers.need_person()
        return Desk(
            store=self.store,
            reader=self.reader,
            tell=self.told.append,
            keeper=self.store,
            log=self.sequencer,
            worker=self.scribe,
            person=self.scribe.signed_by(person),
            clock=now,
        )

    @property
    def survey(self) -> Survey:
        return self.desk.survey()

    def case(self, name: str) -> str:
        return Cases(self.reader, self.store).open(name, self.sequencer, self.scribe)

    def start(
        self, *, scope: str, run: str, unit: str | None = None, deadline_s: float = 60
    ) -> tuple[str, str, Subject, Digest]:
        """Capture, unit, job and the payload of a ``capture.started``."""
        scribe = self.scribe
        capture = scribe.new_id()
        job = scribe.detail("job.json", {"capture_id": capture, "url": "https://shop.example/p/1"})
        body: dict[str, Json] = {
            "capture": capture,
            "attempt": 1,
            "deadline": format_utc(now() + timedelta(seconds=deadline_s)),
        }
        chain = f"item:{unit or capture}"
        started = scribe.event("capture.started", chain=chain, subject=job, body=body, run=run)
        joined = [] if unit else [assign(capture, scope, scribe)]
        self.sequencer.append([started, *joined])
        return capture, unit or capture, job, started.payload_sha256

    def capture(
        self,
        *,
        scope: str,
        unit: str | None = None,
        files: Mapping[str, bytes] | None = None,
        sections: Mapping[str, Json] | None = None,
    ) -> str:
        """Its id, which is its unit's unless one is given. Files are roles and bytes."""
        run = self.scribe.new_id()
        capture, unit, job, started = self.start(scope=scope, run=run, unit=unit)
        at = now()
        files = {"dom": b"<p>" + capture.encode()} if files is None else files
        artifacts = tuple(self._artifact(role, data, at) for role, data in files.items())
        record = Record(
            nonce=self.scribe.random(16).hex(),
            capture_id=capture,
            unit=unit,
            parent=None if unit == capture else unit,
            via=None,
            depth=1,
            run=run,
            job_sha256=job.digest,
            started_sha256=started,
            requested_url="https://shop.example/p/1",
            final_url="https://shop.example/p/1/",
            title="Jane's shop",
            hops=(),
            times={"requested_at": at},
            circumstances=sections or {},
            origin=Origin.PUBLIC,
            origin_reasons=("public",),
            status=Status.COMPLETE,
            outcome=Outcome.OK,
            outcome_reason="a page",
            http_status=200,
            artifacts=artifacts,
            missing=(),
            candidates=(),
        )
        subject = self.scribe.blob("record.json", record.format())
        body: dict[str, Json] = {
            "capture": capture,
            "status": "complete",
            "outcome": "ok",
            "http_status": 200,
            "started_at": format_utc(at),
            "ended_at": format_utc(at),
        }
        ref = Ref(rel="started_by", payload_sha256=started)
        chain = f"item:{unit}"
        ended = self.scribe.event("capture.completed", chain=chain, subject=subject, body=body, run=run, refs=(ref,))
        self.sequencer.append([ended])
        return capture

    def submitted(self, *, scope: str, files: Mapping[str, bytes]) -> str:
        """The same by a worker without the log key: its events wait in the inbox. The id of the last one."""
        waiting = _Waiting(self.store)
        replace(self, sequencer=cast("Any", waiting)).capture(scope=scope, files=files)
        return waiting.ids[-1]

    def verdict(self, scope: str | None = None) -> Verdict:
        from archive.errors import NotStored, StoreError

        return verify(
            self.store,
            self.deployment.home.trust,
            at=datetime.now(UTC),
            scope=scope,
            absent=(NotStored,),
            unreachable=(StoreError,),
        )

    def has(self, data: bytes) -> bool:
        return keyspace.blob(Digest.of(data)) in set(self.store.keys(keyspace.BLOBS))

    def _artifact(self, role: str, data: bytes, at: datetime) -> Artifact:
        digest = Digest.of(data)
        key = keyspace.blob(digest)
        stored = self.store.create(key, data, digest=digest, retain_until=self.retain_until())
        lock = None if stored.lock is None else Lock(mode=stored.lock.mode, retain_until=stored.lock.retain_until)
        return Artifact(
            role=role,
            name=f"{role}.bin",
            media_type="application/octet-stream",
            bytes=len(data),
            digest=digest,
            version_id=stored.version_id,
            lock=lock,
            made_at=at,
        )


def failures(verdict: Verdict) -> dict[str, list[dict[str, Json]]]:
    """Codes of what failed or could not be looked at, and where."""
    found: dict[str, list[dict[str, Json]]] = {}
    for each in verdict.findings:
        if each.severity is not Severity.NOTE:
            found.setdefault(each.code, []).append({**each.locator, "message": each.message})
    return found
