"""The briefs of cases: versions, each a ``case.described`` in the log and a blob that says what the case is about.

Of two that were written at once under one number, the first in the log counts; the other stays, and counts for nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from archive.brief import MAX_BYTES, Brief
from archive.errors import NotStored, StoreError, UsageError
from archive.log import LoggedEvent
from archive.store import ObjectStore
from custody import canonical, keyspace, schema
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json

DESCRIBED = "case.described"
SUBJECT = "brief.json"

_WORK = "work:"
_HEAD: Mapping[str, schema.Schema] = {
    "schema": schema.constant(1),
    "nonce": schema.NONCE,
    "scope": schema.UUID7,
    "version": {"type": "integer", "minimum": 1, "maximum": canonical.MAX_INTEGER},
    "previous": schema.nullable(schema.HEX64),
}


class BriefLost(StoreError):
    """A version's blob is gone or damaged: nobody knows what it said, and no other version speaks for it."""


class Log(Protocol):
    """What reads the events: a ``Sequencer``, which finds them at once, or a ``LogReader``, which reads all leaves."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One version of a brief, as it lies in its blob."""

    scope: str
    version: int
    previous: Digest | None
    """Of the blob of the version before."""
    brief: Brief

    def format(self, nonce: str) -> bytes:
        """Canonical bytes. Raises ``FormatError`` for what could not be read again."""
        return self.brief.format(
            {
                "schema": 1,
                "nonce": nonce,
                "scope": self.scope,
                "version": self.version,
                "previous": None if self.previous is None else self.previous.hex,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``FormatError``."""
        value: Any = canonical.loads(data, max_bytes=MAX_BYTES)
        if not isinstance(value, dict):
            raise FormatError("a brief is a JSON object", code="RECORD_FORMAT")
        head = {name: value.pop(name) for name in _HEAD if name in value}
        schema.check(schema.fields(**_HEAD), head, code="RECORD_FORMAT")
        return cls(
            scope=head["scope"],
            version=head["version"],
            previous=None if head["previous"] is None else Digest(head["previous"]),
            brief=Brief.of(value),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What the log tells of one version, whatever became of its blob."""

    scope: str
    version: int
    digest: Digest
    """Of its blob."""
    index: int
    """Of its leaf."""
    at: datetime
    """When it was written, by its maker's clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described(Version):
    """A version and what it says."""

    brief: Brief

    def to_json(self) -> dict[str, Json]:
        """How whatever is found by a brief names the version that it was found under."""
        return {"scope": self.scope, "version": self.version, "sha256": self.digest.hex, "index": self.index}


class Briefs:
    """Of one log. Reads as far as ``log`` was read."""

    def __init__(self, log: Log, store: ObjectStore) -> None:
        self._log = log
        self._store = store

    def all(self) -> dict[str, list[Version]]:
        """By scope: the versions that count, from 1 without a gap. A case that nobody has described is not there."""
        found: dict[str, list[Version]] = {}
        for each in self._log.events(DESCRIBED):
            scope = each.event.chain.removeprefix(_WORK)
            versions = found.setdefault(scope, [])
            if each.event.body["version"] == len(versions) + 1:
                versions.append(
                    Version(
                        scope=scope,
                        version=len(versions) + 1,
                        digest=each.event.subjects[0].digest,
                        index=each.index,
                        at=each.event.occurred_at,
                    )
                )
        return {scope: versions for scope, versions in found.items() if versions}

    def versions(self, scope: str) -> list[Version]:
        return self.all().get(scope, [])

    def current(self, scope: str) -> Described | None:
        """None: the case is there, or not, and nothing is described. Raises ``BriefLost``."""
        versions = self.versions(scope)
        return self.read(versions[-1]) if versions else None

    def version(self, scope: str, n: int) -> Described:
        """Raises ``UsageError`` where there is none, and ``BriefLost``."""
        versions = self.versions(scope)
        if not 1 <= n <= len(versions):
            there = f"there are 1 to {len(versions)}" if versions else "nothing is described yet"
            raise UsageError(f"there is no version {n} of what this case says of itself; {there}")
        return self.read(versions[n - 1])

    def read(self, version: Version) -> Described:
        """Raises ``BriefLost`` where the blob is gone, damaged or of another case."""
        what = f"version {version.version} of what this case says of itself (leaf {version.index})"
        try:
            with self._store.open(keyspace.blob(version.digest)) as stream:
                data = stream.read(MAX_BYTES + 1)
            written = Written.parse(data)
        except NotStored as error:
            raise BriefLost(f"{what} is not there: it was disposed of, or `counterproof verify` misses it") from error
        except FormatError as error:
            raise BriefLost(f"{what} cannot be read ({error}): run `counterproof verify`") from error
        told = (version.digest, version.scope, version.version)
        if (Digest.of(data), written.scope, written.version) != told:
            raise BriefLost(f"{what} is not what its event names: run `counterproof verify`")
        return Described(
            scope=version.scope,
            version=version.version,
            digest=version.digest,
            index=version.index,
            at=version.at,
            brief=written.brief,
        )
