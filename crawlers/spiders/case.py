"""On demand: the given URLs, once, for one case, and where their authors' links lead."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive import breakoff
from archive.absence import AGAIN, CONTROL
from archive.errors import ArchiveError
from archive.result import Result
from crawlers import browser, lightly, postings, robots, trimming
from crawlers.address import dedupe_key, parse_target
from crawlers.browser import Seen
from crawlers.exit import learn
from crawlers.falling import Falling
from crawlers.fetching import Fetched, fetch
from crawlers.links import LinkPage, choose_of_all
from crawlers.returning import control_pages, follow_ups, told, wants_follow_up
from crawlers.robots import RobotsAnswer, RobotsKeeper
from crawlers.session import Job, Looking, Plan, Session
from crawlers.sessions import close_session, open_session
from crawlers.speech import pointing_in
from crawlers.spiders.controlled import Controlled
from crawlers.upstream import Upstream
from crawlers.video.fetch import SecondFetch
from crawlers.visits import visit_of
from custody.model import Candidate, Json, Via, Visit

UNIT_LINKS = 100
"""Of a post and all that was captured behind it; more only where one page alone may have more."""
ROBOTS_TIMEOUT_S = 10
ROBOTS_MAX_REDIRECTS = 5  # RFC 9309 §2.3.1.2
ROBOTS_AGENT = f"{robots.TOKEN} (robots.txt)"


class CaseSpider(Controlled):
    """``scrapy crawl case -a url=https://… -a case=NAME`` looks once and seals what it saw.

    The command ``counterproof capture`` hands in a session; alone, the spider opens one from the environment.
    """

    name = "case"

    def __init__(self, *, session: Session | None = None, url: str = "", case: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session = session
        self.own_session = session is None
        self.result: Result | None = None
        self.failure: ArchiveError | None = None
        """Why nothing could be begun; ``crawlers.commands.crawl`` leaves with a code for it."""
        self.job = session.job if session else _own_job(url, case)
        self.falling = Falling()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.shut, signal=signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        if self.session is None:
            try:
                self.session = await open_session(self.job, environment=os.environ, settings=self._own_settings())
                await self.prepare(self.session)
            except ArchiveError as error:
                self.failure = error
                self.logger.critical("nothing was looked at: %s", error)
                return
        session = self.session
        session.robots = RobotsKeeper(self._fetch_robots)
        session.exit = await learn(session.vault.config.egress_address_url, self._fetch)
        if self.job.control:
            yield self.control("start")
        for url in self.job.urls:
            capture_id = session.acquisition.new_id()
            plan = Plan(url=url, capture_id=capture_id, unit=capture_id, basis=session.bases.get(url))
            yield self._request(self.falling.asked_for(plan))
        if self.job.unit is not None:
            session.seen[self.job.unit] = {dedupe_key(each) for each in self.job.followed}
            session.followed[self.job.unit] = len(self.job.followed)
            for each in self.job.leftover:
                yield self._request(self._behind(each.via, unit=self.job.unit, parent=each.parent, depth=each.depth))

    async def prepare(self, session: Session) -> None:
        """What else a session of our own needs, before anything is looked at. Raises ``ArchiveError``."""

    async def shut(self) -> None:
        """A session of our own is closed here; what it came to is said, since nobody else would."""
        await asyncio.to_thread(self.falling.close)
        if not self.own_session or self.session is None:
            return
        self.result = result = await close_session(self.session)
        for lost in result.lost:
            self.logger.error("LOST %s in %s: %s", lost.url, lost.stage, lost.reason)
        for notice in result.notices:
            self.logger.warning("%s", notice)
        if result.sealing.time != "trusted":
            self.logger.warning("NO TRUSTED TIME: %s", result.sealing.detail)

    def _own_settings(self) -> dict[str, object]:
        return {str(name): value for name, value in self.settings.items() if str(name).startswith("COUNTERPROOF_")}

    def _request(self, plan: Plan) -> Request:
        assert self.session is not None
        self.session.seen.setdefault(plan.unit, set()).add(dedupe_key(plan.url))
        self.session.planned.append(plan)
        return Request(
            plan.url,
            callback=self.parse_look,
            errback=self.parse_failure,
            dont_filter=True,
            priority=plan.depth,  # a promotion begun is ended first: its links are what vanishes
            meta={
                "playwright": True,
                "playwright_include_page": True,
                "playwright_context": f"visit-{plan.capture_id}",
                "plan": plan,
                "session": self.session,
                "handle_httpstatus_all": True,
                "dont_retry": True,
                "dont_redirect": True,
                "download_timeout": self.job.timeout_s * 4,  # the look keeps its own time; this is only the last resort
            },
        )

    async def parse_look(self, response: Response) -> AsyncIterator[Visit | Request]:
        session, plan, looking = self._of(response.request)
        seen: Seen = response.meta["seen"]
        try:
            if (
                self.job.media
                and plan.position == "root"
                and not plan.thing
                and seen.reached
                and not session.cut.is_set()
            ):
                seen.media = await self._fetch_media(session, plan, looking)
        finally:
            session.manners.leave(plan.capture_id)
        if self.job.max_new and plan.position == "root" and seen.dom:
            documents = seen.documents(plan.url)
            session.posts[plan.capture_id] = await asyncio.to_thread(
                postings.posts_on, documents, limit=postings.MAX_POSTS
            )
        if seen.unchanged and await asyncio.to_thread(self._ends_unchanged, session, looking, seen):
            return
        candidates = await self._candidates(session, plan, seen)
        # Judging a hostile page takes seconds of computing: the other visits' clocks must not stand still for it.
        visit = await asyncio.to_thread(self._visit, session, looking, seen, candidates)
        if wants_follow_up(plan, visit.outcome, visit.http_status):
            visit = self._follow_up(session, plan, visit)
        visit, further = await self.falling.after(session, plan, seen, visit)
        yield visit
        if further is not None:
            yield self._request(further)
        for candidate in candidates:
            if candidate.follow:
                behind = self._behind(candidate.via, unit=plan.unit, parent=plan.capture_id, depth=plan.depth + 1)
                yield self._request(behind)

    def _behind(self, via: Via, *, unit: str, parent: str, depth: int) -> Plan:
        """The page that a link leads to."""
        assert self.session is not None
        return Plan(
            url=parse_target(via.href),
            capture_id=self.session.acquisition.new_id(),
            unit=unit,
            parent=parent,
            via=via,
            depth=depth,
            position="author" if via.where == "author" else "link",
        )

    def _ends_unchanged(self, session: Session, looking: Looking, seen: Seen) -> bool:
        """Blocking. Whether the light look has its end by now; else it is a capture that lacks what was not kept."""
        visit = self._judged(session, looking, seen, ())
        if not lightly.is_to_end(looking.plan, seen, visit):
            return False
        session.egress.dismiss(looking.plan.capture_id)
        session.acquisition.enter(visit.capture_id, "recording")
        facts: dict[str, Json] = {"capture": visit.capture_id, "url": visit.requested_url, "parent": visit.parent}
        try:
            lightly.end(session.acquisition, looking, seen, visit, look_id=session.look_of(looking.plan))
        except ArchiveError as error:  # its signed end is in the journal, or it was never made: said as for any other
            session.lose(looking.plan, "recording", error)
            return True
        session.progress("unchanged", facts)
        return True

    def _follow_up(self, session: Session, plan: Plan, visit: Visit) -> Visit:
        """Nothing was there: say in its record what will be done about that, and have it done."""
        already = session.again.get(plan.unit, 0)
        for each in follow_ups(plan, session.job, session.acquisition.new_id, already=already):
            if each.plan.position == AGAIN:
                session.again[plan.unit] = already + 1
                facts: dict[str, Json] = {"capture": plan.capture_id, "url": plan.url, "seconds": int(each.after_s)}
                session.progress("later", facts)
            request = self._request(each.plan)
            task = asyncio.ensure_future(self._in_time(session, request, each.after_s))
            session.later.add(task)
            task.add_done_callback(session.later.discard)
        said = {"absence": trimming.fact(told(plan, session.job, already=already))}
        session_section = {**cast("Mapping[str, Json]", visit.circumstances["session"]), **said}
        return replace(visit, circumstances={**visit.circumstances, "session": session_section})

    async def _in_time(self, session: Session, request: Request, seconds: float) -> None:
        """A look that waits keeps nobody from looking: it asks for its turn when it is due."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(session.cut.wait(), seconds)
        if not session.cut.is_set():
            assert self.crawler.engine is not None
            self.crawler.engine.crawl(request)

    def parse_failure(self, failure: Failure) -> Iterator[Visit]:
        """No page could even be opened: that is an outcome too, when the intent was recorded."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it on every failure
        session: Session = request.meta["session"]
        plan: Plan = request.meta["plan"]
        session.manners.leave(plan.capture_id)
        looking = session.looking.get(plan.capture_id)
        if looking is None:
            if not isinstance(failure.value, IgnoreRequest):
                session.lose(plan, "start", failure.value or failure.getErrorMessage())
            return
        refused = request.meta.get("refused")
        if refused is None and not browser.is_its_own(failure.value):
            failure.raiseException()  # the disk, or our own code, and not the page: lost, and the alarm says so
        seen = Seen(
            trouble="refused_by_policy" if refused else "browser_died",
            detail=refused or f"{breakoff.UNOPENED}: {failure.getErrorMessage()[:300]}",
        )
        yield self._visit(session, looking, seen, ())

    def _of(self, request: Request | None) -> tuple[Session, Plan, Looking]:
        assert request is not None
        session: Session = request.meta["session"]
        plan: Plan = request.meta["plan"]
        return session, plan, session.looking[plan.capture_id]

    async def _fetch_media(self, session: Session, plan: Plan, looking: Looking) -> dict[str, Json]:
        session.progress("media", {"capture": plan.capture_id, "url": plan.url})
        cache = session.vault.home.cache
        python = await asyncio.to_thread(session.launch.without_sight, Path(sys.executable), cache=cache)
        again = SecondFetch(
            egress=session.egress, fill=looking.fill, clock=session.clock, cut=session.cut, python=python
        )
        return await again.run(plan.url, name=plan.capture_id)

    async def _candidates(self, session: Session, plan: Plan, seen: Seen) -> tuple[Candidate, ...]:
        if not seen.reached or plan.position in {AGAIN, CONTROL}:
            return ()
        documents = seen.documents(plan.url) if seen.dom else await self.falling.linked(plan, seen)
        if not documents:
            return ()
        if plan.position == "root":
            await self._note_pointing(session, plan, seen, documents[0])
        pages = [
            LinkPage(
                url=url,
                dom_html=dom,
                depth=plan.depth,
                position=plan.position,
                pointing=session.pointing.get(plan.unit),
            )
            for url, dom in documents
        ]
        # One page of a unit at a time, so that two hubs do not both follow one link or both spend the same room.
        async with session.choosing.setdefault(plan.unit, asyncio.Lock()):
            unit_seen = session.seen[plan.unit]
            left = max(self.job.max_links, UNIT_LINKS) - session.followed.get(plan.unit, 0)
            room = max(0, min(self.job.max_links, left))
            try:
                chosen = await asyncio.to_thread(choose_of_all, pages, limit=room, seen=frozenset(unit_seen))
            except Exception as error:  # noqa: BLE001  # a page we cannot read links from is evidence all the same
                seen.settings["links_unread"] = type(error).__name__  # in the record too: "no links" was not seen
                session.notices.append(
                    f"{plan.url}: its links could not be read ({type(error).__name__}), none followed"
                )
                return ()
            if not self.job.follow or plan.depth >= self.job.depth:
                reason = "no_follow" if not self.job.follow else "over_depth"
                return tuple(_not(each, reason) if each.follow else each for each in chosen)
            followed = [each for each in chosen if each.follow]
            unit_seen.update(dedupe_key(each.via.href) for each in followed)
            session.followed[plan.unit] = session.followed.get(plan.unit, 0) + len(followed)
            return chosen

    async def _note_pointing(self, session: Session, plan: Plan, seen: Seen, document: tuple[str, str]) -> None:
        """Before the pages behind the post are looked at: which of their links it means."""
        try:
            said = await asyncio.to_thread(pointing_in, *document)
            if said.says_something or plan.unit not in session.pointing:  # a further surface may say more, or nothing
                session.pointing[plan.unit] = said
        except Exception as error:  # noqa: BLE001  # a page whose words we cannot read is evidence all the same
            seen.settings["pointing_unread"] = type(error).__name__

    def _visit(self, session: Session, looking: Looking, seen: Seen, candidates: tuple[Candidate, ...]) -> Visit:
        visit = self._judged(session, looking, seen, candidates)
        session.egress.dismiss(looking.plan.capture_id)
        session.progress(
            "seen",
            {
                "capture": visit.capture_id,
                "url": visit.requested_url,
                "status": visit.status.value,
                "outcome": visit.outcome.value,
            },
        )
        return visit

    def _judged(self, session: Session, looking: Looking, seen: Seen, candidates: tuple[Candidate, ...]) -> Visit:
        return visit_of(
            seen,
            looking,
            run=session.acquisition.run,
            scope=session.acquisition.scope,
            connections=session.egress.report(looking.plan.capture_id),
            interventions=self.job.interventions,
            candidates=candidates,
            environment=session.surroundings,
            surface=session.surface,
            closed_at=session.clock() if seen.times.get("closed_at") is None else seen.times["closed_at"],
        )

    async def _fetch(self, url: str, what: str, limit: int) -> Fetched:
        assert self.session is not None
        assert self.crawler.engine is not None
        download = self.crawler.engine.download_async
        return await fetch(url, what=what, session=self.session, download=download, limit=limit)

    async def _fetch_robots(self, url: str) -> RobotsAnswer:
        got = await self._fetch(
            url, "robots.txt", robots.MAX_BYTES + 1
        )  # one more, so that it shows when there is more
        return RobotsAnswer(url=got.url, status=got.status, body=got.body, error=got.error, fetched_at=got.at)


def _own_job(urls: str, case: str) -> Job:
    return Job(
        urls=tuple(parse_target(each) for each in urls.split()),
        case=case,
        control_pages=control_pages((), os.environ),
        upstream=Upstream.chosen(None, os.environ),
    )


def _not(candidate: Candidate, reason: str) -> Candidate:
    via = Via(href=candidate.via.href, text=candidate.via.text, where=candidate.via.where)
    return Candidate(via=via, follow=False, reason=reason)
