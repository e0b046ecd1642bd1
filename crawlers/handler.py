"""The download handler: scrapy-playwright gives a fresh page in a fresh context; what is done with it is ours."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from scrapy import Request, Spider
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from crawlers import browser
from crawlers.session import Session
from custody.model import Json

CLOSE_S = 10.0


class LookHandler(ScrapyPlaywrightDownloadHandler):
    """Replaces the one step between "here is a page" and "here is a response".

    scrapy-playwright would navigate, take ``page.content()`` and give a response; a page that downloads, loops, never
    ends or dies would become an exception there, and its retry would look a second time without a record. Here all of
    these are outcomes. Overrides a method that scrapy-playwright does not promise: pinned below 0.1, and a test of
    the whole flow breaks when it changes.
    """

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
        )
        try:
            request.meta["seen"] = await _unless_cut(session, page, order)
        finally:
            await _close(page)
        return Response(request.url, status=200, request=request, flags=["look"])


async def _unless_cut(session: Session, page: Any, order: browser.Order) -> browser.Seen:
    """Look, but end at once when the person running us interrupts: what was kept by then stays."""
    looking = asyncio.ensure_future(browser.look(page, order))
    cut = asyncio.ensure_future(session.cut.wait())
    try:
        await asyncio.wait({looking, cut}, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            return looking.result()
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        return browser.Seen(trouble="interrupted", detail="the person running the program interrupted it")
    finally:
        cut.cancel()


async def _close(page: Any) -> None:
    """Context and all, so that the next visit starts without a trace of this one."""
    with contextlib.suppress(browser.PlaywrightError, TimeoutError):  # a dead browser has nothing left to close
        await asyncio.wait_for(page.context.close(), timeout=CLOSE_S)
