"""Manners that all workers keep together: a host's turns are rows that they share, whatever process or machine."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

from archive.errors import ArchiveError

POLL_S = 1.0
"""A host that is taken is asked for again this often."""


class Turns(Protocol):
    """What ``archive.watching.pace`` does, with its database at hand. Blocking."""

    def take(self, host: str, holder: str, lasts: timedelta, *, spends: bool) -> tuple[bool, float]:
        """Whether it may begin, and after how many seconds; else, when to ask again."""
        ...

    def leave(self, host: str, holder: str) -> None: ...


@dataclass(slots=True)
class SharedManners:
    """As ``Manners``, kept by all workers. A look that was released has its place in the day's budget already."""

    turns: Turns
    lasts: timedelta
    """A turn whose holder died is free again after so long."""
    trouble: Callable[[ArchiveError], None]
    _held: dict[str, str] = field(default_factory=dict)

    async def enter(self, visit: str, url: str, cut: asyncio.Event, *, waiting: Callable[[], None]) -> None:
        host = (urlsplit(url).hostname or "").rstrip(".").casefold()
        said = False
        while not cut.is_set():
            try:
                granted, wait_s = await asyncio.to_thread(self.turns.take, host, visit, self.lasts, spends=False)
            except ArchiveError as error:
                # The database is away. A page that is due is looked at all the same, one at a time, after a pause.
                self.trouble(error)
                await _before(cut, 5.0)
                return
            if granted:
                self._held[visit] = host
            if wait_s > 0:
                if not said:
                    waiting()
                    said = True
                await _before(cut, wait_s if granted else min(wait_s, POLL_S))
            if granted:
                return

    def leave(self, visit: str) -> None:
        host = self._held.pop(visit, None)
        if host is not None:
            asyncio.get_running_loop().run_in_executor(None, self._leave, host, visit)

    def _leave(self, host: str, visit: str) -> None:
        try:
            self.turns.leave(host, visit)
        except ArchiveError as error:  # it is free again when its time is over
            self.trouble(error)


async def _before(cut: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(cut.wait(), seconds)
