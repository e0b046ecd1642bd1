"""A spider whose run begins and ends with a control capture, made by the same handler as every other look."""

import asyncio
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.control.look import ControlLook, When
from crawlers.control.page import ControlPage
from crawlers.control.site import ControlSite
from crawlers.keeping import Keeping
from crawlers.session import Session

FIRST = 1_000
"""Its priority: before the first page that was asked for."""


class Controlled(Spider):
    """Asks for nothing that the session's job does not want."""

    session: Session | None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.end_with_control, signal=signals.spider_idle)
        return spider

    def control(self, when: When) -> Request:
        """Asks for the program's own page, new for this look."""
        session = self.session
        assert session is not None
        page = ControlPage(nonce=session.acquisition.nonce())
        name = f"control-{when}"
        control = ControlLook(
            when=when,
            page=page,
            site=ControlSite(page),
            keeping=Keeping(name=name, url=page.entry, spool=session.acquisition.visit_spool(name)),
            began_at=session.clock(),
            density=session.job.profile.density,
        )
        session.controls.append(control)
        return Request(
            page.entry,
            callback=self.parse_control,
            errback=self.control_failed,
            dont_filter=True,
            priority=FIRST,
            meta={
                "playwright": True,
                "playwright_include_page": True,
                "playwright_context": name,
                "session": session,
                "control": control,
                "handle_httpstatus_all": True,
                "dont_retry": True,
                "dont_redirect": True,
                "download_timeout": session.job.timeout_s * 4,
            },
        )

    async def parse_control(self, response: Response) -> None:
        assert response.request is not None
        control: ControlLook = response.request.meta["control"]
        session: Session = response.request.meta["session"]
        ended_at = session.clock()
        try:
            await asyncio.to_thread(control.judge, response.meta["seen"], ended_at)
        except Exception as error:  # noqa: BLE001  # a control that cannot be compared has not passed, and that is all
            control.give_up(f"what it brought could not be compared ({type(error).__name__})", ended_at)
        self._let_go(session, control)

    def control_failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it on every failure
        control: ControlLook = request.meta["control"]
        session: Session = request.meta["session"]
        control.give_up(f"no page could be opened: {failure.getErrorMessage()[:300]}", session.clock())
        self._let_go(session, control)

    def _let_go(self, session: Session, control: ControlLook) -> None:
        control.site.stop()
        session.egress.dismiss(control.name)
        facts = {"capture": control.name, "url": control.page.entry}
        session.progress("control", {**facts, "when": control.when, "result": control.result["result"]})

    def end_with_control(self) -> None:
        """Everything that was asked for is done: once more the program's own page. Scrapy asks again when idle."""
        session = self.session
        if session is None or session.cut.is_set():
            return
        if session.later:
            raise DontCloseSpider
        if not session.job.control:
            return
        if any(each.when == "end" for each in session.controls):
            return
        assert self.crawler.engine is not None
        self.crawler.engine.crawl(self.control("end"))
        raise DontCloseSpider
