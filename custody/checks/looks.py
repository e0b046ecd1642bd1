"""Looks that found nothing new, and changes that were seen: each blob says what its event says. Part of check 11."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custody import canonical, keyspace, schema
from custody.checks.blobs import Blobs
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.errors import FormatError
from custody.event import Subject
from custody.model import Json, Outcome
from custody.source import Absent, TooLong, Unreachable

UNCHANGED = "look.unchanged"
CHANGED = "change.observed"
COMPARED = "looks.compared"
CHECK = 11
MAX_BYTES = 4 * 1024 * 1024

_HEAD: Mapping[str, schema.Schema] = {"schema": schema.constant(1), "nonce": schema.NONCE}
_SIDE = schema.open_ended(schema.fields(capture=schema.UUID7, record_sha256=schema.HEX64))
_CHANGE = schema.open_ended(schema.fields(kind=schema.enum(*schema.CHANGES)))
_FORMS: Mapping[str, schema.Schema] = {
    UNCHANGED: schema.open_ended(
        schema.fields(
            **_HEAD,
            capture=schema.UUID7,
            unit=schema.UUID7,
            run=schema.UUID7,
            compared_with=_SIDE,
            outcome=schema.enum(*Outcome),
            http_status=schema.nullable({"type": "integer", "minimum": 100, "maximum": 999}),
        )
    ),
    CHANGED: schema.open_ended(
        schema.fields(**_HEAD, scope=schema.UUID7, before=_SIDE, after=_SIDE, changes=schema.array(_CHANGE, 1, 1000))
    ),
    COMPARED: schema.open_ended(
        schema.fields(
            **_HEAD,
            scope=schema.UUID7,
            first=_SIDE,
            second=_SIDE,
            operator=schema.enum("same", "other"),
            differences=schema.array(_CHANGE, 0, 1000),
            apart_s=schema.COUNT,
        )
    ),
}
"""What concerns a verifier; the words and passages beside it do not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """One of the events, and what its blob has to say."""

    type: str
    index: int
    chain: str
    capture: str
    subject: Subject
    says: tuple[tuple[str, Json], ...]


@dataclass(slots=True)
class Looks:
    """Collects the events while they pass; reads the blobs when those are looked at."""

    inquiry: Inquiry
    unchanged: int = 0
    changes: int = 0
    _said: list[_Said] = field(default_factory=list)

    def see(self, entry: Entry) -> None:
        event = entry.event
        if event is None or event.type not in _FORMS or entry.leaf is None or entry.repeated:
            return
        body: Mapping[str, Any] = event.body
        name = event.chain.partition(":")[2]
        if event.type == UNCHANGED:
            says = {"unit": name, "run": event.run} | {
                each: body[each] for each in ("capture", "compared_with", "outcome", "http_status")
            }
        elif event.type == COMPARED:
            says = {"scope": name, **{each: body[each] for each in body}}
        else:
            says = {"scope": name, "after": body["capture"]} | {
                each: body[each] for each in ("before", "changes", "kinds")
            }
        self._said.append(
            _Said(
                type=event.type,
                index=entry.index,
                chain=event.chain,
                capture=str(body["capture"]),
                subject=event.subjects[0],
                says=tuple(says.items()),
            )
        )

    def check(self, blobs: Blobs, chains: set[str] | None) -> None:
        """After the blobs themselves were looked at; ``chains``: those of the one case, None: all."""
        wanted = [
            each
            for each in self._said
            if (chains is None or each.chain in chains) and blobs.is_good(each.subject.digest)
        ]
        for each, found in zip(wanted, self.inquiry.mapped(self._read, wanted), strict=True):
            self._compare(each, found)
        self.unchanged = sum(each.type == UNCHANGED for each in wanted)
        self.changes = len(wanted) - self.unchanged
        for count, what in ((self.unchanged, "looks that found nothing new"), (self.changes, "comparisons")):
            if count:
                self.inquiry.findings.detail(CHECK, f"{count} {what}")

    def _read(self, said: _Said) -> Mapping[str, Json] | Exception:
        """In whatever thread the caller's map uses. What of it must be as its event has it."""
        try:
            value: Any = canonical.loads(self.inquiry.reader.read(keyspace.blob(said.subject.digest), MAX_BYTES))
            schema.check(_FORMS[said.type], value)
        except (FormatError, Absent, TooLong, Unreachable) as error:
            return error
        if said.type == UNCHANGED:
            return {**value, "compared_with": value["compared_with"]["capture"]}
        if said.type == COMPARED:
            return {
                "scope": value["scope"],
                "capture": value["first"]["capture"],
                "other": value["second"]["capture"],
                "other_sha256": value["second"]["record_sha256"],
                "operator": value["operator"],
                "differences": len(value["differences"]),
                "apart_s": value["apart_s"],
            }
        kinds = {each["kind"] for each in value["changes"]}
        return {
            "scope": value["scope"],
            "before": value["before"]["capture"],
            "after": value["after"]["capture"],
            "changes": len(value["changes"]),
            "kinds": [each for each in schema.CHANGES if each in kinds],
        }

    def _compare(self, said: _Said, found: Mapping[str, Json] | Exception) -> None:
        """Findings where a blob is not that of its event."""
        findings, what = self.inquiry.findings, f"{said.subject.name} of leaf {said.index}"
        where: dict[str, Json] = {"capture": said.capture, "index": said.index}
        if isinstance(found, Unreachable):
            findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {found}", **where)
            return
        if isinstance(found, Exception):
            findings.fail(CHECK, "RECORD_FORMAT", f"{what}: {found}", **where)
            return
        for name, value in said.says:
            if found[name] != value:
                message = f"{what}: its event says {name} is {value}, it says {found[name]}"
                findings.fail(CHECK, "RECORD_MISMATCH", message, field=name, **where)
