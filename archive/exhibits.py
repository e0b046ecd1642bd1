"""Exhibits: numbers that a case's captures were given, each frozen with what it is the number of.

A number is never given twice and never changes: one ``exhibits.frozen`` in the log for each list, in the chain of what
the case says of itself; a later list goes on where the one before ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from archive.errors import NotStored, Refused, StoreError, UsageError
from archive.log import LoggedEvent
from archive.receipt import Receipt
from archive.scribe import NONCE_BYTES, Scribe
from archive.store import ObjectStore
from custody import canonical, keyspace, schema
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope
from custody.model import Json

FROZEN = "exhibits.frozen"
SUBJECT = "exhibits.json"
MAX_BYTES = 16 << 20
MAX_PREFIX = 24

_WORK = "work:"
_PREFIX: schema.Schema = {"type": "string", "maxLength": MAX_PREFIX, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_READER = schema.open_ended(schema.fields(version={"type": "string", "maxLength": 40}, code_sha256=schema.HEX64))
_EXHIBIT = schema.open_ended(
    schema.fields(
        number={"type": "integer", "minimum": 1, "maximum": 9_999_999},
        capture=schema.UUID7,
        unit=schema.UUID7,
        record_sha256=schema.HEX64,
        reader=schema.nullable(_READER),
        promotions=schema.array({"type": "string", "pattern": "^[0-9a-f]{32}$"}, maximum=10_000),
    )
)
_FORM = schema.open_ended(
    schema.fields(
        schema=schema.constant(1),
        nonce=schema.NONCE,
        scope=schema.UUID7,
        version=schema.COUNT,
        previous=schema.nullable(schema.HEX64),
        prefix=_PREFIX,
        findings_sha256=schema.nullable(schema.HEX64),
        exhibits=schema.array(_EXHIBIT, 1, 100_000),
    )
)


class Log(Protocol):
    """What reads the events."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


class Appends(Protocol):
    """Where the event goes."""

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhibit:
    """One number, and the capture that it is the number of."""

    number: int
    capture: str
    unit: str
    record: Digest
    """Of its record.json, which names each artifact by its digest."""
    reader: Mapping[str, Json] | None
    """``version`` and ``code_sha256`` of the program whose reading of it was kept; None where none was."""
    promotions: tuple[str, ...]
    """In which it has a part, as they were found when it was frozen."""

    def to_json(self) -> dict[str, Json]:
        return {
            "number": self.number,
            "capture": self.capture,
            "unit": self.unit,
            "record_sha256": self.record.hex,
            "reader": self.reader,
            "promotions": list(self.promotions),
        }

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            number=value["number"],
            capture=value["capture"],
            unit=value["unit"],
            record=Digest(value["record_sha256"]),
            reader=value["reader"],
            promotions=tuple(value["promotions"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class List:
    """One frozen list."""

    version: int
    index: int
    at: datetime
    digest: Digest
    first: int
    count: int
    exhibits: tuple[Exhibit, ...] | None = field(repr=False)
    """None: its blob was disposed of. Its numbers stay taken."""
    prefix: str = ""
    findings: Digest | None = None
    """The findings that it was made from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """All lists of a case, in order."""

    lists: tuple[List, ...] = ()

    @property
    def exhibits(self) -> list[Exhibit]:
        return [one for each in self.lists for one in each.exhibits or ()]

    @property
    def next(self) -> int:
        return max((each.first + each.count for each in self.lists), default=1)

    @property
    def prefix(self) -> str:
        return next((each.prefix for each in self.lists if each.exhibits is not None), "")

    def label(self, exhibit: Exhibit) -> str:
        return label(self.prefix, exhibit.number)

    @property
    def labels(self) -> dict[str, str]:
        """By capture."""
        return {each.capture: self.label(each) for each in self.exhibits}


def label(prefix: str, number: int) -> str:
    return f"{prefix}{number:03d}"


def read(log: Log, store: ObjectStore, scope: str) -> Register:
    """Raises ``StoreError`` where a list is not what the log names. Of two with one number the first counts."""
    lists: list[List] = []
    for each in log.events(FROZEN):
        if each.event.chain == f"{_WORK}{scope}" and each.event.body["version"] == len(lists) + 1:
            lists.append(_read(store, each, scope))
    return Register(lists=tuple(lists))


def freeze(
    before: Register,
    captures: Sequence[Exhibit],
    *,
    prefix: str,
    first: int,
    findings: Digest | None,
    scope: str,
    scribe: Scribe,
    log: Appends,
) -> List:
    """``captures``: in the order in which they are to be numbered; their own numbers do not matter.

    Raises ``UsageError`` where there is nothing new, and ``Refused`` for a number that was given already.
    """
    known = {each.capture for each in before.exhibits}
    new = [each for each in captures if each.capture not in known]
    if not new:
        raise UsageError("every capture that has a part in a promotion has its number already: nothing was frozen")
    if any(each.exhibits is None for each in before.lists):
        raise Refused(
            "an earlier list of this case was disposed of, so that nobody can say which capture has which number: "
            "number the rest by hand"
        )
    if first < before.next:
        raise Refused(f"number {first} was given already: the next one is {before.next}")
    if before.lists and prefix != before.prefix:
        raise Refused(f"the exhibits of this case are called {before.prefix}…, and one series has one name")
    numbered = [_numbered(each, first + n) for n, each in enumerate(new)]
    value: dict[str, Json] = {
        "schema": 1,
        "nonce": scribe.random(NONCE_BYTES).hex(),
        "scope": scope,
        "version": len(before.lists) + 1,
        "previous": before.lists[-1].digest.hex if before.lists else None,
        "prefix": prefix,
        "findings_sha256": None if findings is None else findings.hex,
        "exhibits": [each.to_json() for each in numbered],
    }
    schema.check(_FORM, value, code="RECORD_FORMAT")
    subject = scribe.blob(SUBJECT, canonical.dumps(value))
    body: dict[str, Json] = {"version": len(before.lists) + 1, "first": first, "exhibits": len(numbered)}
    envelope = scribe.event(FROZEN, chain=f"{_WORK}{scope}", subject=subject, body=body)
    (receipt,) = log.append([envelope])
    return List(
        version=len(before.lists) + 1,
        index=receipt.index,
        at=scribe.clock(),
        digest=subject.digest,
        first=first,
        count=len(numbered),
        exhibits=tuple(numbered),
        prefix=prefix,
        findings=findings,
    )


def _numbered(exhibit: Exhibit, number: int) -> Exhibit:
    return Exhibit(
        number=number,
        capture=exhibit.capture,
        unit=exhibit.unit,
        record=exhibit.record,
        reader=exhibit.reader,
        promotions=exhibit.promotions,
    )


def _read(store: ObjectStore, logged: LoggedEvent, scope: str) -> List:
    body: Any = logged.event.body
    digest = logged.event.subjects[0].digest
    said: dict[str, Any] = {
        "version": body["version"],
        "index": logged.index,
        "at": logged.event.occurred_at,
        "digest": digest,
        "first": body["first"],
        "count": body["exhibits"],
    }
    what = f"the list of exhibits of entry {logged.index}"
    try:
        data = store.read(keyspace.blob(digest))
    except NotStored:
        return List(**said, exhibits=None)
    try:
        value: Any = canonical.loads(data, max_bytes=MAX_BYTES)
        schema.check(_FORM, value, code="RECORD_FORMAT")
    except FormatError as error:
        raise StoreError(f"{what} cannot be read ({error}): run `counterproof verify`") from error
    exhibits = tuple(Exhibit.of(each) for each in value["exhibits"])
    numbers = [each.number for each in exhibits]
    meant = list(range(said["first"], said["first"] + said["count"]))
    if (Digest.of(data), value["scope"], value["version"], numbers) != (digest, scope, said["version"], meant):
        raise StoreError(f"{what} is not what its event names: run `counterproof verify`")
    findings = value["findings_sha256"]
    return List(
        **said,
        exhibits=exhibits,
        prefix=value["prefix"],
        findings=None if findings is None else Digest(findings),
    )
