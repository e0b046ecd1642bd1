"""A person before a window: what she does there, with real input, and what came of the visit."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from playwright.async_api import Error, Page
from warcio.archiveiterator import ArchiveIterator

from crawlers.attending.hand import Hand
from crawlers.profile import Build, Profile
from crawlers.readers import Readers
from crawlers.sight import Seen
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site

WAIT_S = 20.0


@dataclass(kw_only=True)
class Person:
    """Acts in the window, and waits until what she did is seen to."""

    page: Page
    hand: Hand
    steps: list[str]

    async def until(self, step: str, times: int = 1) -> None:
        """Wait for so many of a step, such as ``page``."""
        until = time.monotonic() + WAIT_S
        while self.steps.count(step) < times:
            assert time.monotonic() < until, f"{step} {times} did not come: {self.steps}"
            await asyncio.sleep(0.05)

    async def shoot(self) -> None:
        times = self.steps.count("shot") + 1
        self.hand.shoot()
        await self.until("shot", times)

    async def close_window(self) -> None:
        """As the window's own cross does; pressed again where the page was just being put in another's place."""
        session = await self.page.context.new_cdp_session(self.page)
        target = (await session.send("Target.getTargetInfo"))["targetInfo"]["targetId"]
        assert self.page.context.browser is not None
        browser = await self.page.context.browser.new_browser_cdp_session()
        until = time.monotonic() + WAIT_S
        while not self.page.is_closed():
            assert time.monotonic() < until, "the window does not close"
            with contextlib.suppress(Error):  # it has closed meanwhile
                await browser.send("Target.closeTarget", {"targetId": target})
            await asyncio.sleep(0.5)


Acts = Callable[[Person], Awaitable[object]]


@contextlib.contextmanager
def window(site: Site, folder: Path, screen: str, environment: Mapping[str, str]) -> Iterator[Looker]:
    profile = Profile(build=Build.HEADED)
    with looker(site, folder, profile=profile, environment={**environment, "DISPLAY": screen}) as eye:
        yield eye


def attended(
    eye: Looker, url: str, acts: Acts, *, timeout_s: float = 60, by: Mapping[str, Any] | None = None
) -> Looked:
    """A visit in which a person acts as soon as the first page is kept; it ends by her hand if not before.

    ``by``: what its pages are read by; None: they are not read.
    """
    hand, steps, doing = Hand(), list[str](), list[asyncio.Task[None]]()

    async def act(page: Page) -> None:
        person = Person(page=page, hand=hand, steps=steps)
        try:
            await acts(person)
        finally:
            hand.finish()

    def on_step(step: str, page: Page) -> None:
        steps.append(step)
        if step == "page" and not doing:
            doing.append(asyncio.ensure_future(act(page)))

    async def visit() -> Looked:
        readers = None if by is None else Readers(by)
        try:
            found = await eye.look_at(url, timeout_s=timeout_s, on_step=on_step, hand=hand, readers=readers)
        finally:
            if readers is not None:
                await readers.end()
        await asyncio.gather(*doing)
        return found

    found: Looked = eye.run(visit())
    return found


def inputs(seen: Seen) -> list[Mapping[str, Any]]:
    listed: Any = seen.attended["inputs"]
    return list(listed)


def pages(seen: Seen) -> list[Mapping[str, Any]]:
    listed: Any = seen.attended["pages"]
    return list(listed)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One record of a WARC."""

    kind: str
    url: str
    withheld: str
    head: str
    body: bytes


def traffic(found: Looked) -> list[Recorded]:
    return [
        Recorded(
            kind=each.rec_type,
            url=each.rec_headers.get_header("WARC-Target-URI") or "",
            withheld=each.rec_headers.get_header("WARC-Withheld") or "",
            head="" if each.http_headers is None else str(each.http_headers),
            body=each.content_stream().read(),
        )
        for each in ArchiveIterator(BytesIO(found.data("traffic.warc.gz")))
    ]


class Notebook:
    """A host that writes down what it is asked."""

    def __init__(self, name: str, pages: Mapping[str, str]) -> None:
        self.asked: list[Request] = []
        self.host = Host(name=name, routes={path: self._route(text) for path, text in pages.items()})

    def _route(self, text: str) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            self.asked.append(request)
            return page(text, headers=(("Set-Cookie", "session=sesame-cookie; Secure"),))

        return answer
