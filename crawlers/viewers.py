"""Files that the browser would show in a viewer of its own: taken as files, for a viewer keeps the bytes to itself."""

import asyncio
from collections.abc import Mapping
from typing import Any

from crawlers.tab import Tab, TabTrouble

TYPES = frozenset({"application/pdf", "text/pdf"})
_PATTERN = {"urlPattern": "*", "resourceType": "Document", "requestStage": "Response"}
_DISPOSITION = "content-disposition"


class Viewers:
    """Stands at the door for documents: a page passes as it came, a file is made a download.

    The record has the headers as the site sent them, since those are taken from the network and not from here.
    """

    def __init__(self, tab: Tab, frame: str) -> None:
        self._tab = tab
        self._frame = frame
        self._passing: set[asyncio.Task[None]] = set()

    async def stand(self) -> None:
        self._tab.on("Fetch.requestPaused", self._on_paused)
        await self._tab.send("Fetch.enable", {"patterns": [_PATTERN]})

    async def leave(self) -> None:
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _on_paused(self, event: Mapping[str, Any]) -> None:
        task = asyncio.ensure_future(self._pass(event))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass(self, event: Mapping[str, Any]) -> None:
        headers = [each for each in event.get("responseHeaders", ()) if each["name"].lower() != _DISPOSITION]
        params: dict[str, Any] = {"requestId": event["requestId"]}
        method = "Fetch.continueRequest"
        if event.get("frameId") == self._frame and _media_type(headers) in TYPES:
            method = "Fetch.continueResponse"
            params["responseCode"] = event["responseStatusCode"]
            params["responseHeaders"] = [*headers, {"name": "Content-Disposition", "value": "attachment"}]
        try:
            await self._tab.send(method, params)
        except TabTrouble:
            return  # the request, or all of the page, is gone


def _media_type(headers: list[Mapping[str, str]]) -> str:
    values = [each["value"] for each in headers if each["name"].lower() == "content-type"]
    return values[-1].partition(";")[0].strip().lower() if values else ""
