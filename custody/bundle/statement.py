"""What an export says of itself: which chains are whole (``scopes.json``), and which blobs are not in it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from custody import canonical, schema
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json

VERSION = 2
"""Of ``scopes.json``, and so of an export. In version 1 every artifact had its digest for a name."""
KNOWN_VERSIONS = (1, VERSION)
MAX_BYTES = 256 * 1024 * 1024

DISPOSED = "disposed"
WITHHELD = "withheld"
REASONS = ("absent", "altered", DISPOSED, WITHHELD)
"""Not in the store; other bytes in the store; disposed of, as the log says; kept back, since it is of other matters."""

_SCOPES = schema.fields(
    v={"anyOf": [schema.constant(each) for each in KNOWN_VERSIONS]},
    log=schema.LOG,
    size=schema.COUNT,
    scope=schema.nullable(schema.UUID7),
    items=schema.array(schema.UUID7, maximum=1_000_000),
    chains=schema.array(schema.fields(scope=schema.CHAIN, through=schema.COUNT), maximum=1_000_000),
)
_MISSING = schema.fields(
    v=schema.constant(1),
    blobs=schema.array(
        schema.fields(
            sha256=schema.HEX64,
            bytes=schema.COUNT,
            index=schema.COUNT,
            name={"type": "string", "pattern": "^[A-Za-z0-9._-]{1,120}$"},
            reason=schema.enum(*REASONS),
        ),
        maximum=1_000_000,
    ),
)
EXPORT = schema.open_ended(
    schema.fields(
        schema=schema.constant(1),
        nonce=schema.NONCE,
        scopes_sha256=schema.HEX64,
        contents_sha256=schema.HEX64,
        chains=schema.array(schema.fields(scope=schema.CHAIN, through=schema.COUNT), maximum=1_000_000),
        recipient=schema.nullable({"type": "string", "maxLength": 200}),
        entries=schema.COUNT,
        blobs=schema.COUNT,
        bytes=schema.COUNT,
        missing=schema.COUNT,
    )
)
"""The blob ``export.json`` of ``evidence.exported``."""


class Later(FormatError):
    """Made by a version that is not known here: nothing can be said of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scopes:
    """Chains that are in the export from their first leaf to number ``through``."""

    log: str
    size: int
    """Leaves of the log when they were looked for."""
    scope: str | None
    """The id of the case; None where single items were asked for."""
    items: tuple[str, ...]
    through: Mapping[str, int]
    version: int = VERSION

    def chains_json(self) -> list[dict[str, Json]]:
        return [{"scope": name, "through": seq} for name, seq in sorted(self.through.items())]

    def format(self) -> bytes:
        return canonical.dumps(
            {
                "v": self.version,
                "log": self.log,
                "size": self.size,
                "scope": self.scope,
                "items": list(self.items),
                "chains": self.chains_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``FormatError``; ``Later`` for what this version cannot know."""
        value = _read(data, _SCOPES)
        through = {each["scope"]: each["through"] for each in value["chains"]}
        scopes = cls(
            log=value["log"],
            size=value["size"],
            scope=value["scope"],
            items=tuple(value["items"]),
            through=through,
            version=value["v"],
        )
        if scopes.format() != data:
            raise FormatError("this is another spelling of what it says: it is canonical JSON, its chains sorted")
        return scopes


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingBlob:
    """A blob that an event or a record names and that is not in the export."""

    digest: Digest
    bytes: int
    index: int
    """Of the leaf that names it, or whose record does."""
    name: str
    reason: str


def format_missing(blobs: Sequence[MissingBlob]) -> bytes:
    listed: list[Json] = [
        {"sha256": each.digest.hex, "bytes": each.bytes, "index": each.index, "name": each.name, "reason": each.reason}
        for each in sorted(blobs, key=lambda each: (each.index, each.name, each.digest.hex))
    ]
    return canonical.dumps({"v": 1, "blobs": listed})


def parse_missing(data: bytes) -> tuple[MissingBlob, ...]:
    """Raises ``FormatError``."""
    return tuple(
        MissingBlob(
            digest=Digest(each["sha256"]),
            bytes=each["bytes"],
            index=each["index"],
            name=each["name"],
            reason=each["reason"],
        )
        for each in _read(data, _MISSING)["blobs"]
    )


def read_export(data: bytes) -> Mapping[str, Any]:
    """The fields of an ``export.json``. Raises ``FormatError``."""
    return _read(data, EXPORT)


def _read(data: bytes, shape: schema.Schema) -> Mapping[str, Any]:
    value: Any = canonical.loads(data, max_bytes=MAX_BYTES)
    said = value.get("v") if isinstance(value, Mapping) else None
    if isinstance(said, int) and said > VERSION:
        raise Later(f"this is of version {said}, and this program knows none later than {VERSION}: get a newer one")
    schema.check(shape, value)
    found: Mapping[str, Any] = value
    return found
