"""robots.txt: what a site asks of us (RFC 9309), decided from its bytes, asked for once per origin and run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from protego import Protego

from custody.model import Json

TOKEN = "Counterproof"  # noqa: S105  # RFC 9309 §2.2.1 calls it a product token
MAX_BYTES = 500 * 1024  # RFC 9309 §2.5: at least this much must be parsed; we parse no more


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotsAnswer:
    """What came back when robots.txt was asked for. `status` is None when nothing did, and `error` says why."""

    url: str
    status: int | None
    body: bytes | None = field(repr=False)
    error: str | None
    fetched_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotsDecision:
    """What a site's file says about one URL."""

    token: str
    """The name under which we look for rules. Groups of other robots are not ours."""
    allowed: bool | None
    """None: the file could not be had, so nobody knows. Whoever obeys stays away then (RFC 9309 §2.3.1.4)."""
    reason: str
    """``rules`` (the file's, or its lack of any), ``no_file`` (4xx), ``unreachable`` (5xx or no answer)."""
    crawl_delay_s: float | None = None
    truncated: bool = False
    """The file is longer than what was read."""

    def to_json(self) -> dict[str, Json]:
        """Without a float, which a record cannot hold: the delay in milliseconds."""
        delay = None if self.crawl_delay_s is None else round(self.crawl_delay_s * 1000)
        return {
            "token": self.token,
            "allowed": self.allowed,
            "reason": self.reason,
            "crawl_delay_ms": delay,
            "truncated": self.truncated,
        }


def robots_url(url: str) -> str:
    """Where the file for a URL lies: one per scheme, host and port (RFC 9309 §2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2].lower()}/robots.txt"


def decide(url: str, robots_body: bytes | None, status: int | None, *, token: str = TOKEN) -> RobotsDecision:
    """Whether a robot named `token` may look at `url`, by the file that was served with `status`.

    4xx means that there is no file, so everything is allowed (RFC 9309 §2.3.1.3); so does a redirect that ended
    nowhere (§2.3.1.2). 5xx and silence mean unknown.
    """
    if status is None or status >= 500 or status < 200 or (status < 300 and robots_body is None):
        return RobotsDecision(token=token, allowed=None, reason="unreachable")
    if status >= 300 or robots_body is None:
        return RobotsDecision(token=token, allowed=True, reason="no_file")
    truncated = len(robots_body) > MAX_BYTES
    # The last line of a cut file may be half a rule: `Disallow: /` left over from `Disallow: /private`.
    body = robots_body[:MAX_BYTES].rpartition(b"\n")[0] if truncated else robots_body
    rules = Protego.parse(body.decode("utf-8-sig", errors="replace"))
    return RobotsDecision(
        token=token,
        allowed=rules.can_fetch(url, token),
        reason="rules",
        crawl_delay_s=rules.crawl_delay(token),
        truncated=truncated,
    )


class RobotsKeeper:
    """Asks each origin once in a run, however many of its pages are looked at and however many ask at once."""

    def __init__(self, fetch: Callable[[str], Awaitable[RobotsAnswer]]) -> None:
        self._fetch = fetch
        self._asked: dict[str, asyncio.Task[RobotsAnswer]] = {}

    async def answer(self, url: str) -> RobotsAnswer:
        """The file of `url`'s origin. A fetch that raises is asked again by the next one who wants to know."""
        where = robots_url(url)
        task = self._asked.get(where)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._fetch(where))
            self._asked[where] = task
        # One visit that is interrupted does not take the answer from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends what is still being asked."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
