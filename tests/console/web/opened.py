"""The console served for real, and a real browser before it that tells of all it should not have seen."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from archive.config import ArchiveConfig
from console.screen import now
from console.web.application import Entrance, create
from console.web.holdings import open_archive
from console.web.listener import LOOPBACK, listening
from console.web.sessions import Sessions
from crawlers.launching import find_browser
from tests.console.web.shelf import Laid

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def crawlers() -> ModuleType:
    from crawlers import run

    return run


@dataclass(frozen=True, kw_only=True)
class Console:
    """One that runs."""

    base: str
    app: FastAPI
    sessions: Sessions

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    @contextmanager
    def client(self, name: str = "tester") -> Iterator[httpx.Client]:
        """Signed in."""
        with self.stranger() as client:
            entered = client.get("/enter", params={"token": self.sessions.invite(name)})
            assert entered.status_code == 303
            yield client

    def stranger(self) -> httpx.Client:
        return httpx.Client(base_url=self.base, timeout=60, trust_env=False)

    def csrf(self, client: httpx.Client) -> str:
        page = client.get("/").text
        return page.split('name="csrf" value="')[1].split('"')[0]


@contextmanager
def serving(config: ArchiveConfig, **options: Any) -> Iterator[Console]:
    with open_archive(config, crawlers, now) as archive, listening(LOOPBACK, 0) as listener:
        port = listener.getsockname()[1]
        sessions = Sessions(now)
        hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
        own: dict[str, Any] = {name: options.pop(name) for name in ("is_local", "is_secure") if name in options}
        if "provider" in options:
            own["provider"] = options.pop("provider")(f"http://127.0.0.1:{port}")
        entrance = Entrance(sessions=sessions, hosts=hosts, cookie=f"counterproof-{port}", **own)
        app = create(archive, entrance, **options)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Console(base=f"http://127.0.0.1:{port}", app=app, sessions=sessions)
        finally:
            server.should_exit = True
            thread.join(20)
            app.state.jobs.close()
            app.state.reviews.close()


@contextmanager
def served(laid: Laid, **options: Any) -> Iterator[Console]:
    config = ArchiveConfig.load(
        {"COUNTERPROOF_HOME": str(laid.home), "COUNTERPROOF_STORE_URL": f"file:{laid.store}"}, settings={}
    )
    with serving(config, **options) as console:
        yield console


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(os.environ, checkout=Path(__file__).parents[3]), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@dataclass
class Window:
    """A browser that is signed in, and keeps what went wrong in it."""

    console: Console
    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    policy: str = ""
    """Of the page that was opened last."""

    def go(self, path: str, *, status: int = 200) -> None:
        """Open it, and wait until its badges have come to a verdict."""
        answer = self.page.goto(f"{self.console.base}{path}", timeout=90_000)
        assert answer is not None
        assert answer.status == status, path
        self.policy = answer.headers.get("content-security-policy", "")
        expect(self.page.locator(".checking")).to_have_count(0, timeout=90_000)

    def check(self) -> None:
        """Nothing that axe-core finds, no error, no way out, no page wider than its window."""
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": list(RULES)}}).response
        told = [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]]
        assert told == []
        assert self.errors == []
        assert self.outside == []
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, "the page is wider than its window"


@contextmanager
def window(browser: Browser, console: Console, **options: Any) -> Iterator[Window]:
    context = browser.new_context(**options)
    page = context.new_page()
    made = Window(console=console, context=context, page=page)
    context.on("request", lambda each: None if each.url.startswith(console.base) else made.outside.append(each.url))
    page.on("console", lambda each: made.errors.append(each.text) if each.type in {"error", "warning"} else None)
    page.on("pageerror", lambda each: made.errors.append(str(each)))
    page.goto(f"{console.base}/enter?token={console.sessions.invite('tester')}")
    yield made
    context.close()
