"""One DevTools session of ours: commands go out at once, answers and events come in the order of their being said."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crawlers.tab import Gone, Refused, let_go

Message = Mapping[str, Any]
LET_GO_S = 2.0
_NO_SESSION = -32001
"""The code of what Chromium says of a session that has ended."""
_ENDED = ("closed", "crash")


class Carrier(Protocol):
    """Who takes messages to the browser."""

    def carry(self, said: Mapping[str, Any]) -> None:
        """One message. Never raises: where the browser is gone, its sessions are told so."""

    def fault(self, error: Exception, event: str) -> None:
        """Somebody who was told of an event stumbled."""

    def forget(self, session: str) -> None:
        """It has ended."""


class Channel:
    """A ``Wire``."""

    def __init__(self, carrier: Carrier, session: str, above: "Channel | None" = None) -> None:
        """``above``: the session that asked for this one, and can let go of it."""
        self.session = session
        self._carrier = carrier
        self._above = above
        self._count = 0
        self._asked: dict[int, tuple[str, asyncio.Future[Message]]] = {}
        self._listeners: dict[str, list[Callable[[Message], object]]] = {}
        self._over: str | None = None

    def post(self, method: str, params: Message) -> "asyncio.Future[Message]":
        """Sent at once. The answer comes later, or TabTrouble; it may be left unread."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(let_go)
        if self._over is not None:
            answer.set_exception(Gone(self._over))
            return answer
        self._count += 1
        self._asked[self._count] = method, answer
        self._carrier.carry({"id": self._count, "method": method, "params": params, "sessionId": self.session})
        return answer

    async def send(self, method: str, params: Message | None = None) -> Message:
        return await self.post(method, params or {})

    def on(self, event: str, do: Callable[[Message], object]) -> None:
        self._listeners.setdefault(event, []).append(do)

    async def close(self) -> None:
        if self._above is not None and self._over is None:
            await asyncio.wait(
                [self._above.post("Target.detachFromTarget", {"sessionId": self.session})], timeout=LET_GO_S
            )
        self.end("its session was closed")

    def end(self, why: str) -> None:
        """Nothing that was asked will be answered."""
        if self._over is not None:
            return
        self._over = why
        self._carrier.forget(self.session)
        for _, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(Gone(why))
        self._asked.clear()

    def hear(self, frame: bytes) -> None:
        """A message of the browser in this session."""
        said = json.loads(frame)
        number = said.get("id")
        if number is None:
            self._tell(said["method"], said.get("params") or {})
            return
        method, answer = self._asked.pop(number, ("", None))
        if answer is None or answer.done():
            return
        if (error := said.get("error")) is not None:
            answer.set_exception(_trouble(method, error))
        else:
            answer.set_result(said.get("result") or {})

    def _tell(self, event: str, params: Message) -> None:
        for do in self._listeners.get(event, ()):
            try:
                do(params)
            except Exception as error:  # noqa: BLE001  # of whoever listens: the next in line is still to be told
                self._carrier.fault(error, event)


def _trouble(method: str, error: Message) -> Exception:
    said = str(error.get("message", "refused")).partition("\n")[0][:300]
    ended = error.get("code") == _NO_SESSION or any(word in said.lower() for word in _ENDED)
    return (Gone if ended else Refused)(f"{method}: {said}")
