"""The messages of web sockets, as DevTools tells of them, and the lines of JSON that a WARC keeps them as.

The lines are those that browsertrix writes (a ``resource`` record, ``format="cdp"``), with the time of day besides.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crawlers.recording.scratch import Kept, Scratch
from custody.instant import format_utc

MEDIA_TYPE = 'application/jsonl; format="cdp"'
MAX_MESSAGES = 20_000
"""Of all the sockets of a visit; more are counted."""
TOO_LARGE = "too_large"
WITHHELD = "withheld"
_TEXT = 1  # RFC 6455 §5.2; DevTools gives all else in Base64


@dataclass(kw_only=True, slots=True)
class Message:
    at: datetime
    after_s: float
    """Since the handshake was answered."""
    sent: bool
    """By the page; else it came from the site."""
    opcode: int
    mask: bool
    bytes: int
    """As the page has them."""
    payload: Kept = field(default_factory=Kept)
    """As DevTools writes it: the text itself, or Base64."""
    dropped: str = ""
    """Why the payload is not kept; empty where it is."""


@dataclass(slots=True)
class Talk:
    """What was said over one socket."""

    teller: object
    """The session that tells of it; what others tell of it is the same again."""
    messages: list[Message] = field(default_factory=list)
    bytes: int = 0
    """Of the payloads that are kept."""
    more: int = 0
    """Messages beyond ``MAX_MESSAGES``."""
    clock_at: tuple[float, datetime] | None = None
    """One moment by the browser's steady clock, in seconds, and by the clock on the wall."""
    answered: float | None = None
    """When the handshake was, by the steady clock."""

    @property
    def told(self) -> int:
        return len(self.messages) + self.more

    @property
    def kept(self) -> int:
        return sum(not each.dropped for each in self.messages)

    @property
    def lost(self) -> int:
        return self.more + sum(each.dropped == TOO_LARGE for each in self.messages)

    @property
    def withheld(self) -> int:
        return sum(each.dropped == WITHHELD for each in self.messages)

    def take(self, event: Mapping[str, Any], now: datetime, *, sent: bool, withheld: bool, scratch: Scratch) -> None:
        """``Network.webSocketFrameSent`` or ``…Received``. Raises OSError where the disk is full."""
        frame, steady = event["response"], float(event["timestamp"])
        said, opcode = str(frame["payloadData"]), int(frame["opcode"])
        data = said.encode("utf-8", "replace")
        if self.answered is None:
            self.answered = steady
        message = Message(
            at=self._time(steady, now),
            after_s=steady - self.answered,
            sent=sent,
            opcode=opcode,
            mask=bool(frame.get("mask")),
            bytes=len(data) if opcode == _TEXT else _length(said),
        )
        self.messages.append(message)
        if withheld:
            message.dropped = WITHHELD
        elif not scratch.fits(len(data), after=self.bytes):
            message.dropped = TOO_LARGE
        else:
            scratch.add(message.payload, data)
            self.bytes += len(data)

    def withhold(self, message: Message) -> None:
        self.bytes -= message.payload.bytes
        message.payload, message.dropped = Kept(), WITHHELD

    def _time(self, steady: float, now: datetime) -> datetime:
        if self.clock_at is None:
            return now
        return self.clock_at[1] + timedelta(seconds=steady - self.clock_at[0])


def lines(talk: Talk, scratch: Scratch) -> Iterator[bytes]:
    """One a message, in the order in which the browser told of them."""
    for each in talk.messages:
        told: dict[str, Any] = {
            "ts": round(each.after_s, 6),
            "type": "send" if each.sent else "recv",
            "opcode": each.opcode,
            "mask": each.mask,
            "at": format_utc(each.at),
        }
        if each.dropped == WITHHELD:
            told["dropped"] = WITHHELD  # how long it was would say something of a secret
        elif each.dropped:
            told |= {"bytes": each.bytes, "dropped": each.dropped}
        else:
            told["payloadData"] = b"".join(scratch.read(each.payload)).decode("utf-8", "replace")
        yield json.dumps(told).encode() + b"\n"


def _length(said: str) -> int:
    try:
        return len(base64.b64decode(said))
    except (binascii.Error, ValueError):
        return len(said)
