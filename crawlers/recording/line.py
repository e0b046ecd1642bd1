"""DevTools sessions of everything that one visit runs: page, frames, workers; all over two of the switch's.

The page itself has a session of its own. For what is below it, and what belongs to no page, the older, wrapped form of
the protocol (``Target.sendMessageToTarget``, ``flatten: false``) is used: it carries any number of sessions over one,
so that no debugging port has to be opened, which any user of the machine could drive the browser by. Each message is
packed into another there, bodies too, which is why the page, where nearly all of them come from, is spared it.
"""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from crawlers.tab import Gone, Refused, TabTrouble, Wire, let_go

Message = Mapping[str, Any]

_EVENTS = (
    "Fetch.requestPaused",
    "Network.dataReceived",
    "Network.loadingFailed",
    "Network.loadingFinished",
    "Network.requestServedFromCache",
    "Network.requestWillBeSent",
    "Network.requestWillBeSentExtraInfo",
    "Network.responseReceived",
    "Network.responseReceivedExtraInfo",
    "Network.webSocketClosed",
    "Network.webSocketCreated",
    "Network.webSocketFrameError",
    "Network.webSocketFrameReceived",
    "Network.webSocketFrameSent",
    "Network.webSocketHandshakeResponseReceived",
    "Network.webSocketWillSendHandshakeRequest",
    "Runtime.bindingCalled",
    "Runtime.executionContextsCleared",
    "Target.attachedToTarget",
    "Target.detachedFromTarget",
    "Target.receivedMessageFromTarget",
)
"""All that the recorder and its companion listen to: what is not named here is not heard of the page."""


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
        self._say(self._count, method, params)
        return answer

    def _say(self, number: int, method: str, params: Message) -> None:
        said = {
            "sessionId": self._session,
            "message": json.dumps({"id": number, "method": method, "params": params}),
        }
        if self._above is not None:
            self._above.post("Target.sendMessageToTarget", **said)
        else:
            self._send(number, "Target.sendMessageToTarget", said)

    def _send(self, number: int, method: str, params: Message, *, answers: bool = False) -> None:
        """Over the wire. ``answers``: what it brings back is the answer, and not only the word that it was sent."""
        sending = self.wire.post(method, params)
        self._sending.add(sending)

        def sent(done: "asyncio.Future[Message]") -> None:
            self._sending.discard(done)
            if done.cancelled():
                return
            if (error := done.exception()) is not None:
                self._answer(number, error=error if isinstance(error, TabTrouble) else Gone(str(error)))
            elif answers:
                self._answer(number, result=done.result())

        sending.add_done_callback(sent)

    def hear(self, message: str) -> None:
        """What the target said."""
        said = json.loads(message)
        if "id" in said:
            self._answer(said["id"], result=said.get("result", {}), refused=said.get("error"))
            return
        self._told(said["method"], said.get("params", {}))

    def _told(self, method: str, params: Message) -> None:
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


class PageLine(Line):
    """The page's own session, which its wire is: nothing is wrapped."""

    def __init__(self, wire: Wire, listener: Listener, target: str) -> None:
        super().__init__(wire, listener, "", {"type": "page", "targetId": target}, None)
        for method in _EVENTS:
            wire.on(method, partial(self._told, method))

    def _say(self, number: int, method: str, params: Message) -> None:
        self._send(number, method, params, answers=True)
