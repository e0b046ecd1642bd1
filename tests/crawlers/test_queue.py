"""What waits is taken in the order of asking, whatever its host is called, and no host keeps another from its turn."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.core.scheduler import Scheduler
from scrapy.utils.test import get_crawler

from crawlers.queue import AskedOrder
from settings import base


def queue(*busy: str) -> AskedOrder:
    slots = {host: SimpleNamespace(active={"a visit"}) for host in busy}
    downloader = SimpleNamespace(slots=slots, get_slot_key=lambda request: urlsplit(request.url).hostname)
    crawler: Any = SimpleNamespace(engine=SimpleNamespace(downloader=downloader))
    return AskedOrder.from_crawler(crawler, None, key="", start_queue_cls=None)


def taken(made: AskedOrder) -> list[str]:
    found: list[str] = []
    while (each := made.pop()) is not None:
        found.append(each.url)
    return found


URLS = st.lists(
    st.tuples(st.sampled_from(["https://a.example/", "https://b.example/", "https://c.example/"]), st.integers(0, 3))
)


@given(URLS)
def test_by_depth_and_then_in_the_order_of_asking(asked: list[tuple[str, int]]) -> None:
    made = queue()
    for n, (url, priority) in enumerate(asked):
        made.push(Request(f"{url}{n}", priority=priority))
    assert len(made) == len(asked)
    order = sorted(range(len(asked)), key=lambda n: (-asked[n][1], n))
    assert taken(made) == [f"{asked[n][0]}{n}" for n in order]
    assert len(made) == 0


def test_one_of_a_free_host_goes_before_one_of_a_busy_host() -> None:
    made = queue("b.example")
    for url in ("https://b.example/1", "https://a.example/2", "https://b.example/3", "https://c.example/4"):
        made.push(Request(url))
    assert taken(made) == [
        "https://a.example/2", "https://c.example/4", "https://b.example/1", "https://b.example/3",
    ]  # fmt: skip


def test_scrapy_takes_it_for_a_queue_of_its_own() -> None:
    crawler = get_crawler(settings_dict={"SCHEDULER_PRIORITY_QUEUE": base.SCHEDULER_PRIORITY_QUEUE})
    scheduler = Scheduler.from_crawler(crawler)
    scheduler.open(crawler.spider or SimpleNamespace())  # type: ignore[arg-type]
    assert isinstance(scheduler.mqs, AskedOrder)
    assert scheduler.next_request() is None
    assert not scheduler.has_pending_requests()
