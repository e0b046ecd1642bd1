"""What a store must refuse before evidence goes into it, tried out on short-lived keys of the probe's own.

A store that ignores ``If-None-Match`` gives two writers one place in the log and tells neither; one that takes a wrong
checksum keeps bytes that nobody sent; one that lets a lock be shortened keeps nothing. All of them say 200.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from archive.errors import Collision, NotStored, StoreDenied, StoreError, StoreUnsafe
from archive.store import Lock, ObjectStore, Stored
from custody.digest import Digest
from custody.instant import format_utc
from custody.keyspace import PROBES
from custody.model import Json

UNSAFE = "STORE_UNSAFE"
NO_LOCK = "none"
GOVERNANCE = "GOVERNANCE"

_RETENTION = timedelta(minutes=2)
_SHORTER = timedelta(seconds=30)
_REMEDY = {
    "takes_locked": "make the bucket with Object Lock on, and see that this computer's clock is right",
    "created_once": "it needs conditional writes (If-None-Match): without them two writers own one place in the log",
    "wrong_checksum_refused": "it needs additional checksums (x-amz-checksum-sha256): without them damage stays unseen",
    "checksum_kept": "it must give back the SHA-256 of the whole object by HEAD",
    "old_versions_stay": "turn versioning on: without it an overwrite destroys",
    "lock_kept": "make the bucket with Object Lock on",
    "locked_delete_refused": "its Object Lock does not hold: use a store whose lock does",
    "lock_shortening_refused": "its Object Lock does not hold: use a store whose lock does",
    "compliance_holds": "its COMPLIANCE mode does not hold: use a store whose lock does",
    "reads_back": "look at the disk",
}


class Answer(Protocol):
    """``archive.s3.Answer``."""

    @property
    def status(self) -> int: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def version_id(self) -> str | None: ...


class RawObjects(Protocol):
    """``archive.s3.RawObjects``: a no of the store is an answer."""

    @property
    def lock_mode(self) -> str: ...
    def put(
        self, key: str, data: bytes, *, once: bool, sha256: Digest | None = None, retain_until: datetime | None = None
    ) -> Answer: ...
    def read(self, key: str, version_id: str | None = None) -> bytes: ...
    def head(self, key: str, version_id: str | None = None) -> Stored: ...
    def delete(self, key: str, version_id: str, *, bypass: bool) -> Answer: ...
    def retain(self, key: str, version_id: str, *, mode: str, until: datetime) -> Answer: ...


@runtime_checkable
class _Bucket(Protocol):
    def raw(self) -> RawObjects: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    name: str
    passed: bool
    detail: str
    """What the store did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeReport:
    """A blob of its own; ``storage.probed`` names it."""

    store: str
    at: datetime
    nonce: str
    """128 random bits, as every blob has: the digest of what can be guessed is no secret."""
    lock: str
    """``GOVERNANCE``, ``COMPLIANCE``, or ``none`` where the store knows no locks."""
    bypass: str
    """``yes``: our own credentials can delete what is locked. ``no``, or ``unknown``."""
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def require(self) -> None:
        """Raise ``StoreUnsafe`` for the first check that failed, naming the others."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            return
        others = f" (and {', '.join(check.name for check in failed[1:])})" if len(failed) > 1 else ""
        raise StoreUnsafe(
            f"{UNSAFE}: {self.store} fails the check {failed[0].name}{others}: {failed[0].detail}; "
            f"{_REMEDY[failed[0].name]}. No evidence was stored; choose another store by COUNTERPROOF_STORE_URL"
        )

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "nonce": self.nonce,
            "at": format_utc(self.at),
            "store": self.store,
            "lock": self.lock,
            "bypass": self.bypass,
            "passed": self.passed,
            "checks": [{"name": each.name, "passed": each.passed, "detail": each.detail} for each in self.checks],
        }


def probe(
    store: ObjectStore, *, clock: Callable[[], datetime], random: Callable[[int], bytes] = secrets.token_bytes
) -> ProbeReport:
    """The report of a store that passed. Raises ``StoreUnsafe`` for one that did not."""
    report = examine(store, clock=clock, random=random)
    report.require()
    return report


def examine(
    store: ObjectStore, *, clock: Callable[[], datetime], random: Callable[[int], bytes] = secrets.token_bytes
) -> ProbeReport:
    """The report of any store, for ``doctor`` to show. Raises ``StoreError`` only where no answer could be had."""
    at = clock()
    key = f"{PROBES}{random(16).hex()}"
    nonce = random(16).hex()
    if isinstance(store, _Bucket):
        trial = _Trial(store.raw(), key, random(32), random(32), at + _RETENTION)
        checks = tuple(trial.run(store.name))
        lock, bypass = trial.raw.lock_mode, trial.bypass
    else:
        checks = tuple(_plain(store, key, random(32), random(32)))
        lock, bypass = NO_LOCK, "yes"  # whoever may write there may delete there
    return ProbeReport(store=store.name, at=at, nonce=nonce, lock=lock, bypass=bypass, checks=checks)


class _Trial:
    """One probe of one bucket."""

    def __init__(self, raw: RawObjects, key: str, body: bytes, other: bytes, until: datetime) -> None:
        self.raw = raw
        self.bypass = "unknown"
        self._key = key
        self._body = body
        self._other = other
        self._until = until

    def run(self, name: str) -> Iterator[Check]:
        first = self.raw.put(self._key, self._body, once=True, retain_until=self._until)
        if first.status in {401, 403}:
            raise StoreDenied(f"{name} said {first} to a new object below {PROBES}: let these credentials write there")
        # A 412 with our own random bytes underneath: the answer to an earlier try was lost.
        taken = first.accepted or (first.status == 412 and self._intact(None))
        yield Check(name="takes_locked", passed=taken, detail=f"a locked object was answered {first}")
        if not taken:
            return
        head = self.raw.head(self._key)
        yield self._created_once()
        yield self._wrong_checksum_refused()
        yield Check(
            name="checksum_kept",
            passed=head.sha256 == Digest.of(self._body),
            detail=f"HEAD gives {head.sha256 or 'no SHA-256 of the whole object'}",
        )
        if head.version_id is None:
            yield Check(name="old_versions_stay", passed=False, detail="an object has no version")
            return
        yield self._old_versions_stay(head.version_id)
        lock = head.lock
        kept = lock is not None and lock.mode == self.raw.lock_mode and self._lasts(head)
        yield Check(name="lock_kept", passed=kept, detail=f"the lock reads back as {_spelled(lock)}")
        yield self._locked_delete_refused(head.version_id)
        yield self._lock_shortening_refused(head.version_id)
        yield from self._bypass(head.version_id)

    def _created_once(self) -> Check:
        second = self.raw.put(self._key, self._other, once=True, retain_until=self._until)
        passed = second.status == 412 and self._intact(None)
        return Check(name="created_once", passed=passed, detail=f"the second writer of a key was answered {second}")

    def _wrong_checksum_refused(self) -> Check:
        key = f"{self._key}-damaged"
        answer = self.raw.put(key, self._body, once=True, sha256=Digest.of(self._other))
        if answer.accepted and answer.version_id is not None:
            self.raw.delete(key, answer.version_id, bypass=False)
        return Check(
            name="wrong_checksum_refused",
            passed=not answer.accepted,
            detail=f"bytes with a wrong SHA-256 were answered {answer}",
        )

    def _old_versions_stay(self, version_id: str) -> Check:
        answer = self.raw.put(self._key, self._other, once=False)
        passed = not answer.accepted or (answer.version_id not in {None, version_id} and self._intact(version_id))
        if answer.accepted and answer.version_id is not None:
            self.raw.delete(self._key, answer.version_id, bypass=False)
        return Check(name="old_versions_stay", passed=passed, detail=f"an overwrite was answered {answer}")

    def _locked_delete_refused(self, version_id: str) -> Check:
        answer = self.raw.delete(self._key, version_id, bypass=False)
        passed = not answer.accepted and self._intact(version_id)
        return Check(name="locked_delete_refused", passed=passed, detail=f"deleting a locked version: {answer}")

    def _lock_shortening_refused(self, version_id: str) -> Check:
        if not self._intact(version_id):
            return Check(name="lock_shortening_refused", passed=False, detail="the locked version is gone")
        answer = self.raw.retain(self._key, version_id, mode=self.raw.lock_mode, until=self._until - _SHORTER)
        passed = not answer.accepted and self._lasts(self.raw.head(self._key, version_id))
        return Check(name="lock_shortening_refused", passed=passed, detail=f"shortening a lock: {answer}")

    def _bypass(self, version_id: str) -> Iterator[Check]:
        """Last, because a yes deletes: with GOVERNANCE it is no fault, and tells how far the lock can be trusted."""
        answer = self.raw.delete(self._key, version_id, bypass=True)
        if answer.accepted or answer.status in {400, 401, 403}:
            self.bypass = "yes" if answer.accepted else "no"
        if self.raw.lock_mode != GOVERNANCE:
            held = not answer.accepted and self._intact(version_id)
            yield Check(name="compliance_holds", passed=held, detail=f"deleting with the governance bypass: {answer}")

    def _intact(self, version_id: str | None) -> bool:
        try:
            return self.raw.read(self._key, version_id) == self._body
        except NotStored:
            return False

    def _lasts(self, stored: Stored) -> bool:
        return stored.lock is not None and stored.lock.retain_until >= self._until.replace(microsecond=0)


def _spelled(lock: Lock | None) -> str:
    return "none" if lock is None else f"{lock.mode} until {format_utc(lock.retain_until)}"


def _plain(store: ObjectStore, key: str, body: bytes, other: bytes) -> Iterator[Check]:
    """A store without versions and locks: what remains is that it creates once, and checks what it is given."""
    stored = store.create(key, body, digest=Digest.of(body), retain_until=None)
    try:
        again = store.create(key, body, digest=Digest.of(body), retain_until=None)
        second = _refusal(store, key, other, Digest.of(other))
        once = isinstance(second, Collision) and not again.created
        yield Check(name="created_once", passed=once, detail=f"the second writer of a key: {_kind(second)}")
        wrong = _refusal(store, f"{key}-damaged", body, Digest.of(other))
        yield Check(
            name="wrong_checksum_refused",
            passed=wrong is not None,
            detail=f"bytes with a wrong SHA-256: {_kind(wrong)}",
        )
        back = store.read(key) == body and stored.sha256 == Digest.of(body)
        yield Check(name="reads_back", passed=back, detail="equal bytes" if back else "other bytes")
    finally:
        store.remove_unlocked(key)


def _refusal(store: ObjectStore, key: str, data: bytes, digest: Digest) -> StoreError | None:
    try:
        store.create(key, data, digest=digest, retain_until=None)
    except StoreError as error:
        return error
    return None


def _kind(refusal: StoreError | None) -> str:
    return "accepted" if refusal is None else f"refused ({type(refusal).__name__})"
