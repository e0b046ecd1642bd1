"""The download handler: scrapy-playwright gives a fresh page in a fresh context; what is done with it is ours."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawlers import browser, launching
from crawlers.banners import AS_FOUND
from crawlers.control.look import TIMEOUT_S
from crawlers.keeping import Keeping
from crawlers.lightly import Lightly
from crawlers.provenance import running_browser
from crawlers.recording.desk import Desk
from crawlers.session import Plan, Session
from custody.model import Json

CLOSE_S = 10.0


class LookHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]  # it ships no types
    """Replaces the one step between "here is a page" and "here is a response".

    scrapy-playwright would navigate, take ``page.content()`` and give a response; a page that downloads, loops, never
    ends or dies would become an exception there, and its retry would look a second time without a record. Here all of
    these are outcomes. Overrides a method that scrapy-playwright does not promise: pinned below 0.1, and a test of
    the whole flow breaks when it changes.
    """

    _closed = False

    @classmethod
    def from_crawler(cls, crawler: Any) -> "LookHandler":
        """One for ``http`` and ``https``: Scrapy asks for one each, and each would have a driver and a browser."""
        made: LookHandler | None = getattr(crawler, "look_handler", None)
        if made is None:
            made = crawler.look_handler = cls(crawler)
        return made

    async def close(self) -> None:
        """Asked once for each scheme."""
        if not self._closed:
            self._closed = True
            await super().close()

    async def _maybe_launch_browser(self) -> None:
        """The browser is told how to start by the session, which knows the egress by now."""
        self.config.launch_options = dict(self._crawler.spider.session.launch.options)
        self._forget_the_dead()  # a page asked of it would be refused until the news of its end has come round
        before = getattr(self, "browser", None)
        await super()._maybe_launch_browser()
        if self.browser is not before:  # its file may have been replaced since the last one was started
            session: Session = self._crawler.spider.session
            session.browser_file = await asyncio.to_thread(running_browser, os.getpid(), session.vault.home.cache)

    async def _create_page(self, request: Request, spider: Spider) -> Any:
        """Without the listeners for its statistics: the driver would tell of each request and answer, and keep them."""
        page = await super()._create_page(request, spider)
        page.remove_listener("request", self._increment_request_stats)
        page.remove_listener("response", self._increment_response_stats)
        return page

    async def _browser_disconnected_callback(self) -> None:
        """Nothing else: its contexts say themselves that they are closed, and there may be a new browser already."""
        self._forget_the_dead()

    def _forget_the_dead(self) -> None:
        if hasattr(self, "browser") and (self.browser_provider.has_died or not self.browser.is_connected()):
            del self.browser

    def _put_an_end_to_it(self) -> None:
        """A page that cannot be closed keeps the browser too busy for any other: the next visit gets a new browser.

        A visit that shared this one ends with it, and says so; waiting for ever would cost it as well.
        """
        for pid in launching.browsers_below(os.getpid()):
            with contextlib.suppress(ProcessLookupError):  # gone by itself in the meantime
                os.kill(pid, signal.SIGKILL)
        if hasattr(self, "browser"):
            del self.browser

    async def _download_request_with_page(self, request: Request, page: Any, spider: Spider) -> Response:
        session: Session = request.meta["session"]
        keeping: Keeping = request.meta["keeping"]
        is_control = "control" in request.meta

        def progress(step: str, facts: Mapping[str, Json]) -> None:
            if not is_control:
                session.progress(step, {"capture": keeping.name, "url": keeping.url, **facts})

        try:  # whatever fails from here on, the page is let go: the next one waits for its room
            order = browser.Order(
                url=keeping.url,
                keep=keeping.keep,
                clock=session.clock,
                timeout_s=min(session.job.timeout_s, TIMEOUT_S) if is_control else session.job.timeout_s,
                trust_spki=session.job.trust_spki,
                progress=progress,
                admitted=session.egress.admit(keeping.name),
                desk=Desk(
                    folder=keeping.spool.path,
                    fill=keeping.fill,
                    connections=lambda: session.egress.report(keeping.name),
                    shut=lambda: session.egress.shut(keeping.name),
                    software=session.software,
                    limits=session.limits,
                ),
                cut=session.cut,
                pictures=session.pictures,
                screen=session.job.profile.screen,
                density=session.job.profile.density,
                readers=None if is_control else session.readers,
                consent=AS_FOUND if is_control else session.job.consent,
                light=_light(request),
            )
            if session.hand is not None and not is_control:
                request.meta["seen"] = await browser.attend(page, order, hand=session.hand, rename=keeping.rename)
            else:
                request.meta["seen"] = await browser.look(page, order)
        finally:
            if not await browser.close_context(page, timeout_s=CLOSE_S):
                self._put_an_end_to_it()
        return Response(request.url, status=200, request=request, flags=["look"])


def _light(request: Request) -> Lightly | None:
    plan: Plan | None = request.meta.get("plan")
    return None if plan is None or plan.basis is None else Lightly(plan)
