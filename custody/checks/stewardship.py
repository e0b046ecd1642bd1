"""What was done with the evidence afterwards: holds, releases, disposals, corrections. Parts of checks 8, 10 and 11."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from custody import canonical, keyspace, schema
from custody.checks import records
from custody.checks.blobs import Wanted
from custody.checks.briefs import OF_CASES
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.checks.looks import CHANGED, COMPARED
from custody.checks.states import CHECK, ENDS
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Event, Subject
from custody.model import Json
from custody.source import Absent, TooLong, Unreachable
from custody.verdict import depends

MAX_BYTES = canonical.MAX_BYTES
_MAX_BLOBS = 200_000

_BLOBS = schema.array(schema.open_ended(schema.fields(sha256=schema.HEX64, bytes=schema.COUNT)), maximum=_MAX_BLOBS)
_HEAD: Mapping[str, schema.Schema] = {"schema": schema.constant(1), "nonce": schema.NONCE}
_ITEM = schema.open_ended(schema.fields(**_HEAD, item=schema.UUID7))
_FORMS: Mapping[str, schema.Schema] = {
    "evidence.held": _ITEM,
    "evidence.released": _ITEM,
    "evidence.disposed": schema.open_ended(schema.fields(**_HEAD, item=schema.UUID7, blobs=_BLOBS, spared=_BLOBS)),
    "record.corrected": schema.open_ended(schema.fields(**_HEAD, capture=schema.UUID7)),
    "evidence.allowed": schema.open_ended(schema.fields(**_HEAD, capture=schema.UUID7)),
    "capture.witnessed": schema.open_ended(
        schema.fields(
            **_HEAD,
            capture=schema.UUID7,
            statement=schema.enum(*schema.STATEMENTS),
            keyid=schema.nullable(schema.HEX64),
        )
    ),
}
"""The blobs of these events are read: docs/manifest.md, "Blobs"."""


_REFERS_TO = {
    "evidence.released": "a hold",
    "disposal.completed": "a disposal",
    "record.corrected": "an end",
    "evidence.allowed": "an end",
    "capture.witnessed": "an end",
    CHANGED: "an end",
    COMPARED: "an end",
}
_OF_CAPTURES = frozenset({"record.corrected", "evidence.allowed", "capture.witnessed", CHANGED, COMPARED})
"""These are about a capture, the others about an item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One of the events."""

    index: int
    type: str
    about: str
    """The item, or the capture that was corrected, allowed or witnessed."""
    payload: Digest
    refers_to: Digest | None
    subject: Subject
    counts: tuple[tuple[str, Json], ...] = ()
    """What the event says besides: number and bytes of the blobs of a disposal, what a witness stated, by whose key."""


@dataclass(slots=True)
class _Disposal:
    act: Act
    blobs: frozenset[Digest] | None = None
    """None: its list could not be read, which has been named."""
    held: bool = False
    """Something held the item when it was said: it ought not to have been."""
    gone: bool = False
    """Something of it is not there any more."""


@dataclass(slots=True)
class Stewardship:
    inquiry: Inquiry
    _acts: list[Act] = field(default_factory=list)
    _ends: dict[Digest, str] = field(default_factory=dict)
    """The capture that each end is of, by its payload."""
    _disposals: dict[str, list[_Disposal]] = field(default_factory=dict)
    _held: set[str] = field(default_factory=set)
    _cases: set[str] = field(default_factory=set)
    """Whose briefs may be disposed of as an item is, and are none."""
    _changes: list[tuple[Act, str, bool]] = field(default_factory=list)
    """What is said to have changed, the earlier capture, and whether that had ended by then."""
    _ended: set[str] = field(default_factory=set)
    """Captures that have an end so far."""
    _doubtful: bool = False

    def see(self, entry: Entry) -> None:
        event, leaf = entry.event, entry.leaf
        if leaf is None or event is None:
            self._doubtful |= leaf is None or leaf.chains[0].scope.startswith(("work:", "item:"))
        elif event.kind is not None and not entry.repeated:
            payload = leaf.event.payload_sha256
            if event.type in ENDS:
                self._ends[payload] = str(event.body["capture"])
                self._ended.add(self._ends[payload])
            elif event.type in _FORMS or event.type == "disposal.completed":
                self._acts.append(_act(entry.index, event, payload))
            elif event.type in {CHANGED, COMPARED}:
                self._see_change(entry.index, event, payload)
            elif event.type in OF_CASES:
                self._cases.add(event.chain.partition(":")[2])
            self._note(entry.index, event)

    def _see_change(self, index: int, event: Event, payload: Digest) -> None:
        """Both captures had their ends before somebody could compare them."""
        self._cases.add(event.chain.partition(":")[2])
        before = str(event.body["before"]) if event.type == CHANGED else ""  # the other capture may be of another log
        self._changes.append((_act(index, event, payload), before, not before or before in self._ended))

    def finish(self) -> None:
        """When all leaves are seen: what was on hold when, and whether each refers to what it must."""
        known = {
            "evidence.released": {act.payload: act.about for act in self._acts if act.type == "evidence.held"},
            "disposal.completed": {act.payload: act.about for act in self._acts if act.type == "evidence.disposed"},
            **dict.fromkeys(_OF_CAPTURES, self._ends),
        }
        holds: dict[str, set[Digest]] = {}
        released: set[Digest] = set()
        for act in self._acts:
            if act.type in known and self._must_refer(act, known[act.type]) and act.type == "record.corrected":
                self._tell_correction(act)
            if act.type == "evidence.held":
                holds.setdefault(act.about, set()).add(act.payload)
            elif act.type == "evidence.released" and act.refers_to is not None:
                released.add(act.refers_to)
            elif act.type == "evidence.disposed":
                held = not holds.get(act.about, set()) <= released
                self._disposals.setdefault(act.about, []).append(_Disposal(act, held=held))
        self._held = {item for item, them in holds.items() if not them <= released}
        for act, before, had_ended in self._changes:
            if self._must_refer(act, self._ends) and not had_ended and not self._doubtful:
                message = f"leaf {act.index}, {act.type}, compares with a capture that had not ended, or is none"
                self.inquiry.findings.fail(CHECK, "STATE_ORDER", message, capture=before, index=act.index)
        if self._doubtful:
            self.inquiry.findings.detail(CHECK, f"references into unread leaves not judged ({depends((5, 6))})")

    def read(self, items: Container[str] | None) -> None:
        """The blobs of the acts, before check 10; ``items``: those of the one case, and its captures."""
        wanted = [act for act in self._acts if act.type in _FORMS and (items is None or act.about in items)]
        for act, found in zip(wanted, self.inquiry.mapped(self._read, wanted), strict=True):
            blobs = self._compare(act, found)
            for each in self._disposals.get(act.about, ()):
                if each.act is act:
                    each.blobs = blobs

    def excuse(self, wanted: Wanted) -> str | None:
        """Why a blob that is not there is not simply missing: ``disposed``, ``unread`` or ``held``."""
        if wanted.item is None:
            return None
        disposals = self._disposals.get(wanted.item, ())
        listed = [each for each in disposals if each.blobs is not None and wanted.digest in each.blobs]
        if listed:  # one that was too early explains it only where no other does
            min(listed, key=lambda each: each.held).gone = True
            return "disposed"
        if wanted.chain != f"item:{wanted.item}":
            return None
        if unread := [each for each in disposals if each.blobs is None]:
            if all(each.held for each in unread):
                unread[0].gone = True  # whichever of them it was, a hold forbade it
            return "unread"
        return "held" if wanted.item in self._held else None

    @property
    def listed(self) -> set[Digest]:
        """Blobs in the lists of disposals: what is left of them has lost who named it, and is no orphan."""
        return {digest for them in self._disposals.values() for each in them for digest in each.blobs or ()}

    def conclude(self) -> None:
        """When all blobs are looked at: disposals of what was on hold."""
        for item, disposals in self._disposals.items():
            for each in disposals:
                if each.held:
                    done = "and it was done" if each.gone else "and nothing of it is gone"
                    report = self.inquiry.findings.fail if each.gone else self.inquiry.findings.note
                    report(
                        CHECK,
                        "HOLD_VIOLATION",
                        f"leaf {each.act.index} disposes of item {item}, which was on hold, {done}",
                        item=item,
                        index=each.act.index,
                    )

    def facts(self, items: Container[str] | None = None) -> dict[str, Json]:
        """Of these items and captures; None: all."""
        disposed = {item for item, them in self._disposals.items() if any(not each.held for each in them)} - self._cases
        corrected = {act.about for act in self._acts if act.type == "record.corrected"}
        witnessed = {act.about for act in self._acts if act.type == "capture.witnessed"}
        told = {"held": self._held, "disposed": disposed, "corrected": corrected, "witnessed": witnessed}
        return {name: sum(items is None or each in items for each in them) for name, them in told.items()}

    def _must_refer(self, act: Act, known: Mapping[Digest, str]) -> bool:
        about = known.get(act.refers_to) if act.refers_to is not None else None
        if about == act.about:
            return True
        if about is not None or not self._doubtful:
            kind = "capture" if act.type in _OF_CAPTURES else "item"
            where: dict[str, Json] = {kind: act.about, "index": act.index}
            message = f"leaf {act.index}, {act.type}, does not refer to {_REFERS_TO[act.type]} of this {kind}"
            self.inquiry.findings.fail(CHECK, "STATE_ORDER", message, **where)
        return False

    def _tell_correction(self, act: Act) -> None:
        self.inquiry.findings.note(
            CHECK,
            "RECORD_CORRECTED",
            f"leaf {act.index} corrects the record of capture {act.about}; the record itself stays as it is",
            capture=act.about,
            index=act.index,
        )

    def _note(self, index: int, event: Event) -> None:
        body: Mapping[str, Any] = event.body
        if event.type == "fixity.verified" and body["failed"]:
            self.inquiry.findings.note(
                CHECK,
                "FIXITY_FAILED",
                f"leaf {index}: a fixity check found {body['failed']} of {body['checked']} blobs not to be as recorded",
                index=index,
                failed=body["failed"],
            )
        elif event.type == "event.rejected":
            self.inquiry.findings.note(
                CHECK,
                "EVENT_REJECTED",
                f"leaf {index}: an event that was handed in was refused ({body['reason']})",
                index=index,
                reason=body["reason"],
            )

    def _read(self, act: Act) -> Mapping[str, Any] | Exception:
        """In whatever thread the caller's map uses."""
        try:
            data = self.inquiry.reader.read(keyspace.blob(act.subject.digest), MAX_BYTES)
            if Digest.of(data) != act.subject.digest:
                return Absent(f"the bytes of {act.subject.name} are others")  # check 10 has named them
            value: Any = canonical.loads(data)
            schema.check(_FORMS[act.type], value)
        except (FormatError, Absent, TooLong, Unreachable) as error:
            return error
        found: Mapping[str, Any] = value
        return found

    def _compare(self, act: Act, found: Mapping[str, Any] | Exception) -> frozenset[Digest] | None:
        """The blobs that a disposal names; findings where a blob is not what its event says."""
        findings, what = self.inquiry.findings, f"{act.subject.name} of leaf {act.index}"
        where: dict[str, Json] = {"name": act.subject.name, "index": act.index}
        if isinstance(found, (Absent, Unreachable)):
            return None
        if isinstance(found, Exception):
            findings.fail(records.CHECK, "RECORD_FORMAT", f"{what}: {found}", **where)
            return None
        about = "capture" if act.type in _OF_CAPTURES else "item"
        says: dict[str, Json] = {about: found[about]}
        blobs = _digests(found.get("blobs", ()))
        if act.type == "evidence.disposed":
            says |= {"blobs": len(found["blobs"]), "bytes": sum(each["bytes"] for each in found["blobs"])}
        elif act.counts:
            says |= {name: found[name] for name, _ in act.counts}
        for name, value in ((about, act.about), *act.counts):
            if says[name] != value:
                message = f"{what}: its event says {name} is {value}, it says {says[name]}"
                findings.fail(records.CHECK, "RECORD_MISMATCH", message, field=name, **where)
        return frozenset(blobs)


_ALSO_SAID = {"evidence.disposed": ("blobs", "bytes"), "capture.witnessed": ("statement", "keyid")}


def _act(index: int, event: Event, payload: Digest) -> Act:
    body: Mapping[str, Any] = event.body
    counted = _ALSO_SAID.get(event.type, ())
    return Act(
        index=index,
        type=event.type,
        about=str(body["capture"] if event.type in _OF_CAPTURES else body["item"]),
        payload=payload,
        refers_to=event.refs[0].payload_sha256 if event.refs else None,
        subject=event.subjects[0],
        counts=tuple((name, body[name]) for name in counted),
    )


def _digests(blobs: Iterable[Mapping[str, Any]]) -> Iterator[Digest]:
    return (Digest(each["sha256"]) for each in blobs)
