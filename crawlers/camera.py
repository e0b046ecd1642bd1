"""Pictures of the page: the viewport as it lies, and the whole page in tiles."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from crawlers.sight import Order, Seen
from crawlers.tab import Gone, Slow, Tab, TabTrouble, let_go
from custody.model import Role

MAX_SIDE_PX = 16_384
"""Chromium's largest texture: a taller picture repeats itself or goes blank."""
MAX_TILE_PX = 24_000_000
"""Width times height of one picture: what Chromium can hold as one without a gigabyte of memory."""
MAX_TILES = 8
TURN_S = 4.0
"""So long a picture of a whole page waits for those of other visits: one that does not come holds up no other."""
TICK_S = 0.05
SWAPPED_S = 2.0
"""Where a document replaces another while a picture is taken, Chromium may never answer: so long it is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A piece of the page, from its left edge, in CSS pixels."""

    top: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        return self.top + self.height


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """A picture that was kept of a piece of the page."""

    name: str
    tile: Tile
    px: tuple[int, int]
    """Width and height of the picture itself, as the file says."""


def tiles(width: int, height: int, scale: float = 1.0) -> Iterator[Tile]:
    """Top to bottom in CSS pixels, each small enough for the browser, at most ``MAX_TILES``.

    ``scale``: pixels of the picture to one of the page, along a side.
    """
    side = int(MAX_SIDE_PX / scale)
    width = max(1, min(width, side))
    step = max(1, min(side, int(MAX_TILE_PX / scale**2) // width))
    for top in range(0, max(1, height), step)[:MAX_TILES]:
        yield Tile(top=top, width=width, height=max(1, min(step, height - top)))


@dataclass(frozen=True, slots=True)
class Camera:
    """Asks the browser for pictures and keeps them."""

    tab: Tab
    order: Order
    seen: Seen
    shown: Callable[[], object]
    """Which document the tab shows: another answer is another document."""

    async def viewport(self, *, within: float) -> bytes:
        """What a reader has before him. Nothing in the page is moved for it. Raises TabTrouble.

        Without a clip: for one, Chromium would lay the page out anew, and what a phone shows small would be another.
        """
        if self.order.screen is not None:
            view = (await self.tab.send("Page.getLayoutMetrics", within=within))["cssVisualViewport"]
            self.seen.settings["page_scale"] = f"{view['scale']:.4f}"
        return await self._shot({}, within=within)

    async def whole_page(self, *, within: Callable[[], float]) -> tuple[Shot, ...]:
        """The page from top to bottom; a very tall one as several files. What was kept of it, in this order.

        Chromium lays the page out in a larger window for it, which the page may notice (it sees a resize): whatever
        must not be changed by that is taken before. A page that has room in the window is taken as it lies there: where
        the larger window is no larger, Chromium now and then draws frames of other sites white. Says itself what it
        lacks. Raises Gone.
        """
        shots: list[Shot] = []
        scale = self.order.density  # of the picture: that of the screen, which the browser knows
        try:
            metrics = await self.tab.send("Page.getLayoutMetrics", within=within())
            width, height = (max(1, int(metrics["cssContentSize"][side])) for side in ("width", "height"))
            self.seen.settings["page_px"] = {"width": width, "height": height}
            view = metrics["cssVisualViewport"]
            beyond = width > view["clientWidth"] or height > view["clientHeight"]
            for number, tile in enumerate(tiles(width, height, scale), start=1):
                clip = {"x": 0, "y": tile.top, "width": tile.width, "height": tile.height, "scale": 1}
                async with self._turn(min(TURN_S, within())):
                    data = await self._shot({"captureBeyondViewport": beyond, "clip": clip}, within=within())
                name = "screenshot.png" if number == 1 else f"screenshot-{number}.png"
                picture = self.order.keep(Role.SCREENSHOT, name, "image/png", data)
                self.seen.add_picture(picture)
                shots.append(Shot(name=picture.name, tile=tile, px=_size(data)))
        except TabTrouble as error:
            self.seen.lacks(Role.SCREENSHOT, str(error))
            if isinstance(error, Gone):
                raise
            return tuple(shots)
        if (kept := shots[-1].tile.bottom) < height:
            self.seen.lacks(Role.SCREENSHOT, f"the page is {height} px tall; its first {kept} px are kept")
        if width > (side := int(MAX_SIDE_PX / scale)):
            self.seen.lacks(Role.SCREENSHOT, f"the page is {width} px wide; its left {side} px are kept")
        return tuple(shots)

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator[None]:
        """After other visits' pictures, as long as they do not take for ever."""
        lock, held = self.order.pictures, False
        try:
            if lock is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        held = await lock.acquire()
            yield
        finally:
            if lock is not None and held:
                lock.release()

    async def _shot(self, more: dict[str, Any], *, within: float) -> bytes:
        # optimizeForSpeed: the same pixels, packed less tightly.
        params = {"format": "png", "optimizeForSpeed": True, **more}
        asked = asyncio.ensure_future(self.tab.send("Page.captureScreenshot", params, within=within))
        asked.add_done_callback(let_go)
        try:
            await self._answered_or_swapped(asked)
        finally:
            asked.cancel()
        return base64.b64decode(asked.result()["data"])

    async def _answered_or_swapped(self, asked: "asyncio.Future[Any]") -> None:
        """Raises Slow where the picture's document is gone, and its picture has not come."""
        before, swapped_at = self.shown(), None
        while not (await asyncio.wait({asked}, timeout=TICK_S))[0]:
            if swapped_at is None and self.shown() != before:
                swapped_at = time.monotonic()
            if swapped_at is not None and time.monotonic() - swapped_at > SWAPPED_S:
                raise Slow("the page left for another while its picture was taken")


def _size(png: bytes) -> tuple[int, int]:
    """As the first chunk has it (PNG 11.2.2)."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
