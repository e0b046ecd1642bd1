"""A browser that stays warm from one job to the next, with a fresh context for each visit: a worker's."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil

from crawlers.driver import Driver
from crawlers.egress import Egress

SETTING = "PLAYWRIGHT_BROWSER_PROVIDER"
PROVIDER = "crawlers.warm.Warm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """After which a browser is let go, once nobody uses it. Long-lived ones grow, and slow down."""

    contexts: int = 200
    age_s: float = 4 * 3600.0
    memory_mib: int = 3072
    """Of all processes below this one, what they have in memory; shared pages count for each."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Kept:
    """A browser, and how many jobs use it."""

    browser: Any
    key: str
    born: float
    users: int = 0
    contexts: int = 0


@dataclass(kw_only=True, slots=True)
class Oven:
    """What all jobs of one process share. One for each process that works."""

    limits: Limits = field(default_factory=Limits)
    monotonic: Callable[[], float] = time.monotonic
    driver: Driver | None = None
    sink: Egress | None = None
    current: _Kept | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    launched: int = 0
    """Browsers so far."""
    recycled: dict[str, int] = field(default_factory=dict)
    """How many were let go, by reason."""

    def worn(self, kept: _Kept, key: str) -> str:
        """Why it is not to be used again; empty: it is."""
        if not kept.browser.is_connected() or (self.driver is not None and self.driver.has_died):
            return "died"
        if kept.key != key:
            return "other"
        if kept.contexts >= self.limits.contexts:
            return "contexts"
        if self.monotonic() - kept.born > self.limits.age_s:
            return "age"
        if memory_mib() > self.limits.memory_mib:
            return "memory"
        return ""

    async def close(self) -> None:
        """Browser, driver and sink; for the end of the process."""
        async with self.lock:
            if self.current is not None and self.current.browser.is_connected():
                await self.current.browser.close()
            self.current = None
            if self.driver is not None and not self.driver.has_died:
                await Driver.close(self.driver)
            self.driver = None
            if self.sink is not None:
                await self.sink.stop()
                self.sink = None


_OVENS: list[Oven] = []


def oven(limits: Limits | None = None) -> Oven:
    """The process's one; Scrapy makes a provider for each job, and knows nothing of what they share."""
    if not _OVENS:
        _OVENS.append(Oven(limits=limits or Limits()))
    return _OVENS[0]


class Warm(Driver):
    """A provider that borrows the process's browser; a job that closes it only gives it back."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._oven = oven()

    async def start(self) -> None:
        """One driver for all. It is started by whoever is first, and again when it has died."""
        async with self._oven.lock:
            driver = self._oven.driver
            if driver is None or driver.has_died:
                self._oven.driver = driver = Driver(self.config)
                await driver.start()
                self._oven.current = None
        self.playwright_context_manager = driver.playwright_context_manager
        self.playwright = driver.playwright
        self.browser_type = driver.browser_type

    async def launch_browser(self) -> Any:
        if self.has_died:
            await self.start()
        async with self._oven.lock:
            options = dict(self.config.launch_options)
            key = _key(options)
            kept = self._oven.current
            if kept is not None and (why := self._oven.worn(kept, key)):
                self._oven.recycled[why] = self._oven.recycled.get(why, 0) + 1
                self._oven.current = None
                if not kept.users and kept.browser.is_connected():
                    await kept.browser.close()
                kept = None
            if kept is None:
                self.config.launch_options = {**options, "proxy": {"server": await self._sink()}}
                browser = await super().launch_browser()
                self._oven.launched += 1
                kept = _Kept(browser=browser, key=key, born=self._oven.monotonic())
                self._oven.current = kept
            kept.users += 1
            return _Lease(kept, self._oven)

    async def close(self) -> None:
        """The driver is not this job's to end."""

    async def _sink(self) -> str:
        """What the browser calls of itself is refused, by a proxy that lives as long as it does and admits nobody."""
        if self._oven.sink is None:
            self._oven.sink = Egress(clock=lambda: datetime.now(UTC))
            await self._oven.sink.start()
        return self._oven.sink.url


class _Lease:
    """The browser, for one job."""

    def __init__(self, kept: _Kept, oven: Oven) -> None:
        self._kept = kept
        self._oven = oven
        self._heard: list[tuple[str, Any]] = []
        self._given_back = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept.browser, name)

    async def new_context(self, **options: Any) -> Any:
        self._kept.contexts += 1
        return await self._kept.browser.new_context(**options)

    def on(self, event: str, listener: Any) -> None:
        self._heard.append((event, listener))
        self._kept.browser.on(event, listener)

    async def close(self, **_: Any) -> None:
        if self._given_back:
            return
        self._given_back = True
        for event, listener in self._heard:
            self._kept.browser.remove_listener(event, listener)
        self._kept.users -= 1
        if self._kept.users == 0 and self._kept is not self._oven.current and self._kept.browser.is_connected():
            await self._kept.browser.close()


def memory_mib() -> int:
    """Of all processes below this one."""
    total = 0
    for each in psutil.Process(os.getpid()).children(recursive=True):
        try:
            total += each.memory_info().rss
        except psutil.Error:
            continue  # it ended while we looked
    return total >> 20


def _key(options: Mapping[str, Any]) -> str:
    """What a browser was started with, but for the proxy: each context has its own."""
    return repr(sorted((name, value) for name, value in options.items() if name != "proxy"))
