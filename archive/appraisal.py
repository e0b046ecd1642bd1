"""Appraisal: one capture judged at the moment of asking, by reading no more than it. What a badge in the console says.

It applies the verifier's own checks to the leaves of one capture and to those that introduce keys: the signed
checkpoint, inclusion, signatures, the record, every byte, the locks, the time. That nothing *else* was taken out of the
log is what only ``verify`` can say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.agreement import differing, is_disposal
from archive.catalog import Catalog, Entry
from archive.dating import NOT_DATED, Dated, Dating
from archive.errors import ArchiveError, LogError, NotStored, StoreError
from archive.exporting.proofs import Prover
from archive.leafindex import LeafIndex
from archive.opinion import ask_openssl
from archive.reader import Reader
from custody import keyspace, merkle
from custody.checks.blobs import Blobs
from custody.checks.entries import Entries
from custody.checks.inquiry import Inquiry, Map, silent
from custody.checks.locks import Locks
from custody.checks.records import Records
from custody.checks.registry import Registry
from custody.errors import CustodyError
from custody.event import Event
from custody.instant import format_utc
from custody.model import Json
from custody.note import MAX_BYTES
from custody.source import Absent, Unreachable
from custody.source import Reader as Source
from custody.trust import Trust
from custody.verdict import Finding, Findings, Severity

HOLDS = "holds"
FAILS = "does not hold"
UNCHECKED = "could not check"

KEY_TYPES = ("log.opened", "key.introduced", "key.revoked")
_REBUILD = "counterproof catalog rebuild"
_CHECKPOINT, _TREE, _SIGNATURES, _RECORDS, _LOCKS = 2, 4, 6, 11, 12
_ASKED = {2: "signed checkpoint", 4: "inclusion", 5: "leaves", 6: "signatures", 10: "bytes", 11: "record", 12: "locks"}
"""The verifier's numbers, and what each is of one capture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One of the checks."""

    name: str
    passed: bool | None
    """None: it could not be made; ``detail`` says why."""
    detail: str

    def to_json(self) -> dict[str, Json]:
        return {"name": self.name, "passed": self.passed, "detail": self.detail}


@dataclass(frozen=True, kw_only=True, slots=True)
class Appraisal:
    """What can be said of one capture now. Never kept: the next asking reads everything again."""

    capture_id: str
    at: datetime
    word: str
    """``holds``, ``does not hold`` or ``could not check``."""
    why: str
    """One sentence: the first fault, or what was read."""
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]
    time: Dated
    size: int | None
    """Leaves under the checkpoint that it was judged by."""
    blobs: int
    bytes: int
    is_disposed: bool = False

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "capture_id": self.capture_id,
            "at": format_utc(self.at),
            "verdict": self.word,
            "why": self.why,
            "checks": [each.to_json() for each in self.lines],
            "findings": [each.to_json() for each in self.findings],
            "time": self.time.to_json(),
            "size": self.size,
            "blobs": self.blobs,
            "bytes": self.bytes,
            "disposed": self.is_disposed,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Appraiser:
    """Over one archive, for as long as it is open."""

    reader: Reader
    catalog: Catalog
    leaves: LeafIndex
    map: Map

    def of(self, entry: Entry, *, at: datetime) -> Appraisal:
        """Never raises for what is stored: a fault is a finding, and a store that does not answer says nothing."""
        trust = self.reader.trust
        if trust is None:
            return _nothing(entry, at, "there is no trust file in this home: nobody has said which keys to believe")
        if entry.index is None:
            return _nothing(entry, at, "it has no end in the log yet: it is under way, or was broken off")
        findings = Findings()
        source = Source(self.reader.store, absent=(NotStored,), unreachable=(StoreError,))
        inquiry = Inquiry(
            reader=source,
            trust=trust,
            findings=findings,
            at=at,
            scope=None,
            map=self.map,
            progress=silent,
            second_opinion=ask_openssl,
        )
        size, blobs = self._judge(entry, trust, inquiry)
        time = self._dated(entry, trust, findings)
        return _concluded(entry, findings, at=at, time=time, size=size, blobs=blobs)

    def _judge(self, entry: Entry, trust: Trust, inquiry: Inquiry) -> tuple[int | None, Blobs | None]:
        """How many leaves are signed, and the blobs that were looked at."""
        prover = self._signed(trust, inquiry)
        if prover is None:
            return None, None
        size = prover.signed.size
        if entry.index is None or entry.index >= size:
            inquiry.findings.unchecked(
                _TREE, "LEAF_NOT_SIGNED", f"leaf {entry.index} is not under the checkpoint of {size} leaves yet"
            )
            return size, None
        try:
            keys = self.leaves.typed(*KEY_TYPES, below=size)
        except (LogError, StoreError) as error:
            inquiry.findings.unchecked(_SIGNATURES, "KEYS_UNREAD", f"the log's keys could not be read: {error}")
            return size, None
        entries, records = Entries(inquiry, Registry(trust)), Records(inquiry)
        own = [entry.started_index, entry.index]
        gone = None if entry.disposed_at is None else self.catalog.disposal(entry.unit)
        believed: dict[int, Event] = {}
        for index in sorted({*keys, *own, *([] if gone is None else [gone.index])}):
            data = self._proved(index, prover, inquiry)
            if data is None:
                continue
            hashed = merkle.leaf_hash(data)
            read = entries.examine(index, data, (hashed, hashed))
            if read.event is not None:
                believed[index] = read.event
            if index not in own:
                continue
            if read.event is not None and read.event.body.get("capture") != entry.capture_id:
                inquiry.findings.fail(
                    _RECORDS, "CAPTURE_OTHER", f"leaf {index} is of another capture than the catalogue says"
                )
                continue
            records.see(read)
        entries.finish()
        is_gone = gone is not None and gone.index in believed and is_disposal(believed[gone.index], entry)
        if entry.disposed_at is not None and not is_gone:
            inquiry.findings.fail(
                _RECORDS, "DISPOSAL_NOT_PROVED", f"the catalogue calls it disposed of, and no leaf says so: {_REBUILD}"
            )
        excuse = (lambda _: "disposed") if is_gone else None
        blobs = Blobs(inquiry, {}, excuse)
        locks = Locks(inquiry)
        try:
            records.examine(blobs, locks)
            self._compare(entry, [believed.get(each) for each in own], inquiry)
        except Unreachable as error:
            inquiry.findings.unchecked(_RECORDS, "STORE_UNREACHABLE", str(error))
        inquiry.findings.detail(_LOCKS, f"{locks.checked} locks")
        if not locks.checked:
            inquiry.findings.skip(_LOCKS, "no lock is recorded of it, or this store keeps none")
        return size, blobs

    def _compare(self, entry: Entry, own: Sequence[Event | None], inquiry: Inquiry) -> None:
        """The page is laid out by the catalogue: it has to say what the leaves say."""
        started, ended = own
        if started is None or ended is None:
            return  # that is a finding already
        try:
            others = differing(self.reader.store, entry, started, ended)
        except StoreError as error:
            inquiry.findings.unchecked(_RECORDS, "STORE_UNREACHABLE", str(error))
            return
        if others:
            told = ", ".join(others).replace("_", " ")
            inquiry.findings.fail(
                _RECORDS, "CATALOGUE_OTHER", f"the catalogue says otherwise than the log ({told}): {_REBUILD}"
            )

    def _signed(self, trust: Trust, inquiry: Inquiry) -> Prover | None:
        try:
            checkpoint = inquiry.reader.read(keyspace.checkpoint(trust.log.name), MAX_BYTES)
            return Prover(self.reader.log, trust.log, checkpoint)
        except LogError as error:
            inquiry.findings.fail(_CHECKPOINT, "CHECKPOINT_SIG", str(error))
        except Absent:
            inquiry.findings.fail(_CHECKPOINT, "CHECKPOINT_MISSING", "the log has no signed checkpoint")
        except (CustodyError, StoreError) as error:
            inquiry.findings.unchecked(_CHECKPOINT, "STORE_UNREACHABLE", str(error))
        return None

    def _proved(self, index: int, prover: Prover, inquiry: Inquiry) -> bytes | None:
        """A leaf that is in the signed tree. None, and a finding, for one that is not."""
        try:
            data = self.reader.log.leaf(index, prover.signed.size)
            prover.inclusion(index, data)
        except (LogError, NotStored, IndexError) as error:
            inquiry.findings.fail(_TREE, "LEAF_NOT_PROVED", f"leaf {index}: {error}", index=index)
        except StoreError as error:
            inquiry.findings.unchecked(_TREE, "STORE_UNREACHABLE", f"leaf {index}: {error}", index=index)
        else:
            return data
        return None

    def _dated(self, entry: Entry, trust: Trust, findings: Findings) -> Dated:
        try:
            return Dating(self.reader.store, trust, self.catalog).of(entry.anchor, entry.index)
        except ArchiveError as error:
            findings.unchecked(_RECORDS, "TIME_UNREAD", f"its tokens could not be read: {error}")
            return NOT_DATED


def _nothing(entry: Entry, at: datetime, why: str) -> Appraisal:
    return Appraisal(
        capture_id=entry.capture_id,
        at=at,
        word=UNCHECKED,
        why=why,
        lines=(),
        findings=(),
        time=NOT_DATED,
        size=None,
        blobs=0,
        bytes=0,
    )


def _concluded(
    entry: Entry, findings: Findings, *, at: datetime, time: Dated, size: int | None, blobs: Blobs | None
) -> Appraisal:
    found = findings.findings()
    faults = [each for each in found if each.severity is Severity.FAIL]
    unknown = [each for each in found if each.severity is Severity.UNCHECKED]
    count, length = (0, 0) if blobs is None else (blobs.count, blobs.bytes)
    word, why = HOLDS, f"{count} files, {length} bytes read again; leaf {entry.index} is under the signed root"
    if entry.disposed_at is not None:
        why = f"its files were disposed of on {format_utc(entry.disposed_at)}; what the log says of it holds"
    if faults:
        word, why = FAILS, faults[0].message
    elif unknown:
        word, why = UNCHECKED, unknown[0].message
    return Appraisal(
        capture_id=entry.capture_id,
        at=at,
        word=word,
        why=why,
        lines=(*_lines(findings, found, judged=blobs is not None), _time_line(time)),
        findings=found,
        time=time,
        size=size,
        blobs=count,
        bytes=length,
        is_disposed=entry.disposed_at is not None,
    )


def _lines(findings: Findings, found: Sequence[Finding], *, judged: bool) -> Iterator[Line]:
    """Of each check, whether it passed. One that came after a fault which ended the judging was not made."""
    for each in findings.checks():
        if each.n not in _ASKED:
            continue
        mine = [finding for finding in found if finding.check == each.n]
        passed, detail = each.passed, each.detail
        if not judged and each.n > _CHECKPOINT and not mine:
            passed, detail = None, "not made: a check before it ended the judging"
        told = [finding.message for finding in mine if finding.severity is not Severity.NOTE]
        yield Line(name=_ASKED[each.n], passed=passed, detail="; ".join(told[:3]) or detail)


def _time_line(time: Dated) -> Line:
    """No token is no fault, and no trusted time either."""
    return Line(name="trusted time", passed=True if time.bracket.not_after else None, detail=str(time))
