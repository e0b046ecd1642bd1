"""The body of each answer, had in the way that disturbs the page least: docs/decisions/0014-traffic.md."""

import asyncio
import base64
import contextlib
import re
from typing import Any

from crawlers.body import as_sent
from crawlers.recording.line import Line, Message
from crawlers.recording.scratch import Kept, Scratch
from crawlers.recording.turn import Turn, is_plain, stated_length
from crawlers.tab import TabTrouble, Wire

ASK_S = 1.0
"""How long an answer is held up so that its bytes are handed on to us from the first one."""
MAX_ASKED = 32 << 20
"""Bytes: a body that is handed over in one message may be so large."""
MAX_WAITED = 16 << 20
"""Bytes: a body that the page has to wait for while we read it."""
_HEAD = 4096
_CHARSET = re.compile(r"""<meta\b[^>]*charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)""", re.IGNORECASE)
_CODINGS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Bodies:
    """Asks for them, and puts them where the WARC is made from."""

    def __init__(self, scratch: Scratch) -> None:
        self.asked: dict[str, asyncio.Future[Message]] = {}
        """By request, whether its bytes are handed on as they come."""
        self._scratch = scratch

    async def ask_stream(self, turn: Turn, owner: Line | None) -> bool:
        """False: the session that tells of it cannot do this."""
        if owner is None:
            return False
        asked = self.asked.get(turn.request_id)
        if asked is None:
            asked = self.asked[turn.request_id] = owner.post("Network.streamResourceContent", requestId=turn.request_id)
        done, _ = await asyncio.wait([asyncio.ensure_future(self.stream(turn, owner, asked))], timeout=ASK_S)
        return not done or turn.streams is not None

    async def read(self, line: "Line | Straight", turn: Turn, event: Message) -> bool:
        """The body of what runs only once it is whole. True: it goes on by itself."""
        if is_bounded(turn):
            return await self.whole(line, turn, event["requestId"])
        return await self.take(line, turn, event, within=None)

    async def whole(self, line: "Line | Straight", turn: Turn, request: str) -> bool:
        """Have the browser wait for all of the body, and then go on. True: it does so by itself."""
        asked = line.post("Fetch.getResponseBody", requestId=request)
        line.post("Fetch.continueRequest", requestId=request)
        answer = await asked
        data = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        self._set(turn, data)
        return True

    def _set(self, turn: Turn, data: bytes) -> None:
        turn.streams, turn.body = None, Kept()
        self._scratch.add(turn.body, data)
        turn.came = max(turn.came, len(data))
        turn.whole = not turn.body.cut

    async def stream(self, turn: Turn, line: Line, asked: "asyncio.Future[Message]") -> None:
        """Mark the turn as one whose bytes come by themselves, and keep those that had come."""
        with contextlib.suppress(TabTrouble):
            answer = await asked
            if turn.streams is None and not turn.whole:
                turn.streams = line
                self._scratch.add(turn.body, base64.b64decode(answer.get("bufferedData", "")))

    async def take(self, line: "Line | Straight", turn: Turn, event: Message, *, within: float | None) -> bool:
        """Read the body ourselves, and give the page the same answer. False: it may go on.

        ``within``: for this long, and then the page, which does not look at it, is given what had come. None: to the
        end; what proves too large to be given on is refused.
        """
        request = event["requestId"]
        stream = (await line.post("Fetch.takeResponseBodyAsStream", requestId=request))["stream"]
        turn.relayed = True
        data, whole = bytearray(), False
        try:
            async with asyncio.timeout(within):
                while not whole and len(data) < MAX_ASKED:
                    part = await line.post("IO.read", handle=stream)
                    data += base64.b64decode(part["data"]) if part.get("base64Encoded") else part["data"].encode()
                    whole = bool(part.get("eof"))
        except TimeoutError:
            pass
        finally:
            self._set(turn, bytes(data))
            turn.whole, turn.body.cut = whole and turn.whole, turn.body.cut or len(data) >= MAX_ASKED
            line.post("IO.close", handle=stream)
            if whole or within is not None:
                headers = [each for each in event.get("responseHeaders", ()) if each["name"].lower() not in _CODINGS]
                answer = {"responseCode": turn.status, "responseHeaders": headers}
                body = base64.b64encode(data).decode()
                line.post("Fetch.fulfillRequest", requestId=request, body=body, **answer)
            else:
                line.post("Fetch.failRequest", requestId=request, errorReason="Failed")
        return True

    async def ask(self, line: Line, turn: Turn) -> None:
        """What did not come by itself is asked for once it is whole; a text is then put into its charset again."""
        if turn.came > MAX_ASKED:
            turn.body.cut = True
            return
        with contextlib.suppress(TabTrouble):
            answer = await line.post("Network.getResponseBody", requestId=turn.request_id)
            if turn.whole:
                return
            if answer["base64Encoded"]:
                data, recoded = base64.b64decode(answer["body"]), False
            else:
                taken = as_sent(answer["body"], turn.came, (turn.charset, charset_in(answer["body"])))
                data, recoded = taken.data or b"", taken.lacks is not None
            self._set(turn, data)
            turn.recoded = recoded


class Straight:
    """Commands to the browser itself, as ``Line`` gives them to a target."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def post(self, method: str, **params: Any) -> "asyncio.Future[Message]":
        return self._wire.post(method, params)


def charset_in(text: str) -> str:
    """The charset that a document names itself, where its answer names none."""
    named = _CHARSET.search(text[:_HEAD])
    return named[1] if named else ""


def is_bounded(turn: Turn) -> bool:
    """Whether the answer says that it is small, and nothing is there to be unpacked to something large."""
    length = stated_length(turn)
    return is_plain(turn) and length is not None and length <= MAX_WAITED
