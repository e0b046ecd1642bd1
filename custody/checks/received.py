"""What others handed over: each receipt says what its event says, and its files are there. Of checks 8, 10, 11."""

from dataclasses import dataclass, field

from custody import keyspace
from custody.checks.blobs import Blobs, Wanted
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.checks.locks import Locks
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json
from custody.received import MAX_BYTES, NAME, Received
from custody.source import Absent, TooLong, Unreachable

RECEIVED = "evidence.received"
CHECK = 11
_STATES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    index: int
    item: str
    digest: Digest
    counts: tuple[tuple[str, Json], ...]


@dataclass(slots=True)
class Receipts:
    """Collects the events while they pass; reads the blobs when those are looked at."""

    inquiry: Inquiry
    files: int = 0
    _told: list[_Told] = field(default_factory=list)

    def see(self, entry: Entry) -> None:
        event, leaf = entry.event, entry.leaf
        if event is None or leaf is None or entry.repeated or event.type != RECEIVED:
            return
        item = event.chain.partition(":")[2]
        if leaf.chains[0].seq:
            message = f"leaf {entry.index}, {RECEIVED}, does not begin its item: what is received is an item of its own"
            self.inquiry.findings.fail(_STATES, "STATE_ORDER", message, item=item, index=entry.index)
        told = _Told(
            index=entry.index, item=item, digest=event.subjects[0].digest, counts=tuple(sorted(event.body.items()))
        )
        self._told.append(told)

    def check(self, blobs: Blobs, locks: Locks, chains: set[str] | None) -> None:
        """After the receipts themselves were looked at; ``chains``: those of the one case, None: all."""
        wanted = [
            each
            for each in self._told
            if (chains is None or f"item:{each.item}" in chains) and blobs.is_good(each.digest)
        ]
        files: list[Wanted] = []
        for each, found in zip(wanted, self.inquiry.mapped(self._read, wanted), strict=True):
            files += self._compare(each, found)
        blobs.check(files)
        locks.check(files)
        self.files = len(files)
        if wanted:
            self.inquiry.findings.detail(CHECK, f"{len(wanted)} receipts of {len(files)} files, custody from receipt")

    def _read(self, told: _Told) -> Received | Exception:
        """In whatever thread the caller's map uses."""
        try:
            return Received.parse(self.inquiry.reader.read(keyspace.blob(told.digest), MAX_BYTES))
        except (FormatError, Absent, TooLong, Unreachable) as error:
            return error

    def _compare(self, told: _Told, found: Received | Exception) -> list[Wanted]:
        findings, what = self.inquiry.findings, f"{NAME} of leaf {told.index}"
        where: dict[str, Json] = {"name": NAME, "index": told.index}
        if isinstance(found, Unreachable):
            findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {found}", **where)
            return []
        if isinstance(found, Exception):
            findings.fail(CHECK, "RECORD_FORMAT", f"{what}: {found}", **where)
            return []
        says: dict[str, Json] = {"item": found.item, **found.counts()}
        for name, value in (("item", told.item), *told.counts):
            if says[name] != value:
                message = f"{what}: its event says {name} is {value}, it says {says[name]}"
                findings.fail(CHECK, "RECORD_MISMATCH", message, field=name, **where)
        return [
            Wanted(
                digest=each.artifact.digest,
                bytes=each.artifact.bytes,
                chain=f"item:{told.item}",
                index=told.index,
                name=each.artifact.name,
                role=each.artifact.role,
                item=told.item,
                lock=each.artifact.lock,
                version_id=each.artifact.version_id,
            )
            for each in found.files
        ]
