"""A store on any S3-compatible service.

What is claimed was read back: a PUT that was answered 200 is asked for again by HEAD, and its checksum, size, version
and lock are compared. Answers that get lost do no harm: the same bytes are sent again until the store says yes, or 412.

One PUT for one object, never multipart: there, SHA-256 is a checksum of checksums, and says nothing about our digest.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock as Mutex
from typing import Any, BinaryIO

from archive.errors import Collision, NotStored, StoreDenied, StoreError
from archive.payload import Payload, refuse_to_lose, whole_seconds
from archive.s3 import keeping
from archive.s3.client import Credentials, connect
from archive.s3.objects import Objects
from archive.s3.raw import RawObjects
from archive.s3.trouble import NoBucket, Taken
from archive.store import HoldState, Lock, Removal, Stored, Version
from custody.digest import Digest
from custody.keyspace import BLOBS

MAX_OBJECT_BYTES = 5 << 30  # S3's limit for a single PUT
COMPLIANCE = "COMPLIANCE"
GOVERNANCE = "GOVERNANCE"

_TRIES = 3
_REMEMBERED = 4096
_LENGTHENINGS = 20  # each try is lost to somebody whose own then stands, so a crowd of so many gets through


class S3Store:
    """``archive.store.ObjectStore`` on one bucket, below one prefix."""

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str = "",
        endpoint: str | None = None,
        region: str | None = None,
        credentials: Credentials | None = None,
        env: Mapping[str, str] | None = None,
        lock_mode: str = GOVERNANCE,
        patience_s: float = 30.0,
        timeout_s: float = 20.0,
        page: int = 1000,
        name: str | None = None,
        obstacle: Callable[[int | None], None] = lambda _: None,
        md5: bool = True,
    ) -> None:
        """``env``: the usual AWS variables, for what is not given. ``patience_s``: how long one request is repeated.

        ``md5``: sent beside the SHA-256, as older services want it; for one that is known to do without, a waste.

        ``obstacle`` is asked before bytes are sent (how many) and whenever an answer stays away (None while reading).
        It raises what it knows to stand in the way, such as a full disk behind a server that can only say 500.
        """
        below = f"{prefix.strip('/')}/".lstrip("/")
        name = name or f"s3://{bucket}/{below}".rstrip("/")
        self._objects = Objects(
            client=connect(
                name, endpoint=endpoint, region=region, credentials=credentials, env=env or {}, timeout_s=timeout_s
            ),
            bucket=bucket,
            prefix=below,
            name=name,
            patience_s=patience_s,
            page=page,
            obstacle=obstacle,
        )
        self._lock_mode = lock_mode
        self._md5 = md5
        self._lately: dict[str, None] = {}
        """Blobs that were stored, oldest first."""
        self._lately_lock = Mutex()

    @property
    def name(self) -> str:
        return self._objects.name

    def create(self, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None) -> Stored:
        payload = self._payload(key, data, digest)
        until = whole_seconds(retain_until)
        if (known := self._known(key, payload, until)) is not None:
            return known
        reused, version = self._put_once(key, payload, until)
        stored = reused or self._as_sent(
            key, lambda: self._objects.head(key, version, created=True), payload, version, until
        )
        self._remember(key)
        return stored

    def create_and_read(self, key: str, data: bytes, *, digest: Digest, retain_until: datetime | None) -> bytes:
        payload = self._payload(key, data, digest)
        until = whole_seconds(retain_until)
        reused, version = self._put_once(key, payload, until)
        if reused is not None:
            return self.read(key)
        given = b""

        def look() -> Stored:
            nonlocal given
            stored, given = self._objects.fetch(key)
            return stored

        self._as_sent(key, look, payload, version, until)
        return given

    def _put_once(self, key: str, payload: Payload, until: datetime | None) -> tuple[Stored | None, str | None]:
        """What was there already, compared and locked; or None, and the version that the store says it made."""
        for _ in range(_TRIES):
            try:
                return None, self._objects.put("create", key, payload, IfNoneMatch="*", **self._lock(until))
            except Taken:
                with suppress(NotStored):  # deleted in between: the name is free again, the bytes still in our hand
                    return self._reuse(key, payload, until), None
        raise StoreError(
            f"{self.name} says {key} is taken, and that nothing is there: look at its versions, and for a longer key "
            "that begins with this one"
        )

    def _known(self, key: str, payload: Payload, until: datetime | None) -> Stored | None:
        """A blob that this process has stored before, as the store shows it now; None where that does not suffice.

        Its key is the digest of its bytes, so that nothing has to be sent or compared again for it.
        """
        with self._lately_lock:
            if key not in self._lately:
                return None
        with suppress(NotStored):
            there = self._objects.head(key)
            is_whole = (there.bytes, there.sha256) == (payload.length, payload.digest)
            if is_whole and (until is None or not self._falls_short(there.lock, until)):
                return there
        return None

    def _remember(self, key: str) -> None:
        if key.startswith(BLOBS):
            with self._lately_lock:
                self._lately[key] = None
                if len(self._lately) > _REMEMBERED:
                    del self._lately[next(iter(self._lately))]

    def replace(self, key: str, data: bytes) -> None:
        self._objects.put("replace", key, self._payload(key, data, Digest.of(data)))

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        return self._objects.open(key)

    def head(self, key: str) -> Stored:
        return self._objects.head(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Listed whole, then sorted: SeaweedFS keeps byte order within a page, but not from page to page."""
        below = len(self._objects.prefix)
        found = [each["Key"][below:] for page in self._objects.listed(prefix) for each in page.get("Contents", ())]
        yield from sorted(found)

    def versions(self, prefix: str) -> Iterator[Version]:
        """All of them, even from SeaweedFS, which leaves keys out of a version listing that has more than one page."""
        seen: set[str] = set()
        pages = 0
        for page in self._objects.listed_versions(prefix):
            pages += 1
            for version in self._versions(page):
                seen.add(version.key)
                yield version
        if pages == 1:
            return
        for key in self.keys(prefix):
            if key not in seen:
                yield from self._versions_of(key)

    def lengthen(self, key: str, until: datetime) -> Lock | None:
        there = self._objects.head(key)
        asked = whole_seconds(until)
        if asked is not None and (there.lock is None or there.lock.retain_until < asked):
            there = self._lengthened(there, asked)
        return self._locked(there, asked).lock

    def set_hold(self, key: str, *, on: bool) -> HoldState:
        return keeping.set_hold(self._objects, key, self._versions_of(key), on=on)

    def remove(self, key: str) -> tuple[Removal, ...]:
        if not key.startswith(BLOBS):
            raise StoreError(f"{key} is no blob: it stays")
        return keeping.remove(self._objects, key, self._versions_of(key))

    def remove_unlocked(self, key: str) -> None:
        refuse_to_lose(key)
        # The bytes before the markers over them, each version by its id: a mere DELETE would leave the bytes there.
        for each in sorted(self._versions_of(key), key=lambda version: version.is_delete_marker):
            self._objects.delete(key, each.version_id)

    def _versions_of(self, key: str) -> list[Version]:
        pages = self._objects.listed_versions(key, Delimiter="/")
        return [version for page in pages for version in self._versions(page) if version.key == key]

    def make_bucket(self) -> None:
        """Create the bucket, with Object Lock, if it is not there. Only the embedded store's is made by us."""
        objects = self._objects
        try:
            objects.ask(
                "look for the bucket of", objects.name, lambda: objects.client.head_bucket(Bucket=objects.bucket)
            )
        except (NotStored, NoBucket):
            with suppress(Taken):  # by an earlier try whose answer was lost
                objects.ask(
                    "make the bucket of",
                    objects.name,
                    lambda: objects.client.create_bucket(Bucket=objects.bucket, ObjectLockEnabledForBucket=True),
                    sending=0,
                )

    def close(self) -> None:
        """Let go of the connections. Nothing is pending: each call has ended."""
        self._objects.client.close()

    def raw(self) -> RawObjects:
        """For the probe alone."""
        return RawObjects(self._objects, self._lock_mode)

    def _payload(self, key: str, data: bytes | Path, digest: Digest) -> Payload:
        payload = Payload.of(data, digest=digest, md5=self._md5)
        if payload.length > MAX_OBJECT_BYTES:
            raise StoreError(f"{key} has {payload.length} bytes, a single PUT takes {MAX_OBJECT_BYTES}: split it")
        return payload

    def _lock(self, until: datetime | None) -> dict[str, Any]:
        return {} if until is None else {"ObjectLockMode": self._lock_mode, "ObjectLockRetainUntilDate": until}

    def _as_sent(
        self,
        key: str,
        look: Callable[[], Stored],
        payload: Payload,
        version: str | None,
        until: datetime | None,
    ) -> Stored:
        """What the store says now of what it has just taken, if that is what was sent."""
        try:
            stored = look()
        except NotStored as error:
            raise StoreError(f"{self.name} took {key} and does not have it: run `counterproof doctor`") from error
        if stored.bytes != payload.length:
            raise StoreError(f"{self.name} keeps {stored.bytes} bytes of {key}, sent were {payload.length}")
        if stored.sha256 is None:
            raise StoreError(
                f"{self.name} keeps no SHA-256 of {key} that covers the whole object: `counterproof doctor` says what "
                "this store lacks"
            )
        if stored.sha256 != payload.digest:
            raise StoreError(f"{self.name} keeps {stored.sha256} under {key}, sent was {payload.digest}")
        if version is not None and stored.version_id != version:
            raise StoreError(f"{self.name} made version {version} of {key} and shows version {stored.version_id}")
        return self._locked(stored, until)

    def _reuse(self, key: str, payload: Payload, until: datetime | None) -> Stored:
        """Equal bytes are as good as ours once their lock is as long as ours. Other bytes are an alarm."""
        there = self._objects.head(key)
        with self._objects.open(key, there.version_id) as stream:
            found, length = Digest.of_stream(stream)
        if (found, length) != (payload.digest, payload.length):
            raise Collision(
                f"other bytes lie under {key}: expected {payload.digest}, got {found}; nothing was overwritten"
            )
        if until is not None and self._falls_short(there.lock, until):
            there = self._lengthened(there, until)
        return self._locked(there, until)

    def _lengthened(self, there: Stored, until: datetime) -> Stored:
        """The object as read back once its lock reaches ``until``, or as it is when the store would not have it.

        Equal bytes are sealed by several at once, each with an end of its own. What another wrote since we looked makes
        ours a shortening, which the store refuses; and of two that it takes at once, the shorter may be the one that
        stays. So what counts is what is read back, and the longest end is asked for again.
        """
        for _ in range(_LENGTHENINGS):
            longest = max(until, there.lock.retain_until) if there.lock else until
            refused: StoreDenied | None = None
            try:
                self._objects.retain(there.key, there.version_id, self._mode(there.lock), longest)
            except StoreDenied as error:
                refused = error
            before, there = there.lock, self._objects.head(there.key, there.version_id)
            if not self._falls_short(there.lock, until):
                break
            if refused is not None and there.lock == before:  # nobody came between: it is a no
                raise refused
        return there

    def _mode(self, lock: Lock | None) -> str:
        """Never weaker than what is there."""
        return COMPLIANCE if lock is not None and lock.mode == COMPLIANCE else self._lock_mode

    def _locked(self, stored: Stored, until: datetime | None) -> Stored:
        if until is not None and self._falls_short(stored.lock, until):
            raise StoreError(
                f"{self.name} does not lock {stored.key} as asked: expected {self._lock_mode} until "
                f"{until.isoformat()}, got {stored.lock}; `counterproof doctor` says what this store lacks"
            )
        return stored

    def _falls_short(self, lock: Lock | None, until: datetime) -> bool:
        return lock is None or lock.retain_until < until or (self._lock_mode == COMPLIANCE and lock.mode != COMPLIANCE)

    def _versions(self, page: Mapping[str, Any]) -> Iterator[Version]:
        for kind in ("Versions", "DeleteMarkers"):
            for each in page.get(kind, ()):
                yield Version(
                    key=each["Key"][len(self._objects.prefix) :],
                    version_id=each["VersionId"],
                    is_latest=each["IsLatest"],
                    is_delete_marker=kind == "DeleteMarkers",
                )
