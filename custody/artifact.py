"""Artifacts: the stored blobs of a capture, as its record lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from custody import keyspace, schema
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc
from custody.model import Json

WORD: schema.Schema = {"type": "string", "pattern": "^[a-z0-9_]{1,40}$"}
OTHERS = ("hop-", "page-", "shot-")
"""Begin the names of what was kept of other pages or moments than those that the record speaks of."""
ARTIFACT = schema.open_ended(
    schema.fields(
        role=WORD,
        name={"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$"},
        media_type={"type": "string", "maxLength": 200},
        bytes=schema.COUNT,
        sha256=schema.HEX64,
        key={"type": "string", "maxLength": 120},
        version_id=schema.nullable({"type": "string", "maxLength": 1024}),
        lock=schema.nullable(schema.fields(mode=schema.enum("GOVERNANCE", "COMPLIANCE"), retain_until=schema.UTC)),
        made_at=schema.UTC,
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The Object Lock that was read back when the record was written."""

    mode: str
    """``GOVERNANCE`` or ``COMPLIANCE``."""
    retain_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A stored blob of one capture."""

    role: str
    """A ``Role``, or a word that a later version knows."""
    name: str
    media_type: str
    bytes: int
    digest: Digest
    version_id: str | None
    """None where the store keeps no versions."""
    lock: Lock | None
    made_at: datetime

    @property
    def key(self) -> str:
        return keyspace.blob(self.digest)

    def to_json(self) -> dict[str, Json]:
        return {
            "role": self.role,
            "name": self.name,
            "media_type": self.media_type,
            "bytes": self.bytes,
            "sha256": self.digest.hex,
            "key": self.key,
            "version_id": self.version_id,
            "lock": None
            if self.lock is None
            else {"mode": self.lock.mode, "retain_until": format_utc(self.lock.retain_until)},
            "made_at": format_utc(self.made_at),
        }

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """From a value that ``ARTIFACT`` has accepted. ``FormatError`` if its key is not that of its digest."""
        lock = value["lock"]
        artifact = cls(
            role=value["role"],
            name=value["name"],
            media_type=value["media_type"],
            bytes=value["bytes"],
            digest=Digest(value["sha256"]),
            version_id=value["version_id"],
            lock=lock and Lock(mode=lock["mode"], retain_until=parse_utc(lock["retain_until"])),
            made_at=parse_utc(value["made_at"]),
        )
        if value["key"] != artifact.key:
            raise FormatError(f"artifact {artifact.name}: {value['key']!r} is not the key of its digest")
        return artifact
