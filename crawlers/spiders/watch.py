"""Scheduled, without a worker: what is due of one case, once."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from scrapy import Request

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from archive.result import Cost, Result
from archive.watching.alone import Alone
from archive.watching.database import open_database
from archive.watching.looks import Ended
from crawlers.duty import Setup, further, job_of, judge
from crawlers.looking import Looking
from crawlers.session import Job, Plan, Session
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
        self._looking: Looking | None = None
        self._has_gone_on = False

    async def prepare(self, session: Session) -> None:
        """What each page is held against: a look of a watch is a light one here too."""
        session.looking_again = self._looking = await Looking.begin(session)

    def end_with_control(self) -> None:
        """Once all pages were looked at: what those looks call for, in the same run. Scrapy asks again when idle."""
        session = self.session
        waits = session is None or self._looking is None or session.later or session.cut.is_set()
        if not waits and not self._has_gone_on:
            assert session is not None
            assert self._looking is not None
            self._has_gone_on = True
            task = asyncio.ensure_future(self._go_on(session, self._looking))
            session.later.add(task)
            task.add_done_callback(session.later.discard)
        super().end_with_control()

    async def _go_on(self, session: Session, looking: Looking) -> None:
        await looking.conclude()
        asked = {each.capture_id: each.url for each in session.planned}
        found = (*looking.fresh, *looking.follow_ups)
        more = further(self.job, {each.url: self.job.look_ids[asked[each.of]] for each in found})
        if more is None:
            return
        look_ids = {**self.job.look_ids, **more.look_ids}
        self.job = session.job = replace(more, look_ids=look_ids, control=self.job.control)
        assert self.crawler.engine is not None
        for url in more.urls:
            capture_id = session.acquisition.new_id()
            self.crawler.engine.crawl(self._request(Plan(url=url, capture_id=capture_id, unit=capture_id)))

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
        if self._looking is not None:
            self._looking.close()
            if self.result is not None:
                self.result = self._looking.result(self.result)
        if self._saying is not None:
            self._saying.cancel()
            with suppress(asyncio.CancelledError):
                await self._saying
        try:
            await asyncio.to_thread(self._finish)
        except ArchiveError as error:  # what was recorded is recorded; the looks are taken up by somebody else
            self.failure = self.failure or error
            self.logger.warning("the looks could not be ticked off: %s", error)

    def setup(self, config: ArchiveConfig) -> Setup:
        """As a worker would be told it."""
        return Setup(
            config=config,
            environment=os.environ,
            upstream=self.job.upstream,
            control_pages=self.job.control_pages,
        )

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
        setup = self.setup(config)
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
            ended = {} if self.result is None else dict(_ended(self.result, self._alone.taken))
            self._alone.finish(ended, now=now())


def _ended(result: Result, taken: Iterable[str]) -> Iterator[tuple[str, Ended]]:
    """What came of each address; one of which nothing did is left out, and waits again."""
    for url in taken:
        roots = tuple(each for each in result.captures if each.parent is None and each.requested_url == url)
        same = tuple(each for each in result.unchanged if each.url == url)
        if roots or same:
            units = {each.unit for each in roots}
            captures = roots + tuple(each for each in result.captures if each.parent and each.unit in units)
            size = sum(kept.bytes for each in captures for kept in each.artifacts)
            changes = tuple(each for each in result.changes if each.url == url)
            own = replace(
                result, captures=captures, unchanged=same, changes=changes, lost=(), cost=Cost(sent_bytes=size)
            )
            yield url, judge(own, interrupted=False)
