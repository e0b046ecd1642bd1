"""The main document's body, put together of what the browser gives when it is asked and what comes as events."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from crawlers.body import Body, Taken
from crawlers.hops import Trail
from crawlers.tab import STEP_S, Tab

PIECES = [b"<p>one</p>", b"<p>two</p>", b"<p>three</p>"]


class Told:
    """A tab that says what it is told to say; the answer to the one question comes when the test lets it."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Callable[[Mapping[str, Any]], object]]] = {}
        self.answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()

    def on(self, event: str, do: Callable[[Mapping[str, Any]], object]) -> None:
        self.heard.setdefault(event, []).append(do)

    async def send(
        self, method: str, params: Mapping[str, Any] | None = None, *, within: float = STEP_S
    ) -> Mapping[str, Any]:
        assert method == "Network.streamResourceContent", f"asked for {method} of {params}"
        return await self.answer

    def say(self, event: str, **facts: Any) -> None:
        for each in self.heard[event]:
            each({"requestId": "1", "type": "Document", "frameId": "main", **facts})

    def data(self, piece: bytes, *, told: bool) -> None:
        facts = {"data": base64.b64encode(piece).decode()} if told else {}
        self.say("Network.dataReceived", dataLength=len(piece), **facts)


@pytest.mark.parametrize("asked_before", range(4), ids=lambda n: f"another asked before piece {n}")
@pytest.mark.parametrize("answered_after", range(4), ids=lambda n: f"answered after piece {n}")
def test_no_byte_is_kept_twice_or_lost_where_another_has_asked_too(asked_before: int, answered_after: int) -> None:
    """On one session the events have the bytes from then on, whoever has asked; the answer has those before it."""
    taken = asyncio.run(_taken(asked_before, answered_after))
    assert (taken.data, taken.lacks) == (b"".join(PIECES), None)


async def _taken(asked_before: int, answered_after: int) -> Taken:
    tab = Told()
    trail = Trail("main", lambda: datetime.now(UTC), lambda: 0.0)
    body = Body(cast(Tab, tab), trail)
    request = {"url": "https://x.example/", "headers": {}, "method": "GET"}
    trail.on_request({"requestId": "1", "type": "Document", "frameId": "main", "request": request})
    response = {"url": "https://x.example/", "status": 200, "headers": {}, "mimeType": "text/html"}
    trail.on_response({"requestId": "1", "type": "Document", "frameId": "main", "response": response})
    tab.say("Network.responseReceived", response=response)
    for n, piece in enumerate(PIECES):
        if n == answered_after:
            _answer(tab, PIECES[:n])
        tab.data(piece, told=n >= min(asked_before, answered_after))
    if answered_after == len(PIECES):
        _answer(tab, PIECES)
    trail.on_finished({"requestId": "1"})
    return await body.take(trail.exchanges[-1], charset="", within=STEP_S)


def _answer(tab: Told, pieces: list[bytes]) -> None:
    """It is there now, and who asked hears of it only after the events that came meanwhile."""
    tab.answer.set_result({"bufferedData": base64.b64encode(b"".join(pieces)).decode()})
