"""The ledger: what a writer of events needs of the log, whether or not it holds the log's key."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from archive.known import KnownKey
from archive.log import LoggedEvent, LogReader, Position
from archive.receipt import Receipt
from custody.event import Envelope
from custody.trust import Trust


class Ledger(Protocol):
    """Blocking and safe for threads. ``archive.sequencer.Sequencer`` with the key, ``archive.inbox.Inbox`` without."""

    trust: Trust
    log: str
    reader: LogReader

    @property
    def position(self) -> Position:
        """As far as was read; ``n`` is 0 as long as the log is not begun."""
        ...

    @property
    def orders(self) -> bool:
        """Whether events get their place here; else they get it from whoever runs ``counterproof sequence``."""
        ...

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]:
        """In this order, one receipt each; only for what is in the log and was read back.

        Raises ``NotTaken`` when the events are durable, and nobody has put them into the log for as long as one waits.
        On any ``ArchiveError`` appending the same envelopes again is right: each is in the log once.
        """
        ...

    def submit(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt | None, ...]:
        """All of them are durable when this returns. None: in the inbox, read back, and not in the log yet.

        ``patience_s``: how long they may wait for others of this process to go with, where that spares a commit.
        """
        ...

    def wait(self, envelopes: Sequence[Envelope], within_s: float) -> tuple[Receipt | None, ...]:
        """For events that were submitted: what the log has of them by then. Returns as soon as it has them all."""
        ...

    def find(self, event_id: str) -> Receipt | None:
        """The receipt of an event, if the log has it."""
        ...

    def holds(self, event_id: str) -> bool:
        """Whether the event is in the log, or in the inbox on its way there."""
        ...

    def key(self, keyid: str) -> KnownKey | None:
        """A key that the log has introduced, as far as was read."""
        ...

    def refresh(self) -> Position:
        """Read on to the newest commit."""
        ...

    def checkpoint(self) -> tuple[int, bytes]:
        """Size, and the newest signed note as it is stored."""
        ...

    def events(self, *types: str, newest_first: bool = False) -> Iterator[LoggedEvent]:
        """Events of some of ``archive.known.INDEXED_TYPES``, as far as was read, without reading the whole log."""
        ...

    def close(self) -> None: ...
