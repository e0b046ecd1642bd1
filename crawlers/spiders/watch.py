"""Scheduled, without a worker: what is due of one case, once."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from scrapy import Request

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from archive.watching.alone import Alone
from archive.watching.database import open_database
from archive.watching.looks import Ended
from crawlers.duty import Setup, job_of
from crawlers.session import Job
from crawlers.sessions import now
from crawlers.spiders.case import CaseSpider

_SAID_EVERY_S = 10.0


class WatchSpider(CaseSpider):
    """``scrapy crawl watch -a case=NAME [-a limit=20]`` carries out what is due of a case, and ends.

    For those who think in Scrapy, and for a timer on a machine that has no service. Workers may run beside it: a look
    is taken by one of them.
    """

    name = "watch"

    def __init__(self, *, case: str = "", limit: str = "20", **kwargs: Any) -> None:
        super().__init__(case=case, **kwargs)
        self._limit = limit
        self._stack = ExitStack()
        self._alone: Alone | None = None
        self._saying: asyncio.Task[None] | None = None

    async def start(self) -> AsyncIterator[Request]:
        try:
            job = await asyncio.to_thread(self._take)
        except ArchiveError as error:
            self.failure = error
            self.logger.critical("nothing was looked at: %s", error)
            return
        if job is None:
            self.logger.info("nothing is due")
            return
        self._saying = asyncio.ensure_future(self._keep_saying())
        self.job = job
        async for request in super().start():
            yield request

    async def shut(self) -> None:
        await super().shut()
        if self._saying is not None:
            self._saying.cancel()
            with suppress(asyncio.CancelledError):
                await self._saying
        try:
            await asyncio.to_thread(self._finish)
        except ArchiveError as error:  # what was recorded is recorded; the looks are taken up by somebody else
            self.failure = self.failure or error
            self.logger.warning("the looks could not be ticked off: %s", error)

    def _take(self) -> Job | None:
        if not self.job.case.strip():
            raise UsageError("say whose watches: scrapy crawl watch -a case=NAME")
        if not self._limit.isdigit() or not 0 < int(self._limit) <= 1000:
            raise UsageError(f"limit is 1 to 1000, got {self._limit[:20]!r}")
        config = ArchiveConfig.load(os.environ, settings=self._own_settings())
        database = self._stack.enter_context(open_database(config))
        self._alone = Alone(database=database, name=f"{socket.gethostname()}-{os.getpid()}-crawl")
        taken = self._alone.take(self.job.case, limit=int(self._limit), now=now())
        if not taken:
            return None
        setup = Setup(
            config=config,
            environment=os.environ,
            upstream=self.job.upstream,
            control_pages=self.job.control_pages,
        )
        first = next(iter(taken.values()))
        job = job_of(first, setup, self._alone.overrides(self.job.case), control=True)
        return replace(job, urls=tuple(taken), look_ids={url: begun.look for url, begun in taken.items()})

    async def _keep_saying(self) -> None:
        while True:
            await asyncio.sleep(_SAID_EVERY_S)
            if self._alone is not None:
                with suppress(ArchiveError):  # the database is away: said again in a moment
                    await asyncio.to_thread(self._alone.still_here)

    def _finish(self) -> None:
        with self._stack:
            if self._alone is None:
                return
            captures = () if self.result is None else self.result.captures
            ended = {
                each.requested_url: Ended(
                    outcome=each.outcome.value,
                    run=None if self.result is None else self.result.run,
                    unit=each.unit,
                    captures=sum(other.unit == each.unit for other in captures),
                    bytes=sum(kept.bytes for other in captures if other.unit == each.unit for kept in other.artifacts),
                )
                for each in captures
                if each.parent is None
            }
            self._alone.finish(ended, now=now())
