"""The visits that wait, in the order in which they were asked for; Scrapy's own queue goes by the names of hosts."""

from bisect import insort
from dataclasses import dataclass, field
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler


@dataclass(frozen=True, order=True, slots=True)
class _Waiting:
    priority: int
    """The least comes first."""
    number: int
    request: Request = field(compare=False)


class AskedOrder:
    """A Scrapy priority queue (``SCHEDULER_PRIORITY_QUEUE``), in memory: what one run was asked is asked once.

    A page whose host has a visit lets the next one of a free host pass, for it would only wait in that one's place.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._waiting: list[_Waiting] = []
        self._count = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **__: Any) -> Self:
        """Scrapy also names queues of its own, for each priority, which are not needed here."""
        return cls(crawler)

    def push(self, request: Request) -> None:
        self._count += 1
        insort(self._waiting, _Waiting(-request.priority, self._count, request))

    def pop(self) -> Request | None:
        """None where nothing waits. Where no host is free, the first one waits its turn where all see it."""
        if not self._waiting:
            return None
        free = (n for n, each in enumerate(self._waiting) if self._is_free(each.request))
        return self._waiting.pop(next(free, 0)).request

    def peek(self) -> Request | None:
        return self._waiting[0].request if self._waiting else None

    def close(self) -> list[int]:
        """Nothing is taken up again by a later run: what was not looked at is told of."""
        return []

    def __len__(self) -> int:
        return len(self._waiting)

    def _is_free(self, request: Request) -> bool:
        assert self._crawler.engine is not None
        downloader = self._crawler.engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        return slot is None or not slot.active
