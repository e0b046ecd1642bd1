"""Fixity: blobs read back from the store and held against what was recorded of them: bytes, lock, version."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from archive.errors import NotStored, StoreDown, StoreError, UsageError
from archive.payload import CHUNK_BYTES
from archive.stewardship.desk import Desk, Shelf
from archive.stewardship.survey import Claim, Survey, distinct
from archive.store import ObjectStore, Stored, Version
from custody import keyspace
from custody.checks.locks import is_weaker, spelled
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json

LISTED = 10_000
"""So many blobs are named one by one in fixity.json; of more, the digest of their list is."""

_MAX_DOWN = 8  # then the store is down, and that is no word on the blobs
_TOLD_EVERY = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Which blobs were drawn, so that anybody can draw them again: the first ``count`` by SHA-256(seed || digest)."""

    seed: bytes
    count: int
    of: int

    def draw(self, digests: Iterable[Digest]) -> list[Digest]:
        return sorted(digests, key=lambda each: sha256(self.seed + each.raw).digest())[: self.count]

    def to_json(self) -> dict[str, Json]:
        return {"seed": self.seed.hex(), "count": self.count, "of": self.of, "order": "SHA-256(seed || digest)"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What does not hold of a blob, and who names it."""

    digest: Digest
    kind: str
    """``missing``, ``size``, ``bytes``, ``unreadable``, ``lock``, ``version``, ``versions`` or ``hidden``."""
    recorded: str
    found: str
    named_by: tuple[Claim, ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "sha256": self.digest.hex,
            "kind": self.kind,
            "recorded": self.recorded,
            "found": self.found,
            "named_by": [
                {"index": each.index, "capture": each.capture, "name": each.name, "role": each.role}
                for each in self.named_by[:100]
            ],
        }


@dataclass(kw_only=True, slots=True)
class Report:
    """What was read, and what did not hold."""

    purpose: str
    scope: str | None
    size: int
    """Of the log: all that its first so many leaves name."""
    sample: Sample | None
    started_at: datetime
    ended_at: datetime
    read: dict[Digest, int] = field(default_factory=dict)
    """Each blob and the bytes that were read of it."""
    disposed: int = 0
    """Blobs that were disposed of by an event of the log; nobody looks for them."""
    locks: int = 0
    """Locks that were held against a record's word."""
    keeps_locks: bool = False
    faults: list[Fault] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Blobs, however much is wrong with each."""
        return len({each.digest for each in self.faults})

    @property
    def bytes(self) -> int:
        return sum(self.read.values())

    def to_json(self) -> dict[str, Json]:
        lines = "".join(f"{each.hex}\n" for each in sorted(self.read, key=lambda digest: digest.hex))
        listed: list[Json] = [{"sha256": each.hex, "bytes": length} for each, length in self.read.items()]
        return {
            "purpose": self.purpose,
            "method": "download",
            "scope": self.scope,
            "log_size": self.size,
            "sample": None if self.sample is None else self.sample.to_json(),
            "started_at": format_utc(self.started_at),
            "ended_at": format_utc(self.ended_at),
            "checked": len(self.read),
            "bytes": self.bytes,
            "failed": self.failed,
            "disposed": self.disposed,
            "list_sha256": sha256(lines.encode()).hexdigest(),
            "blobs": listed if len(listed) <= LISTED else None,
            "locks": {"kept": self.keeps_locks, "compared": self.locks},
            "faults": [each.to_json() for each in self.faults],
        }


def sample_size(text: str, of: int) -> int:
    """``20`` or ``5%`` of so many, at least one. Raises ``UsageError``."""
    number = text.removesuffix("%")
    if not (number.isascii() and number.isdigit() and len(number) <= 9 and int(number) > 0):
        raise UsageError(f"a sample is a number of blobs or a share of them, such as 200 or 5%, got {text[:20]!r}")
    if text.endswith("%"):
        if int(number) > 100:
            raise UsageError(f"a share is 1% to 100%, got {text[:20]!r}")
        return max(1, -(-of * int(number) // 100)) if of else 0
    return min(int(number), of)


def examine(
    shelf: Shelf,
    survey: Survey,
    *,
    scope: str | None,
    sample: str | None,
    seed: bytes,
    purpose: str,
    clock: Callable[[], datetime],
) -> Report:
    """Raises ``StoreDown`` where the store does not answer: that is no word on any blob."""
    started_at = clock()
    claims = survey.claims if scope is None else survey.of_case(scope)
    live, disposed = _live(shelf, survey, claims)
    unread: list[Claim] = []  # a record that cannot be read is read again below, and named there
    by_digest = distinct([*live, *shelf.artifacts(live, unread=unread)])
    drawn = list(by_digest)
    chosen = None
    if sample is not None:
        chosen = Sample(seed=seed, count=sample_size(sample, len(drawn)), of=len(drawn))
        drawn = chosen.draw(drawn)
    report = Report(
        purpose=purpose,
        scope=scope,
        size=survey.size,
        sample=chosen,
        started_at=started_at,
        ended_at=started_at,
        disposed=len(disposed - by_digest.keys()),
    )
    _read(shelf, {digest: by_digest[digest] for digest in drawn}, report)
    report.ended_at = clock()
    return report


def record(desk: Desk, report: Report) -> int:
    """``fixity.verified``; the index of its leaf."""
    subject = desk.worker.detail("fixity.json", report.to_json())
    body: dict[str, Json] = {
        "purpose": report.purpose,
        "method": "download",
        "checked": len(report.read),
        "failed": report.failed,
        "bytes": report.bytes,
    }
    envelope = desk.worker.event("fixity.verified", chain=desk.new_chain(), subject=subject, body=body)
    return desk.log.append([envelope])[0].index


def _live(shelf: Shelf, survey: Survey, claims: Sequence[Claim]) -> tuple[list[Claim], set[Digest]]:
    """Without those of items that were disposed of; and the digests that their disposals list."""
    gone: set[Digest] = set()
    for unit in survey.disposals:
        told = survey.disposal(unit)
        listed = shelf.detail(told.detail).get("blobs") if told is not None else None
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, dict) and isinstance(each.get("sha256"), str):
                gone.add(Digest(each["sha256"]))
    live = []
    for claim in claims:
        about = survey.about(claim)
        if about is not None and not survey.is_live(about) and claim.digest in gone:
            continue
        live.append(claim)
    return live, gone


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """What the store gave for one blob."""

    length: int | None = None
    """None: nothing, or it could not be read."""
    digest: Digest | None = None
    trouble: str = ""
    down: bool = False
    head: Stored | None = None
    """None where the store keeps neither versions nor locks."""
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class _Versions:
    """Of all blobs, listed at once; of a few, each by itself."""

    store: ObjectStore
    listed: Mapping[str, Sequence[Version]] | None

    def of(self, key: str) -> tuple[Version, ...]:
        if self.listed is not None:
            return tuple(self.listed.get(key, ()))
        return tuple(each for each in self.store.versions(key) if each.key == key)


def _read(shelf: Shelf, wanted: Mapping[Digest, Sequence[Claim]], report: Report) -> None:
    listed: dict[str, list[Version]] | None = None
    if report.sample is None:
        listed = {}
        for version in shelf.store.versions(keyspace.BLOBS):
            listed.setdefault(version.key, []).append(version)
    versions = _Versions(shelf.store, listed)
    down = 0
    for number, (digest, look) in enumerate(shelf.mapped(lambda each: _look(shelf, versions, each), wanted), 1):
        claims = wanted[digest]
        down = down + 1 if look.down else 0
        if down >= _MAX_DOWN:
            raise StoreDown(f"{look.trouble}; {len(report.read)} blobs were read, and nothing was recorded")
        _judge(digest, look, claims, report)
        if len(look.versions) > 1:
            hidden = any(each.is_delete_marker for each in look.versions)
            found = f"{len(look.versions)}, {'a delete marker among them' if hidden else 'written more than once'}"
            report.faults.append(_fault(digest, claims, "hidden" if hidden else "versions", "one version", found))
        if number % _TOLD_EVERY == 0:
            shelf.tell(f"{number} of {len(wanted)} blobs read, {report.bytes} bytes, {report.failed} do not hold")


def _judge(digest: Digest, look: _Look, claims: Sequence[Claim], report: Report) -> None:
    if look.length is None:
        kind = "unreadable" if look.trouble else "missing"
        report.read[digest] = 0
        report.faults.append(_fault(digest, claims, kind, f"{claims[0].bytes} bytes", look.trouble or "nothing"))
        return
    report.read[digest] = look.length
    if wrong := [each for each in claims if each.bytes != look.length]:
        report.faults.append(_fault(digest, wrong, "size", f"{wrong[0].bytes} bytes", f"{look.length} bytes"))
    if look.digest != digest:
        report.faults.append(_fault(digest, claims, "bytes", digest.hex, str(look.digest and look.digest.hex)))
    if look.head is None:
        return
    report.keeps_locks = True
    for each in claims:
        if each.lock is not None:
            report.locks += 1
            if is_weaker(each.lock, look.head.lock):
                report.faults.append(_fault(digest, [each], "lock", spelled(each.lock), spelled(look.head.lock)))
        if each.version_id is not None and each.version_id != look.head.version_id:
            report.faults.append(_fault(digest, [each], "version", each.version_id, str(look.head.version_id)))


def _fault(digest: Digest, claims: Sequence[Claim], kind: str, recorded: str, found: str) -> Fault:
    return Fault(digest=digest, kind=kind, recorded=recorded, found=found, named_by=tuple(claims))


def _look(shelf: Shelf, versions: _Versions, digest: Digest) -> tuple[Digest, _Look]:
    """In whatever thread the map uses."""
    key = keyspace.blob(digest)
    there: tuple[Version, ...] = ()
    try:
        there = versions.of(key)
        hasher, length = sha256(), 0
        with shelf.store.open(key) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                hasher.update(chunk)
                length += len(chunk)
        head = shelf.store.head(key) if there else None  # a directory would hash the file again to answer
        return digest, _Look(length=length, digest=Digest(hasher.hexdigest()), head=head, versions=there)
    except NotStored:
        return digest, _Look(versions=there)
    except StoreError as error:
        return digest, _Look(trouble=str(error), down=isinstance(error, StoreDown), versions=there)
