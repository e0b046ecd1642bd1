"""Check 11, records: each record.json says what its event says. The artifacts for check 10 and 12 come out of here."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice

from custody.checks.blobs import Blobs, Wanted
from custody.checks.briefs import OF_CASES, Briefs
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.checks.locks import Locks
from custody.checks.looks import Looks
from custody.checks.received import Receipts
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Event
from custody.model import Json
from custody.record import MAX_BYTES, Record, quarantine_of
from custody.source import Absent, TooLong, Unreachable
from custody.verdict import depends

CHECK = 11

_BATCH = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class _Captured:
    """The end of a capture, as its event tells it."""

    wanted: Wanted
    """Its record."""
    fields: tuple[tuple[str, Json], ...]
    started: Digest


@dataclass(slots=True)
class Records:
    """Collects what the events name while they pass; reads the blobs when all of them are known."""

    inquiry: Inquiry
    origins: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    _subjects: list[Wanted] = field(default_factory=list)
    _captured: list[_Captured] = field(default_factory=list)
    _jobs: dict[Digest, Digest] = field(default_factory=dict)
    _members: set[str] = field(default_factory=set)
    _runs: dict[str, set[str]] = field(default_factory=dict)
    _units: dict[str, str] = field(default_factory=dict)
    """The item of each capture."""
    _works: dict[str, set[str]] = field(default_factory=dict)
    """The chains of what was done later with an item, or said of a case."""
    _scopes: set[str] = field(default_factory=set)
    _briefs: Briefs = field(init=False)
    _looks: Looks = field(init=False)
    _receipts: Receipts = field(init=False)

    def __post_init__(self) -> None:
        self._briefs = Briefs(self.inquiry)
        self._looks = Looks(self.inquiry)
        self._receipts = Receipts(self.inquiry)

    @property
    def received(self) -> int:
        """Files that others handed over."""
        return self._receipts.files

    def see(self, entry: Entry) -> None:
        self._briefs.see(entry)
        self._looks.see(entry)
        self._receipts.see(entry)
        event, leaf = entry.event, entry.leaf
        if event is None or leaf is None or entry.repeated:
            return
        capture, item = event.body.get("capture"), self._item(event)
        for each in event.subjects:
            self._subjects.append(
                Wanted(
                    digest=each.digest,
                    bytes=each.bytes,
                    chain=event.chain,
                    index=entry.index,
                    name=each.name,
                    role="record" if each.name == "record.json" else None,
                    capture=str(capture) if capture else None,
                    item=item,
                )
            )
        if event.run is not None:
            self._runs.setdefault(event.chain, set()).add(event.run)
        if event.type == "case.opened":
            self._scopes.add(event.chain)
        elif event.type == "item.assigned" and event.chain == f"scope:{self.inquiry.scope}":
            self._members.add(f"item:{event.body['item']}")
        elif event.type == "capture.started":
            self._jobs[leaf.event.payload_sha256] = event.subjects[0].digest
        elif event.type in {"capture.completed", "capture.failed"}:
            self._captured.append(
                _Captured(
                    wanted=self._subjects[-1],
                    fields=(
                        ("capture_id", event.body["capture"]),
                        ("unit", event.chain.removeprefix("item:")),
                        ("run", event.run),
                        ("status", event.body["status"]),
                        ("outcome", event.body["outcome"]),
                        ("http_status", event.body["http_status"]),
                    ),
                    started=event.refs[0].payload_sha256,
                )
            )

    def _item(self, event: Event) -> str | None:
        """The one that the event belongs to, or is about; of a brief and of findings, the case."""
        kind, _, name = event.chain.partition(":")
        capture = event.body.get("capture")
        if kind == "item":
            if capture is not None:
                self._units.setdefault(str(capture), name)
            return name
        if event.type in OF_CASES:
            about: str | None = name
        else:
            item = event.body.get("item")
            about = self._units.get(str(capture)) if item is None else str(item)
        if kind == "work" and about is not None:
            self._works.setdefault(about, set()).add(event.chain)
        return about

    def of_the_case(self) -> set[str] | None:
        """Ids of the one case, of its items, and of their captures. None: all."""
        if self.inquiry.scope is None:
            return None
        items = {member.removeprefix("item:") for member in self._members}
        return {self.inquiry.scope} | items | {capture for capture, unit in self._units.items() if unit in items}

    def finish(self, blobs: Blobs, locks: Locks, named: AbstractSet[Digest] = frozenset()) -> None:
        """``named``: blobs that something else than events and records names."""
        self.examine(blobs, locks)
        if self.inquiry.scope is None and not blobs.unreachable:  # what a record names that nobody read is no orphan
            self.orphans = blobs.orphans(named)

    def examine(self, blobs: Blobs, locks: Locks) -> None:
        """All that the events seen so far name, and nothing that lies in the store besides."""
        if self.inquiry.scope is not None and f"scope:{self.inquiry.scope}" not in self._scopes:
            self.inquiry.findings.fail(CHECK, "SCOPE_UNKNOWN", "the log opened no such case", scope=self.inquiry.scope)
        chains = self.chains()
        blobs.check(each for each in self._subjects if self._is_asked(each, chains))
        captured = [each for each in self._captured if self._is_asked(each.wanted, chains)]
        good = iter([each for each in captured if blobs.is_good(each.wanted.digest)])
        done = 0
        while batch := list(islice(good, _BATCH)):
            artifacts: list[Wanted] = []
            for each, record in zip(batch, self.inquiry.mapped(self._read, batch), strict=True):
                artifacts += self._compare(each, record)
            blobs.check(artifacts)
            locks.check(artifacts)
            done += len(batch)
            self.inquiry.progress("records", done, len(captured))
        if unread := len(captured) - done:
            self.inquiry.findings.detail(CHECK, f"{unread} records not read ({depends((10,))})")
            if not done:
                self.inquiry.findings.skip(CHECK, depends((10,)))
        self.inquiry.findings.detail(CHECK, f"{done} records")
        self._briefs.check(blobs, chains)
        self._looks.check(blobs, chains)
        self._receipts.check(blobs, locks, chains)
        self.inquiry.findings.detail(10, f"{blobs.count} blobs, {blobs.bytes} bytes")

    def chains(self) -> set[str] | None:
        """Of the one case: its own, its items', their runs, what was said of it and done with them. None: all."""
        if self.inquiry.scope is None:
            return None
        chains = {f"scope:{self.inquiry.scope}", *self._members}
        for about in (self.inquiry.scope, *(member.removeprefix("item:") for member in self._members)):
            chains |= self._works.get(about, set())
        runs = {f"run:{run}" for chain in chains for run in self._runs.get(chain, ())}
        return chains | runs

    @staticmethod
    def _is_asked(wanted: Wanted, chains: set[str] | None) -> bool:
        # The log's own chain says who is believed, which concerns every case.
        return chains is None or wanted.chain in chains or wanted.chain.startswith("log:")

    def _read(self, captured: _Captured) -> Record | Exception:
        """In whatever thread the caller's map uses."""
        try:
            return Record.parse(self.inquiry.reader.read(captured.wanted.key, MAX_BYTES))
        except (FormatError, Absent, TooLong, Unreachable) as error:
            return error

    def _compare(self, captured: _Captured, record: Record | Exception) -> Iterator[Wanted]:
        """The artifacts that the record names; findings where it is not the record of its event."""
        findings, wanted = self.inquiry.findings, captured.wanted
        what = f"record of leaf {wanted.index}"
        where = {"capture": wanted.capture, "index": wanted.index}
        if isinstance(record, Unreachable):
            findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {record}", **where)
            return
        if isinstance(record, Exception):
            findings.fail(CHECK, "RECORD_FORMAT", f"{what}: {record}", **where)
            return
        expected = [*captured.fields, ("started_sha256", captured.started.hex)]
        if job := self._jobs.get(captured.started):
            expected.append(("job_sha256", job.hex))
        for name, value in expected:
            said = getattr(record, name)
            said = said.hex if isinstance(said, Digest) else said
            if said != value:
                message = f"{what}: its event says {name} is {value}, it says {said}"
                findings.fail(CHECK, "RECORD_MISMATCH", message, field=name, **where)
        if quarantine_of(record.circumstances):
            message = (
                f"{what}: quarantined, for secrets may be in the capture; a person has to allow that it is handed over"
            )
            findings.note(CHECK, "RECORD_QUARANTINED", message, **where)
        self.origins[record.origin.value] += 1
        self.statuses[record.status.value] += 1
        for each in record.artifacts:
            yield Wanted(
                digest=each.digest,
                bytes=each.bytes,
                chain=wanted.chain,
                index=wanted.index,
                name=each.name,
                role=each.role,
                capture=wanted.capture,
                item=wanted.item,
                lock=each.lock,
                version_id=each.version_id,
            )
