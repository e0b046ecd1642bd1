"""The quick lane: few pages at a time, first come first served, and what is slow beside it."""

import threading

import anyio

from console.web import lanes
from console.web.lanes import quick


def test_only_so_many_are_at_work_at_once_and_those_who_wait_keep_their_order() -> None:
    at_work, most, begun = 0, 0, list[int]()
    lock, go_on = threading.Lock(), threading.Semaphore(0)

    @quick
    def page(n: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            begun.append(n)
        go_on.acquire()
        with lock:
            at_work -= 1
        return n

    async def ask() -> None:
        async with anyio.create_task_group() as group:
            for n in range(7):
                group.start_soon(page, n)
                await anyio.wait_all_tasks_blocked()
            for _ in range(7):
                go_on.release()

    anyio.run(ask)
    assert most == lanes.AT_ONCE
    assert set(begun[: lanes.AT_ONCE]) == set(range(lanes.AT_ONCE))
    assert sorted(begun) == list(range(7))


def test_a_page_of_the_lane_says_what_the_page_said() -> None:
    @quick
    def page(*, word: str) -> str:
        return word

    async def ask() -> str:
        return await page(word="said")

    assert anyio.run(ask) == "said"
