"""Readers in a process of their own, with a limit of time and one of memory: a page must not end who reads it."""

from collections.abc import Callable
from typing import Self

from archive.reading import Kind, Reading
from crawlers.confined import Confined, Lost, OutOfTime
from crawlers.registry import read
from crawlers.reviews import Named
from crawlers.saved import Saved

SECONDS = 10.0
"""For one page; the largest real one takes a tenth of a second."""
MEMORY_BYTES = 2 << 30
"""Of addresses, above what the process has when it begins."""

Page = tuple[bytes, str | None, str | None, Named | None]
"""Bytes, address, content type, what its reviews have to name."""


class Bounded:
    """Reads one page after another in one warm process; starts another where that one dies. Used as a context."""

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._reader = Confined[Page, Reading](
            _prepared,
            seconds=seconds,
            memory_bytes=memory_bytes,
            name="reader",
            pack=Reading.to_json,
            unpack=Reading.of_json,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The process; the next page would get another."""
        self._reader.end()

    @property
    def pid(self) -> int | None:
        """The process that reads; None before the first page."""
        return self._reader.pid

    def read(
        self, data: bytes, *, url: str | None = None, content_type: str | None = None, named: Named | None = None
    ) -> Reading:
        """The reading of a page; one without fields and with a note where the reader did not end."""
        try:
            return self._reader.ask((data, url, content_type, named))
        except Lost as lost:
            why = f"its reader {lost}: nothing of it is known"
        return Reading(platform="generic", kind=Kind.OTHER, notes=(why,))


def _prepared() -> Callable[[Page], Reading]:
    read(Saved.of(b"<html></html>"))  # everything that is loaded late is loaded before the limit is taken
    return _read


def _read(page: Page) -> Reading:
    data, url, content_type, named = page
    try:
        return read(Saved.of(data, url=url, content_type=content_type), named)
    except (OutOfTime, MemoryError) as error:  # outside the readers, which keep what they have
        return Reading(platform="generic", kind=Kind.OTHER, notes=(f"reading stopped early: {type(error).__name__}",))
