"""The program between us and the browser: started with scrapy-playwright, watched, and started again when it dies."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from scrapy_playwright.provider import PlaywrightBrowserProvider

from crawlers.devtools.handover import Handover
from crawlers.devtools.switch import Switch
from crawlers.launching import started_from
from crawlers.tab import let_go

_OPTIONS = "NODE_OPTIONS"
_SMALL_YOUNG = "--max-semi-space-size=2"
"""MiB. What passes through the driver is long strings that live a moment: with Node's own 16 MiB, a hundred MiB of them
lie about at a time."""


_SWITCHES: WeakKeyDictionary[Any, Switch] = WeakKeyDictionary()


async def launch(browser_type: Any, options: Mapping[str, Any]) -> Any:
    """A browser of Playwright's, and us between the two: ``switch_of`` says by what. Raises Playwright's Error."""
    with await asyncio.to_thread(Handover, options["executable_path"], started_from(options)) as handover:
        taking = asyncio.ensure_future(_between(handover))
        taking.add_done_callback(let_go)
        try:
            browser = await browser_type.launch(**{**options, "executable_path": str(handover.program)})
        except BaseException:
            if taking.done() and not taking.cancelled() and taking.exception() is None:
                taking.result().close()
            raise
        finally:
            taking.cancel()
        _SWITCHES[browser] = taking.result()
        return browser


async def _between(handover: Handover) -> Switch:
    return Switch(await handover.taken())


def switch_of(browser: Any) -> Switch:
    """What stands between a browser that ``launch`` has started and its driver."""
    return _SWITCHES[browser]


class Driver(PlaywrightBrowserProvider):  # type: ignore[misc]  # it ships no types
    """As scrapy-playwright's own, which takes a driver for immortal.

    Playwright keeps the driver's end in a future that only a question under way reads. Where none is, as after an
    interruption, asyncio would tell whoever runs the program about it. Reaches into what Playwright does not promise:
    pinned, and a test that kills the driver breaks when it changes.
    """

    async def start(self) -> None:
        with _of_little_memory():
            await super().start()
        self._end().add_done_callback(_noted)

    async def launch_browser(self) -> Any:
        if self.has_died:
            await self.start()
        return await launch(self.browser_type, self.config.launch_options)

    @property
    def has_died(self) -> bool:
        """The browsers that it drove are gone with it, and say so to nobody."""
        return self._end().done()

    def _end(self) -> "asyncio.Future[None]":
        assert self.playwright_context_manager is not None
        transport = self.playwright_context_manager._client._transport  # noqa: SLF001  # nothing else tells of its end
        end: asyncio.Future[None] = transport.on_error_future
        return end


@contextmanager
def _of_little_memory() -> Iterator[None]:
    """What Node.js is started with meanwhile; Playwright gives it our own environment, and no other."""
    before = os.environ.get(_OPTIONS)
    if "semi-space-size" not in (before or ""):
        os.environ[_OPTIONS] = f"{before or ''} {_SMALL_YOUNG}".strip()
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_OPTIONS, None)
        else:
            os.environ[_OPTIONS] = before


def _noted(end: "asyncio.Future[None]") -> None:
    """What it means shows at each tab: all that were driven are gone."""
    if not end.cancelled():
        end.exception()
