"""Pictures in the inert view: from the capture's own traffic, by their bytes, and nothing is asked of anybody."""

import gzip
import io
from base64 import b64encode
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from archive.errors import StoreError
from console.web.pictured import pictures_of
from custody.model import Role
from tests.console.web.opened import served, window
from tests.console.web.shelf import lay, opened, png

URL = "https://www.glimpse.example/p/1"
PNG = png(9, 7)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def warc(*answers: tuple[str, bytes, str]) -> bytes:
    """Address, body and status of each."""
    return b"".join(gzip.compress(response(*each)) for each in answers)


def response(url: str, body: bytes, status: str) -> bytes:
    http = f"HTTP/1.1 {status}\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    told = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-03-04T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid4()}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return told.encode() + http + b"\r\n\r\n"


def shown(document: str, *answers: tuple[str, bytes, str], source: str) -> str | None:
    return pictures_of(io.BytesIO(warc(*answers)), document, URL).address(source)


DATA = f"data:image/png;base64,{b64encode(PNG).decode()}"


def test_an_address_is_found_as_the_page_meant_it() -> None:
    answers = (("https://www.glimpse.example/a.png", PNG, "200 OK"), ("https://cdn.example/b.png", PNG, "200 OK"))
    assert shown("", *answers, source="/a.png") == DATA
    assert shown("", *answers, source=" ../a.png#part ") == DATA
    assert shown("", *answers, source="//cdn.example/b.png") == DATA
    assert shown('<head><base target=_top href="//cdn.example/x/">', *answers, source="../b.png") == DATA
    assert shown("", *answers, source="/c.png") is None
    assert shown("", *answers, source="http://[") is None


def test_what_is_no_picture_by_its_bytes_is_none() -> None:
    url = "https://www.glimpse.example/a.png"
    assert shown("", (url, SVG, "200 OK"), source="/a.png") is None
    assert shown("", (url, b"<!doctype html>", "200 OK"), source="/a.png") is None
    assert shown("", (url, PNG, "404 Not Found"), source="/a.png") is None
    with pytest.raises(StoreError, match="no WARC"):
        pictures_of(io.BytesIO(b"RIFF" * 100), "", URL)


def test_one_picture_a_thousand_times_comes_to_an_end() -> None:
    answers = io.BytesIO(warc(("https://www.glimpse.example/a.png", PNG, "200 OK")))
    found = pictures_of(answers, "", URL)
    found.left = 3 * len(DATA)
    assert [found.address("/a.png") is not None for _ in range(5)] == [True] * 3 + [False] * 2


@pytest.mark.browser
def test_the_frame_shows_what_is_there_and_says_what_is_not(browser: Browser, tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("one")
    dom = b'<!doctype html><p>kept<img src="/a.png" alt="ring"><img src="/b.png" alt="gone"><img alt="later">'
    traffic = warc(("https://www.glimpse.example/a.png", PNG, "200 OK"))
    post = shelf.page(run, scope=scope, files={Role.DOM: dom, Role.WARC: traffic}, final_url=URL)
    damaged = shelf.page(run, scope=scope, files={Role.DOM: dom, Role.WARC: b"no traffic"}, final_url=URL)
    with served(lay(shelf, tmp_path)) as console, window(browser, console) as seen:
        seen.go(f"/captures/{post.id}/document")
        frame = seen.page.frame_locator("iframe")
        picture = frame.get_by_role("img", name="ring")
        expect(picture).to_be_visible()
        assert picture.evaluate("each => each.naturalWidth") == 9
        expect(frame.locator(".cp-picture").nth(0)).to_have_text("[picture: gone (its bytes are not in this capture)]")
        expect(frame.locator(".cp-picture").nth(1)).to_have_text("[picture: later (the page had not loaded it)]")
        seen.check()
        seen.go(f"/captures/{damaged.id}/document")
        expect(seen.page.frame_locator("iframe").locator(".cp-picture")).to_have_count(3)
        seen.check()
