"""Stands between a browser and its driver: passes on what they say to each other, and has sessions of its own besides.

The driver's messages are carried as they are, and not looked into. Ours are told apart by the session that Chromium
names at the end of each message, so that only what is for us is ever parsed, once.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

from crawlers.devtools.channel import Channel, Message
from crawlers.devtools.frames import END, Frames, TooLong, session_of
from crawlers.devtools.handover import Ends
from crawlers.devtools.outlet import Outlet
from crawlers.tab import Gone

READ_BYTES = 1 << 20
READS = 8
"""In one turn; then whatever else waits has its own."""
_FIRST = 1 << 30
"""Of our own ids where there is no session to tell them from the driver's, which counts from one."""
_OURS = b'{"id":%d,' % _FIRST
GONE = "the browser, or what drives it, has ended: the connection was closed"


class Switch:
    """For one browser. Lives until either side ends, and then ends the other."""

    def __init__(self, ends: Ends) -> None:
        self._loop = asyncio.get_running_loop()
        self._ends = ends
        self._to_driver = Outlet(ends.driver_hears, self._leave_browser, self._hear_browser, self.close)
        self._to_browser = Outlet(ends.browser_hears, self._leave_driver, self._hear_driver, self.close)
        self._from_browser, self._from_driver = Frames(), Frames()
        self._channels: dict[bytes, Channel] = {}
        self._hub: asyncio.Future[Channel] | None = None
        self._closed = False
        self._hear_browser()
        self._hear_driver()

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def browser(self) -> Channel:
        """A session with the browser itself, for nobody else. Raises TabTrouble."""
        return await self._attached("Target.attachToBrowserTarget", {})

    async def target(self, target: str) -> Channel:
        """One with a page, a frame or a worker. Raises TabTrouble; Refused where there is none with this id."""
        return await self._attached("Target.attachToTarget", {"targetId": target, "flatten": True})

    async def frames(self, context: str) -> list[str]:
        """The targets that are frames with a process of their own, of all pages of a browser context."""
        hub = await self._opened()
        found = await hub.send("Target.getTargets", {"filter": [{"type": "iframe"}]})
        return [each["targetId"] for each in found["targetInfos"] if each.get("browserContextId") == context]

    def close(self) -> None:
        """Both sides find their pipes closed: a browser ends then."""
        if self._closed:
            return
        self._closed = True
        for end in (self._ends.browser_says, self._ends.driver_says):
            if not self._loop.is_closed():
                self._loop.remove_reader(end)
            os.close(end)
        self._to_driver.close()
        self._to_browser.close()
        for channel in [*self._channels.values()]:
            channel.end(GONE)
        if self._hub is not None and not self._hub.done():
            self._hub.set_exception(Gone(GONE))

    # What a channel asks for

    def carry(self, said: Mapping[str, Any]) -> None:
        self._to_browser.write(json.dumps(said).encode() + END)

    def fault(self, error: Exception, event: str) -> None:
        self._loop.call_exception_handler({"message": f"at {event} of DevTools", "exception": error})

    def forget(self, session: str) -> None:
        self._channels.pop(session.encode(), None)

    # Ours

    async def _attached(self, method: str, params: Message) -> Channel:
        hub = await self._opened()
        session = (await hub.send(method, params))["sessionId"]
        made = self._channels.get(session.encode())
        if made is None:  # it ended as soon as it was there
            raise Gone(f"{method}: its target was closed")
        return made

    async def _opened(self) -> Channel:
        """The session that all others are asked for over; what it is told does not go to the driver."""
        if self._closed:
            raise Gone(GONE)
        if self._hub is None:
            self._hub = self._loop.create_future()
            self._hub.add_done_callback(lambda done: done.exception())
            self._to_browser.write(_OURS + b'"method":"Target.attachToBrowserTarget"}' + END)
        return await asyncio.shield(self._hub)

    def _on_hub(self, frame: bytes) -> None:
        said = json.loads(frame)
        if self._hub is None or self._hub.done():
            return
        if "result" not in said:
            self._hub.set_exception(Gone(str(said.get("error"))[:300]))
            return
        hub = Channel(self, said["result"]["sessionId"])
        self._channels[hub.session.encode()] = hub
        hub.on("Target.attachedToTarget", lambda event: self._on_attached(hub, event))
        hub.on("Target.detachedFromTarget", self._on_detached)
        self._hub.set_result(hub)

    def _on_attached(self, hub: Channel, event: Message) -> None:
        """Said before the answer to the question for it, and before anything in the new session is."""
        made = Channel(self, event["sessionId"], hub)
        self._channels[made.session.encode()] = made

    def _on_detached(self, event: Message) -> None:
        channel = self._channels.get(event["sessionId"].encode())
        if channel is not None:
            channel.end("its target was closed")

    # What comes

    def _hear_browser(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._ends.browser_says, self._on_browser)

    def _leave_browser(self) -> None:
        if not self._closed:
            self._loop.remove_reader(self._ends.browser_says)

    def _hear_driver(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._ends.driver_says, self._on_driver)

    def _leave_driver(self) -> None:
        if not self._closed:
            self._loop.remove_reader(self._ends.driver_says)

    def _on_browser(self) -> None:
        for _ in range(READS):
            data = self._read(self._ends.browser_says)
            if data is None:
                return
            others = []
            try:
                for frame in self._from_browser.cut(data):
                    channel = self._channels.get(session) if (session := session_of(frame)) else None
                    if channel is not None:
                        self._hand(channel, frame)
                    elif not session and frame.startswith(_OURS):
                        self._on_hub(frame)
                    else:
                        others.append(frame)
            except TooLong:
                self.close()
                return
            if others:
                others.append(b"")
                self._to_driver.write(END.join(others))
            if len(data) < READ_BYTES:
                return

    def _hand(self, channel: Channel, frame: bytes) -> None:
        try:
            channel.hear(frame)
        except (ValueError, RecursionError) as error:  # whoever waits for it will find that it did not come
            self.fault(error, "a message")

    def _on_driver(self) -> None:
        data = self._read(self._ends.driver_says)
        if data is None:
            return
        try:
            whole = [*self._from_driver.cut(data)]
        except TooLong:
            self.close()
            return
        if whole:
            whole.append(b"")
            self._to_browser.write(END.join(whole))

    def _read(self, end: int) -> bytes | None:
        """None: nothing for now, or never again."""
        if self._closed:
            return None
        try:
            data = os.read(end, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.close()
            return None
        return data
