"""A Playwright page -> snapshots, hops and circumstances of one visit; the only file that imports Playwright."""

import asyncio
import base64
import contextlib
import json
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import CDPSession, Download, Page, async_playwright
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from crawlers import tls
from crawlers.hops import EVENTS, MAX_HOPS, Trail
from crawlers.interstitial import WayOn, find_way_on, is_waiting
from crawlers.tls import Certificate
from custody.instant import format_utc
from custody.model import Hop, Json, Missing, Role, Snapshot

T = TypeVar("T")

MAX_CLICKS = 3
MAX_TILE_PX = 16_384  # Chromium's largest texture: a taller picture repeats or goes blank
MAX_TILES = 8
MAX_DOWNLOAD_WAIT_S = 60
STEP_S = 20.0
"""How long one thing asked of the browser (a picture, the DOM) may take."""
QUIET_S = 0.5
SETTLE_S = 3.0
"""A page that has loaded and still fetches is shot after this long."""
WAITING_S = 8.0
"""How long a page that says it will move by itself is given to do so."""
REFRESH_S = 30.0
"""The longest announced refresh that is waited for."""


class Keep(Protocol):
    """Writes bytes into the visit's spool."""

    def __call__(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be looked at, and with what."""

    url: str
    keep: Keep
    clock: Callable[[], datetime]
    timeout_s: float
    """For the whole page, from navigation to the last snapshot."""
    trust_spki: tuple[str, ...]
    progress: Callable[[str, Mapping[str, Json]], None]


@dataclass(kw_only=True, slots=True)
class Seen:
    """What one look brought home; nothing in it is judged yet."""

    final_url: str | None = None
    title: str | None = None
    http_status: int | None = None
    media_type: str = ""
    dom: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    hops: tuple[Hop, ...] = ()
    snapshots: list[Snapshot] = field(default_factory=list, repr=False)
    missing: list[Missing] = field(default_factory=list)
    certificates: tuple[Certificate, ...] = ()
    times: dict[str, datetime] = field(default_factory=dict)
    interactions: list[dict[str, Json]] = field(default_factory=list)
    settings: dict[str, Json] = field(default_factory=dict)
    reached: bool = False
    """A page of the site was shown."""
    trouble: str | None = None
    """``timeout``, ``redirect_loop``, ``download``, ``no_content``, ``browser_died``, or Chromium's ``net::ERR_…``."""
    detail: str = ""


async def start_and_stop(executable: Path, *, sandbox: bool) -> tuple[str | None, str]:
    """The browser's version, or why it does not start."""
    async with async_playwright() as playwright:
        try:
            started = await playwright.chromium.launch(executable_path=executable, chromium_sandbox=sandbox)
        except PlaywrightError as error:
            return None, error.message.splitlines()[0]
        version = started.version
        await started.close()
        return version, ""


async def look(page: Page, order: Order) -> Seen:
    """Go there, wait until it is where it wants to be, and keep what is shown. Never raises for what a page does."""
    seen = Seen()
    visit = _Visit(page, order, seen)
    try:
        await visit.run()
    except PlaywrightError as error:
        if page.is_closed() or "closed" in error.message or "crash" in error.message.lower() or visit.crashed:
            seen.trouble, seen.detail = "browser_died", "the browser, or its page, died during the visit"
        else:
            seen.trouble, seen.detail = seen.trouble or "error", error.message.splitlines()[0]
    visit.close(seen)
    return seen


class _Visit:
    def __init__(self, page: Page, order: Order, seen: Seen) -> None:
        self.page = page
        self.order = order
        self.seen = seen
        self.crashed = False
        self.clicks = 0
        self.deadline = time.monotonic() + order.timeout_s
        self.download: asyncio.Future[Download] = asyncio.get_running_loop().create_future()
        self.popup: str | None = None
        self.trail: Trail | None = None
        self.certificates: dict[str, list[bytes]] = {}
        self.cdp: CDPSession | None = None

    async def run(self) -> None:
        page, seen = self.page, self.seen
        await page.unroute("**")  # nothing stands between this page and its site but the egress
        page.on("crash", self._on_crash)
        page.on("download", self._on_download)
        page.context.on("page", self._on_popup)
        self.cdp = cdp = await page.context.new_cdp_session(page)
        tree = await cdp.send("Page.getFrameTree")
        self.trail = trail = Trail(tree["frameTree"]["frame"]["id"], self.order.clock, time.monotonic)
        for event, method in EVENTS.items():
            cdp.on(event, partial(getattr(trail, method)))  # Playwright marks what it is given; a method can't be
        await cdp.send("Page.enable")
        await cdp.send("Network.enable", {"maxResourceBufferSize": 64 << 20, "maxTotalBufferSize": 128 << 20})
        await self._describe()
        seen.times["requested_at"] = self.order.clock()
        self.order.progress("navigate", {})
        if await self._go(self.order.url):
            await self._follow(trail)
        if seen.trouble in {None, "timeout", "redirect_loop"} and trail.committed > 0 and self._on_site():
            seen.reached = True
            await self._snapshots(trail)

    def close(self, seen: Seen) -> None:
        """What can still be said without the browser: hops, headers, times, what is missing."""
        trail = self.trail
        if trail is None:
            return
        trail.settle_headers()
        seen.hops = tuple(trail.hops)
        main = trail.main_exchange()
        seen.http_status = main.status if main else None
        seen.media_type = main.mime_type if main else ""
        if trail.exchanges:
            listing = json.dumps([each.to_json() for each in trail.exchanges], ensure_ascii=False, indent=1)
            self._keep(Role.HEADERS, "headers.json", "application/json", listing.encode("utf-8", "surrogatepass"))
        if trail.first_response_at:
            seen.times["first_response_at"] = trail.first_response_at
        if trail.content_loaded_at:
            seen.times["dom_content_loaded_at"] = trail.content_loaded_at
        seen.times["closed_at"] = self.order.clock()
        seen.certificates = tuple(self._judged(trail))
        for certificate in seen.certificates:
            if certificate.chain_der:
                name = f"tls-{re.sub('[^A-Za-z0-9.-]', '_', certificate.host)[:100]}.pem"
                self._keep(Role.TLS_CERT, name, "application/x-pem-file", tls.pem(certificate.chain_der))

    # Getting there

    async def _go(self, url: str, referer: str | None = None) -> bool:
        """Navigate and come back as soon as the site has answered. False where there is no page to wait for."""
        seen, assert_trail = self.seen, self.trail
        assert assert_trail is not None
        try:
            await self.page.goto(url, wait_until="commit", timeout=self._left() * 1000, referer=referer)
        except PlaywrightTimeout:
            seen.trouble, seen.detail = "timeout", f"no answer within {self.order.timeout_s:.0f} s"
            return False
        except PlaywrightError as error:
            return await self._no_page(error.message.splitlines()[0])
        return True

    async def _no_page(self, message: str) -> bool:
        seen, trail = self.seen, self.trail
        assert trail is not None
        code = next((word.strip(":") for word in message.split() if word.startswith("net::")), "")
        if "Download is starting" in message or self.download.done():
            await self._keep_download()
            return False
        if code == "net::ERR_ABORTED" and trail.last_status in {204, 205}:
            seen.trouble, seen.detail = "no_content", f"the site answered HTTP {trail.last_status}: no content"
            return False
        if code == "net::ERR_ABORTED" and trail.navigations > 1:
            return True  # the page left for elsewhere before it was shown: go on with where it went
        if code == "net::ERR_TOO_MANY_REDIRECTS":
            seen.trouble, seen.detail = "redirect_loop", f"the address redirects more than {MAX_HOPS} times"
            return False
        if "interrupted by another navigation" in message:
            return True
        seen.trouble, seen.detail = code or "error", message
        return False

    async def _follow(self, trail: Trail) -> None:
        """Wait until the page is where it wants to be: announced refreshes, script jumps, pages in between."""
        seen = self.seen
        while True:
            await self._arrive(trail)
            if seen.trouble:
                return
            if trail.over_limit:
                seen.trouble, seen.detail = "redirect_loop", f"the page went on more than {MAX_HOPS} times"
                return
            text, dom = await self._words()
            before = trail.navigations
            if is_waiting(text, dom) and await self._moves(trail, before, min(WAITING_S, self._left())):
                continue
            if trail.navigations != before:
                continue
            way = find_way_on(dom, text, self.page.url) if self.clicks < MAX_CLICKS else None
            if way is None or not await self._click(trail, way):
                if self.seen.trouble or trail.navigations == before:
                    return

    async def _arrive(self, trail: Trail) -> None:
        """Until load, then until the network is quiet and no announced departure is due."""
        seen = self.seen
        loading_until = time.monotonic() + self._left() * 0.6
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            if self.download.done():
                await self._keep_download()
                return
            if self.crashed:
                seen.trouble, seen.detail = "browser_died", "the page's process died during the visit"
                return
            current = trail.current_request
            if current in trail.failed and not trail.loaded and trail.failed[current] != "net::ERR_ABORTED":
                if trail.committed == 0 or not self._on_site():
                    seen.trouble = trail.failed[current]
                    seen.detail = f"{seen.trouble} at {trail.current_url}"
                    return
                loading_until = min(loading_until, now + 1.0)  # cut off midway: what came is shown
            if trail.over_limit:
                return
            pending = trail.pending
            if pending is not None and pending.due + 1.0 - now > 0 and pending.due - now <= REFRESH_S:
                if pending.due + 1.0 < self.deadline:
                    continue
            if not trail.loaded:
                if now > loading_until:
                    seen.trouble, seen.detail = "timeout", "the page did not finish loading; what it showed was kept"
                    return
                continue
            since_load = now - trail.quiet_since
            quiet = not trail.in_flight and since_load >= QUIET_S
            if quiet or now - self._loaded_at(trail, now) >= SETTLE_S:
                return

    _load_seen: tuple[int, float] = (0, 0.0)

    def _loaded_at(self, trail: Trail, now: float) -> float:
        """When this document was first seen loaded; the DevTools event itself carries another clock."""
        if self._load_seen[0] != trail.navigations:
            self._load_seen = (trail.navigations, now)
        return self._load_seen[1]

    async def _moves(self, trail: Trail, before: int, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.download.done():
            if trail.navigations != before:
                return True
            await asyncio.sleep(0.05)
        return trail.navigations != before or self.download.done()

    async def _click(self, trail: Trail, way: WayOn) -> bool:
        """Go on from a page that only stands in between, as a reader would; kept before it is left. True: it moved."""
        self.clicks += 1
        number = len(trail.hops) + 1
        await self._viewport(f"hop-{number}-viewport.png")
        with contextlib.suppress(_Slow):
            dom = await self._asked(self.page.content())
            self._keep(Role.DOM, f"hop-{number}-dom.html", "text/html", _utf8(dom))
        before = trail.navigations
        trail.clicked, self.popup = True, None
        at = self.order.clock()
        handle = await self.page.evaluate_handle(_FIND_WAY, {"tag": way.tag, "href": way.href, "text": way.text})
        element = handle.as_element()
        if element is None:
            trail.clicked = False
            return False
        self.order.progress("click", {"text": way.text[:80]})
        try:
            await element.click(timeout=5_000, no_wait_after=True)
        except PlaywrightTimeout:
            trail.clicked = False
            return False
        self.seen.interactions.append(
            {
                "kind": "click",
                "at": format_utc(at),
                "tag": way.tag,
                "text": way.text[:300],
                "href": way.href,
                "on": self.page.url,
                "why": "a page that only stands in between",
            }  # fmt: skip
        )
        moved = await self._moves(trail, before, min(10.0, self._left()))
        if not moved and self.popup:  # it opened a new tab: look there in this one, so that all is one chain
            moved = await self._go(self.popup, referer=self.page.url)
        trail.clicked = False
        return moved

    # Keeping what is shown

    async def _snapshots(self, trail: Trail) -> None:
        seen, page = self.seen, self.page
        clock = self.order.clock
        seen.times["settled_at"] = clock()
        self.order.progress("snapshot", {})
        self.deadline = max(self.deadline, time.monotonic() + STEP_S)  # what is shown is kept even when time is up
        await self._viewport("viewport.png")
        seen.times["viewport_at"] = clock()
        await self._full_page()
        seen.times["screenshot_at"] = clock()
        try:
            seen.dom = await self._asked(page.content())
            self._keep(Role.DOM, "dom.html", "text/html", _utf8(seen.dom))
        except _Slow as slow:
            self._lacks(Role.DOM, str(slow))
        try:
            seen.text = await self._asked(page.evaluate(_VISIBLE_TEXT))
            self._keep(Role.TEXT, "text.txt", "text/plain; charset=utf-8", _utf8(seen.text))
        except _Slow as slow:
            self._lacks(Role.TEXT, str(slow))
        with contextlib.suppress(_Slow):
            seen.title = (await self._asked(page.title())) or None
        seen.final_url = page.url
        await self._body(trail)
        if trail.exchanges == []:
            self._lacks(Role.HEADERS, "the browser reported no answer")
        await self._certificates(trail)

    async def _viewport(self, name: str) -> None:
        try:
            shot = await self._asked(self._send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True}))
            self._keep(Role.VIEWPORT, name, "image/png", base64.b64decode(shot["data"]))
        except _Slow as slow:
            self._lacks(Role.VIEWPORT, str(slow))

    async def _full_page(self) -> None:
        """The whole page as PNG; a very tall one as several files, top to bottom."""
        try:
            metrics = await self._asked(self._send("Page.getLayoutMetrics"))
            size = metrics["cssContentSize"]
            width, height = max(1, int(size["width"])), max(1, int(size["height"]))
            self.seen.settings["page_px"] = {"width": width, "height": height}
            width = min(width, MAX_TILE_PX)
            tops = range(0, height, MAX_TILE_PX)[:MAX_TILES]
            for number, top in enumerate(tops, start=1):
                clip = {"x": 0, "y": top, "width": width, "height": min(MAX_TILE_PX, height - top), "scale": 1}
                shot = await self._asked(
                    self._send(
                        "Page.captureScreenshot",
                        {"format": "png", "optimizeForSpeed": True, "captureBeyondViewport": True, "clip": clip},
                    )
                )
                name = "screenshot.png" if number == 1 else f"screenshot-{number}.png"
                self._keep(Role.SCREENSHOT, name, "image/png", base64.b64decode(shot["data"]))
            if height > MAX_TILE_PX * MAX_TILES:
                kept = MAX_TILE_PX * MAX_TILES
                self._lacks(Role.SCREENSHOT, f"the page is {height} px tall; its first {kept} px are kept")
        except _Slow as slow:
            self._lacks(Role.SCREENSHOT, str(slow))

    async def _body(self, trail: Trail) -> None:
        """The main answer's body, content codings removed, as the browser received it."""
        main = trail.main_exchange()
        if main is None:
            self._lacks(Role.BODY, "the browser reported no answer")
            return
        if main.request_id not in trail.finished:
            self._lacks(Role.BODY, "the answer did not end")
            return
        try:
            answer = await self._asked(self._send("Network.getResponseBody", {"requestId": main.request_id}))
        except _Slow as slow:
            self._lacks(Role.BODY, str(slow))
            return
        except PlaywrightError as error:
            self._lacks(Role.BODY, f"the browser no longer has it: {error.message.splitlines()[0][:200]}")
            return
        data = base64.b64decode(answer["body"]) if answer["base64Encoded"] else _utf8(answer["body"])
        self._keep(Role.BODY, f"body{_extension(main.mime_type)}", main.mime_type or "application/octet-stream", data)

    async def _keep_download(self) -> None:
        seen = self.seen
        seen.trouble = "download"
        seen.detail = "the address gave a file to download, not a page"
        try:
            download = await asyncio.wait_for(asyncio.shield(self.download), timeout=5.0)
            path = await asyncio.wait_for(download.path(), timeout=min(MAX_DOWNLOAD_WAIT_S, self._left()))
        except (TimeoutError, PlaywrightError) as error:
            self._lacks(Role.BODY, f"the download did not end: {type(error).__name__}")
            return
        data = await asyncio.to_thread(path.read_bytes)
        main = self.trail.main_exchange() if self.trail else None
        mime = main.mime_type if main else ""
        self._keep(Role.BODY, f"body{_extension(mime)}", mime or "application/octet-stream", data)
        seen.final_url = download.url
        seen.interactions.append({"kind": "download", "suggested_name": download.suggested_filename[:200]})

    async def _certificates(self, trail: Trail) -> None:
        origins = {_origin(each.url) for each in trail.exchanges if each.url.startswith("https:")}
        for origin in origins:
            with contextlib.suppress(_Slow, PlaywrightError):  # without a chain the record says that there was none
                answer = await self._asked(self._send("Network.getCertificate", {"origin": origin}))
                self.certificates[origin] = [base64.b64decode(der) for der in answer.get("tableNames", ())]

    def _judged(self, trail: Trail) -> list[Certificate]:
        judged: dict[str, Certificate] = {}
        for exchange in trail.exchanges:
            if not exchange.url.startswith("https:"):
                continue
            origin = _origin(exchange.url)
            if origin in judged:
                continue
            chain = tuple(self.certificates.get(origin, ()))
            host = urlsplit(exchange.url).hostname or ""
            named = bool(chain) and tls.spki_sha256(chain[0]) in self.order.trust_spki
            valid, reason = False, ""
            if exchange.security_state != "secure" and not named:
                reason = f"the browser calls the connection {exchange.security_state}"
                if chain:
                    reason += "; " + tls.judge_chain(chain, host, at=exchange.at, roots=tls.public_roots())[1]
            elif chain:
                valid, reason = tls.judge_chain(chain, host, at=exchange.at, roots=tls.public_roots())
            else:
                valid, reason = True, "the browser calls the connection secure; its chain was not kept"
            security = exchange.security or {}
            judged[origin] = Certificate(
                host=host,
                chain_der=chain,
                browser_says=exchange.security_state,
                trusted_by_spki=named,
                valid=valid,
                reason=reason,
                protocol=str(security.get("protocol", "")),
                cipher=str(security.get("cipher", "")),
            )
        return list(judged.values())

    async def _describe(self) -> None:
        browser = self.page.context.browser
        facts = await self._asked(self.page.evaluate(_CIRCUMSTANCES))
        self.seen.settings.update(facts)
        self.seen.settings["browser_version"] = browser.version if browser else "unknown"
        self.seen.settings["cookies_at_start"] = len(await self.page.context.cookies())

    async def _words(self) -> tuple[str, str]:
        try:
            text = await self._asked(self.page.evaluate(_VISIBLE_TEXT))
            return text, await self._asked(self.page.content())
        except _Slow:
            return "", ""
        except PlaywrightError:
            if self.page.is_closed() or self.crashed:
                raise
            return "", ""  # it is leaving right now: the loop sees where to

    # Small things

    def _on_site(self) -> bool:
        return self.page.url.startswith(("http:", "https:"))

    def _left(self) -> float:
        return max(0.5, self.deadline - time.monotonic())

    async def _send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        assert self.cdp is not None
        answer: dict[str, Any] = await self.cdp.send(method, params or {})
        return answer

    async def _asked(self, doing: Coroutine[Any, Any, T]) -> T:
        try:
            return await asyncio.wait_for(doing, timeout=STEP_S)
        except TimeoutError as error:
            raise _Slow(f"the browser did not answer within {STEP_S:.0f} s") from error

    def _keep(self, role: Role, name: str, media_type: str, data: bytes) -> None:
        self.seen.snapshots.append(self.order.keep(role, name, media_type, data))

    def _lacks(self, role: Role, reason: str) -> None:
        self.seen.missing.append(Missing(role=role, reason=reason))

    def _on_crash(self, _page: Page) -> None:
        self.crashed = True

    def _on_download(self, download: Download) -> None:
        if not self.download.done():
            self.download.set_result(download)

    async def _on_popup(self, popup: Page) -> None:
        """A new tab is noted and shut: one visit is one page."""
        if popup is self.page:
            return
        with contextlib.suppress(PlaywrightError):  # it may be gone already; its address is all we want of it
            if popup.url in {"", "about:blank"}:
                await popup.wait_for_url(lambda url: url != "about:blank", wait_until="commit", timeout=3_000)
        address = popup.url
        if self.trail is not None and self.trail.clicked and address.startswith(("http:", "https:")):
            self.popup = address
        self.seen.interactions.append(
            {"kind": "new_tab_closed", "at": format_utc(self.order.clock()), "url": address[:2000]}
        )
        with contextlib.suppress(PlaywrightError):
            await popup.close()


class _Slow(Exception):
    """One thing asked of the browser took too long."""


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


_EXTENSIONS = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "application/zip": ".zip",
    "application/xml": ".xml",
    "text/xml": ".xml",
}


def _extension(mime_type: str) -> str:
    return _EXTENSIONS.get(mime_type, ".bin")


_VISIBLE_TEXT = "() => document.body ? document.body.innerText : ''"
_CIRCUMSTANCES = """() => ({
  user_agent: navigator.userAgent,
  languages: navigator.languages.join(','),
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  viewport: {width: innerWidth, height: innerHeight},
  device_scale: String(devicePixelRatio),
  javascript: true,
})"""
_FIND_WAY = """({tag, href, text}) => {
  const flat = s => (s || '').replace(/\\s+/g, ' ').trim();
  for (const el of document.querySelectorAll(tag)) {
    const said = flat(el.innerText || el.value || el.getAttribute('aria-label'));
    if ((href === null || el.getAttribute('href') === href) && said === flat(text)) return el;
  }
  for (const el of document.querySelectorAll(tag)) {
    if (href !== null && el.getAttribute('href') === href) return el;
  }
  return null;
}"""
