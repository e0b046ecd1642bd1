"""The desk: what a steward works with: store, log, who signs, and the records of captures read with many hands."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, Protocol, TypeVar

from archive.brief import MAX_BYTES as MAX_BRIEF_BYTES
from archive.briefs import Written
from archive.errors import KeyFileError, NotStored, StoreError
from archive.log import LogReader
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.stewardship.survey import Claim, Survey
from archive.store import Keeper, ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope
from custody.received import Received
from custody.record import MAX_BYTES, Record

T = TypeVar("T")
R = TypeVar("R")

MAX_DETAIL_BYTES = canonical.MAX_BYTES
"""As much as a verifier reads of such a list."""
_BATCH = 256


class Map(Protocol):
    """The builtin ``map``, or that of an executor."""

    def __call__(self, function: Callable[[T], R], arguments: Iterable[T], /) -> Iterable[R]: ...


class Log(Protocol):
    """What a steward needs of the log."""

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """For whoever only reads."""

    store: ObjectStore
    reader: LogReader
    map: Map = map
    tell: Callable[[str], None] = field(default=lambda _: None)

    def survey(self) -> Survey:
        return Survey.of(self.reader, progress=lambda size: self.tell(f"{size} events of the log read"))

    def mapped(self, function: Callable[[T], R], arguments: Iterable[T]) -> Iterator[R]:
        """Some at a time: an executor would take up all at once."""
        rest = iter(arguments)
        while some := list(islice(rest, _BATCH)):
            yield from self.map(function, some)

    def artifacts(self, claims: Iterable[Claim], *, unread: list[Claim]) -> Iterator[Claim]:
        """What records, receipts and briefs among the claims name. One that is gone or damaged goes to ``unread``."""
        lists = (each for each in claims if each.is_record or each.is_brief or each.is_receipt)
        for record, artifacts in self.mapped(self._artifacts, lists):
            if artifacts is None:
                unread.append(record)
            else:
                yield from artifacts

    def detail(self, digest: Digest) -> dict[str, Any]:
        """A JSON blob; empty where it is gone or damaged."""
        try:
            value = canonical.loads(self.read(digest, MAX_DETAIL_BYTES), max_bytes=MAX_DETAIL_BYTES)
        except (NotStored, FormatError):
            return {}
        return dict(value) if isinstance(value, dict) else {}

    def _artifacts(self, claim: Claim) -> tuple[Claim, list[Claim] | None]:
        if claim.is_brief:
            return claim, self._pictures(claim)
        try:
            if claim.is_receipt:
                named = [each.artifact for each in Received.parse(self.read(claim.digest, MAX_BYTES)).files]
            else:
                named = list(Record.parse(self.read(claim.digest, MAX_BYTES)).artifacts)
        except (NotStored, FormatError):
            return claim, None
        return claim, [
            replace(
                claim,
                digest=each.digest,
                bytes=each.bytes,
                name=each.name,
                role=each.role,
                lock=each.lock,
                version_id=each.version_id,
            )
            for each in named
        ]

    def _pictures(self, claim: Claim) -> list[Claim] | None:
        try:
            written = Written.parse(self.read(claim.digest, MAX_BRIEF_BYTES))
        except (NotStored, FormatError):
            return None
        return [replace(claim, digest=each.digest, bytes=each.bytes, name="picture") for each in written.brief.pictures]

    def read(self, digest: Digest, limit: int) -> bytes:
        """A blob that fits into memory. Raises ``NotStored``, and ``FormatError`` where it is another or longer."""
        with self.store.open(keyspace.blob(digest)) as stream:
            data = stream.read(limit + 1)
        if Digest.of(data) != digest:
            raise FormatError(f"the blob {digest} is not what its key says")
        return data


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk(Shelf):
    """For whoever acts, and puts into the log what was done."""

    keeper: Keeper
    log: Log
    worker: Scribe
    person: Scribe | None
    """None: nobody acts here whose word on a hold or a disposal counts."""
    clock: Callable[[], datetime]
    people_threshold: int = 1
    """How many people's signatures a release or a disposal needs."""

    @property
    def acting(self) -> Scribe:
        """The person's, or raises."""
        if self.person is None:
            raise KeyFileError(
                "this needs the signature of a person: do it in a home that has a person's or a root key"
            )
        return self.person

    def new_chain(self) -> str:
        return f"work:{self.worker.new_id()}"


def keeper_of(store: ObjectStore) -> Keeper:
    if not isinstance(store, Keeper):
        raise StoreError(f"{store.name} can only be read and written: name the store itself")
    return store
