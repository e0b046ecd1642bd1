"""The types between the stages: each says what has been done to a visit by then, and nothing that has not."""

from dataclasses import dataclass, field

from archive.store import Stored as StoredObject
from custody.digest import Digest
from custody.model import Snapshot, Visit


@dataclass(frozen=True, kw_only=True, slots=True)
class Hashed:
    """Every spooled file was read again and has the digest it had when it was written."""

    visit: Visit


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A snapshot, and what the store said of its bytes when it was asked afterwards."""

    snapshot: Snapshot
    stored: StoredObject


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Every file lies in the store, read back by HEAD."""

    visit: Visit
    artifacts: tuple[Artifact, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """The record lies in the store and its event in the log; inclusion was checked with bytes read back.

    Where this home has no log key, the event may still wait in the inbox, read back too: then there is no index yet.
    """

    visit: Visit
    artifacts: tuple[Artifact, ...] = field(repr=False)
    record_sha256: Digest
    record_bytes: int
    record_key: str
    log: str
    index: int | None
    tree_size: int | None
    """Of the checkpoint that was read back and includes the event."""
