"""Findings of a case, filed: one ``findings.made`` in the log for each time that something of them is new.

A file is lines of canonical JSON: a head, then one for each promotion. A record that has not changed is named and not
written again; one that has is written beside the old, which stays, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, cast

from archive.errors import NotStored, StoreError
from archive.log import LoggedEvent
from archive.receipt import Receipt
from archive.scribe import NONCE_BYTES, Scribe
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope
from custody.model import Json

MADE = "findings.made"
SUBJECT = "findings.jsonl"
MAX_LINE = 256 << 20
"""Of what was written here: hops may have long addresses, and a head names all that is gone."""
REASONS = {"code": "code_sha256", "case": "brief", "captures": "captures_sha256", "pictures": "pictures"}
"""Why a result is another than before, and where a file's head says so."""
UNKNOWN = "unknown"
"""It is another although nothing differs that results are known to hang on."""
_WORK = "work:"


class Log(Protocol):
    """What reads the events: a ``Sequencer``, which finds them at once, or a ``LogReader``, which reads all leaves."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


class Appends(Protocol):
    """Where the event goes."""

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Basis:
    """What findings were made with: a later result that differs says which of these did."""

    code_sha256: str
    version: str
    """Of the program."""
    brief: Mapping[str, Json] | None
    """The version of the case's brief that they were made under, and its digest; None: nothing was described."""
    captures_sha256: str
    """Over the records of all captures that took part."""
    pictures: bool
    """Whether pictures were compared."""

    def to_json(self) -> dict[str, Json]:
        return {
            "code_sha256": self.code_sha256,
            "version": self.version,
            "brief": self.brief,
            "captures_sha256": self.captures_sha256,
            "pictures": self.pictures,
        }

    def differs(self, other: Mapping[str, Json]) -> list[str]:
        """In what it is another than that of an earlier file, by the words of ``REASONS``."""
        mine = self.to_json()
        return [name for name, key in REASONS.items() if other.get(key) != mine[key]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """One promotion's record, as it was filed."""

    id: str
    digest: Digest
    """Of the record's canonical bytes."""
    record: Mapping[str, Json] = field(repr=False)
    under: Mapping[str, Json]
    """The version of the case that its observations were made under."""
    made_in: Digest
    """The file that holds it."""
    replaces: Digest | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """The newest findings of a case."""

    digest: Digest
    index: int
    at: datetime
    head: Mapping[str, Json]
    records: Mapping[str, Filed]
    """By promotion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A promotion as it is found today."""

    id: str
    record: Mapping[str, Json] = field(repr=False)
    under: Mapping[str, Json]


def files(log: Log, scope: str) -> list[LoggedEvent]:
    """Of one case, oldest first."""
    return [each for each in log.events(MADE) if each.event.chain == f"{_WORK}{scope}"]


def newest(log: Log, store: ObjectStore, scope: str) -> File | None:
    """Raises ``StoreError`` where a file is not what the log names. One that was disposed of is passed over."""
    read: dict[Digest, dict[str, dict[str, Any]]] = {}
    last: tuple[LoggedEvent, dict[str, Any]] | None = None
    for each in files(log, scope):
        digest = each.event.subjects[0].digest
        try:
            head, lines = _read(store, digest)
        except NotStored:
            continue
        read[digest] = lines
        last = (each, head)
    if last is None:
        return None
    event, head = last
    digest = event.event.subjects[0].digest
    records: dict[str, Filed] = {}
    for name, line in read[digest].items():
        made_in = Digest(line["in"]) if "in" in line else digest
        full = read.get(made_in, {}).get(name)
        if full is None or "record" not in full:
            continue  # its file was disposed of: it is made again as new
        records[name] = Filed(
            id=name,
            digest=Digest(full["sha256"]),
            record=full["record"],
            under=full["under"],
            made_in=made_in,
            replaces=Digest(full["replaces"]) if full.get("replaces") else None,
            why=tuple(full.get("why", ())),
        )
    return File(digest=digest, index=event.index, at=event.event.occurred_at, head=head, records=records)


def digest_of(record: Mapping[str, Json]) -> Digest:
    return Digest.of(canonical.dumps(record))


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What filing came to."""

    index: int
    """Of the event; that of the earlier one where nothing is new."""
    digest: Digest
    records: Mapping[str, Filed]
    new: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def is_new(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def file(
    found: Sequence[Made],
    candidates: int,
    basis: Basis,
    *,
    before: File | None,
    scope: str,
    scribe: Scribe,
    log: Appends,
) -> Outcome:
    """Into the log, unless it is what stands there already. The same promotions found again are the same records."""
    today = {each.id: each for each in found}
    records: dict[str, Filed] = {}
    lines: list[dict[str, Json]] = []
    known = before.records if before is not None else {}
    why = basis.differs(before.head) if before is not None else []
    counts = {"new": 0, "changed": 0, "gone": 0}
    for name, each in today.items():
        digest, old = digest_of(each.record), known.get(name)
        if old is not None and old.digest == digest:
            records[name] = old
            lines.append({"id": name, "sha256": digest.hex, "in": old.made_in.hex})
            continue
        counts["changed" if old is not None else "new"] += 1
        line: dict[str, Json] = {"id": name, "sha256": digest.hex, "record": each.record, "under": each.under}
        if old is not None:
            line |= {"replaces": old.digest.hex, "why": why or [UNKNOWN]}
        lines.append(line)
        replaces, reasons = (None, ()) if old is None else (old.digest, tuple(why or [UNKNOWN]))
        records[name] = Filed(
            id=name,
            digest=digest,
            record=each.record,
            under=each.under,
            made_in=digest,  # until the file has a digest
            replaces=replaces,
            why=reasons,
        )
    gone = [name for name in known if name not in today]
    counts["gone"] = len(gone)
    if before is not None and not any(counts.values()):
        return Outcome(index=before.index, digest=before.digest, records=records)
    head: dict[str, Json] = {
        "schema": 1,
        "nonce": scribe.random(NONCE_BYTES).hex(),
        "scope": scope,
        "previous": before.digest.hex if before is not None else None,
        **basis.to_json(),
        "promotions": len(today),
        "candidates": candidates,
        "gone": [{"id": name, "sha256": known[name].digest.hex, "why": why or [UNKNOWN]} for name in gone],
    }
    data = b"".join(canonical.dumps(each) + b"\n" for each in (head, *lines))
    subject = scribe.blob(SUBJECT, data)
    body: dict[str, Json] = {"promotions": len(today), "candidates": candidates}
    (receipt,) = log.append([scribe.event(MADE, chain=f"{_WORK}{scope}", subject=subject, body=body)])
    placed = {
        name: each if known.get(name) is each else replace(each, made_in=subject.digest)
        for name, each in records.items()
    }
    return Outcome(index=receipt.index, digest=subject.digest, records=placed, **counts)


def _read(store: ObjectStore, digest: Digest) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Head, and lines by promotion. Raises ``NotStored`` and ``StoreError``."""
    data = store.read(keyspace.blob(digest))
    if Digest.of(data) != digest:
        raise StoreError(f"{digest} is not what was recorded: run `counterproof verify`")
    try:
        values = [cast("Any", canonical.loads(line, max_bytes=MAX_LINE)) for line in data.splitlines()]
        head, lines = values[0], {str(each["id"]): each for each in values[1:]}
    except (FormatError, IndexError, KeyError, TypeError) as error:
        raise StoreError(f"the findings in {digest} cannot be read ({error}): run `counterproof verify`") from error
    return head, lines
