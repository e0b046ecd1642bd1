"""Documents inside the page's own that a reader takes for the page: of a frameset, or filling the window."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from crawlers.kit import Kit
from crawlers.sight import Framed
from crawlers.tab import Refused, Slow, Tab
from crawlers.world import World

MAX_FRAMES = 20
MAX_DEPTH = 4
COVERING = 80
"""Per cent of the window: a frame that takes up so much is what is looked at, where little stands around it."""
MAX_AROUND = 600
"""Characters that may stand around it; a page that says more is a page of its own, with something laid over it."""


@dataclass(slots=True)
class _Room:
    frames: int = MAX_FRAMES


@dataclass(frozen=True, slots=True)
class Frames:
    """Reads them as the page itself is read, each in an isolated world of its own."""

    kit: Kit

    async def read(self, *, within: float) -> list[Framed]:
        """In document order, each before what it holds. Says itself what could not be read. Raises Gone."""
        room = _Room()
        return [each async for each in self._inside(self.kit.world, room, depth=1, within=within)]

    async def _inside(self, world: World, room: _Room, *, depth: int, within: float) -> AsyncIterator[Framed]:
        for frame in await self._ids(world, within=within) if depth <= MAX_DEPTH else ():
            if room.frames <= 0:
                self.kit.seen.note("frames_unread", self.kit.order.clock(), why=f"more than {MAX_FRAMES}")
                return
            room.frames -= 1
            try:
                inner, framed = await self._one(frame, within=within)
            except (Slow, Refused) as error:
                self.kit.seen.note("frame_unread", self.kit.order.clock(), why=str(error))
                continue
            if framed.url.startswith(("http:", "https:", "about:srcdoc", "blob:")):
                yield framed
                async for each in self._inside(inner, room, depth=depth + 1, within=within):
                    yield each

    async def _ids(self, world: World, *, within: float) -> list[str]:
        try:
            return await world.frames(covering=COVERING, around=MAX_AROUND, limit=MAX_FRAMES + 1, within=within)
        except (Slow, Refused) as error:
            self.kit.seen.note("frames_unread", self.kit.order.clock(), why=str(error))
            return []

    async def _one(self, frame: str, *, within: float) -> tuple[World, Framed]:
        tab: Tab = self.kit.tab
        world = World(tab, frame)
        try:
            words = await world.read(within=within)
        except Refused:  # of another site, and so in a process of its own
            world = World(await tab.inner(frame), frame)
            words = await world.read(within=within)
        markup = await world.markup(within=within)
        return world, Framed(url=words.url, text=words.text, dom=markup)
