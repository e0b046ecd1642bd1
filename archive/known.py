"""What a machine knows of a log: chain heads, events that it has seen, keys."""

from dataclasses import dataclass

from custody.digest import Digest

INDEXED_TYPES = (
    "case.described",
    "case.opened",
    "change.observed",
    "event.rejected",
    "findings.made",
    "instruction.received",
    "item.assigned",
    "key.introduced",
    "key.revoked",
    "log.timestamped",
    "looks.compared",
    "retention.set",
    "trust.changed",
)
"""Events of these types are found again without reading the whole log. Whoever adds one, raises ``heads._VERSION``."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest leaf of one chain."""

    seq: int
    leaf_sha256: Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenEvent:
    """An event that is in the log, and where."""

    event_id: str
    payload_sha256: Digest
    leaf_sha256: Digest
    n: int
    index: int
    tree_size: int
    """After the commit ``n``."""
    type: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that the log has introduced."""

    keyid: str
    public_key: bytes
    role: str
    revoked: bool
