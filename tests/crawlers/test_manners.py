"""Manners: one page of a host at a time, a rest in between, and no host waits for another."""

import asyncio

import pytest

from crawlers.manners import Manners


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    sleep = asyncio.sleep

    async def pass_by(seconds: float) -> None:
        made.now += seconds
        await sleep(0)

    monkeypatch.setattr("crawlers.manners.asyncio.sleep", pass_by)
    return made


def silent() -> None:
    """Nobody is watching."""


def test_a_host_rests_from_the_end_of_a_visit_and_no_other_does(clock: Clock) -> None:
    told: list[str] = []

    async def visits() -> list[float]:
        manners, cut, begun = Manners(2.0, 1, clock), asyncio.Event(), []
        for n, url in enumerate(("https://a.example/1", "https://b.example/", "https://A.example.:443/2")):
            await manners.enter(str(n), url, cut, waiting=lambda: told.append(url))  # noqa: B023  # called at once
            begun.append(clock.now)
            clock.now += 5 if n == 0 else 0.5
            manners.leave(str(n))
            manners.leave(str(n))
        return begun

    assert asyncio.run(visits()) == [0, 5, 7]
    assert told == ["https://A.example.:443/2"]


@pytest.mark.parametrize(("per_host", "most"), [(1, 1), (2, 2), (5, 5)])
def test_a_host_gets_so_many_visits_at_a_time(clock: Clock, per_host: int, most: int) -> None:
    async def visits() -> int:
        manners, cut, at_once, seen = Manners(0.0, per_host, clock), asyncio.Event(), 0, 0

        async def visit(n: int) -> None:
            nonlocal at_once, seen
            await manners.enter(str(n), "https://a.example/", cut, waiting=silent)
            at_once += 1
            seen = max(seen, at_once)
            for _ in range(3):
                await asyncio.sleep(0)
            at_once -= 1
            manners.leave(str(n))

        await asyncio.gather(*(visit(n) for n in range(5)))
        return seen

    assert asyncio.run(visits()) == most


@pytest.mark.parametrize("when", ["taken", "resting"])
def test_an_interruption_waits_for_nobody(when: str) -> None:
    async def visits() -> None:
        loop = asyncio.get_running_loop()
        manners, cut = Manners(3600.0, 1, loop.time), asyncio.Event()
        await manners.enter("first", "https://a.example/", cut, waiting=silent)
        if when == "resting":
            manners.leave("first")
        loop.call_later(0.01, cut.set)
        await manners.enter("second", "https://a.example/", cut, waiting=silent)
        manners.leave("second")
        manners.leave("first")

    async def soon() -> None:
        await asyncio.wait_for(visits(), 10)

    asyncio.run(soon())
