"""Leaves: an event, and where the log has put it. These bytes are what the tree hashes."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from custody import canonical, merkle, schema
from custody.errors import FormatError
from custody.event import ENVELOPE, Envelope
from custody.instant import format_utc, parse_utc
from custody.model import Json
from custody.tiles import MAX_LEAF_BYTES

VERSION = 1
MAX_CHAINS = 16

LEAF = schema.fields(
    v=schema.constant(VERSION),
    log=schema.LOG,
    index=schema.COUNT,
    logged_at=schema.UTC,
    chains=schema.array(
        schema.fields(scope=schema.CHAIN, seq=schema.COUNT, prev=schema.nullable(schema.HEX64)), 1, MAX_CHAINS
    ),
    event={"type": "object"},
)
"""``event`` is ``custody.event.ENVELOPE``."""

_utc = lru_cache(8)(format_utc)  # all leaves of one commit are logged at once
_SIGNATURES = ENVELOPE["properties"]["signatures"]
_PARTS = LEAF["properties"]
_FRAME = schema.fields(v=_PARTS["v"], log=_PARTS["log"], logged_at=_PARTS["logged_at"])


@lru_cache(8)
def _check_frame(log: str, logged_at: str) -> None:
    """What all leaves of one commit say alike."""
    schema.check(_FRAME, {"v": VERSION, "log": log, "logged_at": logged_at})


@dataclass(frozen=True, slots=True)
class Chain:
    """The leaf's place in one chain: gap-free, so that a part of the log can be shown to be complete."""

    scope: str
    """The event's own ``chain``."""
    seq: int
    """Counts from 0."""
    prev: str | None
    """Hex RFC 6962 leaf hash of the leaf before it in this scope; None for the first."""

    def __post_init__(self) -> None:
        if (self.seq == 0) != (self.prev is None):
            raise FormatError(f"chain {self.scope}: the first leaf, and no other, has no prev", code="ENTRY_SCHEMA")


@dataclass(frozen=True, slots=True)
class Leaf:
    log: str
    """The log's name."""
    index: int
    logged_at: datetime
    """What the sequencer's clock said; proves nothing."""
    chains: tuple[Chain, ...]
    event: Envelope

    def format(self) -> bytes:
        """JCS. ``FormatError`` beyond the 65,535 bytes that an entry bundle can hold."""
        event = self.event.to_json()
        value: dict[str, Json] = {
            "v": VERSION,
            "log": self.log,
            "index": self.index,
            "logged_at": _utc(self.logged_at),
            "chains": [{"scope": each.scope, "seq": each.seq, "prev": each.prev} for each in self.chains],
            "event": event,
        }
        # ``LEAF``, in parts.
        _check_frame(self.log, value["logged_at"])
        schema.check(_PARTS["index"], self.index, "$.index")
        schema.check(_PARTS["chains"], value["chains"], "$.chains")
        # Base64 that was just made of bytes is base64; long texts are not looked through for that.
        schema.check(_SIGNATURES, event["signatures"], "$.event.signatures")
        if not self.event.payload:
            schema.check(ENVELOPE, event, "$.event")
        data = _jcs(value)
        if len(data) > MAX_LEAF_BYTES:
            raise FormatError(f"a leaf has at most {MAX_LEAF_BYTES} bytes, got {len(data)}", code="ENTRY_SCHEMA")
        return data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Shape only: the signature is for ``open_event``. ``FormatError``: ``ENTRY_PARSE`` or ``ENTRY_SCHEMA``."""
        value: Any = canonical.loads(data, max_bytes=MAX_LEAF_BYTES)
        schema.check(LEAF, value)
        return cls(
            log=value["log"],
            index=value["index"],
            logged_at=parse_utc(value["logged_at"]),
            chains=tuple(Chain(each["scope"], each["seq"], each["prev"]) for each in value["chains"]),
            event=Envelope.parse(value["event"]),
        )


def _jcs(value: Any) -> bytes:
    """RFC 8785 of a leaf that was checked: by its schema no text in it needs an escape, and all keys are known.

    The same bytes as ``canonical.dumps`` gives, twenty times as fast: the log makes one for every event.
    """
    chains = ",".join(
        f'{{"prev":{_quoted(each["prev"])},"scope":"{each["scope"]}","seq":{each["seq"]}}}' for each in value["chains"]
    )
    event = value["event"]
    signatures = ",".join(f'{{"keyid":"{each["keyid"]}","sig":"{each["sig"]}"}}' for each in event["signatures"])
    return (
        f'{{"chains":[{chains}],"event":{{"payload":"{event["payload"]}","payloadType":"{event["payloadType"]}",'
        f'"signatures":[{signatures}]}},"index":{value["index"]},"log":"{value["log"]}",'
        f'"logged_at":"{value["logged_at"]}","v":{value["v"]}}}'
    ).encode("ascii")


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def leaf_hash(data: bytes) -> str:
    """Hex, as the next leaf of the chain says it."""
    return merkle.leaf_hash(data).hex()
