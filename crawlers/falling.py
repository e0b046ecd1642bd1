"""From a look that did not show what was asked for to the next official surface of its platform, in the same unit."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import cast

from archive.reading import Kind, Reading
from archive.surface import Shown, Surface
from crawlers import registry, trimming
from crawlers.bounded import Bounded
from crawlers.judging import Judged, Next, following, judged, official_at, plan_of, wants
from crawlers.platform import Platform
from crawlers.session import Plan, Session
from crawlers.sight import Seen
from crawlers.surfaces import Official
from custody.model import Json, Outcome, Visit

GENERIC = "generic"
"""Who reads what no platform knows."""


class Falling:
    """Of one run. Its reader is a process of its own, begun with the first page that has other surfaces."""

    def __init__(self) -> None:
        self._reader = Bounded()
        self._turn = asyncio.Lock()
        self._known: dict[str, Reading] = {}
        """Of answers, by their capture's id, until they are judged."""

    def close(self) -> None:
        self._reader.__exit__()

    def asked_for(self, plan: Plan) -> Plan:
        """What a person asked for, under its own name where it is an embed's address."""
        official = official_at(plan.url, registry.every())
        return plan if official is None else replace(plan, official=official)

    async def after(self, session: Session, plan: Plan, seen: Seen, visit: Visit) -> tuple[Visit, Plan | None]:
        """The visit with its surface told in full, and the look that is to follow; None: there is none."""
        if session.hand is not None:
            return _told(visit, None, Judged(outcome=visit.outcome, shown=_shown(visit)), None), None
        platform, surfaces = _surfaces(plan, seen, tell=session.notices.append)
        reading = self._known.pop(plan.capture_id, None)
        if reading is None and surfaces and visit.outcome is Outcome.OK and (seen.dom or seen.text).strip():
            reading = await self._read(plan, seen)
        if reading is not None and reading.platform == GENERIC and not reading.fields and not _is_asked(plan):
            reading = None  # its own platform's reader did not come to an end: whether it is a shell, nobody knows
        found = judged(visit.outcome, visit.http_status, reading, plan.surface)
        step = self._step(session, plan, visit, found, surfaces)
        further: Plan | None = None
        if step is not None and step.official is not None:
            session.further[plan.unit] = session.further.get(plan.unit, 0) + 1
            further = plan_of(step.official, plan, capture_id=session.acquisition.new_id())
        return _told(visit, platform, found, step), further

    def _step(
        self, session: Session, plan: Plan, visit: Visit, found: Judged, surfaces: Sequence[Official]
    ) -> Next | None:
        if not session.job.other_surfaces or not wants(plan) or session.cut.is_set():
            return None
        return following(
            found,
            visit.final_url or plan.url,
            surfaces,
            session.tokens,
            tried=session.seen.get(plan.unit, frozenset()),
            already=session.further.get(plan.unit, 0),
        )

    async def linked(self, plan: Plan, seen: Seen) -> list[tuple[str, str]]:
        """The links that an answer for programs has, as a page of nothing else would, under the address it is about."""
        if not _is_asked(plan) or not seen.text.strip():
            return []
        reading = self._known[plan.capture_id] = await self._read(plan, seen)
        found = reading.fields.get("outbound_links")
        links = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
        body = "".join(f'<p><a href="{escape(each)}">{escape(each)}</a></p>' for each in links)
        return (
            [(plan.thing or plan.url, f"<html><body><main><article>{body}</article></main></body></html>")]
            if links
            else []
        )

    async def _read(self, plan: Plan, seen: Seen) -> Reading:
        """Never raises: what a page says costs no more than the knowledge of it."""
        url = None if _is_asked(plan) else seen.final_url  # whose an answer is, its words say, not where it came from
        data = (seen.dom or seen.text).encode("utf-8", "replace")
        async with self._turn:
            try:
                return await asyncio.to_thread(self._reader.read, data, url=url)
            except OSError as error:  # no process could be begun
                return Reading(platform=GENERIC, kind=Kind.OTHER, notes=(f"not read: {type(error).__name__}",))


def _is_asked(plan: Plan) -> bool:
    return plan.official is not None and plan.official.is_asked


def _surfaces(plan: Plan, seen: Seen, *, tell: Callable[[str], object]) -> tuple[Platform | None, tuple[Official, ...]]:
    """Of the thing that was asked for; by where it led, where its own address is one that only leads on."""
    for url in (plan.thing or plan.url, seen.final_url or ""):
        for platform in registry.every():
            if platform.knows_url(url) and (surfaces := _of(platform, url, tell)):
                return platform, surfaces
    return None, ()


def _of(platform: Platform, url: str, tell: Callable[[str], object]) -> tuple[Official, ...]:
    """Another's platform may fail at an address: then it has no further surface for it."""
    try:
        return platform.surfaces(url)
    except Exception as error:  # noqa: BLE001  # perhaps a stranger's platform, and a stranger's address
        tell(f"{url}: the platform {platform.name} could not say its surfaces ({type(error).__name__}), none was tried")
        return ()


def _shown(visit: Visit) -> Shown:
    return judged(visit.outcome, visit.http_status, None, Surface.ATTENDED).shown


def _told(visit: Visit, platform: Platform | None, found: Judged, step: Next | None) -> Visit:
    said = {**cast("dict[str, Json]", visit.circumstances["surface"]), "shown": found.shown.value}
    if platform is not None:
        said["platform"] = platform.name
    if found.outcome is not visit.outcome:
        said["wall"] = found.outcome.value
    if step is not None:
        said["next"] = step.to_json()
    return replace(visit, circumstances={**visit.circumstances, "surface": trimming.fact(said)})
