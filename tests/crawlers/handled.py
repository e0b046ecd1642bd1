"""Scrapy with our download handler, in a process of its own: looks at pages one after another, tells what it saw.

``python -m tests.crawlers.handled FOLDER``, and on stdin a JSON object: urls, resolve, trust_spki, settings, and kill
and drop: the numbers of the visits in which the browser, or Playwright's driver, is killed. No archive: what a look
brings home is told, not recorded.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.utils.reactor import install_reactor
from twisted.python.failure import Failure

from crawlers.egress import Egress, Resolve
from crawlers.intent import _context
from crawlers.launching import browsers_below, find_browser, plan
from crawlers.profile import Profile
from crawlers.recording.desk import Limits
from crawlers.run import REACTOR
from tests.crawlers.looking import ROOT, looking_at, now
from tests.crawlers.test_browser_deaths import kill

KILL_AFTER_S = 1.5


class Handled(Spider):
    name = "handled"

    def __init__(self, *, session: Any, folder: Path, wanted: Mapping[str, Any], told: list[dict[str, Any]]) -> None:
        super().__init__()
        self.session = session
        self.folder = folder
        self.wanted = wanted
        self.told = told

    async def start(self) -> AsyncIterator[Request]:
        for number, url in enumerate(self.wanted["urls"]):
            looking = looking_at(url, self.folder / f"visit-{number}")
            self.session.looking[looking.plan.capture_id] = looking
            self.session.numbers[looking.plan.capture_id] = number
            meta = {
                "playwright": True,
                "playwright_include_page": True,
                "playwright_context": f"visit-{number}",
                "playwright_context_kwargs": _context(self.session, looking.name),
                "keeping": looking,
                "plan": looking.plan,
                "session": self.session,
            }
            yield Request(url, self.seen, errback=self.failed, dont_filter=True, priority=-number, meta=meta)

    def seen(self, response: Response) -> None:
        seen, number = response.meta["seen"], self.session.numbers[response.meta["plan"].capture_id]
        running = {"browsers": sorted(browsers_below(os.getpid())), "drivers": len(drivers_below(os.getpid()))}
        said = {"trouble": seen.trouble, "url": seen.final_url, "flags": response.flags, **running}
        self.told.append({"number": number, **said})

    def failed(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy sets it on every failure
        number = self.session.numbers[request.meta["plan"].capture_id]
        self.told.append({"number": number, "raised": type(failure.value).__name__})


def drivers_below(pid: int) -> list[int]:
    """Node.js of Playwright, started by this process."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"playwright/driver/node" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


async def crawl(folder: Path, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    egress = Egress(tuple(Resolve.parse(each) for each in wanted["resolve"]), clock=now)
    await egress.start()
    for each in ("keys", "cache"):
        (folder / each).mkdir()
    session = SimpleNamespace(
        job=SimpleNamespace(
            timeout_s=15.0, trust_spki=tuple(wanted["trust_spki"]), profile=Profile(), consent="as-found"
        ),
        egress=egress,
        launch=plan(
            find_browser(os.environ, checkout=ROOT),
            keys=folder / "keys",
            cache=folder / "cache",
            env=os.environ,
            egress_url=egress.url,
            trust_spki=wanted["trust_spki"],
        ),
        vault=SimpleNamespace(home=SimpleNamespace(cache=folder / "cache")),
        clock=now,
        software=(),
        limits=Limits(),
        looking={},
        hand=None,
        numbers={},
        cut=asyncio.Event(),
        pictures=asyncio.Lock(),
        readers=None,
        killing=[],
    )

    def progress(step: str, facts: Mapping[str, Any]) -> None:
        if step == "navigate" and session.numbers[facts["capture"]] in wanted["kill"]:
            session.killing.append(asyncio.get_running_loop().call_later(KILL_AFTER_S, kill, b"browser"))
        if step == "navigate" and session.numbers[facts["capture"]] in wanted["drop"]:
            session.killing.append(asyncio.get_running_loop().call_later(KILL_AFTER_S, kill, b"driver"))

    session.progress = progress
    settings = Settings()
    settings.setmodule("settings.base", priority="project")
    for name in ("ITEM_PIPELINES", "EXTENSIONS", "DOWNLOADER_MIDDLEWARES"):
        settings.set(name, {}, priority="cmdline")
    settings.setdict(wanted["settings"], priority="cmdline")
    told: list[dict[str, Any]] = []
    crawler = AsyncCrawlerRunner(settings).create_crawler(Handled)
    await crawler.crawl_async(session=session, folder=folder, wanted=wanted, told=told)
    await egress.stop()
    return told


def main() -> None:
    install_reactor(REACTOR)
    from twisted.internet import reactor as installed

    reactor: Any = installed
    loop = asyncio.get_event_loop()
    tasks: list[asyncio.Task[None]] = []

    async def run() -> None:
        try:
            told = await crawl(Path(sys.argv[1]), json.loads(sys.stdin.read()))
            sys.stdout.write(json.dumps(told))
        finally:
            reactor.stop()

    reactor.callWhenRunning(lambda: tasks.append(loop.create_task(run())))
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
