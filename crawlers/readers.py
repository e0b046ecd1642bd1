"""The readers of a run, or of several: a process of their own, warm from page to page, asked while visits go on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import Self

from archive.reading import Reading
from crawlers.bounded import Bounded
from crawlers.program import code_sha256
from crawlers.tab import let_go
from custody.model import Json

SECONDS = 5.0
"""For one page: a visit does not wait long for what can be done again at any time."""
MOST_RUNS = 50
_WARM = b"<html></html>"


class Readers:
    """One page after another; whoever stops waiting leaves its page to the limits that it has."""

    def __init__(self, by: Mapping[str, Json]) -> None:
        self.by = by
        """What reads: software, version, digest of its code."""
        self._bounded = Bounded(seconds=SECONDS)
        self._turn = asyncio.Lock()

    @classmethod
    def of_this_program(cls) -> Self:
        return cls(
            {"software": "counterproof", "version": metadata.version("counterproof"), "code_sha256": code_sha256()}
        )

    def warm(self) -> None:
        """Start the process now, so that no visit waits for it."""
        self.begin(_WARM, None)

    def begin(self, data: bytes, url: str | None) -> "asyncio.Future[Reading]":
        """The reading of a page, in a while. It is never cancelled: the process has its own limits."""
        task = asyncio.ensure_future(self._read(data, url))
        task.add_done_callback(let_go)
        return task

    async def _read(self, data: bytes, url: str | None) -> Reading:
        async with self._turn:
            return await asyncio.to_thread(self._bounded.read, data, url=url)

    async def end(self) -> None:
        """After the page that is being read, if there is one."""
        async with self._turn:
            await asyncio.to_thread(self._bounded.end)


@dataclass(slots=True)
class Lending:
    """A worker's readers: to start a process for each look takes longer than to read its pages."""

    _idle: list[tuple[Readers, int]] = field(default_factory=list)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Readers]:
        """For one run. After ``MOST_RUNS`` they are replaced: what one page did to them reaches only so far."""
        readers, runs = self._idle.pop() if self._idle else (Readers.of_this_program(), 0)
        if not runs:
            readers.warm()
        try:
            yield readers
        finally:
            if runs + 1 < MOST_RUNS:
                self._idle.append((readers, runs + 1))
            else:
                await readers.end()

    async def end(self) -> None:
        while self._idle:
            await self._idle.pop()[0].end()
