"""The program between us and the browser: started with scrapy-playwright, watched, and started again when it dies."""

import asyncio
from typing import Any

from scrapy_playwright.provider import PlaywrightBrowserProvider


class Driver(PlaywrightBrowserProvider):  # type: ignore[misc]  # it ships no types
    """As scrapy-playwright's own, which takes a driver for immortal.

    Playwright keeps the driver's end in a future that only a question under way reads. Where none is, as after an
    interruption, asyncio would tell whoever runs the program about it. Reaches into what Playwright does not promise:
    pinned, and a test that kills the driver breaks when it changes.
    """

    async def start(self) -> None:
        await super().start()
        self._end().add_done_callback(_noted)

    async def launch_browser(self) -> Any:
        if self.has_died:
            await self.start()
        return await super().launch_browser()

    @property
    def has_died(self) -> bool:
        """The browsers that it drove are gone with it, and say so to nobody."""
        return self._end().done()

    def _end(self) -> "asyncio.Future[None]":
        assert self.playwright_context_manager is not None
        transport = self.playwright_context_manager._client._transport  # noqa: SLF001  # nothing else tells of its end
        end: asyncio.Future[None] = transport.on_error_future
        return end


def _noted(end: "asyncio.Future[None]") -> None:
    """What it means shows at each tab: all that were driven are gone."""
    if not end.cancelled():
        end.exception()
