"""What a look needs of a browser tab, and the three ways in which it may not get it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

STEP_S = 20.0
"""How long one thing asked of the browser (a picture, the DOM) may take."""


class TabTrouble(Exception):
    """The browser did not do what it was asked to."""


class Gone(TabTrouble):
    """The browser, or this page's process, has died: nothing more can be had of it."""


class Slow(TabTrouble):
    """No answer in the time given; the tab may still be there."""


class Refused(TabTrouble):
    """The browser answered that it cannot; the message is its own."""


def let_go(answer: "asyncio.Future[Any]") -> None:
    """For an answer that nobody may read any more: asyncio would report its error as one that was forgotten."""
    if not answer.cancelled():
        answer.exception()


class Tab(Protocol):
    """One tab, driven by the Chrome DevTools Protocol."""

    async def send(
        self, method: str, params: Mapping[str, Any] | None = None, *, within: float = STEP_S
    ) -> Mapping[str, Any]:
        """One command and its answer. Raises Gone, Slow or Refused."""

    def on(self, event: str, do: Callable[[Mapping[str, Any]], object]) -> None:
        """Have each event of a kind handed over, in the order of their coming."""

    async def inner(self, frame: str) -> "Tab":
        """The tab as a frame sees it that has a process of its own. Raises Refused where it has none."""

    async def apart(self, limit: int) -> "Sequence[Tab]":
        """The tab as each frame sees it that has a process of its own; for a frame, the same object each time."""

    async def wire(self) -> "Wire":
        """A session with the browser itself, of this tab's own."""

    async def second(self) -> "tuple[Wire, Tab]":
        """Another session with this tab's page, apart from the one that ``send`` uses; and this tab, spoken to over it.

        What is enabled there is told to both, once; closing the wire ends only what it holds up.
        """

    @property
    def lost(self) -> bool:
        """The page's process, or the browser, has died."""

    @property
    def crashed(self) -> bool:
        """The page's process has died; where the tab is ``lost`` without that, it was closed."""

    async def downloaded(self, *, within: float) -> Path:
        """The first file that the page gave to download, once it is whole."""

    async def stop_downloads(self) -> None:
        """Cut off every download, and remove what came."""

    async def facts(self) -> Mapping[str, str | int]:
        """The browser's version, and the cookies that the page starts with."""


class Wire(Protocol):
    """A DevTools session that somebody has for himself."""

    def post(self, method: str, params: Mapping[str, Any]) -> "asyncio.Future[Mapping[str, Any]]":
        """One command, sent at once. Its answer, or Gone or Refused, may be left unread."""

    async def send(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """One command and its answer. Raises Gone or Refused."""

    def on(self, event: str, do: Callable[[Mapping[str, Any]], object]) -> None:
        """Have each event of a kind handed over, in the order of their coming."""

    async def close(self) -> None:
        """Let go: whatever this session held up goes on. Never raises."""
