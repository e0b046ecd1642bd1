"""Other people's players, each in an environment of its own (``make oracles``), driven by the project's Chromium."""

import contextlib
import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Frame, Page, sync_playwright

from crawlers.launching import find_browser
from tests.command import ROOT

ORACLES = ROOT / ".state" / "oracles"
_WAIT_S = 60.0


_WATCH = """async () => {
  const videos = Array.from(document.querySelectorAll('video'));
  const end = Date.now() + 15000;
  const shows = each => each.readyState >= 2 && each.currentTime > 0;
  while (!videos.every(shows) && Date.now() < end) await new Promise(done => setTimeout(done, 200));
  return videos.map(each => [each.videoWidth, shows(each)]);
}"""


@dataclass(frozen=True)
class Shown:
    """A page as a player shows it."""

    url: str
    """As the player says: where the hops led."""
    title: str
    text: str
    images: list[int]
    """The width of each, in pixels; 0 for one that did not come."""
    videos: list[tuple[int, bool]]
    """The width of each, and whether it goes on."""


Show = Callable[[str, str], Shown]
"""Address and time of a line in pages.jsonl."""


def oracle(name: str) -> Path:
    """Its folder; the test is skipped where it is not there."""
    folder = ORACLES / name
    if not (folder / ".ready").is_file():
        pytest.skip(f"{name} is not here: make oracles")
    return folder


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(os.environ, checkout=ROOT))
        yield chromium
        chromium.close()


@contextlib.contextmanager
def pywb(wacz: Path, folder: Path) -> Iterator[Show]:
    """Unpacked by pywb's own manager, found by the package's own index."""
    tools = (oracle("pywb") / "bin").absolute()
    for command in (["init", "unit"], ["add", "unit", "--unpack-wacz", str(wacz)]):
        subprocess.run([tools / "wb-manager", *command], cwd=folder, check=True, capture_output=True, timeout=120)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "wayback.log").open("wb") as log:
        server = subprocess.Popen(
            [tools / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=folder, stdout=log, stderr=log
        )
    try:
        _until(lambda: _answers(port), "pywb did not begin")
        with browser() as chromium:

            def show(url: str, at: str) -> Shown:
                page = chromium.new_page()
                page.goto(f"http://127.0.0.1:{port}/unit/{_stamp(at)}mp_/{url}")
                return _shown(page)

            yield show
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def replayweb(wacz: Path, folder: Path) -> Iterator[Show]:
    """ReplayWeb.page as it is published, and the package beside it, read by ranges."""
    site = folder / "site"
    shutil.copytree(oracle("replaywebpage"), site)
    shutil.copy(wacz, site / "unit.wacz")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with browser() as chromium:

            def show(url: str, at: str) -> Shown:
                page = chromium.new_context().new_page()
                where = urlencode({"view": "pages", "url": url, "ts": _stamp(at)})
                page.goto(f"http://127.0.0.1:{server.server_port}/index.html?source=/unit.wacz#{where}")
                return _shown(page)

            yield show
        server.shutdown()


def _shown(page: Page) -> Shown:
    """When its frame has a text and all its images are there or have failed."""
    frames: list[Frame] = []

    def is_there() -> bool:
        frames[:] = [each for each in page.frames if re.search(r"mp_/https?:", each.url)]
        with contextlib.suppress(Exception):  # a frame that goes on to the next page while it is asked
            page.wait_for_timeout(500)
            return bool(frames) and bool(
                frames[0].evaluate(
                    "document.readyState === 'complete' && document.body.innerText.length > 50"
                    " && Array.from(document.images).every(each => each.complete)"
                )
            )
        return False

    _until(is_there, f"{page.url} shows nothing")
    frame = frames[0]
    found = Shown(
        url=frame.url.partition("mp_/")[2],
        title=frame.title(),
        text=frame.inner_text("body"),
        images=frame.evaluate("Array.from(document.images).map(each => each.naturalWidth)"),
        videos=[(width, goes_on) for width, goes_on in frame.evaluate(_WATCH)],
    )
    page.close()
    return found


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """One range at a time, which is what a player asks for (RFC 9110 §14)."""

    def log_message(self, *_: object) -> None:
        pass

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None or not path.is_file():
            return super().send_head()
        size = path.stat().st_size
        begin = int(asked[1]) if asked[1] else size - int(asked[2])
        end = min(int(asked[2]) if asked[1] and asked[2] else size - 1, size - 1)
        with path.open("rb") as file:
            file.seek(begin)
            data = file.read(end - begin + 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{size}")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", self.guess_type(path))
        self.end_headers()
        stream: BinaryIO = BytesIO(data)
        return stream


def _until(there: Callable[[], bool], complaint: str) -> None:
    end = time.monotonic() + _WAIT_S
    while not there():
        assert time.monotonic() < end, complaint
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _stamp(at: str) -> str:
    return re.sub(r"\D", "", at)[:14]
