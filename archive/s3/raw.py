"""Requests to which a no is an answer. ``RawObjects`` is the probe's alone, on keys of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from archive.errors import StoreError
from archive.payload import Payload, whole_seconds
from archive.s3.objects import Objects, base64_of, sums, version_in
from archive.s3.trouble import said
from archive.store import Stored
from custody.digest import Digest
from custody.keyspace import PROBES


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the store said, be it yes or no."""

    status: int
    code: str = ""
    version_id: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status < 300

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


@dataclass(frozen=True, slots=True)
class RawObjects:
    """A no of the store is an answer here, and raises nothing. A store that does not answer raises ``StoreDown``."""

    objects: Objects
    lock_mode: str

    def put(
        self, key: str, data: bytes, *, once: bool, sha256: Digest | None = None, retain_until: datetime | None = None
    ) -> Answer:
        """``sha256``: what the store is told, where that is not the truth."""
        request = {**sums(Payload.of(data, digest=Digest.of(data), md5=True)), "Body": data}
        if sha256 is not None:
            request["ChecksumSHA256"] = base64_of(sha256.raw)
        if retain_until is not None:
            request["ObjectLockMode"] = self.lock_mode
            request["ObjectLockRetainUntilDate"] = whole_seconds(retain_until)
        if once:
            request["IfNoneMatch"] = "*"
        return self._answer(self.objects.client.put_object, key, None, request)

    def read(self, key: str, version_id: str | None = None) -> bytes:
        with self.objects.open(_own(key), version_id) as stream:
            return stream.read()

    def head(self, key: str, version_id: str | None = None) -> Stored:
        return self.objects.head(_own(key), version_id)

    def delete(self, key: str, version_id: str, *, bypass: bool) -> Answer:
        return self._answer(self.objects.client.delete_object, key, version_id, _bypassing(bypass=bypass))

    def retain(self, key: str, version_id: str, *, mode: str, until: datetime) -> Answer:
        request = {"Retention": {"Mode": mode, "RetainUntilDate": whole_seconds(until)}}
        return self._answer(self.objects.client.put_object_retention, key, version_id, request)

    def _answer(self, call: Callable[..., Any], key: str, version_id: str | None, request: dict[str, Any]) -> Answer:
        return answered(self.objects, "probe with", call, _own(key), version_id=version_id, **request)


def answered(
    objects: Objects, what: str, call: Callable[..., Any], key: str, *, version_id: str | None, **request: Any
) -> Answer:
    """Ask until there is a yes or a no."""

    def ask() -> Answer:
        try:
            response = call(**objects.at(key, version_id), **request)
        except ClientError as error:
            status, code = said(error)
            if status >= 500 or status == 429:
                raise
            return Answer(status=status, code=code)
        return Answer(status=response["ResponseMetadata"]["HTTPStatusCode"], version_id=version_in(response))

    return objects.ask(what, key, ask)


def _own(key: str) -> str:
    if not key.startswith(PROBES):
        raise StoreError(f"{key} is no key of the probe: it is left alone")
    return key


def _bypassing(*, bypass: bool) -> dict[str, Any]:
    return {"BypassGovernanceRetention": True} if bypass else {}
