"""A lost item fails the job: Scrapy by itself would end "finished", with exit 0."""

import asyncio
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.errors import ArchiveError
from crawlers.browser import Seen
from crawlers.session import Plan, Session
from crawlers.visits import visit_of
from custody.model import Json, Status, Visit

STAGES_AFTER_THE_RECORD = frozenset({"cataloguing"})


class Alarm:
    """Counts what was lost, says where, and gives each lost capture its end."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        alarm = cls()
        crawler.signals.connect(alarm.item_error, signal=signals.item_error)
        crawler.signals.connect(alarm.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(alarm.item_dropped, signal=signals.item_dropped)
        crawler.signals.connect(alarm.spider_error, signal=signals.spider_error)
        return alarm

    async def item_error(self, item: Any, response: Response, spider: Any, failure: Failure) -> None:
        if isinstance(item, Visit):
            await self._lost(spider.session, item, failure.value)

    def item_scraped(self, item: Any, response: Response, spider: Any) -> None:
        """It went through every stage; crawlers do not know the stages' types, only that the visit is in there."""
        visit: Visit = item.visit
        facts: dict[str, Json] = {"capture": visit.capture_id, "url": visit.requested_url, "parent": visit.parent}
        step = "submitted" if item.index is None else "recorded"
        if spider.session.cut.is_set() and visit.status is not Status.COMPLETE:
            facts["interrupted"] = True
        spider.session.progress(step, {**facts, "status": visit.status.value})

    async def item_dropped(self, item: Any, response: Response, exception: BaseException, spider: Any) -> None:
        if isinstance(item, Visit):
            await self._lost(spider.session, item, exception)

    def spider_error(self, failure: Failure, response: Any, spider: Any) -> None:
        """Our own code failed between look and item: what was spooled still gets its record.

        Scrapy does not wait for this signal's handlers; whoever closes the session does.
        """
        request = getattr(response, "request", None)  # a Failure has one too
        plan: Plan | None = request.meta.get("plan") if request is not None else None
        session: Session | None = spider.session
        if plan is None or session is None or plan.capture_id not in session.looking:
            return
        session.tasks.append(asyncio.ensure_future(self._unvisited(session, plan, failure)))

    async def _unvisited(self, session: Session, plan: Plan, failure: Failure) -> None:
        looking = session.looking[plan.capture_id]
        if session.acquisition.has_ended(looking.started):
            session.notices.append(f"{plan.url}: its links could not be followed ({failure.value!r})")
            return
        visit = visit_of(
            Seen(trouble="error", detail=repr(failure.value)[:300]),
            looking,
            run=session.acquisition.run,
            scope=session.acquisition.scope,
            connections=session.egress.report(plan.capture_id),
            interventions=session.job.interventions,
            candidates=(),
            environment=session.surroundings,
            closed_at=session.clock(),
        )
        session.acquisition.enter(plan.capture_id, "visit")
        await self._lost(session, visit, failure.value)

    async def _lost(self, session: Session, visit: Visit, error: BaseException | None) -> None:
        stage = session.acquisition.stages.get(visit.capture_id, "hashing")
        reason = str(error) or type(error).__name__
        if stage in STAGES_AFTER_THE_RECORD:
            session.notices.append(f"{visit.requested_url} is recorded; the catalogue could not follow: {reason}")
            return
        session.lose(session.looking[visit.capture_id].plan, stage, error or reason)
        try:
            await asyncio.to_thread(session.acquisition.fail, visit, stage=stage, reason=reason)
        except ArchiveError as again:
            session.notices.append(
                f"{visit.requested_url}: its end waits in the spool and is submitted by the next command ({again})"
            )
