"""Looks with a real browser through a real egress, for tests: what a spider does, without Scrapy."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from typing import Any

from playwright.async_api import Browser, Page, Playwright, async_playwright

from archive.spool import VisitSpool
from crawlers import browser
from crawlers.attending.hand import Hand
from crawlers.connection import Connection
from crawlers.driver import launch
from crawlers.egress import Egress, Resolve
from crawlers.launching import Launch, find_browser, plan
from crawlers.profile import Profile
from crawlers.readers import Readers
from crawlers.recording.desk import Desk, Limits
from crawlers.session import Looking, Plan
from crawlers.sight import Order, Seen
from crawlers.visits import visit_of
from custody.digest import Digest
from custody.ids import uuid7
from custody.model import Json, Role, Snapshot, Started, Visit
from custody.record import Record
from tests.site.server import Site

ROOT = Path(__file__).parents[2]
During = Callable[[Page], Awaitable[object]]


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return uuid7(now(), token_bytes(10))


def looking_at(url: str, folder: Path, **more: Any) -> Looking:
    """The state that a spider keeps of one plan, with an intent that nobody recorded."""
    capture = new_id()
    folder.mkdir(parents=True, exist_ok=True)
    empty = Digest.of(b"")
    return Looking(
        name=capture,
        url=url,
        plan=Plan(url=url, capture_id=capture, unit=capture, **more),
        spool=VisitSpool(folder, clock=now),
        started=Started(payload_sha256=empty, index=0, job_sha256=empty),
        robots={},
    )


def sealed(visit: Visit) -> bytes:
    """Its record, as the pipeline would write it: raises where a visit does not fit one."""
    return Record.of(visit, artifacts=(), nonce="0" * 32).format()


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    seen: Seen
    looking: Looking
    connections: tuple[Connection, ...]
    took_s: float
    steps: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.looking.kept]

    @property
    def roles(self) -> set[Role]:
        return {each.role for each in self.looking.kept if not each.name.startswith("hop-")}

    @property
    def kinds(self) -> list[str]:
        return [each.kind.value for each in self.seen.hops]

    def kept(self, name: str) -> Snapshot:
        return next(each for each in self.looking.kept if each.name == name)

    def data(self, name: str) -> bytes:
        return self.kept(name).path.read_bytes()

    def noted(self, kind: str) -> list[dict[str, Json]]:
        return [each for each in self.seen.interactions if each["kind"] == kind]

    def missing(self) -> dict[str, str]:
        return {each.role.value: each.reason for each in self.seen.missing}

    def visit(self, interventions: Sequence[str] = (), surface: str = "automatic") -> Visit:
        made = visit_of(
            self.seen,
            self.looking,
            run=new_id(),
            scope="scope",
            connections=self.connections,
            interventions=interventions,
            candidates=(),
            environment={},
            closed_at=now(),
            surface=surface,
        )
        assert sealed(made)
        return made


class Looker:
    """One browser for many looks; a fresh context and a credential of its own for each."""

    def __init__(self, site: Site, folder: Path, *, trust: bool = True, profile: Profile | None = None) -> None:
        self.site = site
        self.folder = folder
        self.records = True
        """Whether the traffic of each look is."""
        self.limit = 64 << 20
        """Bytes of one body."""
        self.keys = folder / "keys"
        self.browser: Browser
        self.launch: Launch
        self.egress = Egress(tuple(Resolve.parse(each) for each in site.resolve), clock=now)
        self._trust = tuple(site.trust_spki) if trust else ()
        self._profile = profile or Profile()
        self._playwright: Playwright
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._count = 0

    def open(self, environment: Mapping[str, str] = os.environ) -> None:
        self._runner.run(self._open(environment))

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def look(self, name: str, **more: Any) -> Looked:
        """At a page of the site by its name, or at any address."""
        looked: Looked = self.run(self.look_at(self.site.urls.get(name, name), **more))
        return looked

    def run(self, doing: Any) -> Any:
        return self._runner.run(doing)

    async def look_at(
        self,
        url: str,
        *,
        timeout_s: float = 20,
        during: During | None = None,
        cut: asyncio.Event | None = None,
        consent: str = "as-found",
        on_keep: Callable[[str], object] | None = None,
        on_step: Callable[[str, Page], object] | None = None,
        holes: tuple[Resolve, ...] = (),
        hand: Hand | None = None,
        readers: Readers | None = None,
    ) -> Looked:
        """``during`` runs beside it; ``on_keep`` after a file is kept, with its name; ``on_step`` at each step.

        ``holes`` are open to this look alone. ``hand``: that of a person, who attends.
        """
        self._count += 1
        looking = looking_at(url, self.folder / f"visit-{self._count}")
        self.egress.admit(looking.plan.capture_id, resolve=holes)
        page = await self.page(looking.plan.capture_id)
        steps: list[str] = []

        def keep(role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
            kept = looking.keep(role, name, media_type, data)
            if on_keep is not None:
                on_keep(name)
            return kept

        def step_taken(step: str, _: Mapping[str, Json]) -> None:
            steps.append(step)
            if on_step is not None:
                on_step(step, page)

        order = Order(
            url=url,
            keep=keep,
            clock=now,
            timeout_s=timeout_s,
            trust_spki=self._trust,
            progress=step_taken,
            admitted=self.egress.admit(looking.plan.capture_id),
            desk=Desk(
                folder=looking.spool.path,
                fill=looking.fill,
                connections=lambda: self.egress.report(looking.plan.capture_id),
                shut=lambda: self.egress.shut(looking.plan.capture_id),
                limits=Limits(each=self.limit),
            )
            if self.records
            else None,
            cut=cut,
            screen=self._profile.screen,
            density=self._profile.density,
            consent=consent,
            readers=readers,
        )
        begun = time.monotonic()
        meanwhile = asyncio.ensure_future(during(page)) if during else None
        try:
            if hand is None:
                seen = await browser.look(page, order)
            else:
                seen = await browser.attend(page, order, hand=hand, rename=looking.rename)
        finally:
            took = time.monotonic() - begun
            await browser.close_context(page, timeout_s=10)
        if meanwhile is not None:
            await meanwhile
        connections = self.egress.dismiss(looking.plan.capture_id)
        return Looked(seen=seen, looking=looking, connections=connections, took_s=took, steps=steps)

    async def page(self, visit_id: str) -> Page:
        """As the download handler gives it: in a context of its own, with scrapy-playwright's route on it."""
        self.egress.admit(visit_id)
        context = await self.browser.new_context(
            proxy={"server": self.egress.url},
            ignore_https_errors=True,
            **self._profile.context(),
            accept_downloads=True,
            service_workers="allow",
        )
        page = await context.new_page()
        await page.route("**", lambda route: route.continue_())
        return page

    async def is_gone(self, within_s: float = 10.0) -> bool:
        """Its pages say that they are closed a moment before the browser says that it is."""
        gone = asyncio.Event()
        self.browser.once("disconnected", lambda _: gone.set())
        if self.browser.is_connected():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), within_s)
        return not self.browser.is_connected()

    async def restart(self) -> None:
        """A new browser in place of one that died."""
        self.browser = await launch(self._playwright.chromium, self.launch.options)

    async def _open(self, environment: Mapping[str, str]) -> None:
        await self.egress.start()
        self._stack.push_async_callback(self.egress.stop)
        for folder in (self.keys, self.folder / "cache"):
            folder.mkdir(parents=True, exist_ok=True)
        self.launch = plan(
            find_browser(environment, checkout=ROOT, build=self._profile.build),
            keys=self.keys,
            cache=self.folder / "cache",
            env=environment,
            egress_url=self.egress.url,
            trust_spki=self._trust,
            build=self._profile.build,
        )
        self._playwright = await self._stack.enter_async_context(async_playwright())
        await self.restart()
        self._stack.push_async_callback(self._shut)

    async def _shut(self) -> None:
        await self.browser.close()


@contextlib.contextmanager
def looker(site: Site, folder: Path, **more: Any) -> Iterator[Looker]:
    environment = more.pop("environment", os.environ)
    made = Looker(site, folder, **more)
    made.open(environment)
    try:
        yield made
    finally:
        made.close()
