"""Instructions: a list that somebody handed over to be captured, kept byte for byte, told of in the case's chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from archive.log import LoggedEvent
from archive.receipt import Receipt
from archive.scribe import Scribe
from custody.digest import Digest
from custody.event import Envelope

RECEIVED = "instruction.received"
SUBJECT = "instruction"
_WORK = "work:"


class Appends(Protocol):
    """Where the event goes."""

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]: ...


class Log(Protocol):
    """What reads the events."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruction:
    """As the log tells of it."""

    digest: Digest
    """Of the list, as it was handed over."""
    rows: int
    index: int
    at: datetime


def find(log: Log, scope: str, digest: Digest) -> Instruction | None:
    """The first by which this very list was handed in for this case."""
    for each in log.events(RECEIVED):
        if each.event.chain == f"{_WORK}{scope}" and each.event.subjects[0].digest == digest:
            return _told(each)
    return None


def receive(
    data: bytes, *, rows: int, scope: str, scribe: Scribe, log: Appends, reader: Log
) -> tuple[Instruction, bool]:
    """And whether it is new: the same list for the same case is recorded once. Durable when it returns."""
    known = find(reader, scope, Digest.of(data))
    if known is not None:
        return known, False
    subject = scribe.blob(SUBJECT, data)
    at = scribe.clock()
    (receipt,) = log.append([scribe.event(RECEIVED, chain=f"{_WORK}{scope}", subject=subject, body={"rows": rows})])
    return Instruction(digest=subject.digest, rows=rows, index=receipt.index, at=at), True


def _told(each: LoggedEvent) -> Instruction:
    rows = int(str(each.event.body["rows"]))
    return Instruction(digest=each.event.subjects[0].digest, rows=rows, index=each.index, at=each.event.occurred_at)
