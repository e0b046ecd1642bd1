"""DevTools' network events -> turns: redirects apart, twins of one event put together, headers as they came put in."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from crawlers.recording.line import Line
from crawlers.recording.scratch import Scratch
from crawlers.recording.sockets import MAX_MESSAGES, Talk
from crawlers.recording.turn import AHEAD, OURS, Turn, as_came, header, instant, pairs

MAX_TURNS = 10_000
_WEB = ("http://", "https://")
_SOCKETS = {"ws://": "http://", "wss://": "https://"}


class Ledger:
    """Asks for nothing and waits for nothing."""

    def __init__(self, scratch: Scratch, clock: Callable[[], datetime]) -> None:
        self.more = 0
        """Requests beyond ``MAX_TURNS``."""
        self.messages = 0
        """Of all web sockets."""
        self.unopened: set[str] = set()
        """Web sockets of which the address is not known: a worker may open one before it is listened to."""
        self.owners: dict[str, Line] = {}
        """The session that tells of a request: its body is asked for there."""
        self._scratch = scratch
        self._clock = clock
        self._turns: dict[str, list[Turn]] = {}
        self._sent: dict[str, dict[Line, list[Mapping[str, Any]]]] = {}
        self._got: dict[str, dict[Line, list[Mapping[str, Any]]]] = {}
        self._came: dict[str, dict[Line, int]] = {}
        self._opening: dict[str, Mapping[str, Any]] = {}
        self._beyond: set[str] = set()
        """Web sockets that are counted in ``more``."""
        self._count = 0

    def __iter__(self) -> Iterator[Turn]:
        """In the order of their requests."""
        every = [turn for turns in self._turns.values() for turn in turns]
        return iter(sorted(every, key=lambda turn: turn.at))

    def last(self, request_id: str) -> Turn | None:
        """The turn that is under way, or was last, of a request that may have been redirected."""
        turns = self._turns.get(request_id)
        return turns[-1] if turns else None

    def document_of(self, frame: str) -> Turn | None:
        """What a frame is being filled with."""
        waiting = (turns[-1] for turns in self._turns.values() if turns[-1].kind == "Document")
        return next((turn for turn in waiting if turn.frame == frame and not turn.is_over), None)

    def on_request(self, line: Line, event: Mapping[str, Any]) -> Turn | None:
        """``Network.requestWillBeSent``. The new turn; None where it is known, or is none of the web's."""
        request_id, request = event["requestId"], event["request"]
        if not str(request["url"]).startswith(_WEB):
            return None
        last = self.last(request_id)
        redirect = event.get("redirectResponse")
        if redirect is not None and last is not None and not last.is_redirect and last.url != request["url"]:
            last.is_redirect = True
            self._answer(last, redirect, bool(event.get("redirectHasExtraInfo")))
        elif redirect is not None and last is not None and last.url == redirect.get("url") and not last.is_redirect:
            last.is_redirect = True  # to itself
            self._answer(last, redirect, bool(event.get("redirectHasExtraInfo")))
        elif last is not None:
            self._complete(last, event)
            self.owners[request_id] = line
            return None
        self.owners[request_id] = line
        turn = self._begin(request_id, request, str(event.get("type", "")), instant(event["wallTime"]))
        if turn is not None:
            turn.frame = str(event.get("frameId", ""))
            turn.for_worker = line.kind == "service_worker"
        return turn

    def on_response(self, event: Mapping[str, Any]) -> Turn | None:
        """``Network.responseReceived``."""
        turn = self.last(event["requestId"])
        if turn is None and event.get("type") == "Script" and str(event["response"]["url"]).startswith(_WEB):
            # A worker's own script: the worker was there to be asked only after its request had gone out.
            asked = {
                "url": event["response"]["url"],
                "method": "GET",
                "headers": event["response"].get("requestHeaders"),
            }
            turn = self._begin(event["requestId"], asked, "Script", self._clock())
        if turn is not None:
            turn.kind = str(event.get("type", "")) or turn.kind
            self._answer(turn, event["response"], bool(event.get("hasExtraInfo")))
        return turn

    def on_paused(self, event: Mapping[str, Any]) -> Turn | None:
        """``Fetch.requestPaused`` with an answer; it may come before anything else is told, or be all that is told."""
        request_id = event.get("networkId") or event["requestId"]
        turn = self.last(request_id)
        if turn is None:
            if not str(event["request"]["url"]).startswith(_WEB):
                return None
            turn = self._begin(request_id, event["request"], str(event.get("resourceType", "")), self._clock())
            if turn is None:
                return None
        turn.kind = turn.kind or str(event.get("resourceType", ""))
        if turn.status is None and "responseStatusCode" in event:
            turn.status = int(event["responseStatusCode"])
            turn.status_text = str(event.get("responseStatusText", ""))
            turn.headers = tuple((str(each["name"]), str(each["value"])) for each in event.get("responseHeaders", ()))
            turn.answered_at = self._clock()
        return turn

    def on_extra(self, line: Line, event: Mapping[str, Any]) -> None:
        """``Network.responseReceivedExtraInfo``."""
        self._got.setdefault(event["requestId"], {}).setdefault(line, []).append(event)

    def on_sent_extra(self, line: Line, event: Mapping[str, Any]) -> None:
        """``Network.requestWillBeSentExtraInfo``."""
        self._sent.setdefault(event["requestId"], {}).setdefault(line, []).append(event)

    def on_data(self, line: Line, event: Mapping[str, Any]) -> None:
        """``Network.dataReceived``, with the bytes where they were asked for."""
        turn = self.last(event["requestId"])
        if turn is None:
            return
        told = self._came.setdefault(event["requestId"], {})
        told[line] = told.get(line, 0) + int(event["dataLength"])
        turn.came = max(turn.came, told[line])
        if event.get("data") and turn.streams is line:
            self._scratch.add(turn.body, base64.b64decode(event["data"]))

    def on_cached(self, event: Mapping[str, Any]) -> None:
        """``Network.requestServedFromCache``: nobody was asked."""
        turn = self.last(event["requestId"])
        if turn is not None:
            turn.from_cache = True

    def on_finished(self, event: Mapping[str, Any]) -> Turn | None:
        turn = self.last(event["requestId"])
        if turn is not None:
            turn.finished = True
            kept = turn.streams is not None and turn.body.bytes == turn.came and not turn.body.cut
            turn.whole = turn.whole or kept
        return turn

    def on_failed(self, event: Mapping[str, Any]) -> Turn | None:
        turn = self.last(event["requestId"])
        if turn is not None:
            turn.failed = str(event.get("errorText", "")) or "failed"
            turn.canceled = bool(event.get("canceled"))
            turn.blocked = str(event.get("blockedReason") or event.get("corsErrorStatus", {}).get("corsError", ""))
        return turn

    def on_socket(self, line: Line, method: str, event: Mapping[str, Any], *, withheld: bool) -> None:
        """``Network.webSocket…``: the handshake is a turn. ``withheld``: what the page sends now is not kept."""
        request_id = event["requestId"]
        if method == "webSocketCreated":
            url = _as_web(str(event["url"]))
            if url is not None:
                self._open(line, request_id, url)
            return
        turn = self.last(request_id) or self._late(line, method, event)
        if turn is None or turn.talk is None or turn.talk.teller is not line:
            return
        if method in {"webSocketFrameSent", "webSocketFrameReceived"}:
            self._on_message(turn.talk, event, sent=method.endswith("Sent"), withheld=withheld)
        elif method == "webSocketWillSendHandshakeRequest":
            turn.at = instant(event["wallTime"])
            turn.talk.clock_at = event["timestamp"], turn.at
            turn.request_headers = pairs(event["request"]["headers"])
        elif method == "webSocketHandshakeResponseReceived":
            answer = event["response"]
            turn.talk.answered = event["timestamp"]
            turn.status, turn.status_text = int(answer["status"]), str(answer.get("statusText", ""))
            turn.headers = as_came(answer["headers"], answer.get("headersText"))
            turn.answered_at = self._clock()
        elif method == "webSocketFrameError":
            turn.failed = turn.failed or str(event["errorMessage"]) or "failed"
        elif method == "webSocketClosed":
            turn.finished = True

    def _late(self, line: Line, method: str, event: Mapping[str, Any]) -> Turn | None:
        """A socket that was made before anybody listened: its answer's own request line has the whole address.

        Where none comes, or it has not, the socket is counted as one that nobody listened to.
        """
        request_id = event["requestId"]
        if request_id in self._beyond:
            return None
        if method == "webSocketWillSendHandshakeRequest":
            self._opening[request_id] = event
        self.unopened.add(request_id)
        asked = str(event.get("response", {}).get("requestHeadersText", "")).partition("\r\n")[0].split(" ")
        url = _as_web(asked[1]) if len(asked) == 3 else None  # RFC 9112 §3
        if method != "webSocketHandshakeResponseReceived" or url is None:
            return None
        self.unopened.discard(request_id)
        turn = self._open(line, request_id, url)
        if turn is not None:
            turn.request_headers = pairs(event["response"].get("requestHeaders"))
            if (opening := self._opening.pop(request_id, None)) is not None and turn.talk is not None:
                turn.at = instant(opening["wallTime"])
                turn.talk.clock_at = opening["timestamp"], turn.at
        return turn

    def _open(self, line: Line, request_id: str, url: str) -> Turn | None:
        turn = self._begin(request_id, {"url": url, "method": "GET"}, "WebSocket", self._clock())
        if turn is None:
            self._beyond.add(request_id)
        else:
            turn.talk = Talk(line)
        return turn

    def _on_message(self, talk: Talk, event: Mapping[str, Any], *, sent: bool, withheld: bool) -> None:
        self.messages += 1
        if self.messages > MAX_MESSAGES:
            talk.more += 1
        else:
            talk.take(event, self._clock(), sent=sent, withheld=sent and withheld, scratch=self._scratch)

    def settle(self) -> None:
        """Put the headers as they came, and went, into each turn. Once, when nothing more is expected."""
        for request_id, turns in self._turns.items():
            sent = iter(_fullest(self._sent.get(request_id)))
            for turn in turns:
                if (asked := next(sent, None)) is not None:
                    turn.request_headers = pairs(asked["headers"])
                turn.request_headers = tuple(each for each in turn.request_headers if each[0].lower() != OURS)
            got = iter(_fullest(self._got.get(request_id)))
            for turn in turns:
                if turn.expects_extra is False or (extra := next(got, None)) is None:
                    continue
                turn.headers = as_came(extra["headers"], extra.get("headersText"))
                if turn.expects_extra is None and "statusCode" in extra:  # nothing else was told of it
                    turn.status = int(extra["statusCode"])
                    turn.is_redirect = turn.is_redirect or (
                        300 <= turn.status < 400 and bool(header(turn.headers, "location"))
                    )

    def _begin(self, request_id: str, request: Mapping[str, Any], kind: str, at: datetime) -> Turn | None:
        if self._count >= MAX_TURNS:
            self.more += 1
            return None
        self._count += 1
        turn = Turn(request_id=request_id, url=str(request["url"]), method=str(request["method"]), kind=kind, at=at)
        turn.request_headers = pairs(request.get("headers"))
        _take_posted(turn, request)
        self._turns.setdefault(request_id, []).append(turn)
        return turn

    def _complete(self, turn: Turn, event: Mapping[str, Any]) -> None:
        """A turn that began with less than a request, or that another session has told of before."""
        turn.at = min(turn.at, instant(event["wallTime"]))
        turn.kind = turn.kind or str(event.get("type", ""))
        turn.frame = turn.frame or str(event.get("frameId", ""))
        turn.request_headers = turn.request_headers or pairs(event["request"].get("headers"))
        if not turn.posted:
            _take_posted(turn, event["request"])

    def _answer(self, turn: Turn, answer: Mapping[str, Any], extra: bool) -> None:  # noqa: FBT001  # as DevTools says it
        turn.status = int(answer["status"])
        turn.status_text = str(answer.get("statusText", "")) or turn.status_text
        turn.headers = turn.headers or pairs(answer.get("headers"))
        if not turn.relayed:
            turn.protocol = str(answer.get("protocol", ""))
            turn.security = answer.get("securityDetails")
        turn.address = str(answer.get("remoteIPAddress", ""))
        turn.media_type = str(answer.get("mimeType", ""))
        turn.charset = str(answer.get("charset", ""))
        turn.by_worker = bool(answer.get("fromServiceWorker"))
        prefetched = answer.get("fromPrefetchCache") and turn.kind != AHEAD  # said of what fills that cache, too
        turn.from_cache = turn.from_cache or bool(answer.get("fromDiskCache") or prefetched)
        turn.expects_extra = extra
        if answer.get("responseTime"):
            turn.answered_at = instant(answer["responseTime"] / 1000)
        turn.answered_at = turn.answered_at or self._clock()


def _as_web(url: str) -> str | None:
    """The address of a web socket's handshake."""
    scheme = next((each for each in _SOCKETS if url.startswith(each)), None)
    return None if scheme is None else _SOCKETS[scheme] + url[len(scheme) :]


def _take_posted(turn: Turn, request: Mapping[str, Any]) -> None:
    entries = request.get("postDataEntries")
    turn.posts = turn.posts or bool(request.get("hasPostData") or entries or request.get("postData"))
    if entries and all("bytes" in each for each in entries):
        try:
            turn.posted = b"".join(base64.b64decode(each["bytes"]) for each in entries)
        except (binascii.Error, ValueError):
            turn.posted = b""
    if not turn.posted and request.get("postData"):
        turn.posted = str(request["postData"]).encode("utf-8", "surrogatepass")


def _fullest(by_line: Mapping[Line, list[Mapping[str, Any]]] | None) -> list[Mapping[str, Any]]:
    """Two sessions may tell of one request, a frame's and its parent's: each alone is the whole story or less."""
    return max((by_line or {}).values(), key=len, default=[])
