"""A case's briefs: each says what its event says, and its pictures are there. Parts of checks 10 and 11."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custody import canonical, keyspace, schema
from custody.checks.blobs import Blobs, Wanted
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Subject
from custody.model import Json
from custody.source import Absent, TooLong, Unreachable

DESCRIBED = "case.described"
OF_CASES = (
    DESCRIBED,
    "findings.made",
    "exhibits.frozen",
    "certificate.drafted",
    "change.observed",
    "instruction.received",
    "looks.compared",
)
"""Said of a case as a whole: kept, looked at and disposed of with what else is said of it."""
CHECK = 11
MAX_BYTES = 4 * 1024 * 1024

_PICTURE = schema.open_ended(schema.fields(sha256=schema.HEX64, bytes=schema.COUNT))
_FORM = schema.open_ended(
    schema.fields(
        schema=schema.constant(1),
        nonce=schema.NONCE,
        scope=schema.UUID7,
        version=schema.COUNT,
        previous=schema.nullable(schema.HEX64),
        pictures=schema.array(_PICTURE, maximum=10_000),
    )
)
"""What concerns a verifier; the names and terms beside it do not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """One version of a brief, as its event tells it."""

    index: int
    chain: str
    version: int
    subject: Subject

    @property
    def case(self) -> str:
        return self.chain.partition(":")[2]


@dataclass(slots=True)
class Briefs:
    """Collects the events while they pass; reads the blobs when those are looked at."""

    inquiry: Inquiry
    _said: list[_Said] = field(default_factory=list)

    def see(self, entry: Entry) -> None:
        event = entry.event
        if event is not None and event.type == DESCRIBED and entry.leaf is not None and not entry.repeated:
            version: Any = event.body["version"]
            self._said.append(_Said(index=entry.index, chain=event.chain, version=version, subject=event.subjects[0]))

    def check(self, blobs: Blobs, chains: set[str] | None) -> None:
        """After the briefs themselves were looked at; ``chains``: those of the one case, None: all."""
        wanted = [
            each
            for each in self._said
            if (chains is None or each.chain in chains) and blobs.is_good(each.subject.digest)
        ]
        pictures: list[Wanted] = []
        for each, found in zip(wanted, self.inquiry.mapped(self._read, wanted), strict=True):
            pictures += self._compare(each, found)
        blobs.check(pictures)
        if wanted:
            self.inquiry.findings.detail(CHECK, f"{len(wanted)} briefs")

    def _read(self, said: _Said) -> Mapping[str, Any] | Exception:
        """In whatever thread the caller's map uses."""
        try:
            value: Any = canonical.loads(self.inquiry.reader.read(keyspace.blob(said.subject.digest), MAX_BYTES))
            schema.check(_FORM, value)
        except (FormatError, Absent, TooLong, Unreachable) as error:
            return error
        return {name: value[name] for name in ("scope", "version", "pictures")}

    def _compare(self, said: _Said, found: Mapping[str, Any] | Exception) -> list[Wanted]:
        """The pictures that it names; findings where it is not the brief of its event."""
        findings, what = self.inquiry.findings, f"{said.subject.name} of leaf {said.index}"
        where: dict[str, Json] = {"name": said.subject.name, "index": said.index}
        if isinstance(found, Unreachable):
            findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {found}", **where)
            return []
        if isinstance(found, Exception):
            findings.fail(CHECK, "RECORD_FORMAT", f"{what}: {found}", **where)
            return []
        for name, value in (("scope", said.case), ("version", said.version)):
            if found[name] != value:
                message = f"{what}: its event says {name} is {value}, it says {found[name]}"
                findings.fail(CHECK, "RECORD_MISMATCH", message, field=name, **where)
        return [
            Wanted(
                digest=Digest(each["sha256"]),
                bytes=each["bytes"],
                chain=said.chain,
                index=said.index,
                name="picture",
                item=said.case,
            )
            for each in found["pictures"]
        ]
