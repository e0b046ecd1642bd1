"""Readers in a process of their own, with a limit of time and one of memory: a page must not end who reads it."""

import multiprocessing
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Self

from archive.reading import Kind, Reading
from crawlers.registry import read
from crawlers.saved import Saved

SECONDS = 10.0
"""For one page; the largest real one takes a tenth of a second."""
MEMORY_BYTES = 2 << 30
"""Of addresses, above what the process has when it begins."""
GRACE_S = 5.0
"""How much longer it may take to say that its time is up."""


class OutOfTime(Exception):
    """Raised inside a reader; what it found before is kept."""


class Bounded:
    """Reads one page after another in one warm process; starts another where that one dies. Used as a context."""

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds = seconds
        self._memory = memory_bytes
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, data: bytes, *, url: str | None = None, content_type: str | None = None) -> Reading:
        """The reading of a page; one without fields and with a note where the reader did not end."""
        connection = self._begun()
        try:
            connection.send((data, url, content_type))
            if connection.poll(self._seconds + GRACE_S):
                reading: Reading = connection.recv()
                return reading
            why = f"its reader did not end within {self._seconds:g} s: nothing of it is known"
        except (EOFError, OSError):
            why = "its reader died, or had no memory left: nothing of it is known"
        self._end()
        return Reading(platform="generic", kind=Kind.OTHER, notes=(why,))

    def _begun(self) -> Connection:
        if self._connection is None:
            ours, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_work, args=(theirs, self._seconds, self._memory), daemon=True, name="reader"
            )
            self._process.start()
            theirs.close()
            self._connection = ours
        return self._connection

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _work(connection: Connection, seconds: float, memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever reads is told; we end with the connection
    signal.signal(signal.SIGALRM, _out_of_time)
    read(Saved.of(b"<html></html>"))  # everything that is loaded late is loaded before the limit is taken
    _limit(memory_bytes)
    while True:
        try:
            data, url, content_type = connection.recv()
        except EOFError:
            return
        with _time(seconds):
            reading = _read(data, url, content_type)
        connection.send(reading)


def _read(data: bytes, url: str | None, content_type: str | None) -> Reading:
    try:
        return read(Saved.of(data, url=url, content_type=content_type))
    except (OutOfTime, MemoryError) as error:  # outside the readers, which keep what they have
        return Reading(platform="generic", kind=Kind.OTHER, notes=(f"reading stopped early: {type(error).__name__}",))


def _limit(memory_bytes: int) -> None:
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory_bytes, now + memory_bytes))


@contextmanager
def _time(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime("the time for this page is up")
