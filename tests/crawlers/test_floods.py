"""Pages that ask more of the browser than it can do: they are captured all the same, and nobody else waits for them."""

import asyncio
import gzip
import io
import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.async_api import Page

from crawlers import browser, launching
from crawlers.sight import ALLOWANCE_S
from custody.model import Outcome, Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Answer, Host, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

WHOLE = {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY}
HERE = "https://www.flooding.example"
ENOUGH = "<p>This page says enough to be taken for one that has come to stay, and not for one that is still being made."


def script(code: str) -> Route:
    start = f"<!doctype html><meta charset=utf-8><title>Here it comes</title><h1>Here it comes</h1>{ENOUGH}"
    return always(page(f"{start}<script>{code}</script>"))


FLOODS = {
    "hash": "setInterval(() => { location.hash = Math.random() }, 1)",
    "hash-many": "for (let i = 0; i < 8; i++) setInterval(() => { location.hash = Math.random() }, 1)",
    "push": "let n = 0; for (let i = 0; i < 4; i++) setInterval(() => history.pushState({}, '', '?' + n++), 1)",
    "replace": "let n = 0; setInterval(() => { while (++n % 9) history.replaceState({}, '', '#' + n) }, 1)",
}

BOMBS = {
    "zeros": (b"\0" * 1024, 200),
    "elements": (b"<p>x</p>", 200),
    "words": (b"word ", 200),
    "nested": (b"<div>x", 100),
}


def bombing(piece: bytes, mib: int) -> Route:
    """Small on the wire, large in the browser."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as out:
        out.write(b"<!doctype html><title>Small to send</title><h1>Small to send</h1>" + ENOUGH.encode())
        for _ in range(mib):
            out.write(piece * ((1 << 20) // len(piece)))
    return always(Answer(body=packed.getvalue(), headers=(("Content-Encoding", "gzip"),)))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    floods = {f"/{name}": script(code) for name, code in FLOODS.items()}
    bombs = {f"/{name}": bombing(piece, mib) for name, (piece, mib) in BOMBS.items()}
    host = Host(name="www.flooding.example", routes={**floods, **bombs})
    made.hosts |= {host.name: host}
    with made as running:
        yield running


@pytest.fixture(scope="module")
def made(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as opened:
        yield opened


@pytest.fixture
def eye(made: Looker) -> Looker:
    if not made.browser.is_connected():
        made.run(made.restart())
    return made


def together(eye: Looker, site: Site, path: str, *, timeout_s: float) -> tuple[Looked, Looked]:
    """The flooding page, and one that shares the browser with it from a second later on."""

    async def neighbour() -> Looked:
        await asyncio.sleep(1)
        return await eye.look_at(site.url("listing"), timeout_s=timeout_s)

    async def both() -> tuple[Looked, Looked]:
        return await asyncio.gather(eye.look_at(f"{HERE}/{path}", timeout_s=timeout_s), neighbour())

    looked: tuple[Looked, Looked] = eye.run(both())
    return looked


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[] if each == "push" else [pytest.mark.slow]) for each in FLOODS]
)
def test_a_page_that_floods_its_own_address_is_captured_and_harms_no_other(eye: Looker, site: Site, name: str) -> None:
    flooding, other = together(eye, site, name, timeout_s=20)
    assert other.seen.trouble is None, other.seen.detail
    assert other.visit().status is Status.COMPLETE
    assert flooding.seen.trouble in {None, "busy"}, flooding.seen.detail
    assert flooding.roles >= WHOLE
    assert max(flooding.took_s, other.took_s) < 20
    assert str(flooding.seen.final_url).startswith(f"{HERE}/{name}")
    assert "Here it comes" in flooding.seen.text
    assert flooding.seen.hops == ()
    assert eye.browser.is_connected()
    assert eye.look("listing").visit().status is Status.COMPLETE


@pytest.mark.slow
def test_a_bomb_of_nothing_is_stopped_by_its_size_and_says_so(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/zeros", timeout_s=60)
    assert looked.seen.trouble == "too_large"
    assert looked.seen.detail.startswith("the page is too large: loading was stopped after ")
    assert "MiB (unpacked from gzip" in looked.seen.detail
    # A quick machine has all of it before it is stopped.
    said = r"(loading was stopped after|it is of) \d+\.\d MiB .*; its first \d+ bytes are kept"
    assert re.fullmatch(said, looked.missing()["body"])
    assert looked.visit().status is Status.PARTIAL
    assert eye.look("listing").visit().status is Status.COMPLETE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["elements", "words", "nested"])
def test_a_bomb_that_keeps_the_browser_at_work_is_ended_in_time_and_says_so(eye: Looker, name: str) -> None:
    looked = eye.look(f"{HERE}/{name}", timeout_s=8)
    assert looked.took_s < 8 + ALLOWANCE_S + 3
    if name == "nested" and looked.seen.trouble == "browser_died":
        # How deep it got before its time was up decides whether laying it out takes more stack than its process has.
        assert "died during the visit" in looked.seen.detail
        assert eye.look("listing").visit().status is Status.COMPLETE
        return
    assert looked.seen.trouble == "timeout"
    assert " MiB" in looked.seen.detail
    visit = looked.visit()
    assert visit.status is Status.PARTIAL
    assert not any("within 0 s" in each.reason for each in visit.missing)
    assert looked.roles | {each.role for each in visit.missing} >= WHOLE
    assert looked.roles >= {Role.VIEWPORT, Role.BODY}
    assert eye.look("listing").visit().status is Status.COMPLETE


@pytest.mark.slow
def test_a_visit_ends_in_time_whatever_the_browser_does(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the browser has stopped altogether, as one does that a page keeps too busy."""
    monkeypatch.setattr(browser, "ALLOWANCE_S", 2.0)

    async def stop(_: Page) -> None:
        await asyncio.sleep(2)
        pids = launching.browsers_below(os.getpid())
        assert pids
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                os.kill(pid, number)
            await asyncio.sleep(12)

    looked = eye.look("never_finishing", timeout_s=8, during=stop)
    assert looked.took_s < 14
    assert looked.seen.trouble == "timeout"
    assert "ended after 10 s" in looked.seen.detail
    assert looked.visit().outcome is Outcome.TIMEOUT
