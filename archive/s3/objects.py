"""The requests on one bucket, each repeated until its answer means something."""

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, TypeVar

from archive.errors import NotStored
from archive.patience import Patience
from archive.payload import CHUNK_BYTES, Payload, checked_key, checked_prefix
from archive.s3.stream import VersionStream
from archive.s3.trouble import FOREIGN, judged
from archive.store import Lock, Stored
from archive.tally import TALLY
from custody.digest import Digest

T = TypeVar("T")
SMALL_BYTES = 256 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Objects:
    """A bucket below a prefix, as plain requests: nothing is compared, nothing is promised."""

    client: Any
    bucket: str
    prefix: str
    """Empty, or with a slash at its end. Keys given and taken here do not have it."""
    name: str
    patience_s: float
    page: int
    """Keys in one page of a listing."""
    obstacle: Callable[[int | None], None]

    def ask(self, what: str, key: str, call: Callable[[], T], *, sending: int | None = None) -> T:
        """Ask until there is an answer that asking again would not change, or until the patience is used up."""
        patience = Patience(self.patience_s)
        while True:
            TALLY.add(sending or 0)
            try:
                return call()
            except FOREIGN as error:
                trouble = judged(error, f"{what} {key}".strip(), self.name)
                if trouble.passes:
                    self.obstacle(sending)
                if not trouble.passes or not patience.wait():
                    raise trouble.error from error

    def at(self, key: str, version: str | None = None) -> dict[str, Any]:
        named = {"Bucket": self.bucket, "Key": self.prefix + checked_key(key)}
        return named if version is None else {**named, "VersionId": version}

    def put(self, what: str, key: str, payload: Payload, **more: Any) -> str | None:
        """The version that the store says it made; None where it keeps none."""
        request = {**self.at(key), **sums(payload), **more}

        def send() -> Any:
            if isinstance(payload.data, bytes):
                return self.client.put_object(**request, Body=payload.data)
            with payload.open() as body:
                # A file is sent after the store has said that it may be; for a small one that is a turn for nothing.
                data = body.read() if payload.length <= SMALL_BYTES else body
                return self.client.put_object(**request, Body=data)

        self.obstacle(payload.length)
        return version_in(self.ask(what, key, send, sending=payload.length))

    def head(self, key: str, version: str | None = None, *, created: bool = False) -> Stored:
        head = self.ask(
            "look at", key, lambda: self.client.head_object(**self.at(key, version), ChecksumMode="ENABLED")
        )
        return _stored(key, head, created=created)

    def fetch(self, key: str) -> tuple[Stored, bytes]:
        """What ``head`` says of what lies there now, and all its bytes, in one answer. For what is small."""

        def get() -> tuple[Any, bytes]:
            answer = self.client.get_object(**self.at(key), ChecksumMode="ENABLED")
            with closing(answer["Body"]) as body:
                return answer, body.read()

        answer, data = self.ask("read", key, get)
        return _stored(key, answer, created=True), data

    def open(self, key: str, version: str | None = None) -> BinaryIO:
        first = self.ask("read", key, lambda: self.client.get_object(**self.at(key, version)))
        same = self.at(key, version_in(first) or version)

        def again(position: int) -> Any:
            rest = self.ask("read", key, lambda: self.client.get_object(**same, Range=f"bytes={position}-"))
            return rest["Body"]

        stream = VersionStream(
            first["Body"],
            first["ContentLength"],
            again=again,
            patience=lambda: Patience(self.patience_s),
            what=f"{key} in {self.name}",
        )
        return io.BufferedReader(stream, CHUNK_BYTES)

    def retain(self, key: str, version: str | None, mode: str, until: datetime) -> None:
        retention = {"Mode": mode, "RetainUntilDate": until}
        self.ask(
            "lengthen the lock of",
            key,
            lambda: self.client.put_object_retention(**self.at(key, version), Retention=retention),
        )

    def delete(self, key: str, version: str) -> None:
        """One version, for good; the store may say that it was gone already."""
        with suppress(NotStored):
            self.ask("remove", key, lambda: self.client.delete_object(**self.at(key, version)))

    def listed(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """Pages of ``ListObjectsV2``."""
        more: dict[str, Any] = {}
        while True:
            page = self._list(self.client.list_objects_v2, prefix, more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def listed_versions(self, prefix: str, **only: Any) -> Iterator[Mapping[str, Any]]:
        """Pages of ``ListObjectVersions``."""
        more: dict[str, Any] = {}
        while True:
            page = self._list(self.client.list_object_versions, prefix, {**only, **more})
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"]}
            if page.get("NextVersionIdMarker"):
                more["VersionIdMarker"] = page["NextVersionIdMarker"]

    def _list(self, call: Callable[..., Any], prefix: str, more: Mapping[str, Any]) -> Mapping[str, Any]:
        whole = self.prefix + checked_prefix(prefix)
        page: Mapping[str, Any] = self.ask(
            "list", prefix, lambda: call(Bucket=self.bucket, Prefix=whole, MaxKeys=self.page, **more)
        )
        return page


def sums(payload: Payload) -> dict[str, Any]:
    """What the server checks the bytes against before it says yes."""
    checked: dict[str, Any] = {"ContentLength": payload.length, "ChecksumSHA256": base64_of(payload.digest.raw)}
    return checked if payload.md5 is None else {**checked, "ContentMD5": base64_of(payload.md5)}


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def version_in(answer: Mapping[str, Any]) -> str | None:
    """``null`` is S3's word for the only version there is, where versioning is off."""
    version: str | None = answer.get("VersionId")
    return None if version in {None, "", "null"} else version


def checksum_in(head: Mapping[str, Any]) -> Digest | None:
    """The SHA-256 over the whole object, or None.

    SeaweedFS answers without a checksum type. An absent one is taken for FULL_OBJECT when the value has no ``-N`` at
    its end, which marks a checksum of parts' checksums.
    """
    if head.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    try:
        raw = base64.b64decode(head.get("ChecksumSHA256", ""), validate=True)
    except ValueError:
        return None
    return Digest(raw.hex()) if len(raw) == 32 else None


def _stored(key: str, head: Mapping[str, Any], *, created: bool) -> Stored:
    return Stored(
        key=key,
        bytes=head["ContentLength"],
        sha256=checksum_in(head),
        version_id=version_in(head),
        lock=_lock_in(head),
        created=created,
        held=head.get("ObjectLockLegalHoldStatus") == "ON",
    )


def _lock_in(head: Mapping[str, Any]) -> Lock | None:
    mode, until = head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")
    if mode is None or until is None:
        return None
    return Lock(mode=mode, retain_until=until.astimezone(UTC).replace(microsecond=0))
