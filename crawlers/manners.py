"""Manners: how many visits a host gets at a time, and how long it is left alone between them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit


class Mannered(Protocol):
    """Whoever says when a visit may begin: ``Manners`` for one run, ``crawlers.pace.SharedManners`` for all workers."""

    async def enter(self, visit: str, url: str, cut: asyncio.Event, *, waiting: Callable[[], None]) -> None: ...

    def leave(self, visit: str) -> None: ...


@dataclass(slots=True)
class _Host:
    free: asyncio.Semaphore
    left_at: float | None = None
    """When the last visit ended, by the loop's clock."""


@dataclass(slots=True)
class Manners:
    """Of one run. The page that is asked for counts, by its host; where it leads by itself is its own doing."""

    delay_s: float
    """From the end of a visit to the beginning of the next at the same host."""
    per_host: int
    """Visits at a time."""
    clock: Callable[[], float]
    """Seconds that never go back."""
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _turns: dict[str, str] = field(default_factory=dict)

    async def enter(self, visit: str, url: str, cut: asyncio.Event, *, waiting: Callable[[], None]) -> None:
        """Wait for the visit's turn, having said so where there is a wait. Returns at once when ``cut`` is set."""
        name = (urlsplit(url).hostname or "").rstrip(".").casefold()
        host = self._hosts.setdefault(name, _Host(asyncio.Semaphore(self.per_host)))
        is_taken = host.free.locked()
        if is_taken:
            waiting()
        if not await _before(host.free.acquire(), cut):
            return
        self._turns[visit] = name
        if host.left_at is not None and (rest := host.left_at + self.delay_s - self.clock()) > 0:
            if not is_taken:
                waiting()
            await _before(asyncio.sleep(rest), cut)

    def leave(self, visit: str) -> None:
        """The visit is over, or never began. Again is no harm."""
        name = self._turns.pop(visit, None)
        if name is not None:
            host = self._hosts[name]
            host.left_at = self.clock()
            host.free.release()


async def _before(doing: Coroutine[Any, Any, object], cut: asyncio.Event) -> bool:
    """Whether it was done before ``cut`` was set."""
    work = asyncio.ensure_future(doing)
    ended = asyncio.ensure_future(cut.wait())
    try:
        await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()
    finally:
        for each in (work, ended):
            if not each.done():
                each.cancel()
