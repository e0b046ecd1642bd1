"""The main answer's body: the bytes that the site sent, content codings removed, where the browser has them."""

import asyncio
import base64
import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crawlers.exchange import Exchange
from crawlers.hops import ABORTED, Trail
from crawlers.tab import Refused, Slow, Tab, TabTrouble

MAX_BYTES = 64 << 20
# A byte order mark is no part of the text.
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
# WHATWG Encoding §4.2: labels that mean another encoding than their name says, as browsers have always read them.
_READ_AS = {"iso-8859-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-9": "cp1254",
            "windows-874": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949",
            "x-mac-cyrillic": "mac_cyrillic", "macintosh": "mac_roman", "big5": "big5hkscs"}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A body, and what is to be said against it."""

    data: bytes | None = field(repr=False)
    lacks: str | None


@dataclass(slots=True)
class _Stream:
    """One document's bytes as they come."""

    came: int = 0
    """Bytes, as DevTools counts them: without content codings."""
    buffered: bytes | None = field(default=None, repr=False)
    """What had come before we asked; None while, or since, the browser does not hand the bytes on."""
    parts: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    """What came as events, whoever asked for it: where in the body each begins, and its bytes."""
    asking: "asyncio.Task[None] | None" = None


class Body:
    """Collects the body of whatever main document is on its way.

    Chromium's ``getResponseBody`` gives a page's *text*: decoded, and no longer the bytes that came. So the bytes are
    asked for while they come. A small answer has often ended before we can ask: then the text is put back into the
    page's own charset, and taken only if that makes exactly as many bytes as came.
    """

    def __init__(self, tab: Tab, trail: Trail) -> None:
        self._tab = tab
        self._trail = trail
        self._streams: dict[str, _Stream] = {}
        self.stopped = False
        """Set by whoever stops the page's loading."""
        tab.on("Network.responseReceived", self._on_response)
        tab.on("Network.dataReceived", self._on_data)

    @property
    def is_too_large(self) -> bool:
        stream = self._streams.get(self._trail.current_request or "")
        return stream is not None and stream.came > MAX_BYTES

    @property
    def came(self) -> int:
        """Bytes of the main document so far."""
        stream = self._streams.get(self._trail.current_request or "")
        return stream.came if stream else 0

    @property
    def extent(self) -> str:
        """For people: how much has come, and that it was sent as less where it was."""
        answer = next((each for each in reversed(self._trail.exchanges) if not each.is_redirect), None)
        codings = (
            [value for name, value in answer.headers.items() if name.lower() == "content-encoding"] if answer else []
        )
        unpacked = f" (unpacked from {', '.join(codings[0].split())[:40]})" if codings else ""
        return f"{self.came / (1 << 20):.1f} MiB{unpacked}"

    async def take(self, exchange: Exchange, *, charset: str, within: float) -> Taken:
        """What there is of the body. Raises Gone."""
        stream = self._streams.get(exchange.request_id) or _Stream()
        if stream.asking is not None:
            await asyncio.wait([stream.asking], timeout=within)
        ended = exchange.request_id in self._trail.finished
        if stream.buffered is not None:
            had = len(stream.buffered)  # some of what came before the answer may have come as events, too
            data = stream.buffered + b"".join(data for at, data in stream.parts if at >= had)
            if ended and len(data) == stream.came:
                return Taken(data=data, lacks=None)
            return Taken(data=data, lacks=self._why_short(exchange, len(data)))
        if not ended:
            return Taken(data=None, lacks=self._why_short(exchange, 0))
        try:
            answer = await self._tab.send("Network.getResponseBody", {"requestId": exchange.request_id}, within=within)
        except (Slow, Refused) as error:
            return Taken(data=None, lacks=f"the browser does not hand it out: {error}")
        if answer["base64Encoded"]:
            return Taken(data=base64.b64decode(answer["body"]), lacks=None)
        return as_sent(answer["body"], stream.came, (charset, exchange.charset))

    async def drop(self) -> None:
        """End what is still being asked."""
        asking = [each.asking for each in self._streams.values() if each.asking is not None]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _why_short(self, exchange: Exchange, kept: int) -> str:
        error = self._trail.failed.get(exchange.request_id)
        why = f"the answer broke off ({error})" if error else "the answer did not end"
        if exchange.request_id in self._trail.finished:
            why = f"it is of {self.extent}" if self.is_too_large else "the browser did not hand out all of it"
        elif self.stopped or error == ABORTED:
            why = f"loading was stopped after {self.extent}"
        return f"{why}; its first {kept} bytes are kept" if kept else why

    def _on_response(self, event: Mapping[str, Any]) -> None:
        if self._trail.is_main(event):
            stream = self._streams.setdefault(event["requestId"], _Stream())
            stream.asking = asyncio.ensure_future(self._ask(event["requestId"], stream))

    async def _ask(self, request_id: str, stream: _Stream) -> None:
        try:
            answer = await self._tab.send("Network.streamResourceContent", {"requestId": request_id})
        except TabTrouble:
            return  # it has ended already: `take` asks in another way
        stream.buffered = base64.b64decode(answer["bufferedData"])

    def _on_data(self, event: Mapping[str, Any]) -> None:
        stream = self._streams.get(event["requestId"])
        if stream is not None:
            at = stream.came
            stream.came += int(event["dataLength"])
            if stream.came <= MAX_BYTES and event.get("data"):
                stream.parts.append((at, base64.b64decode(event["data"])))


def as_sent(text: str, length: int, charsets: tuple[str, ...]) -> Taken:
    """The text in the charset that it was read in, if that gives as many bytes as came. The first that is known counts.

    No other is tried: two encodings may well give the same number of bytes, and only one of them the right ones.
    """
    charset = next((each.lower() for each in charsets if each), "utf-8")
    try:
        codec = codecs.lookup(_READ_AS.get(charset, charset)).name
        data = text.encode(codec)
    except (LookupError, UnicodeEncodeError):
        codec, data = "", b""
    for whole in (data, _MARKS.get(codec, b"") + data):
        if codec and len(whole) == length:
            return Taken(data=whole, lacks=None)
    return Taken(
        data=text.encode("utf-8", "replace"), lacks=f"its {length} bytes were not to be had; kept is its text, in UTF-8"
    )
