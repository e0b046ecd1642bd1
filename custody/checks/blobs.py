"""Check 10, blobs: whatever an event or a record names is there, as long as it says, with the digest it says."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from custody import keyspace
from custody.artifact import Lock
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.model import Json
from custody.source import Absent, Unreachable
from custody.verdict import depends

CHECK = 10

_MAX_UNREACHABLE = 8  # then the store is down, and waiting for every other blob tells no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A blob, and who names it."""

    digest: Digest
    bytes: int
    chain: str
    """Of the event."""
    index: int
    """Of the event's leaf."""
    name: str
    role: str | None = None
    capture: str | None = None
    item: str | None = None
    """That the blob belongs to, or is about."""
    lock: Lock | None = None
    """The lock that the record says it has."""
    version_id: str | None = None

    @property
    def key(self) -> str:
        """From the digest alone: a key that someone wrote down is never followed."""
        return keyspace.blob(self.digest)

    @property
    def locator(self) -> dict[str, Json]:
        kind, _, name = self.chain.partition(":")
        found: dict[str, Json] = {
            kind: name,
            "capture": self.capture,
            "role": self.role,
            "name": self.name,
            "key": self.key,
            "index": self.index,
        }
        return {field: value for field, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Look:
    """What lies under a blob's key."""

    length: int | None
    """None: nothing, or it could not be read."""
    limit: int = 0
    """It was not read on beyond this."""
    good: bool = False
    unreachable: str | None = None


_GROUP = 16  # to hand one small file to a thread takes longer than to read it
_GROUPS_AT_ONCE = 1024
_MANY = 64  # groups, so that no thread is without one

Excuse = Callable[[Wanted], str | None]
"""Why a blob is gone: ``disposed``, ``unread`` (the list of what was disposed of is gone too), ``held``; None."""


class Blobs:
    def __init__(self, inquiry: Inquiry, deleted: Mapping[str, object], excuse: Excuse | None = None) -> None:
        """``deleted``: keys that a delete marker hides; check 12 names them."""
        self._inquiry = inquiry
        self._excuse = excuse
        self._disposed: set[Digest] = set()
        self._wanting: set[Digest] = set()
        self._findings = inquiry.findings
        self._deleted = deleted
        self._looks: dict[Digest, Look] = {}
        self.unreachable = 0
        self.bytes = 0

    @property
    def count(self) -> int:
        return len(self._looks)

    def check(self, wanted: Iterable[Wanted]) -> None:
        """Each digest is read once, however many name it; each that names it is told."""
        by_digest: dict[Digest, list[Wanted]] = {}
        for each in wanted:
            by_digest.setdefault(each.digest, []).append(each)
        limits = {digest: max(each.bytes for each in them) for digest, them in by_digest.items()}
        new = {digest: limit for digest, limit in limits.items() if self._is_new(digest, limit)}
        for looks in self._inquiry.mapped(self._look_at_all, _grouped(list(new.items())), _GROUPS_AT_ONCE):
            for digest, look in looks:
                self._looks[digest] = look
                self.bytes += look.length or 0
            self._inquiry.progress("blobs", len(self._looks), 0)
        for digest, them in by_digest.items():
            for each in them:
                self._report(each, self._looks[digest])

    def is_good(self, digest: Digest) -> bool:
        look = self._looks.get(digest)
        return look is not None and look.good

    @property
    def asked(self) -> AbstractSet[Digest]:
        return self._looks.keys()

    @property
    def disposed(self) -> set[Digest]:
        """Blobs that are gone because all that names them was disposed of."""
        return self._disposed - self._wanting

    def orphans(self, named: AbstractSet[Digest]) -> int:
        """Blobs that nothing names: a capture that was not finished leaves them, and so does a changed name.

        ``named``: others that somebody names. An event that is not believed names some too: they are only counted then.
        """
        count, doubtful = 0, [check for check in (5, 6) if self._findings.failed(check)]
        pattern = re.compile(re.escape(keyspace.BLOBS) + "([0-9a-f]{2})/([0-9a-f]{64})")
        for key in self._inquiry.reader.keys(keyspace.BLOBS):
            match = pattern.fullmatch(key)
            if match is None or not match[2].startswith(match[1]):
                self._findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that an archive has", key=key[:300])
            elif (digest := Digest(match[2])) not in self._looks and digest not in named:
                count += 1
                if not doubtful:
                    self._findings.note(CHECK, "BLOB_ORPHAN", f"no event names {key}", key=key)
        if count and doubtful:
            self._findings.detail(CHECK, f"{count} blobs that no believed event names ({depends(doubtful)})")
        return count

    def _is_new(self, digest: Digest, limit: int) -> bool:
        look = self._looks.get(digest)
        return look is None or (look.length is not None and look.length > look.limit and limit > look.limit)

    def _look_at_all(self, group: Sequence[tuple[Digest, int]]) -> list[tuple[Digest, Look]]:
        """In whatever thread the caller's map uses."""
        return [(digest, self._look(digest, limit)) for digest, limit in group]

    def _look(self, digest: Digest, limit: int) -> Look:
        if self.unreachable >= _MAX_UNREACHABLE:
            return Look(None, unreachable="the store stopped answering")
        try:
            found, length = self._inquiry.reader.digest(keyspace.blob(digest), limit)
        except Absent:
            return Look(None)
        except Unreachable as error:
            self.unreachable += 1
            return Look(None, unreachable=str(error))
        return Look(length, limit, good=found == digest)

    def _report(self, wanted: Wanted, look: Look) -> None:
        findings, where = self._findings, wanted.locator
        what = f"{wanted.name} of leaf {wanted.index}"
        if look.unreachable is not None:
            findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {look.unreachable}", **where)
        elif look.length is None:
            self._report_missing(wanted, what)
        else:
            if look.length != wanted.bytes:
                got = "more" if look.length > wanted.bytes else str(look.length)
                findings.fail(CHECK, "BLOB_SIZE", f"{what}: expected {wanted.bytes} bytes, got {got}", **where)
            if not look.good:
                findings.fail(CHECK, "BLOB_DIGEST", f"{what}: its bytes are not those that were recorded", **where)

    def _report_missing(self, wanted: Wanted, what: str) -> None:
        findings = self._inquiry.findings
        why = None if self._excuse is None else self._excuse(wanted)
        if why == "disposed":
            self._disposed.add(wanted.digest)
            findings.note(CHECK, "BLOB_DISPOSED", f"{what} was disposed of", **wanted.locator)
            return
        self._wanting.add(wanted.digest)
        if wanted.key in self._deleted:
            return
        if why == "held":
            message = f"{what} is not there, and its item is on hold"
            findings.fail(CHECK, "HOLD_VIOLATION", message, item=wanted.item, key=wanted.key)
        elif why == "unread":
            findings.detail(CHECK, f"{what} not judged, the list of what was disposed of cannot be read")
        else:
            findings.fail(CHECK, "BLOB_MISSING", f"{what} is not there", **wanted.locator)


def _grouped(wanted: Sequence[tuple[Digest, int]]) -> Iterator[Sequence[tuple[Digest, int]]]:
    size = max(1, min(_GROUP, len(wanted) // _MANY))
    return (wanted[at : at + size] for at in range(0, len(wanted), size))
