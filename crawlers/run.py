"""One way in, for the command and for a worker: a job becomes one crawl, and a result."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import metadata
from typing import Any

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings
from scrapy.utils.reactor import install_reactor

from archive.config import settings_module
from archive.errors import UsageError
from archive.result import Result
from archive.vault import Vault
from archive.watching.database import Database
from crawlers import warm, worker
from crawlers.address import dedupe_key
from crawlers.attending.hand import Hand
from crawlers.bounded import Bounded
from crawlers.contrast import compared
from crawlers.diagnosis import diagnose
from crawlers.duty import Setup
from crawlers.links import is_aside, link_key
from crawlers.looking import Looking
from crawlers.manners import Mannered
from crawlers.observing import SECOND_PROXY, Second, Wishes
from crawlers.others import suggest, words_of_others
from crawlers.pictures import traffic
from crawlers.pictures.cropping import crop, overview, slices
from crawlers.pictures.decoding import MAX_BYTES as MAX_PICTURE_BYTES
from crawlers.pictures.decoding import NotDecoded, media_type
from crawlers.pictures.findings import together
from crawlers.pictures.printing import MAKER as PRINTS_MAKER
from crawlers.pictures.printing import Printer
from crawlers.pictures.redaction import redact
from crawlers.pictures.viewing import Viewer
from crawlers.policy import parse_network
from crawlers.printing import print_pdf
from crawlers.profile import Build, Profile
from crawlers.program import code_sha256
from crawlers.readers import Readers
from crawlers.registry import platform_at
from crawlers.resolving import Resolve
from crawlers.returning import control_pages
from crawlers.reviews import Named
from crawlers.saved import MAX_BYTES as MAX_PAGE_BYTES
from crawlers.session import Job, Progress, Session
from crawlers.sessions import abandon, close_session, now, open_session
from crawlers.sheets import MAX_BYTES as MAX_LIST_BYTES
from crawlers.sheets import read as read_sheet
from crawlers.spiders.case import CaseSpider
from crawlers.targets import parse_arguments, read_list, without_repeats
from crawlers.upstream import VARIABLE as PROXY
from crawlers.upstream import Upstream
from findings.tracing import Addresses

_GARBAGE = 20_000
"""New objects that nothing has let go of, until they are looked through: messages of the browser make thousands."""
GRACE_S = 40.0
"""After an interruption: looks end at once, what they kept still has to be sealed."""
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

__all__ = [
    "ADDRESSES",
    "MAX_LIST_BYTES",
    "MAX_PAGE_BYTES",
    "MAX_PICTURE_BYTES",
    "PRINTS_MAKER",
    "PROXY",
    "SECOND_PROXY",
    "Hand",
    "Job",
    "Named",
    "Printer",
    "Profile",
    "Resolve",
    "Second",
    "Setup",
    "Upstream",
    "Viewer",
    "Wishes",
    "attend",
    "capture",
    "code",
    "compared",
    "control_pages",
    "crop",
    "dedupe_key",
    "diagnose",
    "link_key",
    "look",
    "overview",
    "parse_arguments",
    "parse_network",
    "picture_type",
    "platform_at",
    "print_pdf",
    "read_list",
    "read_sheet",
    "reader",
    "redact",
    "run",
    "slices",
    "suggest",
    "together",
    "traffic",
    "warm",
    "without_repeats",
    "words_of_others",
    "work",
]

ADDRESSES = Addresses(key=link_key, is_aside=is_aside)
"""What findings have to know of addresses."""


def code() -> dict[str, str]:
    """Which program reads and compares."""
    return {"version": metadata.version("counterproof"), "code_sha256": code_sha256()}


def reader() -> Bounded:
    """Reads pages in a process of its own, within limits; to be used as a context."""
    return Bounded()


def picture_type(data: bytes) -> str:
    """Media type of a picture, by its content. Raises ``UsageError`` for what could not be compared with anything."""
    try:
        return media_type(data)
    except NotDecoded as error:
        raise UsageError(f"this is no picture to compare with: {error}") from error


async def capture(
    job: Job,
    *,
    vault: Vault,
    environment: Mapping[str, str],
    progress: Progress,
    interrupted: asyncio.Event,
    clock: Callable[[], datetime] = now,
    manners: Mannered | None = None,
    provider: str | None = None,
) -> Result:
    """Carry out the job. Setting ``interrupted`` ends it soon, with everything that was begun recorded.

    ``manners``: those that workers keep together, in place of the job's own. ``provider``: of the browser, in place of
    the one that the settings name.
    """
    session = await open_session(
        job, environment=environment, vault=vault, clock=clock, progress=progress, manners=manners
    )
    return await _carry_out(session, environment=environment, interrupted=interrupted, provider=provider)


def work(setup: Setup, database: Database, vault: Vault | None, *, clock: Callable[[], datetime] = now) -> None:
    """Carry out what is due until told to stop: a worker's whole life, in a process that does nothing else. Blocking.

    ``clock``: the vault's too, by which what is due, what is recorded and what is told of agree.

    Raises ``QueueDown`` when the database of watches goes away.
    """
    worker.run(setup, database, vault, capture=look, clock=clock)


async def look(
    job: Job,
    *,
    vault: Vault,
    environment: Mapping[str, str],
    progress: Progress,
    interrupted: asyncio.Event,
    clock: Callable[[], datetime] = now,
    manners: Mannered | None = None,
    provider: str | None = None,
    readers: Readers | None = None,
) -> Result:
    """As ``capture``, of pages that are looked at again and again: what changed since the last time is recorded.

    With ``job.light`` a page that shows what it showed then is not kept once more. ``readers``: lent, and not ended.
    """
    session = await open_session(
        job, environment=environment, vault=vault, clock=clock, progress=progress, manners=manners, readers=readers
    )
    try:
        session.looking_again = looking = await Looking.begin(session)
    except BaseException:
        await abandon(session)
        raise
    try:
        return looking.result(
            await _carry_out(session, environment=environment, interrupted=interrupted, provider=provider)
        )
    finally:
        looking.close()


async def attend(
    job: Job,
    *,
    vault: Vault,
    environment: Mapping[str, str],
    progress: Progress,
    interrupted: asyncio.Event,
    hand: Hand,
    clock: Callable[[], datetime] = now,
) -> Result:
    """The same in a window in which a person acts: ``hand`` asks for pictures and for the end.

    ``job`` names one page, a headed browser, and follows nothing; its ``timeout_s`` is how long the window may stay.
    """
    alone = len(job.urls) == 1 and not job.follow and not job.look_again_s and not job.control_pages
    if not alone or job.profile.build is not Build.HEADED:
        raise UsageError("a person attends one page, in a window; what follows from it is hers to do")
    session = await open_session(job, environment=environment, vault=vault, clock=clock, progress=progress)
    session.hand = hand
    return await _carry_out(session, environment=environment, interrupted=interrupted)


async def _carry_out(
    session: Session, *, environment: Mapping[str, str], interrupted: asyncio.Event, provider: str | None = None
) -> Result:
    settings = Settings()
    settings.setmodule(settings_module(environment), priority="project")
    if provider is not None:
        settings.set("PLAYWRIGHT_BROWSER_PROVIDER", provider, priority="cmdline")
    settings.set("CONCURRENT_REQUESTS", session.job.concurrency, priority="cmdline")
    crawler = AsyncCrawlerRunner(settings).create_crawler(CaseSpider)
    watcher = asyncio.ensure_future(_stop_when(interrupted, session.cut, crawler))
    crawl = asyncio.ensure_future(crawler.crawl_async(session=session))
    try:
        await _until_over(crawl, interrupted)
        if crawl.done():
            crawl.result()
        else:
            session.notices.append("the browser did not let go in time; what it still held is ended without it")
    except BaseException:
        # Whatever was begun and has no end stays in the journal; the next command brings it to one.
        await abandon(session)
        raise
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
    return await close_session(session, interrupted=interrupted.is_set())


async def _until_over(crawl: asyncio.Future[None], interrupted: asyncio.Event) -> None:
    """The crawl's own end; once a person has interrupted, no longer than a patient one would wait for it."""
    asked = asyncio.ensure_future(interrupted.wait())
    try:
        either: set[asyncio.Future[Any]] = {crawl, asked}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not crawl.done():
            await asyncio.wait({crawl}, timeout=GRACE_S)
    finally:
        asked.cancel()


async def _stop_when(interrupted: asyncio.Event, cut: asyncio.Event, crawler: Any) -> None:
    await interrupted.wait()
    cut.set()
    await crawler.stop_async()


def run(
    job: Job,
    *,
    vault: Vault,
    environment: Mapping[str, str],
    progress: Progress,
    on_interrupt: Callable[[int], None],
    hand: Hand | None = None,
    again: bool = False,
) -> Result:
    """For a process that does nothing else: install the reactor, run the job, handle Ctrl-C. Blocking.

    ``on_interrupt`` is told how many times the person has asked to stop. ``hand``: she attends, and the first time only
    ends the visit. ``again``: ``look`` is done, and not ``capture``.
    """
    install_reactor(REACTOR)
    # Looked through for garbage, what was loaded would be gone through again and again: a tenth of our time.
    gc.freeze()
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
    from twisted.internet import reactor as installed  # noqa: PLC0415  # importing it earlier would install another one

    reactor: Any = installed  # Twisted types it as an interface without what the asyncio reactor has

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    outcome: list[Result | BaseException] = []
    loop = asyncio.get_event_loop()

    async def main() -> None:
        interrupted = asyncio.Event()
        asked = 0

        def stop() -> None:
            nonlocal asked
            asked += 1
            if hand is not None and asked == 1:
                hand.finish()
            else:
                interrupted.set()
            on_interrupt(asked)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            with_what: dict[str, Any] = {
                "vault": vault,
                "environment": environment,
                "progress": progress,
                "interrupted": interrupted,
            }
            if hand is not None:
                doing = attend(job, **with_what, hand=hand)
            else:
                doing = look(job, **with_what) if again else capture(job, **with_what)
            outcome.append(await doing)
        except BaseException as error:  # noqa: BLE001  # carried over to the caller's side of the reactor, and raised there
            outcome.append(error)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            reactor.stop()

    reactor.callWhenRunning(lambda: tasks.append(loop.create_task(main())))
    tasks: list[asyncio.Task[None]] = []
    reactor.run(installSignalHandlers=False)
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result
