"""What a recorder needs of the visit that it records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crawlers.connection import Connection
from custody.model import Role, Snapshot


class File(Protocol):
    """One that is being written."""

    def write(self, data: bytes) -> object:
        """Append. Raises DiskError."""


class Fill(Protocol):
    """Makes a file of the visit, and has it written."""

    def __call__(self, role: Role, name: str, media_type: str, write: Callable[[File], object]) -> Snapshot: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """In bytes, as the bodies are kept; what goes beyond is cut, and said."""

    each: int = 64 << 20
    visit: int = 256 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """The visit's folder, and who knows its addresses."""

    folder: Path
    fill: Fill = field(repr=False)
    connections: Callable[[], Sequence[Connection]] = field(repr=False)
    """The egress's word so far: names, addresses, times."""
    shut: Callable[[], None] = field(repr=False)
    """Told when nobody listens any more: what the page does as it is closed must not reach a site unrecorded."""
    software: tuple[tuple[str, str], ...] = ()
    """Name and version of each that had a part in it."""
    limits: Limits = field(default_factory=Limits)
