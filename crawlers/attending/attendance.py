"""One visit that a person makes: the program opens the page, keeps what each page shows, and never acts itself."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from crawlers.address import SCHEMES
from crawlers.arrival import Arrival
from crawlers.attending.album import Album, Moment, Rename
from crawlers.attending.hand import Hand
from crawlers.attending.inputs import Inputs
from crawlers.attending.listening import Listening, described
from crawlers.firsthand import Firsthand
from crawlers.hops import Trail
from crawlers.kit import Kit
from crawlers.look import Look
from crawlers.recording.withholding import Withholding
from crawlers.sight import Order, Seen
from crawlers.tab import Gone, Refused, Slow, Tab
from custody.instant import parse_utc
from custody.model import Hop, HopKind, Json

TICK_S = 0.05
QUIET_S = 0.5
"""A page that has loaded and asked for nothing this long is kept."""
SETTLE_S = 3.0
"""A page that has loaded and still fetches is kept after this long."""
STUCK_S = 12.0
"""A page that is shown and does not finish loading is kept after this long."""
MAX_HOPS = 100
PRESSED_WITHIN = timedelta(seconds=3)
"""A page that leaves so soon after it was pressed on leaves because of that."""
PRESSED_AFTER = timedelta(seconds=0.5)
SETTLE_INPUTS_S = 2.0
COMPOSE_S = 20.0
"""For the pictures of very tall pages, all in all, once the visit is over."""


NOT_ASKED = "a person had the page: it was read once the visit was over"
"""Why a reading has no boxes."""


class Attendance(Look):
    """Ends when the person says so, closes the window, or the time is over. Never raises for what a page does."""

    def __init__(self, tab: Tab, order: Order, seen: Seen, *, hand: Hand, rename: Rename) -> None:
        withholding = Withholding(of_person=True)
        self._hand = hand
        self._inputs = Inputs(clock=order.clock)
        self._listening = Listening(self._inputs, withholding)
        self._album = Album(order.keep, rename, withholding, is_in_clear=lambda: self._listening.is_in_clear)
        self._wanted: str | None = None
        self._said = False
        self._shown_since = 0.0
        self._kept: object = None
        super().__init__(
            tab, replace(order, keep=self._album.keep), seen, withholding=withholding, companion=self._listening
        )

    async def run(self) -> None:
        """To the end of the visit. Raises Gone when the browser dies on the way."""
        tab, order, seen = self._tab, self._order, self._seen
        try:
            self._kit = kit = await self._prepare()
            tab.on("Page.windowOpen", self._on_window)
            tab.on("Page.frameStartedNavigating", self._on_started)
            if self._blind is not None:
                seen.fail("error", f"what is typed could not be watched, so nothing was opened: {self._blind}")
                return
            seen.settings.update(await kit.world.describe())
            seen.settings.update(await tab.facts())
            seen.times["requested_at"] = order.clock()
            order.progress("attend", {})
            await self._attend(kit)
        except Gone:
            if tab.crashed:
                raise
            seen.note("window_closed", order.clock())

    async def _attend(self, kit: Kit) -> None:
        until = time.monotonic() + self._order.timeout_s
        going = asyncio.ensure_future(Arrival(kit).navigate(self._order.url))
        try:
            while not self._hand.is_done:
                await asyncio.sleep(TICK_S)
                if kit.tab.lost:
                    raise Gone("the window was closed")
                if time.monotonic() > until:
                    self._seen.note("time_over", self._order.clock(), after_s=round(self._order.timeout_s))
                    break
                if self._blind is not None:
                    self._seen.fail("error", f"ended, for what is typed could no longer be watched: {self._blind}")
                    return
                if going.done() and not going.result() and kit.trail.shown_url is None:
                    return  # it cannot be had, and why is said
                await self._tick(kit)
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
        await self._leave(kit)

    @property
    def _blind(self) -> str | None:
        """Why nobody can tell any more whether a secret is typed."""
        return "nothing is recorded here" if self._traffic is None else self._traffic.trouble

    async def _tick(self, kit: Kit) -> None:
        if self._withholding.since is not None and not self._said:
            self._said = True
            self._order.progress("quarantine", {"reason": self._withholding.reason})
        if (wanted := self._wanted) is not None:
            self._wanted = None
            await self._go_here(kit, wanted)
        self._notice(kit)
        if self._is_to_be_kept(kit):
            self._kept = self._shown(kit)
            kept = await self._album.arrive(kit)
            self._order.progress("page", {"n": self._album.pages[-1].n, "kept": kept})
        asked = self._hand.take()
        if self._listening.shots_asked:
            asked, self._listening.shots_asked = True, 0
        if asked:
            self._say_shot(await self._album.shoot(kit) if self._album.pages else None)

    def _say_shot(self, moment: Moment | None) -> None:
        at = self._order.clock()
        if moment is None:
            why = "too many were taken" if self._album.shots else "no page is shown"
            self._seen.note("not_shot", at, why=why)
            self._order.progress("not_shot", {"reason": why})
            return
        n = len(self._album.shots)
        self._seen.note("shot", moment.at, n=n)
        self._order.progress("shot", {"n": n})

    async def _leave(self, kit: Kit) -> None:
        """What is shown at the end is what the record speaks of."""
        self._notice(kit)
        if self._album.pages and kit.trail.shown_url is not None:
            self._order.progress("snapshot", {})
            await self._album.end(kit)

    def _shown(self, kit: Kit) -> tuple[str | None, str]:
        """Document and address; a fragment counts where it is an address of its own (``#/…``, ``#!…``)."""
        url, _, fragment = (kit.trail.shown_url or "").partition("#")
        return kit.trail.shown_request, f"{url}#{fragment}" if fragment[:1] in {"/", "!"} else url

    def _notice(self, kit: Kit) -> None:
        if kit.trail.shown_url is None:
            return
        document, url = self._shown(kit)
        last = self._album.pages[-1] if self._album.pages else None
        if last is None or (last.document, last.url) != (document or "", url):
            self._album.open(url, document or "", self._order.clock())
            self._shown_since = time.monotonic()

    def _is_to_be_kept(self, kit: Kit) -> bool:
        trail, now = kit.trail, time.monotonic()
        if trail.shown_url is None or trail.is_leaving or self._shown(kit) == self._kept:
            return False
        if trail.loaded_at is None:
            return now - self._shown_since > STUCK_S
        since = max(trail.loaded_at, self._shown_since)
        quiet = not trail.in_flight and now - max(trail.quiet_since, since) >= QUIET_S
        return quiet or now - since >= SETTLE_S

    async def _go_here(self, kit: Kit, url: str) -> None:
        """A link that opens a window is gone to in this one: one visit is one window."""
        kit.trail.clicked = True
        kit.seen.note(
            "opened_here", self._order.clock(), url=self._withholding.address(url, self._order.clock())[:2000]
        )
        params = {"url": url, "transitionType": "link", "referrer": kit.trail.shown_url or ""}
        try:
            await kit.tab.send("Page.navigate", params)
        except (Slow, Refused) as error:
            kit.seen.note("not_opened", self._order.clock(), why=str(error))

    def _on_window(self, event: Mapping[str, Any]) -> None:
        """Only one that a person's press opened; the others are shut and noted, as always."""
        url = str(event.get("url", ""))
        if event.get("userGesture") and url.partition(":")[0] in SCHEMES:
            self._wanted = url

    def _on_started(self, event: Mapping[str, Any]) -> None:
        """What was done outside of the page: to reload, or to go back or forward. The address bar shows in the hops."""
        words = {"reload": "reload", "historyDifferentDocument": "back or forward"}
        said = words.get(str(event.get("navigationType")))
        if self._kit is not None and said is not None and event.get("frameId") == self._kit.trail.main_frame:
            self._inputs.add("navigate", self._order.clock(), {"name": said})

    def _trail(self, frame: str) -> Trail:
        return Trail(frame, self._order.clock, time.monotonic, limit=MAX_HOPS, unasked=HopKind.PERSON)

    def _on_dialog(self, event: Mapping[str, Any]) -> None:
        """The person answers it."""
        self._seen.note(
            "dialog_shown", self._order.clock(), dialog=str(event["type"]), message=str(event["message"])[:500]
        )

    def _shown_at(self) -> Mapping[str, str]:
        return self._album.addresses()

    async def close(self) -> None:
        await self._listening.settle(within=0 if self._tab.lost else SETTLE_INPUTS_S)
        seen, kit = self._seen, self._kit
        self._speak_of_the_last()
        if kit is not None:
            await self._album.compose(kit, within=COMPOSE_S)
        await super().close()
        seen.hops = tuple(self._hop(each) for each in seen.hops)
        if seen.final_url is not None:
            seen.final_url = self._withholding.address(seen.final_url, self._order.clock())
        if kit is not None:  # now that the address is without what is withheld
            await Firsthand(kit).afterwards(NOT_ASKED)
        for each in seen.interactions:
            if isinstance(url := each.get("url"), str) and self._withholding.covers(parse_utc(str(each["at"]))):
                each["url"] = self._withholding.address(url, self._order.clock())
        attended: dict[str, Json] = {
            "script": described(),
            **self._inputs.to_json(),
            "inputs": self._inputs.listed,
            **self._album.to_json(),
        }
        if kit is not None and kit.trail.more:
            attended["hops_more"] = kit.trail.more
        if self._traffic is not None and self._traffic.unheard:
            attended["not_listened_to"] = self._traffic.unheard
        if self._listening.malformed:
            attended["malformed"] = self._listening.malformed
        seen.attended = attended

    def _speak_of_the_last(self) -> None:
        seen, album, kit = self._seen, self._album, self._kit
        there = album.settle(seen.snapshots)
        shown = kit.trail.shown_url if kit is not None else None
        seen.reached = there or shown is not None
        if there and album.last is not None:
            last = album.last
            seen.title, seen.dom, seen.frames = last.title or None, last.dom, last.frames
            seen.text = "\n".join([last.text, *(each.text for each in last.frames)])
            seen.final_url = album.pages[-1].url
            seen.times["screenshot_at"] = last.at
            for each in last.lacks:
                seen.lacks(each.role, each.reason)
        elif seen.trouble is None:
            why = "the window was closed" if self._tab.lost else "the visit was ended"
            what = "the last page" if any(each.moments for each in album.pages) else "a page"
            seen.fail("closed", f"{why} before anything of {what} was kept")

    def _hop(self, hop: Hop) -> Hop:
        at = hop.at
        if hop.kind is HopKind.SCRIPT and self._inputs.was_pressed(at, within=PRESSED_WITHIN, after=PRESSED_AFTER):
            hop = replace(hop, kind=HopKind.CLICK)
        to_url, from_url = (self._withholding.address(each, at) for each in (hop.to_url, hop.from_url))
        return replace(hop, to_url=to_url, from_url=from_url)
