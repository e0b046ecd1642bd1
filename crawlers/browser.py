"""The door to Playwright, and the only file that imports it: a page of its becomes a tab of ours, its errors ours."""

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable
from playwright.async_api import CDPSession, Dialog, Download, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from archive import breakoff
from archive.errors import SetupMissing
from crawlers.attending.album import Rename
from crawlers.attending.attendance import Attendance
from crawlers.attending.hand import Hand
from crawlers.devtools.channel import LET_GO_S, Channel
from crawlers.devtools.switch import Switch
from crawlers.driver import switch_of
from crawlers.egress import Pass
from crawlers.introduction import introduce
from crawlers.look import Look
from crawlers.sight import ALLOWANCE_S, Order, Seen
from crawlers.tab import STEP_S, Gone, Refused, Slow, TabTrouble, Wire, let_go

__all__ = [
    "Order",
    "Seen",
    "attend",
    "check_driver",
    "close_context",
    "introduced",
    "is_its_own",
    "look",
    "print_pages",
    "start_and_stop",
]

MAX_WINDOWS = 50
"""New windows whose address is waited for; a page that opens more gets them shut unread."""
WINDOW_S = 3.0
DRIVER_S = 30.0
_NODE = "PLAYWRIGHT_NODEJS_PATH"
_VERSION = re.compile(rb"v\d+\.")  # of Node.js, as it says it


def check_driver() -> None:
    """Blocking. Raises SetupMissing where Playwright's own program, which drives the browser, would not start."""
    node = os.environ.get(_NODE) or "Node.js"
    try:
        node, program = compute_driver_executable()
        ran = subprocess.run((node, "--version"), capture_output=True, timeout=DRIVER_S, check=False)
    except (PlaywrightError, OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    else:
        why = f"it ended with status {ran.returncode}" if ran.returncode else ""
        if not why and not _VERSION.match(ran.stdout):
            why = "it is another program"
        if not Path(program).is_file():
            why = f"{program} is not there"
    if not why:
        return
    advice = f"Unset {_NODE}, or name a Node.js there" if os.environ.get(_NODE) else "Run `make setup` again"
    raise SetupMissing(f"The browser is driven by Playwright, whose Node.js does not start ({node}: {why}). {advice}.")


async def start_and_stop(executable: Path, *, sandbox: bool) -> tuple[str | None, str]:
    """The browser's version, or why it does not start."""
    async with async_playwright() as playwright:
        try:
            started = await playwright.chromium.launch(executable_path=executable, chromium_sandbox=sandbox)
        except PlaywrightError as error:
            return None, _first_line(error)
        version = started.version
        await started.close()
        return version, ""


async def print_pages(
    executable: Path, sources: Mapping[Path, Path], *, sandbox: bool, top: str, bottom: str, timeout_s: float
) -> str:
    """Papers of ours (HTML files) as PDF files, tagged and with an outline; returns why not, empty where it went well.

    They quote strangers: no script runs in them, and nothing is fetched, whatever they name. ``top`` and ``bottom`` are
    HTML for the margins of each page.
    """
    async with async_playwright() as playwright:
        try:
            started = await playwright.chromium.launch(executable_path=executable, chromium_sandbox=sandbox)
            try:
                context = await started.new_context(java_script_enabled=False, offline=True)
                for source, target in sources.items():
                    page = await context.new_page()
                    page.set_default_timeout(timeout_s * 1000)
                    await page.goto(source.as_uri(), wait_until="load")
                    await page.pdf(
                        path=target,
                        tagged=True,
                        outline=True,
                        prefer_css_page_size=True,
                        print_background=True,
                        display_header_footer=True,
                        header_template=top,
                        footer_template=bottom,
                    )
                    await page.close()
            finally:
                await started.close()
        except PlaywrightError as error:
            return _first_line(error)
    return ""


async def look(page: Page, order: Order) -> Seen:
    """Go there, wait until it is where it wants to be, and keep what is shown. Never raises for what a page does."""
    seen = Seen()
    tab = PlaywrightTab(page, order, seen)
    return await _to_its_end(tab, Look(tab, order, seen), order, seen)


async def attend(page: Page, order: Order, *, hand: Hand, rename: Rename) -> Seen:
    """The same while a person acts: ends when she says so, closes the window, or ``order.timeout_s`` is over."""
    seen = Seen()
    tab = PlaywrightTab(page, order, seen, attended=True)
    return await _to_its_end(tab, Attendance(tab, order, seen, hand=hand, rename=rename), order, seen)


async def _to_its_end(tab: "PlaywrightTab", looking: Look, order: Order, seen: Seen) -> Seen:
    work = asyncio.ensure_future(_opened(tab, looking))
    cut = asyncio.ensure_future(order.cut.wait()) if order.cut else None
    try:
        limit = order.timeout_s + ALLOWANCE_S
        await asyncio.wait({work, cut} if cut else {work}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            if cut is not None and cut.done():
                seen.fail("interrupted", breakoff.INTERRUPTED)
            else:
                seen.fail("timeout", f"{seen.detail or 'the browser was kept too busy'}; ended after {limit:.0f} s")
            return seen
        try:
            work.result()
        except Gone as error:
            seen.fail("browser_died", f"{breakoff.DIED}: {error}")
        except TabTrouble as error:
            seen.fail(seen.trouble or "error", f"{breakoff.BALKED}: {error}")
        return seen
    finally:
        for task in (work, cut):
            if task is not None:
                task.cancel()
        await asyncio.gather(work, *([cut] if cut else []), return_exceptions=True)
        tab.close()
        await looking.close()


async def _opened(tab: "PlaywrightTab", looking: Look) -> None:
    await tab.open()
    await looking.run()


def is_its_own(error: BaseException | None) -> bool:
    """Whether the browser failed, and not we, the disk or the store."""
    return isinstance(error, PlaywrightError)


async def close_context(page: Page, *, timeout_s: float) -> bool:
    """Context and all, so that the next visit starts without a trace of this one. False: it would not close."""
    closing = asyncio.ensure_future(page.context.close())
    closing.add_done_callback(let_go)
    await asyncio.wait({closing}, timeout=timeout_s)  # not cancelled: Playwright would leave its answer unclaimed
    if not closing.done():
        return False
    error = closing.exception()
    if error is not None and not is_its_own(error):
        raise error
    return True


async def introduced(page: Page, admitted: Pass) -> None:
    """A blank page's context is known to the egress from then on. Raises Refused where it is not.

    The page has no route of Playwright's: that would let go of the challenge before it is answered.
    """
    wire = PlaywrightWire(await page.context.new_cdp_session(page))
    try:
        await introduce(wire, admitted)
    finally:
        await wire.close()


class PlaywrightTab:
    """A ``Tab``. Pages that this one opens are noted and shut: one visit is one page.

    Playwright opens and closes it, and tells of its end; all else is asked of the browser past Playwright's driver.
    """

    def __init__(self, page: Page, order: Order, seen: Seen, *, attended: bool = False) -> None:
        self._page = page
        self._attended = attended
        self._crashed = False
        self._order = order
        self._seen = seen
        self._switch: Switch | None = None
        self._channel: Channel | None = None
        self._target: Mapping[str, Any] = {}
        self._lost = asyncio.Event()
        self._downloads: list[Download] = []
        self._first_download = asyncio.Event()
        self._windows: set[asyncio.Task[None]] = set()
        self._windows_seen = 0
        self._closed = False
        self._apart: dict[str, PlaywrightTab] = {}

    async def open(self) -> None:
        """Take the page over. Raises Gone, Slow or Refused."""
        page = self._page
        page.on("crash", self._on_crash)
        page.on("close", self._on_lost)
        page.on("download", self._on_download)
        if self._attended:
            page.on("dialog", _leave_open)  # without a listener Playwright would answer it
        page.context.on("page", self._on_window)
        if page.is_closed():
            raise Gone("it was closed before the visit began")
        await self._ours(page.unroute("**"), within=STEP_S)  # scrapy-playwright would rewrite requests
        if page.context.browser is None:
            raise Refused("the browser is not one of its own")
        self._switch = switch_of(page.context.browser)
        session = await self._ours(page.context.new_cdp_session(page), within=STEP_S)
        self._target = (await self._ours(session.send("Target.getTargetInfo"), within=STEP_S))["targetInfo"]
        self._channel = await self._ours(self._switch.target(self._target["targetId"]), within=STEP_S)
        if self._order.admitted is not None:
            await self._ours(introduced(page, self._order.admitted), within=STEP_S)

    async def send(
        self, method: str, params: Mapping[str, Any] | None = None, *, within: float = STEP_S
    ) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await self._ours(self.channel.post(method, params or {}), within=within)
        return answer

    async def inner(self, frame: str) -> "PlaywrightTab":
        return await self._seen_by(frame)

    async def apart(self, limit: int) -> "list[PlaywrightTab]":
        assert self._switch is not None
        context = str(self._target.get("browserContextId", ""))
        frames = (await self._ours(self._switch.frames(context), within=STEP_S))[:limit]
        self._apart = {frame: tab for frame, tab in self._apart.items() if frame in frames}
        for each in frames:
            if each not in self._apart:
                with contextlib.suppress(Refused):  # it has gone
                    self._apart[each] = await self._seen_by(each)
        return list(self._apart.values())

    def on(self, event: str, do: Callable[[Mapping[str, Any]], object]) -> None:
        self.channel.on(event, do)

    async def wire(self) -> Wire:
        assert self._switch is not None
        wire: Wire = await self._ours(self._switch.browser(), within=STEP_S)
        return wire

    async def second(self) -> "tuple[Wire, PlaywrightTab]":
        made = await self._seen_by(self._target["targetId"])
        return _Shared(made.channel), made

    @property
    def channel(self) -> Channel:
        """Raises Gone where there is none yet."""
        if self._channel is None:
            raise Gone("it was never opened")
        return self._channel

    async def _seen_by(self, target: str) -> "PlaywrightTab":
        """The same tab over a session of its own with the page, or as a frame of the page sees it."""
        assert self._switch is not None
        made = PlaywrightTab(self._page, self._order, self._seen)
        made._switch, made._target, made._lost = self._switch, self._target, self._lost
        made._channel = await self._ours(self._switch.target(target), within=STEP_S)
        return made

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    @property
    def crashed(self) -> bool:
        return self._crashed

    async def downloaded(self, *, within: float) -> Path:
        try:
            await asyncio.wait_for(self._first_download.wait(), within)
        except TimeoutError as error:
            raise Slow(f"the browser did not hand over the file within {within:.0f} s") from error
        path: Path = await self._ours(self._downloads[0].path(), within=within)
        return path

    async def stop_downloads(self) -> None:
        for each in self._downloads:
            with contextlib.suppress(TabTrouble):  # it has ended already
                await self._ours(each.cancel(), within=STEP_S)
                await self._ours(each.delete(), within=STEP_S)

    async def facts(self) -> Mapping[str, str | int]:
        context = self._page.context
        cookies = await self._ours(context.cookies(), within=STEP_S)
        return {
            "browser_version": context.browser.version if context.browser else "unknown",
            "cookies_at_start": len(cookies),
        }

    def close(self) -> None:
        """Listen no more. The page itself is its owner's to close, and any window that is being shut goes with it."""
        self._closed = True
        self._page.remove_listener("crash", self._on_crash)
        self._page.remove_listener("close", self._on_lost)
        self._page.remove_listener("download", self._on_download)
        if self._attended:
            self._page.remove_listener("dialog", _leave_open)
        self._page.context.remove_listener("page", self._on_window)

    async def _ours(self, doing: Any, *, within: float) -> Any:
        """The result, or one of our errors; at once when the page dies, since Playwright would wait on for ever."""
        asked = asyncio.ensure_future(doing)
        asked.add_done_callback(let_go)  # Playwright answers what it was asked even when nobody waits any more
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({asked, lost}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            if lost.done():
                raise Gone("its process ended")
            raise Slow(f"the browser did not answer within {within:.0f} s")
        except PlaywrightError as error:
            if self.lost or self._page.is_closed() or "closed" in error.message or "crash" in error.message.lower():
                raise Gone(_first_line(error)) from error
            raise Refused(_first_line(error)) from error
        finally:
            lost.cancel()

    def _on_lost(self, _page: Page) -> None:
        self._lost.set()

    def _on_crash(self, _page: Page) -> None:
        self._crashed = True
        self._lost.set()

    def _on_download(self, download: Download) -> None:
        self._downloads.append(download)
        self._first_download.set()

    def _on_window(self, window: Page) -> None:
        if window is self._page:
            return
        self._windows_seen += 1
        task = asyncio.ensure_future(self._shut(window, wait=self._windows_seen <= MAX_WINDOWS))
        self._windows.add(task)
        task.add_done_callback(self._windows.discard)

    async def _shut(self, window: Page, *, wait: bool) -> None:
        with contextlib.suppress(PlaywrightError):  # it may be gone already; its address is all we want of it
            if wait and window.url in {"", "about:blank"}:
                await window.wait_for_url(
                    lambda url: url != "about:blank", wait_until="commit", timeout=WINDOW_S * 1000
                )
        if not self._closed:
            self._seen.note("new_window_shut", self._order.clock(), url=window.url[:2000])
        with contextlib.suppress(PlaywrightError):
            await window.close()


class PlaywrightWire:
    """A ``Wire`` to a page of whatever browser Playwright drives, through the driver."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    def post(self, method: str, params: Mapping[str, Any]) -> "asyncio.Future[Mapping[str, Any]]":
        answer = asyncio.ensure_future(self.send(method, params))
        answer.add_done_callback(let_go)
        return answer

    async def send(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await self._session.send(method, dict(params))
        except PlaywrightError as error:
            raise (Gone if "closed" in error.message else Refused)(_first_line(error)) from error
        return answer

    def on(self, event: str, do: Callable[[Mapping[str, Any]], object]) -> None:
        session: Any = self._session  # Playwright types a listener as one that returns nothing
        session.on(event, do)

    async def close(self) -> None:
        letting_go = asyncio.ensure_future(self._session.detach())
        letting_go.add_done_callback(let_go)
        await asyncio.wait({letting_go}, timeout=LET_GO_S)  # not cancelled, as in `close_context`


class _Shared:
    """A page's session that others listen to as well: it stays open when whoever held something up by it lets go."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.post, self.send, self.on = channel.post, channel.send, channel.on

    async def close(self) -> None:
        off = {"autoAttach": False, "waitForDebuggerOnStart": False, "flatten": False}
        post = self._channel.post
        letting_go = {post("Fetch.disable", {}), post("Target.setAutoAttach", off)}
        await asyncio.wait(letting_go, timeout=LET_GO_S)


def _leave_open(_dialog: Dialog) -> None:
    """The person answers it."""


def _first_line(error: PlaywrightError) -> str:
    return error.message.splitlines()[0] if error.message else type(error).__name__
