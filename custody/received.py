"""received.json: files that somebody handed over. Custody begins at receipt; nothing before it is vouched for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from custody import canonical, schema
from custody.artifact import ARTIFACT, Artifact
from custody.digest import Digest
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc
from custody.model import Json

NAME = "received.json"
ROLE = "received"
SCHEMA = 1
MAX_BYTES = 4 * 1024 * 1024
MAX_FILES = 1_000
MAX_TEXT = 2_000
"""Characters of what is said of them."""
KINDS = (
    "photo", "recording", "mail", "web_archive", "document", "order", "parcel", "finding", "other",
)  # fmt: skip
"""What somebody says a file is. ``order``, ``parcel`` and ``finding`` (an examiner's) are of a test purchase."""

_TEXT: schema.Schema = {"type": "string", "maxLength": MAX_TEXT}
_FILE = schema.open_ended({
    **ARTIFACT,
    "required": sorted([*ARTIFACT["required"], "given_name", "kind"]),
    "properties": {
        **ARTIFACT["properties"], "given_name": {"type": "string", "maxLength": 1_000}, "kind": schema.enum(*KINDS),
    },
})  # fmt: skip
RECEIVED = schema.open_ended(
    schema.fields(
        schema=schema.constant(SCHEMA),
        nonce=schema.NONCE,
        item=schema.UUID7,
        about=schema.nullable(schema.fields(unit=schema.UUID7, capture=schema.UUID7)),
        received_at=schema.UTC,
        how=_TEXT,
        note=schema.nullable(_TEXT),
        custody=schema.constant("from_receipt"),
        files=schema.array(_FILE, 1, MAX_FILES),
        **{"from": _TEXT},
    )
)
"""Later versions may add keys; what stands here never changes its meaning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedFile:
    artifact: Artifact
    given_name: str
    """As it was called when it came."""
    kind: str
    """One of ``KINDS``: the word of whoever received it."""

    def to_json(self) -> dict[str, Json]:
        return {**self.artifact.to_json(), "given_name": self.given_name, "kind": self.kind}


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One hand-over: an item of its own, which may be about a promotion."""

    nonce: str
    item: str
    about: tuple[str, str] | None
    """Unit and capture that it has to do with, as whoever received it says."""
    received_at: datetime
    from_whom: str
    how: str
    note: str | None
    files: tuple[ReceivedFile, ...] = field(repr=False)

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": SCHEMA,
            "nonce": self.nonce,
            "item": self.item,
            "about": None if self.about is None else {"unit": self.about[0], "capture": self.about[1]},
            "received_at": format_utc(self.received_at),
            "from": self.from_whom,
            "how": self.how,
            "note": self.note,
            "custody": "from_receipt",
            "files": [each.to_json() for each in self.files],
        }

    def format(self) -> bytes:
        """JCS. ``FormatError`` for what does not fit."""
        value = self.to_json()
        schema.check(RECEIVED, value)
        data = canonical.dumps(value)
        if len(data) > MAX_BYTES:
            raise FormatError(f"{NAME} has at most {MAX_BYTES} bytes, got {len(data)}")
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``FormatError``."""
        value: Any = canonical.loads(data, max_bytes=MAX_BYTES)
        schema.check(RECEIVED, value, code="RECORD_FORMAT")
        return cls(
            nonce=value["nonce"],
            item=value["item"],
            about=value["about"] and (value["about"]["unit"], value["about"]["capture"]),
            received_at=parse_utc(value["received_at"]),
            from_whom=value["from"],
            how=value["how"],
            note=value["note"],
            files=tuple(_file(each) for each in value["files"]),
        )

    def counts(self) -> Mapping[str, Json]:
        """The body of its event."""
        return {"files": len(self.files), "bytes": sum(each.artifact.bytes for each in self.files)}

    @property
    def digests(self) -> tuple[Digest, ...]:
        return tuple(each.artifact.digest for each in self.files)


def _file(value: Mapping[str, Any]) -> ReceivedFile:
    return ReceivedFile(artifact=Artifact.read(value), given_name=value["given_name"], kind=value["kind"])
