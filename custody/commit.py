"""Commits: batches of leaves, each created once under the next number. They alone order the log.

An object is one line of JSON, then the leaves as in a C2SP entry bundle (each after its length in two bytes).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from custody import canonical, schema, tiles
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import event_id_of
from custody.leaf import Leaf

VERSION = 1
MAX_LEAVES = 8192
MAX_BYTES = 16 * 1024 * 1024

_MAX_HEADER_BYTES = 1024 * 1024
_NUMBER = {"type": "integer", "minimum": 1, "maximum": canonical.MAX_INTEGER}

HEADER = schema.fields(
    v=schema.constant(VERSION),
    n=_NUMBER,
    prev=schema.nullable(schema.HEX64),
    old=schema.COUNT,
    new=_NUMBER,
    root=schema.HEX64,
    key=schema.HEX64,
    by=schema.HEX64,
    nonce=schema.NONCE,
    events=schema.array(schema.UUID7, 1, MAX_LEAVES),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """``commit/<n>``: the tree grows from ``old`` to ``new`` leaves."""

    n: int
    """Counts from 1."""
    prev: Digest | None
    """SHA-256 of the whole object ``commit/<n-1>``; None for the first."""
    old: int
    new: int
    root: bytes
    """Of the tree of ``new`` leaves: 32 bytes."""
    key: str
    """Id of the log's key, which signs the checkpoint of this commit."""
    by: str
    """Id of the worker's key."""
    nonce: str
    """32 random hex digits: no two sequencers ever make the same object, so equal bytes mean *ours*."""
    leaves: tuple[bytes, ...]
    events: tuple[str, ...] = ()
    """The ids of the events, one a leaf; read from the leaves when not given."""

    def __post_init__(self) -> None:
        if not self.events:
            object.__setattr__(self, "events", _event_ids(self.leaves))
        if self.new - self.old != len(self.leaves) or len(self.leaves) != len(self.events):
            raise _refused(
                f"from {self.old} to {self.new} it needs {self.new - self.old} leaves and event ids, "
                f"got {len(self.leaves)} and {len(self.events)}"
            )
        if (self.n == 1) != (self.prev is None) or (self.n == 1) != (self.old == 0):
            raise _refused("the first commit, and no other, has no prev and an empty tree before it")

    def format(self) -> bytes:
        """The object's bytes. ``FormatError`` with code ``COMMIT_FORMAT``."""
        header = {
            "v": VERSION,
            "n": self.n,
            "prev": None if self.prev is None else self.prev.hex,
            "old": self.old,
            "new": self.new,
            "root": self.root.hex(),
            "key": self.key,
            "by": self.by,
            "nonce": self.nonce,
            "events": self.events,
        }
        schema.check(HEADER, header, code="COMMIT_FORMAT")
        data = canonical.dumps(header) + b"\n" + tiles.encode_bundle(self.leaves)
        if len(data) > MAX_BYTES:
            raise _refused(f"it has at most {MAX_BYTES} bytes, got {len(data)}")
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Shape only: what the leaves hold is not looked at. ``FormatError`` with code ``COMMIT_FORMAT``."""
        if len(data) > MAX_BYTES:
            raise _refused(f"it has at most {MAX_BYTES} bytes, got {len(data)}")
        end = data.find(b"\n", 0, _MAX_HEADER_BYTES)
        if end < 0:
            raise _refused("its first line does not end")
        try:
            header: Any = canonical.loads(data[:end], max_bytes=_MAX_HEADER_BYTES)
            schema.check(HEADER, header, code="COMMIT_FORMAT")
            leaves = tiles.decode_bundle(data[end + 1 :])
        except FormatError as error:
            raise _refused(str(error)) from error
        return cls(
            n=header["n"],
            prev=None if header["prev"] is None else Digest(header["prev"]),
            old=header["old"],
            new=header["new"],
            root=bytes.fromhex(header["root"]),
            key=header["key"],
            by=header["by"],
            nonce=header["nonce"],
            leaves=tuple(leaves),
            events=tuple(header["events"]),
        )

    def check_follows(self, before: "Commit | None", before_sha256: Digest | None) -> None:
        """Return if this is the commit right after ``before``, else ``FormatError`` with code ``COMMIT_CHAIN``.

        ``before_sha256`` is the digest of that commit's bytes as they were read, not as we would write them.
        """
        n, size = (0, 0) if before is None else (before.n, before.new)
        if self.n != n + 1 or self.old != size:
            raise _unchained(f"expected commit {n + 1} on a tree of {size}, got commit {self.n} on {self.old}")
        if self.prev != before_sha256:
            raise _unchained(f"commit {self.n} follows {self.prev}, commit {n} is {before_sha256}")


def _event_ids(leaves: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(event_id_of(Leaf.parse(leaf).event.payload) for leaf in leaves)


def _refused(reason: str) -> FormatError:
    return FormatError(f"this is not a commit: {reason}", code="COMMIT_FORMAT")


def _unchained(reason: str) -> FormatError:
    return FormatError(f"the chain of commits is broken: {reason}", code="COMMIT_CHAIN")
