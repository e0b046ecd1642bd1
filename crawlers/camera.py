"""Pictures of the page: the viewport as it lies, and the whole page in tiles."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crawlers.sight import Order, Seen
from crawlers.tab import Gone, Tab, TabTrouble
from custody.model import Role

MAX_SIDE_PX = 16_384
"""Chromium's largest texture: a taller picture repeats itself or goes blank."""
MAX_TILE_PX = 24_000_000
"""Width times height of one picture: what Chromium can hold as one without a gigabyte of memory."""
MAX_TILES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A piece of the page, from its left edge, in CSS pixels."""

    top: int
    width: int
    height: int


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

    async def viewport(self, *, within: float) -> bytes:
        """What a reader has before him. Nothing in the page is moved for it. Raises TabTrouble."""
        if self.order.density == 1:
            return await self._shot({}, within=within)
        metrics = await self.tab.send("Page.getLayoutMetrics", within=within)
        view = metrics["cssVisualViewport"]
        clip = {
            "x": view["pageX"],
            "y": view["pageY"],
            "width": view["clientWidth"],
            "height": view["clientHeight"],
            "scale": self.order.density,
        }
        return await self._shot({"clip": clip}, within=within)

    async def whole_page(self, *, within: Callable[[], float]) -> None:
        """The page from top to bottom; a very tall one as several files.

        Chromium lays the page out in a larger window for it, which the page may notice (it sees a resize): whatever
        must not be changed by that is taken before. Says itself what it lacks. Raises Gone.
        """
        scale = self.order.density
        try:
            metrics = await self.tab.send("Page.getLayoutMetrics", within=within())
            width, height = (max(1, int(metrics["cssContentSize"][side])) for side in ("width", "height"))
            self.seen.settings["page_px"] = {"width": width, "height": height}
            kept = 0
            for number, tile in enumerate(tiles(width, height, scale), start=1):
                clip = {"x": 0, "y": tile.top, "width": tile.width, "height": tile.height, "scale": scale}
                data = await self._shot({"captureBeyondViewport": True, "clip": clip}, within=within())
                name = "screenshot.png" if number == 1 else f"screenshot-{number}.png"
                self.seen.snapshots.append(self.order.keep(Role.SCREENSHOT, name, "image/png", data))
                kept = tile.top + tile.height
        except TabTrouble as error:
            self.seen.lacks(Role.SCREENSHOT, str(error))
            if isinstance(error, Gone):
                raise
            return
        if kept < height:
            self.seen.lacks(Role.SCREENSHOT, f"the page is {height} px tall; its first {kept} px are kept")
        if width > (side := int(MAX_SIDE_PX / scale)):
            self.seen.lacks(Role.SCREENSHOT, f"the page is {width} px wide; its left {side} px are kept")

    async def _shot(self, more: dict[str, Any], *, within: float) -> bytes:
        # optimizeForSpeed: the same pixels, packed less tightly.
        params = {"format": "png", "optimizeForSpeed": True, **more}
        answer = await self.tab.send("Page.captureScreenshot", params, within=within)
        return base64.b64decode(answer["data"])
