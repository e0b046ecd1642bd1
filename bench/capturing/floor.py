"""What looking at the same pages costs with no more than Playwright: the floors that a capture is held against.

``shot``: a fresh context, the page until its load event, a picture of all of it by Playwright. ``full``: waits until
the page says that it is drawn, scrolls down and back, takes a fast lossless picture and the DOM, has the body of every
answer from DevTools into a WARC of its own, and hashes all of it. Neither knows of beacons' answers, redirects' bodies,
frames in other processes, workers, limits, addresses, a log or a store. Both start the browser with the flags that we
start it with; ``bare`` is ``shot`` with none but Playwright's.

`python -m bench.capturing.floor bare|shot|full BROWSER FOLDER URL...`, two pages at a time (``BENCH_AT_A_TIME``).
"""

import asyncio
import base64
import hashlib
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright
from playwright.async_api import Error as PlaywrightError
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.launching import _FLAGS as FLAGS

AT_A_TIME = int(os.environ.get("BENCH_AT_A_TIME", "2"))
_CODINGS = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_DRAWN = "document.documentElement.dataset.ready === '1'"
_DOWN_AND_BACK = """async () => {
  const wait = ms => new Promise(go => setTimeout(go, ms));
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) { scrollTo(0, y); await wait(40); }
  const until = performance.now() + 5000;
  while (performance.now() < until && [...document.images].some(each => !each.complete)) await wait(20);
  scrollTo(0, 0);
  await wait(20);
}"""


class Bodies:
    """Every answer of a page and its body, as DevTools' Network gives them out once they are whole."""

    def __init__(self, session: CDPSession) -> None:
        self._session: Any = session
        self._asked: dict[str, dict[str, Any]] = {}
        self._answered: dict[str, dict[str, Any]] = {}
        self._coming: set[asyncio.Task[None]] = set()
        self.had: list[tuple[dict[str, Any], dict[str, Any], bytes]] = []

    async def begin(self) -> None:
        for event, do in (
            ("requestWillBeSent", self._on_request),
            ("responseReceived", lambda it: self._answered.update({it["requestId"]: it["response"]})),
            ("loadingFinished", self._on_finished),
            ("loadingFailed", self._on_failed),
        ):
            self._session.on(f"Network.{event}", do)
        sizes = {"maxTotalBufferSize": 100 << 20, "maxResourceBufferSize": 50 << 20}
        await self._session.send("Network.enable", sizes)

    async def end(self) -> None:
        while self._coming:
            await asyncio.wait(self._coming)

    def _on_request(self, event: dict[str, Any]) -> None:
        request = event["requestId"]
        if "redirectResponse" in event:
            self.had.append((self._asked[request], event["redirectResponse"], b""))
        self._asked[request] = event["request"]

    def _on_failed(self, event: dict[str, Any]) -> None:
        if (answer := self._answered.get(event["requestId"])) is not None:  # such as a 204 that nobody reads
            self.had.append((self._asked[event["requestId"]], answer, b""))

    def _on_finished(self, event: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self._take(event["requestId"]))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _take(self, request: str) -> None:
        if request not in self._answered or self._asked[request]["url"].startswith("data:"):
            return
        try:
            got = await self._session.send("Network.getResponseBody", {"requestId": request})
            data = base64.b64decode(got["body"]) if got["base64Encoded"] else got["body"].encode()
        except PlaywrightError:
            data = b""
        self.had.append((self._asked[request], self._answered[request], data))


def write(path: Path, had: Sequence[tuple[dict[str, Any], dict[str, Any], bytes]]) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for request, answer, data in had:
            headers = [(name, value) for name, value in answer["headers"].items() if name.lower() not in _CODINGS]
            status = f"{answer['status']} {answer.get('statusText') or 'OK'}"
            response = writer.create_warc_record(
                request["url"],
                "response",
                payload=io.BytesIO(data),
                http_headers=StatusAndHeaders(
                    status, [*headers, ("Content-Length", str(len(data)))], protocol="HTTP/1.1"
                ),
            )
            asked = writer.create_warc_record(
                request["url"],
                "request",
                payload=io.BytesIO((request.get("postData") or "").encode()),
                http_headers=StatusAndHeaders(
                    f"{request['method']} {request['url']} HTTP/1.1",
                    list(request["headers"].items()),
                    is_http_request=True,
                ),
            )
            writer.write_request_response_pair(asked, response)


async def shot(page: Page, url: str, stem: Path) -> None:
    await page.goto(url, wait_until="load")
    await page.screenshot(full_page=True, path=stem.with_suffix(".png"))


async def full(page: Page, url: str, stem: Path) -> None:
    session = await page.context.new_cdp_session(page)
    bodies = Bodies(session)
    await bodies.begin()
    await page.goto(url, wait_until="load")
    await page.wait_for_function(_DRAWN, polling=20)
    await page.evaluate(_DOWN_AND_BACK)
    size = (await session.send("Page.getLayoutMetrics"))["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    beyond: dict[str, Any] = {"captureBeyondViewport": True, "optimizeForSpeed": True, "clip": clip}
    picture = base64.b64decode((await session.send("Page.captureScreenshot", beyond))["data"])
    html = (await page.content()).encode()
    await bodies.end()
    warc = stem.with_suffix(".warc.gz")
    await asyncio.to_thread(_keep, {stem.with_suffix(".png"): picture, stem.with_suffix(".html"): html})
    await asyncio.to_thread(write, warc, bodies.had)
    digests = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in stem.parent.glob(f"{stem.name}.*")}
    stem.with_suffix(".json").write_text(json.dumps({"url": url, "sha256": digests}))


def _keep(files: dict[Path, bytes]) -> None:
    for path, data in files.items():
        path.write_bytes(data)


MODES = {"bare": shot, "shot": shot, "full": full}


async def look(mode: str, executable: str, folder: Path, urls: Sequence[str]) -> None:
    waiting = list(enumerate(urls))

    async def work(browser: Browser) -> None:
        while waiting:
            number, url = waiting.pop(0)
            context = await browser.new_context()
            await MODES[mode](await context.new_page(), url, folder / f"page{number}")
            await context.close()

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=executable, args=[] if mode == "bare" else list(FLAGS), chromium_sandbox=os.geteuid() != 0
        )
        await asyncio.gather(*(work(started) for _ in range(AT_A_TIME)))
        await started.close()


if __name__ == "__main__":
    asyncio.run(look(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
