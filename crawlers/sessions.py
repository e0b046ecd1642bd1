"""Open and close a session: egress, browser plan, the run's events."""

import asyncio
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata

from archive.config import ArchiveConfig
from archive.result import Cost, Result
from archive.tally import TALLY
from archive.vault import Vault
from crawlers.autoconsent import bundle
from crawlers.banners import REJECT
from crawlers.browser import check_driver
from crawlers.control.look import NOT_MADE
from crawlers.egress import Egress, Policy
from crawlers.launching import Launch, find_browser, plan
from crawlers.manners import Mannered, Manners
from crawlers.program import CHECKOUT, code_sha256, released
from crawlers.provenance import fonts
from crawlers.readers import Readers
from crawlers.session import Job, Progress, Session
from crawlers.surfaces import Tokens
from crawlers.video import fetch
from custody.model import Json


def now() -> datetime:
    return datetime.now(UTC)


def _silent(step: str, facts: Mapping[str, Json]) -> None:
    """Nobody is watching."""


async def open_session(
    job: Job,
    *,
    environment: Mapping[str, str],
    settings: Mapping[str, object] | None = None,
    vault: Vault | None = None,
    clock: Callable[[], datetime] = now,
    progress: Progress = _silent,
    manners: Mannered | None = None,
    readers: Readers | None = None,
) -> Session:
    """Everything that a look needs. ``run.opened`` is durable when it returns.

    ``readers``: lent for this run, and given back as they are; None: it has some of its own.
    """
    if vault is None:
        vault = await asyncio.to_thread(Vault.open, ArchiveConfig.load(environment, settings=settings), clock=clock)
    executable = find_browser(environment, checkout=CHECKOUT, build=job.profile.build)
    await asyncio.to_thread(check_driver)
    if job.consent == REJECT:
        bundle.script()  # said now, and not at the first page
    if job.media:
        fetch.version()
    egress = Egress(job.resolve, clock=clock, policy=Policy(allowed=job.allow_network), upstream=job.upstream)
    await egress.start()
    try:
        launch = await asyncio.to_thread(
            plan,
            executable,
            keys=vault.home.keys,
            cache=vault.home.cache,
            env=environment,
            egress_url=egress.url,
            trust_spki=job.trust_spki,
            hide=[vault.home.path / each for each in ("store", "spool", "state")],
            build=job.profile.build,
        )
        described = await asyncio.to_thread(describe, launch)
        acquisition = await asyncio.to_thread(
            vault.begin, job.case, {"settings": job.to_json(), **described}, job.operator
        )
    except BaseException:
        await egress.stop()
        raise
    own = Readers.of_this_program()
    if readers is None:
        own.warm()
    return Session(
        job=job,
        vault=vault,
        acquisition=acquisition,
        egress=egress,
        launch=launch,
        environment=described,
        clock=clock,
        progress=progress,
        readers=readers or own,
        readers_are_lent=readers is not None,
        manners=manners or Manners(job.delay_s, job.per_host, time.monotonic),
        tokens=Tokens(environment),
    )


async def abandon(session: Session) -> None:
    """Let go of everything at once: what was begun stays in the journal, and the next command brings it to an end."""
    await _let_go(session)
    await session.egress.stop()
    session.acquisition.close_run()


async def close_session(session: Session, *, interrupted: bool = False) -> Result:
    """Close the run's events, ask for trusted time, let go of the spool."""
    await asyncio.gather(*session.tasks)
    for looking in session.vanished():
        session.lose(looking.plan, "visit", "it was looked at, and nothing came of it; this is a fault of the program")
    if session.looking_again is not None:
        await session.looking_again.conclude()
    await _let_go(session)
    await session.egress.stop()
    result = await asyncio.to_thread(
        session.vault.finish,
        session.acquisition,
        lost=tuple(session.lost),
        unfinished=session.unfinished(),
        interrupted=interrupted,
        notices=tuple(session.notices),
        controls=_controls(session),
    )
    counted = TALLY.read().since(session.counted)
    looks = len(result.captures) + len(result.unchanged)
    return replace(result, cost=Cost(looks=looks, requests=counted.requests, sent_bytes=counted.sent_bytes))


async def _let_go(session: Session) -> None:
    if session.readers is not None and not session.readers_are_lent:
        await session.readers.end()


def _controls(session: Session) -> Mapping[str, Json]:
    """What came of both control captures; one that never was, or has no end, says so."""
    made = {each.when: each.result for each in session.controls if each.result}
    why = "the run was interrupted" if session.cut.is_set() else "the run ended before it did"
    instead = {"result": NOT_MADE, "why": why} if session.job.control else {"result": "off"}
    return {when: made.get(when, instead) for when in ("start", "end")}


def describe(launch: Launch) -> dict[str, Json]:
    """What looked: software, browser, flags, sandbox, isolation."""
    digest = code_sha256()
    return {
        "software": "counterproof",
        "version": metadata.version("counterproof"),
        "code_sha256": digest,
        "build": "released" if released() == digest else "unreleased",
        "python": platform.python_version(),
        "playwright": metadata.version("playwright"),
        "scrapy": metadata.version("scrapy"),
        "warcio": metadata.version("warcio"),
        "system": platform.platform(),
        "browser": {"executable": launch.executable.name, "flags": list(launch.flags), "headless": launch.headless},
        "fonts": fonts(launch.options["env"]),
        "sandbox": launch.sandbox,
        "key_isolation": launch.isolation.kind,
        "key_isolation_reason": launch.isolation.reason,
    }
