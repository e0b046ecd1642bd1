"""Segments: what a stretch of the log has added to what is known of it, as sorted records that are looked up in place.

A machine without a memory reads the few of them that may hold what it asks for, when it asks. Ids are UUIDv7, which
sort by time, so that new events and chains are in none of the old ones, and the ranges say so.
"""

import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from archive.errors import NotStored, StoreError
from archive.known import ChainHead, SeenEvent
from custody.digest import Digest
from custody.errors import CustodyError, FormatError
from custody.model import Json

_EVENT = struct.Struct(">16s32s32sQQQH")  # id, payload, leaf, commit, index, tree size, type
_CHAIN = struct.Struct(">B16sQ32s")  # kind, id, seq, leaf
_ID_BYTES = 16
_KINDS = ("item", "run", "work")
"""Chains that grow for a while and then no more; the others are few, and each snapshot lists them all."""
_CACHED = 4


class SegmentLost(StoreError):
    """A segment is not there, or is not what the snapshot says: what was learnt from snapshots is of no use."""

    def __init__(self, n: int, reason: str) -> None:
        super().__init__(
            f"a part of what this machine had learnt of the log cannot be read any more (snapshot {n}: {reason}); it "
            "was dropped, and the log is read from its commits: run the command again"
        )
        self.n = n


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A segment, as a snapshot names it."""

    n: int
    """The commit that it ends with, and the snapshot that it lies in."""
    size: int
    """Leaves up to and with that commit."""
    sha256: Digest
    events: int
    chains: int
    ids: tuple[str, str]
    """The least and the greatest event id."""
    scopes: Mapping[str, tuple[str, str]]
    """The same of its chains, by kind."""
    types: Mapping[str, int]
    """How many events of each type; a record has its type's place among their names, in order."""

    def to_json(self) -> dict[str, Json]:
        return {
            "n": self.n,
            "size": self.size,
            "sha256": self.sha256.hex,
            "events": self.events,
            "chains": self.chains,
            "ids": list(self.ids),
            "scopes": {kind: list(between) for kind, between in self.scopes.items()},
            "types": dict(self.types),
        }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Raises ``KeyError``, ``TypeError``, ``ValueError`` or ``CustodyError``."""
        least, most = value["ids"]
        return cls(
            n=int(value["n"]),
            size=int(value["size"]),
            sha256=Digest(value["sha256"]),
            events=int(value["events"]),
            chains=int(value["chains"]),
            ids=(str(least), str(most)),
            scopes={str(kind): (str(first), str(last)) for kind, (first, last) in value["scopes"].items()},
            types={str(name): int(count) for name, count in value["types"].items()},
        )


def is_lasting(scope: str) -> bool:
    """Whether a chain is one of the few that every snapshot lists."""
    return scope.partition(":")[0] not in _KINDS


def encode(
    n: int, size: int, events: Iterable[SeenEvent], chains: Iterable[tuple[str, ChainHead]]
) -> tuple[Span, bytes]:
    """``chains`` without those that last. There is at least one event."""
    seen = list(events)
    types = Counter(each.type for each in seen)
    codes = {name: code for code, name in enumerate(sorted(types))}
    records = sorted(
        _EVENT.pack(
            UUID(each.event_id).bytes, each.payload_sha256.raw, each.leaf_sha256.raw, each.n, each.index,
            each.tree_size, codes[each.type],
        )
        for each in seen
    )  # fmt: skip
    heads: list[bytes] = []
    scopes: dict[str, tuple[str, str]] = {}
    for scope, head in chains:
        kind, _, name = scope.partition(":")
        heads.append(_CHAIN.pack(_KINDS.index(kind), UUID(name).bytes, head.seq, head.leaf_sha256.raw))
        first, last = scopes.get(kind, (name, name))
        scopes[kind] = min(first, name), max(last, name)
    heads.sort()
    data = b"".join((*records, *heads))
    ids = tuple(str(UUID(bytes=each[:_ID_BYTES])) for each in (records[0], records[-1]))
    span = Span(
        n=n,
        size=size,
        sha256=Digest.of(data),
        events=len(records),
        chains=len(heads),
        ids=(ids[0], ids[1]),
        scopes=scopes,
        types=dict(sorted(types.items())),
    )
    return span, data


class Segment:
    """Bytes that are what their span says."""

    def __init__(self, data: bytes, span: Span) -> None:
        if (len(data), Digest.of(data)) != (span.events * _EVENT.size + span.chains * _CHAIN.size, span.sha256):
            raise FormatError(f"segment {span.n} is not the one that the snapshot names")
        self._data = data
        self._span = span
        self._chains_at = span.events * _EVENT.size
        self._names = sorted(span.types)

    def event(self, event_id: str) -> SeenEvent | None:
        wanted = UUID(event_id).bytes
        at = bisect_left(range(self._span.events), wanted, key=self._id)
        if at == self._span.events or self._id(at) != wanted:
            return None
        return self._event(at)

    def chain(self, scope: str) -> ChainHead | None:
        kind, _, name = scope.partition(":")
        wanted = bytes([_KINDS.index(kind)]) + UUID(name).bytes
        at = bisect_left(range(self._span.chains), wanted, key=self._scope)
        if at == self._span.chains or self._scope(at) != wanted:
            return None
        _, _, seq, leaf = _CHAIN.unpack_from(self._data, self._chains_at + at * _CHAIN.size)
        return ChainHead(seq, Digest(leaf.hex()))

    def typed(self, types: AbstractSet[str]) -> list[SeenEvent]:
        """In log order."""
        codes = {code.to_bytes(2, "big") for code, name in enumerate(self._names) if name in types}
        ends = range(_EVENT.size, (self._span.events + 1) * _EVENT.size, _EVENT.size)
        found = [self._event(at) for at, end in enumerate(ends) if self._data[end - 2 : end] in codes]
        return sorted(found, key=lambda each: each.index)

    def _id(self, at: int) -> bytes:
        begin = at * _EVENT.size
        return self._data[begin : begin + _ID_BYTES]

    def _scope(self, at: int) -> bytes:
        begin = self._chains_at + at * _CHAIN.size
        return self._data[begin : begin + 1 + _ID_BYTES]

    def _event(self, at: int) -> SeenEvent:
        raw, payload, leaf, n, index, size, code = _EVENT.unpack_from(self._data, at * _EVENT.size)
        return SeenEvent(
            event_id=str(UUID(bytes=raw)),
            payload_sha256=Digest(payload.hex()),
            leaf_sha256=Digest(leaf.hex()),
            n=n,
            index=index,
            tree_size=size,
            type=self._names[code],
        )


class Segments:
    """Those below the rows that a machine holds itself, oldest first. Not safe for threads."""

    def __init__(self, spans: Sequence[Span], fetch: Callable[[Span], bytes]) -> None:
        self._spans = tuple(spans)
        self._fetch = fetch
        self._newest_id = max((each.ids[1] for each in self._spans), default="")
        self._newest_scope = {
            kind: max((each.scopes[kind][1] for each in self._spans if kind in each.scopes), default="")
            for kind in _KINDS
        }
        self._segment = lru_cache(_CACHED)(self._load)

    def event(self, event_id: str) -> SeenEvent | None:
        if event_id > self._newest_id:
            return None
        for at in range(len(self._spans) - 1, -1, -1):
            least, most = self._spans[at].ids
            if least <= event_id <= most and (found := self._segment(at).event(event_id)) is not None:
                return found
        return None

    def chain(self, scope: str) -> ChainHead | None:
        """The newest, of a chain that does not last."""
        kind, _, name = scope.partition(":")
        if name > self._newest_scope.get(kind, ""):
            return None
        for at in range(len(self._spans) - 1, -1, -1):
            between = self._spans[at].scopes.get(kind)
            if between is None or not between[0] <= name <= between[1]:
                continue
            if (found := self._segment(at).chain(scope)) is not None:
                return found
        return None

    def typed(self, types: AbstractSet[str], *, newest_first: bool) -> Iterator[SeenEvent]:
        step = -1 if newest_first else 1
        for at in range(len(self._spans))[::step]:
            if not types.isdisjoint(self._spans[at].types):
                yield from self._segment(at).typed(types)[::step]

    def _load(self, at: int) -> Segment:
        span = self._spans[at]
        try:
            return Segment(self._fetch(span), span)
        except (NotStored, CustodyError, ValueError) as error:
            raise SegmentLost(span.n, str(error)) from error
