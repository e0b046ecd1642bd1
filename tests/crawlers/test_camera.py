"""The camera before a browser that never answers: what it waits for, and what it says."""

import asyncio
import base64
import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from crawlers import camera
from crawlers.camera import Camera
from crawlers.sight import Order, Seen
from crawlers.tab import Slow, Tab
from custody.digest import Digest
from custody.model import Role, Snapshot

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
    screen = None

    def __init__(self, pictures: asyncio.Lock | None = None) -> None:
        self.pictures = pictures

    def keep(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        return Snapshot(
            role=role,
            name=name,
            media_type=media_type,
            path=Path(name),
            digest=Digest.of(data),
            bytes=len(data),
            made_at=datetime(2026, 1, 1, tzinfo=UTC),
        )


class Tall(Tabbed):
    """A page of one picture, which says when it was painted."""

    def __init__(self, *, picture_s: float) -> None:
        super().__init__(picture_s=picture_s, swap_s=None)
        self.painted: list[tuple[float, float]] = []

    async def send(self, method: str, params: Mapping[str, Any] | None = None, *, within: float) -> Mapping[str, Any]:
        if method == "Page.getLayoutMetrics":
            view = {"pageX": 0, "pageY": 0, "clientWidth": 1280, "clientHeight": 720}
            return {"cssContentSize": {"width": 1280, "height": 5000}, "cssVisualViewport": view}
        begun = time.monotonic()
        answer = await super().send(method, params or {}, within=within)
        self.painted.append((begun, time.monotonic()))
        return answer


async def whole_pages(*tabs: Tall) -> list[Seen]:
    pictures, seen = asyncio.Lock(), [Seen() for _ in tabs]
    looks = [
        Camera(cast(Tab, tab), cast(Order, Ordered(pictures)), what, tab.shown)
        for tab, what in zip(tabs, seen, strict=True)
    ]
    await asyncio.gather(*(each.whole_page(within=lambda: 20.0) for each in looks))
    return seen


def test_whole_pages_are_painted_one_at_a_time() -> None:
    tabs = [Tall(picture_s=0.2) for _ in range(3)]
    seen = asyncio.run(whole_pages(*tabs))
    times = sorted(time for tab in tabs for time in tab.painted)
    assert len(times) == 3
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))
    assert all(len(each.snapshots) == 1 and not each.missing for each in seen)


def test_a_picture_that_does_not_come_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "TURN_S", 0.1)
    slow, quick = Tall(picture_s=2.0), Tall(picture_s=0.1)
    seen = asyncio.run(whole_pages(slow, quick))
    assert quick.painted[0][1] < slow.painted[0][1]
    assert all(len(each.snapshots) == 1 for each in seen)


class Measured:
    """A tab that shows a page of such a size in a window of 1366 by 900."""

    def __init__(self, width: int, height: int) -> None:
        self._metrics = {
            "cssContentSize": {"x": 0, "y": 0, "width": width, "height": height},
            "cssVisualViewport": {"pageX": 0, "pageY": 0, "clientWidth": 1366, "clientHeight": 900},
        }
        self.shots: list[Mapping[str, Any]] = []

    async def send(self, method: str, params: Mapping[str, Any] | None = None, *, within: float) -> Mapping[str, Any]:
        if method == "Page.getLayoutMetrics":
            return self._metrics
        self.shots.append(params or {})
        return {"data": base64.b64encode(PICTURE).decode()}


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


@pytest.mark.parametrize(
    ("width", "height", "beyond"), [(1366, 900, False), (1366, 120, False), (1366, 901, True), (1400, 900, True)]
)
def test_the_window_is_enlarged_only_for_a_page_that_has_no_room_in_it(
    width: int, height: int, *, beyond: bool
) -> None:
    """Chromium leaves frames of other sites white, one time in five, where the larger window is no larger."""
    tab = Measured(width, height)
    made = Camera(cast(Tab, tab), cast(Order, Ordered()), Seen(), lambda: 1)
    asyncio.run(made.whole_page(within=lambda: 20))
    assert [bool(each.get("captureBeyondViewport")) for each in tab.shots] == [beyond]
