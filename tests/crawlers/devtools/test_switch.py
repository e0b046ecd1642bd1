"""Between a browser and a driver that are played here, over real pipes: what comes through, and what an end means."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from crawlers.devtools.frames import Frames
from crawlers.devtools.handover import Ends
from crawlers.devtools.switch import Switch
from crawlers.tab import Gone, Refused

HUB, MINE = "A" * 32, "B" * 32
PATIENCE_S = 60
LARGE = 40 << 20


@dataclass(kw_only=True)
class End:
    """One of the two, at his ends of the pipes."""

    says: int
    hears: int
    frames: Frames = field(default_factory=Frames)
    heard: list[bytes] = field(default_factory=list)

    async def say(self, *said: bytes) -> None:
        await asyncio.to_thread(self._write, b"".join(each + b"\0" for each in said))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.says, view) :]

    async def next(self) -> bytes:
        """What it is told next; empty at the end."""
        while not self.heard:
            data = await asyncio.wait_for(asyncio.to_thread(os.read, self.hears, 1 << 20), PATIENCE_S)
            if not data:
                return b""
            self.heard += self.frames.cut(data)
        return self.heard.pop(0)

    async def next_said(self) -> Any:
        return json.loads(await self.next())

    def leave(self) -> None:
        for each in ("says", "hears"):
            if (end := getattr(self, each)) >= 0:
                os.close(end)
                setattr(self, each, -1)


@dataclass(kw_only=True)
class Scene:
    switch: Switch
    browser: End
    driver: End

    async def opened(self) -> Any:
        """Our session with a page, for which the browser plays its part."""
        asked = asyncio.ensure_future(self.switch.target("page"))
        if (said := await self.browser.next_said())["method"] == "Target.attachToBrowserTarget":
            await self.browser.say(answer(said["id"], {"sessionId": HUB}))
            said = await self.browser.next_said()
        assert (said["method"], said["sessionId"]) == ("Target.attachToTarget", HUB)
        attached = {"sessionId": MINE, "targetInfo": {"type": "page"}}
        await self.browser.say(
            of(HUB, {"method": "Target.attachedToTarget", "params": attached}),
            of(MINE, {"method": "Network.early", "params": {}}),
            of(HUB, {"id": said["id"], "result": {"sessionId": MINE}}),
        )
        return await asked


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    driver_says, a = os.pipe()
    b, driver_hears = os.pipe()
    browser_says, c = os.pipe()
    d, browser_hears = os.pipe()
    for each in (driver_says, driver_hears, browser_says, browser_hears):
        os.set_blocking(each, False)
    ends = Ends(
        driver_says=driver_says, driver_hears=driver_hears, browser_says=browser_says, browser_hears=browser_hears
    )
    made = Scene(switch=Switch(ends), browser=End(says=c, hears=d), driver=End(says=a, hears=b))
    try:
        yield made
    finally:
        made.switch.close()
        made.browser.leave()
        made.driver.leave()


def played(play: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene() as made:
            await asyncio.wait_for(play(made), PATIENCE_S)

    asyncio.run(run())


def of(session: str, said: dict[str, Any]) -> bytes:
    return json.dumps({**said, "sessionId": session}, separators=(",", ":")).encode()


def answer(number: int, result: dict[str, Any]) -> bytes:
    return json.dumps({"id": number, "result": result}, separators=(",", ":")).encode()


def test_what_the_two_say_to_each_other_comes_through_as_it_is() -> None:
    async def play(on: Scene) -> None:
        await on.driver.say(b'{"id":1, "method": "\xff odd"}', b'{"id":2}')
        assert [await on.browser.next(), await on.browser.next()] == [b'{"id":1, "method": "\xff odd"}', b'{"id":2}']
        theirs = b'{"method":"A.b","params":{},"sessionId":"' + b"C" * 32 + b'"}'
        await on.browser.say(theirs, b"not even JSON")
        assert [await on.driver.next(), await on.driver.next()] == [theirs, b"not even JSON"]

    played(play)


def test_a_session_of_ours_is_not_told_to_the_driver() -> None:
    async def play(on: Scene) -> None:
        mine = await on.opened()
        events: list[Any] = []
        mine.on("Network.told", events.append)
        asked = mine.post("Page.enable", {"a": 1})
        said = await on.browser.next_said()
        assert (said["method"], said["params"], said["sessionId"]) == ("Page.enable", {"a": 1}, MINE)
        await on.browser.say(
            of(MINE, {"method": "Network.told", "params": {"n": 1}}),
            of(MINE, {"id": said["id"], "result": {"done": True}}),
            b"for the driver",
        )
        assert await asked == {"done": True}
        assert events == [{"n": 1}]
        assert await on.driver.next() == b"for the driver", "and nothing that was ours came before it"

    played(play)


def test_a_refusal_and_a_session_that_ended_are_two_things() -> None:
    async def play(on: Scene) -> None:
        mine = await on.opened()
        refused, left = mine.post("Page.a", {}), mine.post("Page.b", {})
        said = await on.browser.next_said()
        await on.browser.say(of(MINE, {"id": said["id"], "error": {"code": -32000, "message": "Not allowed"}}))
        with pytest.raises(Refused, match=r"Page\.a: Not allowed"):
            await refused
        await on.browser.say(of(HUB, {"method": "Target.detachedFromTarget", "params": {"sessionId": MINE}}))
        with pytest.raises(Gone):
            await left
        with pytest.raises(Gone):
            await mine.send("Page.c")

    played(play)


def test_one_who_stumbles_over_an_event_keeps_nobody_else_from_it() -> None:
    async def play(on: Scene) -> None:
        mine = await on.opened()
        stumbled: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: stumbled.append(told["exception"]))
        heard = asyncio.Event()
        mine.on("A.b", lambda event: event["missing"])
        mine.on("A.b", lambda _: heard.set())
        await on.browser.say(of(MINE, {"method": "A.b", "params": {}}))
        await heard.wait()
        assert [type(each) for each in stumbled] == [KeyError]

    played(play)


def test_a_driver_that_is_slow_is_waited_for_and_loses_nothing() -> None:
    async def play(on: Scene) -> None:
        frame = b"x" * (LARGE // 10)
        telling = asyncio.ensure_future(on.browser.say(*[frame] * 10))
        done, _ = await asyncio.wait([telling], timeout=0.2)
        assert not done, "more than pipes and we hold is not taken from the browser"
        assert [len(await on.driver.next()) for _ in range(10)] == [len(frame)] * 10
        await telling

    played(play)


def test_a_large_command_of_ours_goes_out_whole_between_the_drivers() -> None:
    async def play(on: Scene) -> None:
        mine = await on.opened()
        mine.post("Fetch.fulfillRequest", {"body": "x" * (4 << 20)})
        await on.driver.say(b"theirs")
        assert len((await on.browser.next_said())["params"]["body"]) == 4 << 20
        assert await on.browser.next() == b"theirs"

    played(play)


@pytest.mark.parametrize("who", ["browser", "driver"])
def test_where_one_side_ends_the_other_is_told_and_ours_too(who: str) -> None:
    async def play(on: Scene) -> None:
        mine = await on.opened()
        asked = mine.post("Page.enable", {})
        await on.browser.next()
        getattr(on, who).leave()
        with pytest.raises(Gone):
            await asked
        assert await getattr(on, {"browser": "driver", "driver": "browser"}[who]).next() == b""
        assert on.switch.is_closed
        with pytest.raises(Gone):
            await on.switch.browser()

    played(play)


def test_a_message_without_an_end_ends_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.devtools.switch.Frames", lambda: Frames(limit=1 << 20))

    async def play(on: Scene) -> None:
        telling = asyncio.ensure_future(on.browser.say(b"x" * (3 << 20)))
        assert await on.driver.next() == b""
        with pytest.raises(BrokenPipeError):
            await telling

    played(play)
