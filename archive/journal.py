"""The journal of a run: what was begun, and what came of it, durable before anything else is told.

One line of JSON an entry, each with the SHA-256 of the line before. A last line that is cut short is what a crash
leaves; damage anywhere else is reported, and what can still be read is used, since every envelope proves itself.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from archive import disk
from archive.errors import DiskError
from archive.receipt import Receipt
from custody import canonical, instant
from custody.digest import Digest
from custody.errors import CustodyError
from custody.event import Envelope, Event
from custody.model import Json

STARTED_BY = "started_by"

_MAX_LINE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledBlob:
    """A file that has to be in the store before the envelope that rests on it may be submitted."""

    digest: Digest
    path: Path
    """Relative to the run's directory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """A ``capture.started`` that was signed here."""

    envelope: Envelope
    durable: bool
    """A receipt was given. Without one the log may hold it or not: it was submitted, and the answer never came."""
    ended: bool = False
    """An end for it was signed here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """An envelope whose bytes are fixed and which the log has to get."""

    envelope: Envelope
    started_sha256: Digest | None
    """Payload digest of the start that it ends; None for events that end no capture, such as ``run.closed``."""
    blobs: tuple[SpooledBlob, ...]
    submitted: bool


@dataclass(kw_only=True, slots=True)
class Journalled:
    """What a journal says."""

    starts: dict[Digest, Start] = field(default_factory=dict)
    ends: dict[Digest, End] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    """A sentence for each place where the journal is not what was written."""
    torn: bool = False
    """The last line was cut short."""
    case: str | None = None
    """The id of the case that the run captures for."""
    interrupted: bool = False
    """The run was told to stop, and had the time to say so."""
    last_sha256: str | None = None
    """Of the last whole line."""
    length: int = 0
    """In bytes, up to the end of the last whole line."""

    @property
    def settled(self) -> bool:
        """Nothing is left to submit or to end, and nothing is in doubt."""
        return (
            not self.damage
            and all(start.ended for start in self.starts.values())
            and all(end.submitted for end in self.ends.values())
        )

    def accept(self, line: bytes) -> None:
        self.last_sha256 = Digest.of(line).hex
        self.length += len(line)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Raises ``KeyError``, ``TypeError``, ``ValueError`` or ``CustodyError`` for an entry that is none."""
        kind = entry["kind"]
        if kind == "intent":
            envelope = Envelope.parse(entry["envelope"])
            self.starts.setdefault(envelope.payload_sha256, Start(envelope=envelope, durable=False))
        elif kind == "started":
            envelope = Envelope.parse(entry["envelope"])
            known = self.starts.get(envelope.payload_sha256, Start(envelope=envelope, durable=False))
            self.starts[envelope.payload_sha256] = replace(known, durable=True)
        elif kind == "withdrawn":
            self.starts.pop(Digest(entry["payload_sha256"]), None)
        elif kind == "end":
            self._take_end(Envelope.parse(entry["envelope"]), entry["blobs"])
        elif kind == "case":
            self.case = str(entry["scope"])
        elif kind == "interrupted":
            self.interrupted = True
        elif kind == "submitted":
            digest = Digest(entry["payload_sha256"])
            self.ends[digest] = replace(self.ends[digest], submitted=True)
        else:
            raise ValueError(f"no entry is of kind {kind!r:.40}")

    def _take_end(self, envelope: Envelope, blobs: Sequence[Mapping[str, Any]]) -> None:
        refs = Event.parse(envelope.payload).refs
        started = next((ref.payload_sha256 for ref in refs if ref.rel == STARTED_BY), None)
        self.ends[envelope.payload_sha256] = End(
            envelope=envelope,
            started_sha256=started,
            blobs=tuple(SpooledBlob(digest=Digest(each["sha256"]), path=Path(each["path"])) for each in blobs),
            submitted=False,
        )
        if started in self.starts:
            self.starts[started] = replace(self.starts[started], ended=True)


class Journal:
    """Append-only; every method returns when its line is on the disk. Safe for threads."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime], state: Journalled | None = None) -> None:
        """A new journal, which must not be there yet; with ``state``, the one that ``state`` was read from."""
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._state = state or Journalled()
        creating = os.O_CREAT | os.O_EXCL if state is None else 0
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | creating
        with disk.trouble(path):
            self._file = os.fdopen(os.open(path, flags, disk.PRIVATE_FILE), "wb", buffering=0)
            os.ftruncate(self._file.fileno(), self._state.length)  # half a line goes
        disk.sync_directory(path.parent)

    @property
    def settled(self) -> bool:
        with self._lock:
            return self._state.settled

    def case(self, scope: str) -> None:
        """Whose evidence this run makes: if it dies, what it leaves is kept as long as the case's."""
        self._append({"kind": "case", "scope": scope})

    def intent(self, envelope: Envelope) -> None:
        """Before a ``capture.started`` is submitted: from now on it gets an end if the log has it."""
        self._append({"kind": "intent", "envelope": envelope.to_json()})

    def started(self, envelope: Envelope, receipt: Receipt | None) -> None:
        """The log has it, or without a receipt the inbox. Only now may the browser look."""
        at: dict[str, Json] = {"index": receipt.index, "n": receipt.n} if receipt else {"index": None, "n": None}
        self._append({"kind": "started", "envelope": envelope.to_json(), **at})

    def withdrawn(self, envelope: Envelope) -> None:
        """The log has refused this intent for good: it is owed no end."""
        self._append({"kind": "withdrawn", "payload_sha256": envelope.payload_sha256.hex})

    def end(self, envelope: Envelope, blobs: Sequence[SpooledBlob] = ()) -> None:
        """Signed, not yet submitted. ``blobs`` are those that the store may not have yet."""
        listed = [{"sha256": each.digest.hex, "path": each.path.as_posix()} for each in blobs]
        self._append({"kind": "end", "envelope": envelope.to_json(), "blobs": listed})

    def submitted(self, envelope: Envelope, receipt: Receipt) -> None:
        """The log has this end."""
        digest = envelope.payload_sha256.hex
        self._append({"kind": "submitted", "payload_sha256": digest, "index": receipt.index, "n": receipt.n})

    def interrupted(self) -> None:
        """Told to stop: what has no end yet was interrupted, it did not die."""
        self._append({"kind": "interrupted"})

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _append(self, entry: dict[str, Json]) -> None:
        with self._lock, disk.trouble(self._path):
            if self._file.closed:
                raise DiskError(f"{self._path} is closed: this run is over, begin another")
            line = _line(entry, self._state.last_sha256, self._clock())
            try:
                _write_all(self._file, line)
                os.fsync(self._file.fileno())
            except OSError:
                # Half a line must not stand between two whole ones.
                os.ftruncate(self._file.fileno(), self._state.length)
                raise
            self._state.accept(line)
            self._state.take(entry)


def read_journal(path: Path) -> Journalled:
    """Everything that a journal still says; an absent one says nothing."""
    state = Journalled()
    with disk.trouble(path):
        if not path.exists():
            return state
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), 1):
                _read_line(state, number, line)
    return state


def _read_line(state: Journalled, number: int, line: bytes) -> None:
    if not line.endswith(b"\n") and len(line) <= _MAX_LINE_BYTES:
        state.torn = True
        return
    try:
        entry: Any = canonical.loads(line, max_bytes=_MAX_LINE_BYTES)
        if entry["prev"] != state.last_sha256:
            state.damage.append(f"line {number} does not follow the line before it")
        state.take(entry)
    except (CustodyError, KeyError, TypeError, ValueError) as error:
        state.damage.append(f"line {number} cannot be read ({type(error).__name__}: {error})")
    state.accept(line)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_MAX_LINE_BYTES + 1):
        yield line


def _line(entry: Mapping[str, Json], previous: str | None, at: datetime) -> bytes:
    return canonical.dumps({"v": 1, "prev": previous, "at": instant.format_utc(at), **entry}) + b"\n"


def _write_all(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]
