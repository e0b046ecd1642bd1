"""The browser dies, or is interrupted, in mid-visit: what was had is kept, it is said, and nobody looks twice."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Page

from archive.errors import DiskError
from crawlers import browser
from crawlers.sight import Order, Seen
from custody.model import Outcome, Role, Status
from tests.crawlers.looking import Looker, looker, looking_at, now
from tests.crawlers.test_launching import children, parent, pids, proc
from tests.site.server import Site

pytestmark = pytest.mark.browser

NEVER = "never_finishing"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as running:
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


def below(root: int) -> list[int]:
    found = [root]
    for pid in found:
        found += children(pid)
    return found[1:]


def kill(kind: bytes) -> int:
    """Kill the browsers, their renderers, or their drivers, that this process has begun; how many."""
    dead = 0
    for pid in below(os.getpid()):
        words = proc(pid, "cmdline")
        is_browser = b"--headless" in words and b"--type=" not in words and b"unshare" not in words.split(b"\0")[0]
        is_driver = b"run-driver" in words.split(b"\0")
        if {b"browser": is_browser, b"driver": is_driver}.get(kind, b"--type=" + kind in words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                dead += 1
    return dead


def killing(kind: bytes, *, after_s: float) -> Callable[[Page], Awaitable[object]]:
    async def do(_: Page) -> None:
        await asyncio.sleep(after_s)
        assert kill(kind) > 0, "there is one to kill"

    return do


@pytest.mark.parametrize("kind", [b"browser", b"renderer"])
def test_a_browser_that_dies_while_the_page_loads(eye: Looker, site: Site, kind: bytes) -> None:
    begin = len(site.log)
    looked = eye.look(NEVER, during=killing(kind, after_s=2.5), timeout_s=20)
    assert looked.seen.trouble == "browser_died", looked.seen.detail
    assert looked.took_s < 12, "its death is not waited out"
    assert [each.path for each in site.log[begin:]].count("/never") == 1, "no second look"
    assert looked.names[0] == "headers.json", "what was known by then is kept"
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.FAILED, Outcome.ERROR)
    assert "died" in visit.outcome_reason
    assert {each.role for each in visit.missing} >= {Role.VIEWPORT, Role.DOM, Role.BODY}
    if kind == b"browser":
        assert eye.run(eye.is_gone())
        eye.run(eye.restart())
    again = eye.look("listing")
    assert again.visit().status is Status.COMPLETE


def test_a_browser_that_dies_between_two_pictures_leaves_the_first(eye: Looker) -> None:
    """Killed by the keeping of the viewport: the earliest moment at which there is something to keep."""
    looked = eye.look("listing", on_keep=lambda name: name == "viewport.png" and kill(b"browser"))
    assert looked.seen.trouble == "browser_died"
    assert looked.seen.reached
    assert looked.names[0] == "viewport.png"
    assert "headers.json" in looked.names
    assert "screenshot.png" not in looked.names
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.PARTIAL, Outcome.ERROR)
    assert Role.SCREENSHOT in {each.role for each in visit.missing}


def test_a_page_that_was_closed_before_it_was_looked_at(eye: Looker) -> None:
    async def look() -> Seen:
        page = await eye.page("closed")
        await page.close()
        looking = looking_at(eye.site.url("listing"), eye.folder / "closed")
        order = Order(
            url=looking.plan.url,
            keep=looking.keep,
            clock=now,
            timeout_s=20,
            trust_spki=(),
            progress=lambda *_: None,
        )
        seen = await browser.look(page, order)
        await browser.close_context(page, timeout_s=5)
        return seen

    seen = eye.run(look())
    assert (seen.trouble, seen.reached) == ("browser_died", False)


def test_closing_a_context_whose_browser_is_dead_is_quick(eye: Looker) -> None:
    async def close() -> float:
        page = await eye.page("dead")
        kill(b"browser")
        begun = asyncio.get_running_loop().time()
        await browser.close_context(page, timeout_s=10)
        return asyncio.get_running_loop().time() - begun

    assert eye.run(close()) < 10


@pytest.mark.parametrize("name", [NEVER, "silent"])
def test_an_interruption_ends_a_look_at_once_and_keeps_what_there_is(eye: Looker, name: str) -> None:
    cut = asyncio.Event()

    async def interrupt(_: Page) -> None:
        await asyncio.sleep(2)
        cut.set()

    looked = eye.look(name, cut=cut, during=interrupt, timeout_s=40)
    assert looked.seen.trouble == "interrupted"
    assert looked.took_s < 8
    assert ("headers.json" in looked.names) is (name == NEVER)
    visit = looked.visit()
    assert visit.outcome is Outcome.ERROR
    assert visit.status is Status.FAILED
    assert eye.run(_tasks_left()) == []


async def _tasks_left() -> list[str]:
    await asyncio.sleep(0.2)
    return [repr(each.get_coro()) for each in asyncio.all_tasks() if "crawlers" in repr(each.get_coro())
            and "egress" not in repr(each.get_coro())]  # fmt: skip


@pytest.mark.slow
def test_a_full_disk_is_no_outcome_of_the_page(eye: Looker) -> None:
    """It is raised: the evidence is lost, and the page had no part in it."""

    def full(_: str) -> None:
        raise DiskError("the disk is full")

    with pytest.raises(DiskError, match="the disk is full"):
        eye.look("listing", on_keep=full)
    assert eye.look("listing").visit().status is Status.COMPLETE


def test_the_kill_finds_its_victim_and_no_other() -> None:
    assert parent(os.getpid()) == os.getppid()
    assert os.getppid() in pids()
    assert kill(b"no-such-type") == 0
