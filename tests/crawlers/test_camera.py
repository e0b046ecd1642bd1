"""The camera before a browser that never answers: what it waits for, and what it says."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from crawlers import camera
from crawlers.camera import Camera
from crawlers.sight import Order, Seen
from crawlers.tab import Slow, Tab

PICTURE = b"\x89PNG"


class Tabbed:
    """A tab whose picture comes after so many seconds, and whose document is another after so many."""

    def __init__(self, *, picture_s: float, swap_s: float | None) -> None:
        self._picture_s = picture_s
        self._swap_s = swap_s
        self._begun = time.monotonic()
        self.let_go = False

    def shown(self) -> int:
        return int(self._swap_s is not None and time.monotonic() - self._begun > self._swap_s)

    async def send(self, method: str, params: Mapping[str, Any], *, within: float) -> Mapping[str, Any]:
        assert method == "Page.captureScreenshot"
        try:
            await asyncio.sleep(self._picture_s)
        except asyncio.CancelledError:
            self.let_go = True
            raise
        return {"data": base64.b64encode(PICTURE).decode()}


class Ordered:
    density = 1.0


def shot(tab: Tabbed, shown: Callable[[], object]) -> bytes:
    made = Camera(cast(Tab, tab), cast(Order, Ordered()), Seen(), shown)
    return asyncio.run(made.viewport(within=20))


def test_a_picture_whose_document_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SWAPPED_S", 0.2)
    tab = Tabbed(picture_s=30, swap_s=0.1)
    with pytest.raises(Slow, match="the page left for another while its picture was taken"):
        shot(tab, tab.shown)
    assert tab.let_go


def test_a_picture_that_comes_all_the_same_is_taken() -> None:
    tab = Tabbed(picture_s=0.3, swap_s=0.1)
    assert shot(tab, tab.shown) == PICTURE


def test_a_picture_of_a_document_that_stays_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "SWAPPED_S", 0.0)
    tab = Tabbed(picture_s=0.3, swap_s=None)
    assert shot(tab, tab.shown) == PICTURE
