"""Scroll: down the page in steps, so that what loads when it comes into view has loaded, and back to the top."""

import asyncio
import time
from dataclasses import dataclass

from crawlers.kit import Kit
from crawlers.tab import Gone, Refused, Slow
from crawlers.world import Place
from custody.model import Json

MAX_PX = 60_000
"""CSS pixels: a page that goes on below has no end that a reader would see."""
MAX_S = 12.0
"""From the first step to the last."""
PERCENT = 80
"""Of what is in view: each step shows some of the one before, so nothing is jumped over."""
STEP_S = 0.1
"""Until a page has noticed that it was scrolled, and asked for what it wants to show."""
MORE_S = 1.5
"""At what looks like the end: for more to come."""
LOADING_S = 4.0
"""Afterwards: for what was asked for to arrive."""
_TICK_S = 0.05


@dataclass(slots=True)
class Scroll:
    """Once, after the first picture was taken and the words were read. Says in the record what was done."""

    kit: Kit

    async def run(self, *, within: float) -> bool:
        """False where there is nothing to scroll, or no time for it. Raises Gone."""
        at = self.kit.order.clock()
        until = time.monotonic() + min(MAX_S, within)
        try:
            place = await self._step(0)
            if place is None or place.height <= place.view + 1:
                return False
            steps, stopped, place = await self._down(place, until)
            await self._quiet()
            await self._step(None)
            await asyncio.sleep(STEP_S)
        except (Slow, Refused) as error:
            self.kit.seen.note("not_scrolled", at, why=str(error))
            return False
        facts: dict[str, Json] = {
            "steps": steps,
            "to_px": round(place.top + place.view),
            "height_px": round(place.height),
            "stopped": stopped,
            "inside": place.inside,
        }
        self.kit.seen.note("scrolled", at, **facts)
        self.kit.seen.done.append("scrolled")
        return True

    async def _down(self, place: Place, until: float) -> tuple[int, str, Place]:
        """How many steps, why there were no more (``end``, ``length``, ``time``, ``left``), and how far they led."""
        steps = 0
        while True:
            if self.kit.tab.lost:
                raise Gone("the page's process died")
            if self.kit.trail.is_leaving:
                return steps, "left", place
            if time.monotonic() > until:
                return steps, "time", place
            if place.top + place.view >= MAX_PX:
                return steps, "length", place
            before = place
            place = await self._step(PERCENT) or before
            steps += 1
            await asyncio.sleep(STEP_S)
            if place.top + place.view < place.height - 1 and place.top > before.top:
                continue
            grown = await self._grows(place, min(until, time.monotonic() + MORE_S))
            if grown is None:
                return steps, "end", place
            place = grown

    async def _grows(self, place: Place, until: float) -> Place | None:
        """The page with more below, where there came more; None once it is quiet and there is none."""
        while time.monotonic() < until:
            await asyncio.sleep(_TICK_S)
            now = await self._step(0)
            if now is not None and now.height > place.height + 1:
                return now
            if not self.kit.trail.in_flight and time.monotonic() - self.kit.trail.quiet_since > STEP_S:
                return None
        return None

    async def _quiet(self) -> None:
        until = time.monotonic() + LOADING_S
        while True:
            if not self.kit.trail.in_flight or time.monotonic() > until:
                return
            await asyncio.sleep(_TICK_S)

    async def _step(self, percent: int | None) -> Place | None:
        return await self.kit.world.scroll(percent)
