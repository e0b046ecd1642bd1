"""Downloader middleware: before the browser goes anywhere, robots.txt is read and the intent is durable in the log."""

import asyncio
from typing import Any

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.address import dedupe_key
from crawlers.control.look import ControlLook
from crawlers.official import answered
from crawlers.robots import RobotsAnswer, decide
from crawlers.session import Looking, Plan, Session
from crawlers.video.fetch import MAX_S
from custody.instant import format_utc
from custody.model import Json, Role, Snapshot


class Intent:
    """Writes ``capture.started``, then lets the request through."""

    async def process_request(self, request: Request) -> Response | None:
        session: Session | None = request.meta.get("session")
        if session is not None and "control" in request.meta:
            await _control(session, request)
        if session is None or "plan" not in request.meta:
            return None
        plan: Plan = request.meta["plan"]

        def waiting() -> None:
            session.progress("waiting", {"capture": plan.capture_id, "url": plan.url})

        await session.manners.enter(plan.capture_id, plan.url, session.cut, waiting=waiting)
        if session.cut.is_set():
            raise IgnoreRequest("interrupted before it began")
        session.progress("start", {"capture": plan.capture_id, "url": plan.url, "depth": plan.depth})
        override = session.override_of(plan)
        started, answer = await asyncio.gather(
            asyncio.to_thread(
                session.acquisition.start,
                capture_id=plan.capture_id,
                unit=plan.unit,
                url=plan.url,
                parent=plan.parent,
                timeout_s=session.job.timeout_s + (MAX_S if session.job.media else 0),
                look_id=session.look_of(plan),
                attempt=session.job.attempt,
                light=plan.basis is not None,
                facts={
                    **({} if override is None else {"robots_override": dict(override)}),
                    "url_key": dedupe_key(plan.url),
                    "operator": session.job.operator,
                    "depth": plan.depth,
                    "robots": session.job.robots,
                    "surface": session.surface if session.hand is not None else plan.surface.value,
                },
            ),
            _robots(session, plan.url),
        )
        spool = session.acquisition.visit_spool(plan.capture_id)
        looking = Looking(name=plan.capture_id, url=plan.url, plan=plan, spool=spool, started=started, robots={})
        session.looking[plan.capture_id] = looking
        context = _context(session, plan.capture_id)  # known to the egress from now on, though it may be refused
        looking.robots, allowed = _kept(session, looking, answer)
        if session.job.robots == "obey" and override is None and allowed is not True:
            request.meta["refused"] = f"robots.txt of {answer.url} does not allow it, and --robots obey was given"
            raise IgnoreRequest(request.meta["refused"])
        request.meta["keeping"] = looking
        request.meta["playwright_context_kwargs"] = context
        if plan.official is not None and plan.official.is_asked:
            return await answered(request, session, looking, plan.official)
        return None


async def _control(session: Session, request: Request) -> None:
    """The program's own page is served, and the hole to it is opened for this visit and for no other."""
    control: ControlLook = request.meta["control"]
    await control.site.start()
    session.egress.admit(control.name, resolve=(control.site.hole,))
    request.meta["keeping"] = control.keeping
    request.meta["playwright_context_kwargs"] = _context(session, control.name)


async def _robots(session: Session, url: str) -> RobotsAnswer:
    assert session.robots is not None, "the spider sets the keeper before its first request"
    return await session.robots.answer(url)


def _kept(session: Session, looking: Looking, answer: RobotsAnswer) -> tuple[dict[str, Json], bool | None]:
    """Keep the file itself with the visit, and say what it decides about this address."""
    decision = decide(looking.plan.url, answer.body, answer.status)
    file: Snapshot | None = None
    if answer.body is not None:
        file = looking.keep(Role.ROBOTS, "robots.txt", "text/plain", answer.body)
    said: dict[str, Json] = {
        "url": answer.url,
        "status": answer.status,
        "error": answer.error,
        "fetched_at": format_utc(answer.fetched_at),
        "sha256": file.digest.hex if file else None,
        "token": decision.token,
        "allowed": decision.allowed,
        "reason": decision.reason,
        "basis": _basis(session, looking.plan),
    }
    return said, decision.allowed


def _basis(session: Session, plan: Plan) -> str:
    """What the decision rests on: a person who asked for this very page, the file, or a decision against it."""
    if session.job.robots != "obey":
        return "user_requested"
    return "obey" if session.override_of(plan) is None else "overridden"


def _context(session: Session, name: str) -> dict[str, Any]:
    session.egress.admit(name)
    return {
        # Without its credential: Playwright would hold up each request of each page to be able to show it.
        "proxy": {"server": session.egress.url},
        "ignore_https_errors": True,  # a bad certificate is shown, named and recorded; it is evidence too
        **session.job.profile.context(),
        "accept_downloads": True,
        "service_workers": "allow",
    }
