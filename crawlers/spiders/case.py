"""On demand: the given URLs, once, for one case, and where their authors' links lead."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.errors import ArchiveError
from archive.result import Result
from crawlers import browser, robots
from crawlers.address import SCHEMES, dedupe_key, parse_target
from crawlers.browser import Seen
from crawlers.links import LinkPage, choose_of_all
from crawlers.robots import RobotsAnswer, RobotsKeeper
from crawlers.session import Job, Looking, Plan, Session
from crawlers.sessions import close_session, open_session
from crawlers.visits import visit_of
from custody.model import Candidate, Via, Visit

ROBOTS_TIMEOUT_S = 10
ROBOTS_MAX_REDIRECTS = 5  # RFC 9309 §2.3.1.2
ROBOTS_AGENT = f"{robots.TOKEN} (robots.txt)"


class CaseSpider(Spider):
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
        self.job = session.job if session else Job(urls=tuple(parse_target(each) for each in url.split()), case=case)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.shut, signal=signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        if self.session is None:
            try:
                self.session = await open_session(self.job, environment=os.environ, settings=self._own_settings())
            except ArchiveError as error:
                self.failure = error
                self.logger.critical("nothing was looked at: %s", error)
                return
        session = self.session
        session.robots = RobotsKeeper(self._fetch_robots)
        for url in self.job.urls:
            capture_id = session.acquisition.new_id()
            yield self._request(Plan(url=url, capture_id=capture_id, unit=capture_id))

    async def shut(self) -> None:
        """A session of our own is closed here; what it came to is said, since nobody else would."""
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
        session.manners.leave(plan.capture_id)
        seen: Seen = response.meta["seen"]
        candidates = await self._candidates(session, plan, seen)
        # Judging a hostile page takes seconds of computing: the other visits' clocks must not stand still for it.
        yield await asyncio.to_thread(self._visit, session, looking, seen, candidates)
        for candidate in candidates:
            if candidate.follow:
                yield self._request(
                    Plan(
                        url=parse_target(candidate.via.href),
                        capture_id=session.acquisition.new_id(),
                        unit=plan.unit,
                        parent=plan.capture_id,
                        via=candidate.via,
                        depth=plan.depth + 1,
                        position="author" if candidate.via.where == "author" else "link",
                    )
                )

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
            detail=refused or f"the browser could not open a page: {failure.getErrorMessage()[:300]}",
        )
        yield self._visit(session, looking, seen, ())

    def _of(self, request: Request | None) -> tuple[Session, Plan, Looking]:
        assert request is not None
        session: Session = request.meta["session"]
        plan: Plan = request.meta["plan"]
        return session, plan, session.looking[plan.capture_id]

    async def _candidates(self, session: Session, plan: Plan, seen: Seen) -> tuple[Candidate, ...]:
        if not seen.reached or not seen.dom:
            return ()
        pages = [
            LinkPage(url=url, dom_html=dom, depth=plan.depth, position=plan.position)
            for url, dom in seen.documents(plan.url)
        ]
        # One page of a unit at a time, so that two hubs do not both follow one link or both spend the same room.
        async with session.choosing.setdefault(plan.unit, asyncio.Lock()):
            unit_seen = session.seen[plan.unit]
            room = max(0, self.job.max_links - session.followed.get(plan.unit, 0))
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

    def _visit(self, session: Session, looking: Looking, seen: Seen, candidates: tuple[Candidate, ...]) -> Visit:
        connections = session.egress.report(looking.plan.capture_id)
        session.egress.dismiss(looking.plan.capture_id)
        visit = visit_of(
            seen,
            looking,
            run=session.acquisition.run,
            scope=session.acquisition.scope,
            connections=connections,
            interventions=self.job.interventions,
            candidates=candidates,
            environment=session.environment,
            surface=session.surface,
            closed_at=session.clock() if seen.times.get("closed_at") is None else seen.times["closed_at"],
        )
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

    async def _fetch_robots(self, url: str) -> RobotsAnswer:
        """Through the egress like everything else; by Scrapy, so that the page's own context stays untouched."""
        assert self.session is not None
        session = self.session
        name = f"robots {url}"
        admitted = session.egress.admit(name)
        credential = base64.b64encode(f"{admitted.username}:{admitted.password}".encode()).decode()
        at = session.clock()
        assert self.crawler.engine is not None
        try:
            for _ in range(ROBOTS_MAX_REDIRECTS + 1):
                request = Request(
                    url,
                    dont_filter=True,
                    headers={"User-Agent": ROBOTS_AGENT, "Proxy-Authorization": f"Basic {credential}"},
                    meta={
                        "proxy": session.egress.url,
                        "download_timeout": ROBOTS_TIMEOUT_S,
                        "download_maxsize": robots.MAX_BYTES * 4,
                        "handle_httpstatus_all": True,
                    },
                )
                async with asyncio.timeout(ROBOTS_TIMEOUT_S + 2):
                    response = await self.crawler.engine.download_async(request)
                location = response.headers.get("Location")
                if response.status not in {301, 302, 303, 307, 308} or location is None:
                    break
                onward = response.urljoin(location.decode("latin-1"))
                if urlsplit(onward).scheme not in SCHEMES:
                    break  # Scrapy would read `file:` from our disk, and go to `ftp:` past the egress
                url = onward
        except Exception as error:  # noqa: BLE001  # whatever a site does with robots.txt is an answer, and recorded
            refused = any(each.error == "policy" for each in session.egress.report(name))
            said = "refused_by_policy" if refused else type(error).__name__
            return RobotsAnswer(url=url, status=None, body=None, error=said, fetched_at=at)
        finally:
            session.egress.dismiss(name)
        body = response.body[: robots.MAX_BYTES + 1]  # one more, so that it shows when there is more
        return RobotsAnswer(url=response.url, status=response.status, body=body, error=None, fetched_at=at)


def _not(candidate: Candidate, reason: str) -> Candidate:
    via = Via(href=candidate.via.href, text=candidate.via.text, where=candidate.via.where)
    return Candidate(via=via, follow=False, reason=reason)
