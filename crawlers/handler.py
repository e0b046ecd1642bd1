"""The download handler: scrapy-playwright gives a fresh page in a fresh context; what is done with it is ours."""

import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawlers import browser, launching
from crawlers.recording.desk import Desk
from crawlers.session import Looking, Session
from custody.model import Json

CLOSE_S = 10.0


class LookHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]  # it ships no types
    """Replaces the one step between "here is a page" and "here is a response".

    scrapy-playwright would navigate, take ``page.content()`` and give a response; a page that downloads, loops, never
    ends or dies would become an exception there, and its retry would look a second time without a record. Here all of
    these are outcomes. Overrides a method that scrapy-playwright does not promise: pinned below 0.1, and a test of
    the whole flow breaks when it changes.
    """

    async def _maybe_launch_browser(self) -> None:
        """The browser is told how to start by the session, which knows the egress by now."""
        self.config.launch_options = dict(self._crawler.spider.session.launch.options)
        self._forget_the_dead()  # a page asked of it would be refused until the news of its end has come round
        await super()._maybe_launch_browser()

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
        plan = request.meta["plan"]
        looking = session.looking[plan.capture_id]

        def progress(step: str, facts: Mapping[str, Json]) -> None:
            session.progress(step, {"capture": plan.capture_id, "url": plan.url, **facts})

        order = browser.Order(
            url=plan.url,
            keep=looking.keep,
            clock=session.clock,
            timeout_s=session.job.timeout_s,
            trust_spki=session.job.trust_spki,
            progress=progress,
            desk=Desk(
                folder=looking.spool.path,
                fill=looking.fill,
                connections=lambda: session.egress.report(plan.capture_id),
                software=session.software,
                limits=session.limits,
            ),
            cut=session.cut,
            density=session.job.profile.density,
        )
        try:
            request.meta["seen"] = await self._seen(page, order, session, looking)
        finally:
            if not await browser.close_context(page, timeout_s=CLOSE_S):
                self._put_an_end_to_it()
        return Response(request.url, status=200, request=request, flags=["look"])

    async def _seen(self, page: Any, order: browser.Order, session: Session, looking: Looking) -> browser.Seen:
        if session.hand is not None:
            return await browser.attend(page, order, hand=session.hand, rename=looking.rename)
        return await browser.look(page, order)
