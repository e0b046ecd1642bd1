"""A context is asked once whose it is; what it does then shows the credential unasked, and no page can tell."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, Error, Page, ProxySettings, async_playwright

from crawlers.browser import introduced
from crawlers.egress import Egress, Pass
from crawlers.forwarding import Head
from crawlers.launching import find_browser, plan
from crawlers.relaying import Stream
from crawlers.resolving import Resolve
from crawlers.tab import Refused
from tests.crawlers.test_egress import HERE, Ticking, names, site

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
OTHER = "http://other.example"
PAGES = {
    "/": """<title>all</title><link rel="icon" href="/icon"><link rel="prefetch" href="/prefetched"><img src="/image">
        <iframe src="/frame"></iframe><iframe src="http://other.example/frame-apart"></iframe><script>
        fetch('/fetched'); new Worker('/worker.js'); new WebSocket(location.origin.replace('http', 'ws') + '/socket');
        new SharedWorker('/shared.js'); navigator.serviceWorker.register('/service.js');
        navigator.sendBeacon('/beacon', 'x');
        fetch('https://other.example/tunnel').catch(() => 0); window.open('/window');
        new EventSource('/events')</script>""",
    "/frame": "<script>fetch('/of-frame')</script>",
    "/frame-apart": "<script>fetch('/of-frame-apart')</script>",
    "/worker.js": "fetch('/of-worker'); new Worker('/nested.js')",
    "/nested.js": "fetch('/of-nested')",
    "/shared.js": "fetch('/of-shared')",
    "/service.js": "fetch('/of-service'); self.oninstall = () => self.skipWaiting()",
    "/window": "<script>fetch('/of-window')</script>",
}
ALL = {
    *PAGES,
    *(f"/of-{each}" for each in ("frame", "frame-apart", "worker", "nested", "shared", "service", "window")),
    *("/icon", "/prefetched", "/image", "/fetched", "/beacon", "/socket", "/events", "tunnel"),
}


class Doorkeeper(Egress):
    """Tells which requests came without a credential."""

    def __init__(self, *resolve: str) -> None:
        super().__init__(tuple(Resolve.parse(each) for each in resolve), clock=Ticking(), policy=HERE, dns=names())
        self.bare: list[str] = []

    async def _turn_away(self, head: Head, client: Stream) -> bool:
        self.bare.append(head.target)
        return await super()._turn_away(head, client)


class Served:
    """A site that says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.asked.append(path)
        body = PAGES.get(path, "").encode()
        kind = b"text/javascript" if path.endswith(".js") else b"text/html"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        writer.write(head % (kind, len(body)) + body)
        await writer.drain()


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[Doorkeeper, Browser, Served, str]]:
    """The egress, a browser started as ours are, a site and its address; as `http://other.example`, too."""
    served = Served()
    async with site(served) as port, async_playwright() as playwright:
        proxy = Doorkeeper(f"other.example:80:127.0.0.1:{port}")
        await proxy.start()
        for each in ("keys", "cache"):
            (folder / each).mkdir(exist_ok=True)
        launch = plan(
            find_browser(os.environ, checkout=ROOT),
            keys=folder / "keys",
            cache=folder / "cache",
            env=os.environ,
            egress_url=proxy.url,
            trust_spki=(),
        )
        browser = await playwright.chromium.launch(**launch.options)
        try:
            yield proxy, browser, served, f"http://127.0.0.1:{port}"
        finally:
            await browser.close()
            await proxy.stop()


async def blank(browser: Browser, proxy: Egress, admitted: Pass | None = None) -> Page:
    """In a new context, which shows ``admitted`` as Playwright does it."""
    way: ProxySettings = {"server": proxy.url}
    if admitted is not None:
        way |= {"username": admitted.username, "password": admitted.password}
    context = await browser.new_context(proxy=way)
    return await context.new_page()


def test_whatever_a_page_starts_shows_the_credential_with_its_first_request(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as (proxy, browser, served, here):
            tab = await blank(browser, proxy)
            await introduced(tab, proxy.admit("v"))
            assert proxy.bare.count(proxy.admit("v").greeting) == 1
            assert proxy.report("v") == (), "the greeting was taken for traffic of the page"
            await tab.goto(f"{here}/")

            def came() -> set[str]:
                tunnels = {"tunnel" for each in proxy.report("v") if (each.host, each.port) == ("other.example", 443)}
                return {*served.asked, *tunnels}

            async with asyncio.timeout(60):
                while not came() >= ALL:  # noqa: ASYNC110  # two tell of it, and the browser takes its time
                    await asyncio.sleep(0.05)
            ours = {each for each in proxy.bare if here.removeprefix("http://") in each or "other.example" in each}
            assert ours == set(), "a request had to be asked whose it is"
            await tab.context.close()

    asyncio.run(story())


def test_no_page_sees_that_its_context_was_introduced(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path) as (proxy, browser, _, here):
            told = []
            for visit in ("introduced", "by-playwright"):
                admitted = proxy.admit(visit)
                tab = await blank(browser, proxy, None if visit == "introduced" else admitted)
                if visit == "introduced":
                    await introduced(tab, admitted)
                await tab.goto(f"{here}/frame")
                told.append(await tab.evaluate(_TRACES))
                cookies = await tab.context.cookies()
                assert cookies == []
                await tab.context.close()
            assert told[0] == told[1]
            assert told[0]["names"] == ["/of-frame"], "the page does tell of what it fetched"

    asyncio.run(story())


_TRACES = """async () => {
    while (!performance.getEntriesByType('resource').length) await new Promise(go => setTimeout(go, 10));
    return {history: history.length, entries: navigation.entries().length, referrer: document.referrer,
        opener: opener, cookie: document.cookie, own: Object.getOwnPropertyNames(window).sort(),
        names: performance.getEntriesByType('resource').map(each => new URL(each.name).pathname)
            .filter(path => path != '/favicon.ico'),
        kind: performance.getEntriesByType('navigation')[0].type}
}"""


def network_process() -> psutil.Process:
    """The browser's; another takes its place."""
    ours = psutil.Process().children(recursive=True)
    return next(each for each in ours if "--utility-sub-type=network.mojom.NetworkService" in each.cmdline())


@pytest.mark.parametrize("when", ["never introduced", "visit over", "another's credential", "network process gone"])
def test_a_context_that_nobody_knows_gets_nowhere(tmp_path: Path, when: str) -> None:
    async def story() -> None:
        async with stage(tmp_path) as (proxy, browser, served, here):
            tab = await blank(browser, proxy)
            if when in {"visit over", "network process gone"}:
                await introduced(tab, proxy.admit("v"))
                await tab.goto(f"{here}/frame", wait_until="networkidle")
                if when == "visit over":
                    proxy.dismiss("v")
                else:
                    network_process().kill()
                served.asked.clear()
            elif when == "another's credential":
                wrong = Pass(username="nobody", password="guessed", greeting=proxy.admit("v").greeting)
                with pytest.raises(Refused, match="whose visit it is"):
                    await introduced(tab, wrong)
            async with asyncio.timeout(60):
                while f"{here}/image" not in proxy.bare:  # a network process is not there again at once
                    with pytest.raises(Error):
                        await tab.goto(f"{here}/image", timeout=5_000)
            assert served.asked == []
            await tab.context.close()

    asyncio.run(story())
