"""Records what a visit's page, its frames and its workers fetch, from the browser's side."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from crawlers.recording.bodies import ASK_S, MAX_ASKED, Bodies, Straight, is_bounded
from crawlers.recording.ledger import Ledger
from crawlers.recording.line import Line, Message, PageLine
from crawlers.recording.scratch import Scratch
from crawlers.recording.turn import REDIRECTS, Turn, header
from crawlers.recording.withholding import Withholding
from crawlers.tab import Gone, Refused, TabTrouble, Wire

OPEN_S = 5.0
TAKE_S = 3.0
"""How long the body of an error that the page does not look at is waited for."""
LATE_S = 1.5
"""After the visit: for what has ended and is still on its way to us."""
_POSTED = 8 << 20

_FETCHES = frozenset({"page", "iframe", "service_worker", "shared_worker"})
_SHOWN = frozenset({"page", "iframe"})
_DROPPED = frozenset({"Script", "Stylesheet", "Font", "Manifest", "TextTrack", "Other", ""})
"""Of these the page takes no error's body, so that the browser ends the request at its head."""
_OF_BROWSER = ("service_worker", "shared_worker")
"""They belong to no page, or to several: the browser tells of them, and holds them until they have a session."""
_RUN_BY_DRIVER = frozenset({"worker", "service_worker"})
"""Playwright's driver holds these as well, and whoever lets one run does so for both. It gives them what the visit's
profile says (language, time zone, touch), then lets them run: were we first, their scripts would see another browser
than the page's do. What we say on hearing of one is said before its word is. A frame is held by each for itself."""
HELD_S = 1.0
"""So long that is left to it."""
_NETWORK = "Network."
_NO_TARGET = "No target with given id"  # Chromium's words for one that has ended


class Companion(Protocol):
    """Shares the sessions of a recorder: what it asks of one is asked before anything runs there."""

    def begin(self, line: Line) -> "asyncio.Future[Message]":
        """A page or a frame has a session, and waits. The answer that is waited for before it counts as listened to."""

    def heard(self, line: Line, method: str, params: Message) -> None:
        """An event of a session. Must not raise for what it says."""


class Recorder:
    """One visit's. It may fail, and says so in ``trouble``; it never holds the page up for longer than its waits."""

    def __init__(
        self,
        wire: Wire,
        page: Wire,
        scratch: Scratch,
        clock: Callable[[], datetime],
        *,
        context: str = "",
        withholding: Withholding | None = None,
        companion: Companion | None = None,
    ) -> None:
        """``wire``: with the browser, for nobody else's use; ``page``: with the page, where others may listen too."""
        self.ledger = Ledger(scratch, clock)
        self._clock = clock
        self.trouble: str | None = None
        """Why, from some moment on, not everything was recorded."""
        self._wire = wire
        self._page_wire = page
        self._page: PageLine | None = None
        self._bodies = Bodies(scratch)
        self._context = context
        self._withholding = withholding or Withholding()
        self._companion = companion
        self._tops: dict[str, Line] = {}
        self._targets: set[str] = set()
        self._told: set[str] = set()
        """Shared workers of this and of other visits."""
        self._set_ups: dict[str, asyncio.Future[Any]] = {}
        self._came: dict[str, asyncio.Event] = {}
        """Set once a target has a session that is being set up."""
        self._working: set[asyncio.Future[Any]] = set()
        self.unheard: list[tuple[str, str]] = []
        """Frames and workers that let nobody listen: their kind, and why."""
        self._closed = False

    async def open(self, target: str) -> None:
        """From here on the page with this target id is recorded. Raises TabTrouble."""
        wire = self._wire
        wire.on("Target.receivedMessageFromTarget", self._on_message)
        wire.on("Target.detachedFromTarget", self._on_detached)
        wire.on("Target.attachedToTarget", self._on_shared)
        shared = {"filter": [{"type": each} for each in _OF_BROWSER], "flatten": True}
        await wire.send("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, **shared})
        # A service worker's own script is asked for before it can have a session: here alone is it seen.
        wire.on("Fetch.requestPaused", self._on_script)
        scripts = {"urlPattern": "*", "requestStage": "Response", "resourceType": "Other"}
        await wire.send("Fetch.enable", {"patterns": [scripts]})
        self._page = PageLine(self._page_wire, self, target)
        self._targets.add(target)
        await asyncio.wait_for(self._set_up(self._page), OPEN_S)

    async def close(self, *, waits: bool = True) -> None:
        """Wait a little for what has ended, let everything go on, and put the headers in. Never raises."""
        until = time.monotonic() + (LATE_S if waits else 0)
        while self._working and time.monotonic() < until and self.trouble is None:
            await asyncio.wait([*self._working], timeout=max(0.05, until - time.monotonic()))
        self._closed = True
        for task in [*self._working]:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._let_go()
        for line in [*([self._page] if self._page else []), *self._tops.values()]:
            line.end()
        self.ledger.settle()

    # What the browser says

    def attached(self, line: Line, info: Message) -> None:
        if line.target in self._targets:  # a service worker has a session for each page that it serves
            line.post("Runtime.runIfWaitingForDebugger")
            return
        self._targets.add(line.target)
        self._set_ups[line.target] = self._work(self._listen(line))
        self._came.setdefault(line.target, asyncio.Event()).set()

    def detached(self, line: Line) -> None:
        self._targets.discard(line.target)

    def heard(self, line: Line, method: str, params: Message) -> None:
        if self._closed:
            return
        try:
            if self._companion is not None and line.kind in _SHOWN:
                self._companion.heard(line, method, params)
            if method == "Fetch.requestPaused":
                self._work(self._on_paused(line, params))
            elif method.startswith(_NETWORK):
                self._on_network(line, method.removeprefix(_NETWORK), params)
        except OSError as error:
            self._fail(f"the disk did not take what came: {error.strerror}")

    def _on_network(self, line: Line, method: str, params: Message) -> None:
        ledger = self.ledger
        if method == "requestWillBeSent":
            turn = ledger.on_request(line, params)
            if turn is not None and turn.kind != "Document" and params.get("redirectResponse") is None:
                self._bodies.asked[turn.request_id] = line.post(
                    "Network.streamResourceContent", requestId=turn.request_id
                )
            if turn is not None and self._withholding.covers(turn.at):
                turn.posted = b""
            elif turn is not None and turn.posts and not turn.posted:
                self._work(self._ask_posted(line, turn))
        elif method == "responseReceived":
            turn = ledger.on_response(params)
            if turn is not None and turn.kind == "Document" and not turn.streams:
                asked = line.post("Network.streamResourceContent", requestId=turn.request_id)
                self._work(self._bodies.stream(turn, line, asked))
        elif method == "responseReceivedExtraInfo":
            ledger.on_extra(line, params)
        elif method == "requestWillBeSentExtraInfo":
            ledger.on_sent_extra(line, params)
        elif method == "dataReceived":
            ledger.on_data(line, params)
        elif method == "requestServedFromCache":
            ledger.on_cached(params)
        elif method.startswith("webSocket"):
            ledger.on_socket(line, method, params, withheld=self._withholding.covers(self._clock()))
        elif method in {"loadingFinished", "loadingFailed"}:
            turn = ledger.on_finished(params) if method == "loadingFinished" else ledger.on_failed(params)
            self._bodies.asked.pop(params["requestId"], None)
            if turn is not None and turn.finished and turn.was_sent and not turn.whole and not turn.body.cut:
                self._work(self._bodies.ask(line, turn))

    def _on_message(self, event: Message) -> None:
        line = self._tops.get(event["sessionId"])
        if line is not None:
            line.hear(event["message"])

    def _on_detached(self, event: Message) -> None:
        line = self._tops.pop(event["sessionId"], None)
        if line is not None:
            line.end()

    def _on_shared(self, event: Message) -> None:
        """Also told of the session that we then ask for ourselves: only the first of a worker counts."""
        info = event["targetInfo"]
        if info["type"] in _OF_BROWSER and info["targetId"] not in self._told and not self._closed:
            self._told.add(info["targetId"])
            self._work(self._take_shared(event["sessionId"], info))

    def _on_script(self, event: Message) -> None:
        self._work(self._take_script(event))

    # What we do about it

    async def _take_script(self, event: Message) -> None:
        """Of any visit: this one's are held until the worker has a session, so that its first request is seen."""
        target, request, goes_on = event.get("frameId", ""), event["requestId"], False
        try:
            if target != event.get("networkId") or "responseStatusCode" not in event or self._closed:
                return
            info = (await self._wire.send("Target.getTargetInfo", {"targetId": target}))["targetInfo"]
            if info["type"] != "service_worker" or info.get("browserContextId") != self._context:
                return
            turn = self.ledger.on_paused(event)
            await self._is_told_by_page(target)
            if turn is not None and not turn.whole:
                turn.kind = "Script"
                goes_on = await self._bodies.read(Straight(self._wire), turn, event)
        finally:
            if not goes_on:
                await self._wire.send("Fetch.continueRequest", {"requestId": request})

    async def _take_shared(self, told: str, info: Message) -> None:
        """Get a session that we can speak over, then let go of the one that only told of it."""
        try:
            if info.get("browserContextId") != self._context:
                return
            if info["type"] == "service_worker" and await self._is_told_by_page(info["targetId"]):
                return
            if info["targetId"] not in self._targets:
                made = await self._wire.send("Target.attachToTarget", {"targetId": info["targetId"], "flatten": False})
                await self._listen(self._top(made["sessionId"], info))
        except Refused as error:
            if _NO_TARGET not in str(error):
                self.unheard.append((str(info["type"]), str(error)))
        finally:
            await self._wire.send("Target.detachFromTarget", {"sessionId": told})

    async def _is_told_by_page(self, target: str) -> bool:
        """The page that a service worker is for has a session for it, too, which can be spoken over sooner."""
        came = self._came.setdefault(target, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(came.wait(), ASK_S)
        setting_up = self._set_ups.get(target)
        if setting_up is not None:
            await asyncio.wait([setting_up], timeout=ASK_S)
        return setting_up is not None

    def _top(self, session: str, info: Message) -> Line:
        line = self._tops[session] = Line(self._wire, self, session, info, None)
        self._targets.add(line.target)
        return line

    async def _listen(self, line: Line) -> None:
        """One that has ended meanwhile fetches nothing; one that refuses does, and nobody hears of it."""
        try:
            await self._set_up(line)
        except Gone:
            pass
        except TabTrouble as error:
            if not line.is_over:
                self.unheard.append((line.kind, str(error)))

    async def _set_up(self, line: Line) -> None:
        """All at once: a worker that waits for its debugger answers only once it runs."""
        network = {"maxTotalBufferSize": MAX_ASKED * 2, "maxResourceBufferSize": MAX_ASKED, "maxPostDataSize": _POSTED}
        asked = [line.post("Network.enable", **network)]
        line.post("Network.setCacheDisabled", cacheDisabled=True)  # each exchange is one with the site
        if self._companion is not None and line.kind in _SHOWN:
            asked.append(self._companion.begin(line))
        if line.kind in _FETCHES:
            line.post("Fetch.enable", patterns=[{"urlPattern": "*", "requestStage": "Response"}])
        line.post("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=False)
        if line.kind in _RUN_BY_DRIVER:
            asyncio.get_running_loop().call_later(HELD_S, self._let_run, line)
        else:
            asked.append(line.post("Runtime.runIfWaitingForDebugger"))
        if (turn := self.ledger.document_of(line.target)) is not None and line.kind == "iframe":
            self._work(
                self._bodies.stream(turn, line, line.post("Network.streamResourceContent", requestId=turn.request_id))
            )
        await asyncio.gather(*asked)

    def _let_run(self, line: Line) -> None:
        """It does already, if the driver did what it does with each."""
        line.post("Runtime.runIfWaitingForDebugger")

    async def _on_paused(self, line: Line, event: Message) -> None:
        """The head of an answer: see to its body, and let it go on, whatever happens."""
        request = event["requestId"]
        goes_on = False
        try:
            if "responseErrorReason" in event or "responseStatusCode" not in event:
                return
            turn = self.ledger.on_paused(event)
            if turn is None or turn.whole or (turn.status in REDIRECTS and header(turn.headers, "location")):
                return
            if turn.kind == "Document":
                # Held by the browser until the new document is there, and then the first thing that it is asked.
                asked = line.post("Network.streamResourceContent", requestId=turn.request_id)
                line.post("Fetch.continueRequest", requestId=request)
                goes_on = True
                await self._bodies.stream(turn, line, asked)
            elif turn.kind == "Media" and is_bounded(turn):
                goes_on = await self._bodies.whole(line, turn, request)  # a player reads no further than it needs to
            elif _is_ahead(event) and is_bounded(turn):
                goes_on = await self._bodies.whole(line, turn, request)  # nobody reads it for now
            elif _is_ahead(event) or ((turn.status or 0) >= 400 and turn.kind in _DROPPED):
                goes_on = await self._bodies.take(line, turn, event, within=TAKE_S)
            elif line.kind == "service_worker" and is_bounded(turn):
                goes_on = await self._bodies.whole(line, turn, request)  # it may hand it on unread
            elif not await self._bodies.ask_stream(turn, self.ledger.owners.get(turn.request_id)):
                goes_on = await self._bodies.read(line, turn, event)  # a worker's own script
        except TabTrouble:
            pass
        finally:
            if not goes_on:
                line.post("Fetch.continueRequest", requestId=request)

    async def _ask_posted(self, line: Line, turn: Turn) -> None:
        with contextlib.suppress(TabTrouble):
            answer = await line.post("Network.getRequestPostData", requestId=turn.request_id)
            said = str(answer["postData"])
            turn.posted = base64.b64decode(said) if answer.get("base64Encoded") else said.encode()

    def _work(self, doing: Any) -> "asyncio.Future[Any]":
        task: asyncio.Future[Any] = asyncio.ensure_future(doing)
        self._working.add(task)
        task.add_done_callback(self._worked)
        return task

    def _worked(self, task: "asyncio.Future[Any]") -> None:
        self._working.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, OSError):
            self._fail(f"the disk did not take what came: {error.strerror}")
        elif error is not None and not isinstance(error, TabTrouble):
            self._fail(f"the recorder stumbled: {type(error).__name__}")

    def _fail(self, why: str) -> None:
        """Stop, and let everything go on without us."""
        if self.trouble is None:
            self.trouble = why
            self._closed = True
            asyncio.ensure_future(self._let_go()).add_done_callback(lambda _: None)

    async def _let_go(self) -> None:
        """What the sessions held up goes on."""
        await asyncio.gather(self._page_wire.close(), self._wire.close())


def _is_ahead(event: Message) -> bool:
    """Whether a page asked for something that it may need later (Fetch §2.2.6): its bytes go to no page."""
    return "prefetch" in str(event["request"]["headers"].get("Sec-Purpose", ""))
