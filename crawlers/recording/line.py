"""DevTools sessions of everything that one visit runs: page, frames, workers; all over one browser-level session.

The older, wrapped form of the protocol (``Target.sendMessageToTarget``, ``flatten: false``) is used: it carries any
number of sessions over the one that the browser's driver gives us, so that no debugging port has to be opened, which
any user of the machine could drive the browser by.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol

from crawlers.tab import Gone, Refused, TabTrouble, Wire, let_go

Message = Mapping[str, Any]


class Listener(Protocol):
    """Told what the sessions of a visit say."""

    def attached(self, line: "Line", info: Message) -> None:
        """A target has a session; it may be waiting for us to let it run."""

    def heard(self, line: "Line", method: str, params: Message) -> None:
        """An event of a session."""

    def detached(self, line: "Line") -> None:
        """A target has gone, and its session with it."""


class Line:
    """The session of one target. Commands go out in the order of ``post``; nobody has to wait in between."""

    def __init__(self, wire: Wire, listener: Listener, session: str, info: Message, above: "Line | None") -> None:
        self.wire = wire
        self.kind = str(info.get("type", ""))
        self.target = str(info.get("targetId", ""))
        self._listener = listener
        self._session = session
        self._above = above
        self._count = 0
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._below: dict[str, Line] = {}
        self._sending: set[asyncio.Future[Message]] = set()
        self.is_over = False

    def post(self, method: str, **params: Any) -> "asyncio.Future[Message]":
        """Send at once; the answer comes later, or TabTrouble. It may be left unread."""
        self._count += 1
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(let_go)
        if self.is_over:
            answer.set_exception(Gone("its target has gone"))
            return answer
        self._asked[self._count] = answer
        said = {
            "sessionId": self._session,
            "message": json.dumps({"id": self._count, "method": method, "params": params}),
        }
        if self._above is not None:
            self._above.post("Target.sendMessageToTarget", **said)
            return answer
        sending = asyncio.ensure_future(self.wire.send("Target.sendMessageToTarget", said))
        self._sending.add(sending)
        number = self._count

        def sent(done: "asyncio.Future[Message]") -> None:
            self._sending.discard(done)
            if not done.cancelled() and (error := done.exception()) is not None:
                self._answer(number, error=error if isinstance(error, TabTrouble) else Gone(str(error)))

        sending.add_done_callback(sent)
        return answer

    def hear(self, message: str) -> None:
        """What the target said."""
        said = json.loads(message)
        if "id" in said:
            self._answer(said["id"], result=said.get("result", {}), refused=said.get("error"))
            return
        method, params = said["method"], said.get("params", {})
        if method == "Target.receivedMessageFromTarget":
            below = self._below.get(params["sessionId"])
            if below is not None:
                below.hear(params["message"])
        elif method == "Target.attachedToTarget":
            below = Line(self.wire, self._listener, params["sessionId"], params["targetInfo"], self)
            self._below[params["sessionId"]] = below
            self._listener.attached(below, params["targetInfo"])
        elif method == "Target.detachedFromTarget":
            below = self._below.pop(params["sessionId"], None)
            if below is not None:
                below.end()
        else:
            self._listener.heard(self, method, params)

    def end(self) -> None:
        """The target has gone: nothing that was asked will be answered."""
        if self.is_over:
            return
        self.is_over = True
        for below in [*self._below.values()]:
            below.end()
        for number in [*self._asked]:
            self._answer(number, error=Gone("its target has gone"))
        self._listener.detached(self)

    def _answer(
        self,
        number: int,
        *,
        result: Message | None = None,
        refused: Message | None = None,
        error: BaseException | None = None,
    ) -> None:
        asked = self._asked.pop(number, None)
        if asked is None or asked.done():
            return
        if refused is not None:
            error = Refused(str(refused.get("message", "refused"))[:300])
        if error is not None:
            asked.set_exception(error)
        else:
            asked.set_result(result or {})
