"""Recovery: what runs that died have left is brought to its end. The same bytes where they were signed already.

A signed end is submitted with the files that it rests on. A start without an end becomes ``capture.abandoned``, with
what was in the spool. Killed at any point and begun again, it comes to the same.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive import disk
from archive.draft import EventRefused
from archive.errors import NotStored
from archive.journal import STARTED_BY, End, Journal, Journalled, Start, read_journal
from archive.ledger import Ledger
from archive.lookid import end_id
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.spool import JOURNAL, Spool, remove_run, set_aside
from custody import event, keyspace
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.errors import CustodyError, SignatureError
from custody.event import Envelope, Event, Ref
from custody.model import Json

_MAX_LISTED_FILES = 200
DUPLICATE = "EVENT_DUPLICATE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What a run that died has left to do."""

    run: str
    unended: int
    """Captures that were begun, and have no end."""
    unsubmitted: int
    """Signed ends that the log may not have."""
    damage: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Recovered:
    """What was done about it."""

    submitted: list[str] = field(default_factory=list)
    """Ids of captures whose signed end is now in the log."""
    waiting: list[str] = field(default_factory=list)
    """Ids of captures whose signed end lies in the inbox, and was not taken into the log yet."""
    abandoned: list[str] = field(default_factory=list)
    """Ids of captures that ended as ``capture.abandoned``."""
    problems: list[str] = field(default_factory=list)
    """Sentences about what could not be taken as it was; such a run's directory is kept, and named."""


def pending(spool: Spool) -> list[Pending]:
    """Of runs that nobody runs. Changes nothing."""
    found: list[Pending] = []
    for run in spool.runs():
        with spool.dead(run) as dead:
            if not dead:
                continue
            state = read_journal(run / JOURNAL)
        found.append(
            Pending(
                run=run.name.partition("-")[2],
                unended=sum(not start.ended for start in state.starts.values()),
                unsubmitted=sum(not end.submitted for end in state.ends.values()),
                damage=tuple(state.damage),
            )
        )
    return [each for each in found if each.unended or each.unsubmitted or each.damage]


def recover(
    spool: Spool, *, sequencer: Ledger, scribe: Scribe, scribe_for: Callable[[str], Scribe] | None = None
) -> Recovered:
    """``scribe_for`` a case's id: as ``scribe``, with locks as long as was set for the case.

    Raises ``StoreError`` and ``LogError`` when store or log are not there; what was done until then stays done.
    """
    recovered = Recovered()
    spool.sweep()
    for run in spool.runs():
        with spool.dead(run) as dead:
            if dead:
                _Run(run, sequencer, scribe, recovered, scribe_for).recover()
    return recovered


class _Run:
    """One dead run's directory; its lock is held."""

    def __init__(
        self,
        path: Path,
        sequencer: Ledger,
        scribe: Scribe,
        recovered: Recovered,
        scribe_for: Callable[[str], Scribe] | None,
    ) -> None:
        self._path = path
        self._sequencer = sequencer
        self._recovered = recovered
        self._lost: set[Digest] = set()
        self._waits = False
        self._state = read_journal(path / JOURNAL)
        case = self._state.case
        self._scribe = scribe if case is None or scribe_for is None else scribe_for(case)
        self._problems = [f"{path.name}: the journal is damaged: {each}" for each in self._state.damage]

    def recover(self) -> None:
        if self._state.starts or self._state.ends:
            journal = Journal(self._path / JOURNAL, clock=self._scribe.clock, state=self._state)
            try:
                for end in [each for each in self._state.ends.values() if not each.submitted]:
                    self._submit(end, journal)
                for start in list(self._unended(self._state)):
                    self._abandon(start, journal)
            finally:
                journal.close()
        self._recovered.problems += self._problems
        if self._waits and not self._problems:
            return  # its journal is what the next command asks by
        if self._problems:
            kept = set_aside(self._path)
            self._recovered.problems.append(f"{self._path.name}: its files are kept in {kept}")
        else:
            remove_run(self._path)

    def _submit(self, end: End, journal: Journal) -> None:
        """The very bytes that were signed, once everything they rest on is in the store."""
        try:
            signed = self._open(end.envelope)
            self._store(end, signed)
            receipt = self._sequencer.submit([end.envelope])[0]
        except (_Unusable, EventRefused, CustodyError) as error:
            self._problems.append(f"{self._path.name}: a signed end cannot be submitted: {error}")
            if end.started_sha256 is not None:
                self._lost.add(end.started_sha256)
            return
        self._note(end.envelope, receipt, journal, _capture(signed), self._recovered.submitted)

    def _note(
        self, envelope: Envelope, receipt: Receipt | None, journal: Journal, capture: str, done: list[str]
    ) -> None:
        if receipt is None:
            self._waits = True
            self._recovered.waiting.append(capture)
        else:
            journal.submitted(envelope, receipt)
            done.append(capture)

    def _store(self, end: End, signed: Event) -> None:
        """An event may only name what is stored and was read back."""
        for blob in end.blobs:
            self._store_blob(blob.digest, self._path / blob.path)
        for subject in signed.subjects:
            if not self._is_stored(subject.digest):
                raise _Unusable(f"{subject.name} ({subject.digest}) is neither in the store nor in the spool")

    def _store_blob(self, digest: Digest, path: Path) -> None:
        if self._is_stored(digest):
            return
        if not path.resolve().is_relative_to(self._path.resolve()) or not path.is_file():
            raise _Unusable(f"{path.name} ({digest}) is neither in the store nor in the spool")
        with disk.trouble(path), path.open("rb") as file:
            found, _ = Digest.of_stream(file)
        if found != digest:
            raise _Unusable(f"{path.name} was hashed as {digest}, and is {found} now")
        until = self._scribe.retain_until()
        self._scribe.store.create(keyspace.blob(digest), path, digest=digest, retain_until=until)

    def _is_stored(self, digest: Digest) -> bool:
        try:
            stored = self._scribe.store.head(keyspace.blob(digest))
        except NotStored:
            return False
        return stored.sha256 in {None, digest}

    def _unended(self, state: Journalled) -> Iterator[Start]:
        """Starts that the log has, and that have no end in it."""
        for digest, start in state.starts.items():
            if start.ended and digest not in self._lost:
                continue
            try:
                signed = self._open(start.envelope)
            except CustodyError as error:
                self._problems.append(f"{self._path.name}: a start cannot be believed: {error}")
                continue
            if not self._sequencer.holds(signed.event_id):
                continue  # an intent that never reached the log: nothing was looked at, and nothing is owed
            if not state.damage:
                yield start
            elif not self._sequencer.orders:
                self._problems.append(
                    f"{self._path.name}: whether capture {_capture(signed)} has its end cannot be told, as it may lie "
                    "in the inbox: it is left open"
                )
            elif not self._has_end(digest):
                yield start

    def _abandon(self, start: Start, journal: Journal) -> None:
        signed = self._open(start.envelope)
        capture = _capture(signed)
        reason = "interrupted" if self._state.interrupted else "worker_died"
        files = [self._keep(each) for each in self._files(capture)]
        detail: Mapping[str, Json] = {"capture": capture, "reason": reason, "files": files}
        envelope = self._scribe.event(
            "capture.abandoned",
            chain=signed.chain,
            run=signed.run,
            subject=self._scribe.detail("detail.json", detail),
            body={"capture": capture, "reason": reason},
            refs=(Ref(rel=STARTED_BY, payload_sha256=start.envelope.payload_sha256),),
            event_id=end_id(start.envelope.payload_sha256, capture),
        )
        journal.end(envelope)
        try:
            receipt = self._sequencer.submit([envelope])[0]
        except EventRefused as error:
            if error.code != DUPLICATE:
                raise
            return  # a worker that took this look over has said so before us
        self._note(envelope, receipt, journal, capture, self._recovered.abandoned)

    def _files(self, capture: str) -> list[Path]:
        """What the browser had left, perhaps cut short: it is kept, and the detail says what it is worth."""
        visit = self._path / capture
        return sorted(each for each in visit.glob("*") if each.is_file() and not each.is_symlink())[:_MAX_LISTED_FILES]

    def _keep(self, path: Path) -> Mapping[str, Json]:
        with disk.trouble(path), path.open("rb") as file:
            digest, length = Digest.of_stream(file)
        self._scribe.store.create(keyspace.blob(digest), path, digest=digest, retain_until=self._scribe.retain_until())
        return {"name": path.name, "bytes": length, "sha256": digest.hex}

    def _has_end(self, started: Digest) -> bool:
        """Reads the whole log, which a damaged journal is worth."""
        ref = Ref(rel=STARTED_BY, payload_sha256=started)
        return any(ref in each.event.refs for each in self._sequencer.reader.events(*ENDS))

    def _open(self, envelope: Envelope) -> Event:
        key = self._sequencer.key(envelope.keyid)
        if key is None:
            raise SignatureError(f"it is signed by key {envelope.keyid}, which the log has not introduced")
        return event.open_event(envelope, key.public_key)


class _Unusable(Exception):
    """A signed end whose evidence is gone."""


def _capture(signed: Event) -> str:
    return str(signed.body.get("capture", signed.event_id))
