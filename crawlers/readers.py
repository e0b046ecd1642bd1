"""The readers of one run: a process of their own, warm from the first page to the last, asked while visits go on."""

import asyncio
from collections.abc import Mapping

from archive.reading import Reading
from crawlers.bounded import Bounded
from crawlers.tab import let_go
from custody.model import Json

SECONDS = 5.0
"""For one page: a visit does not wait long for what can be done again at any time."""
_WARM = b"<html></html>"


class Readers:
    """One page after another; whoever stops waiting leaves its page to the limits that it has."""

    def __init__(self, by: Mapping[str, Json]) -> None:
        self.by = by
        """What reads: software, version, digest of its code."""
        self._bounded = Bounded(seconds=SECONDS)
        self._turn = asyncio.Lock()

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
