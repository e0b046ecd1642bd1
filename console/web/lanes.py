"""Lanes: pages that take milliseconds go a few at a time, in the order in which they were asked for.

Twenty threads that want the interpreter at once each wait for it twenty times over, and none of them is done early.
What reads much of the store (a verdict, a document, a file) does not go here: it waits for others, and nobody for it.
"""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

AT_ONCE = 2
"""One works while another waits for the store or the disk."""
_lane: RunVar[CapacityLimiter] = RunVar("console.web.lanes")


P = ParamSpec("P")
R = TypeVar("R")


def quick(page: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """A page of the quick lane. Those who wait for it are served first come, first served."""

    @wraps(page)
    async def waited(*args: P.args, **kwargs: P.kwargs) -> R:
        return await to_thread.run_sync(partial(page, *args, **kwargs), limiter=_limiter())

    return waited


def _limiter() -> CapacityLimiter:
    """Of the event loop that runs."""
    try:
        return _lane.get()
    except LookupError:
        made = CapacityLimiter(AT_ONCE)
        _lane.set(made)
        return made
