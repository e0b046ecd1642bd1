"""Files that a page gives in place of itself: taken within limits of size and time, else cut off."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlers.sight import Order, Seen
from crawlers.tab import Tab, TabTrouble
from custody.model import Role

MAX_BYTES = 64 << 20
MAX_WAIT_S = 30.0


@dataclass(kw_only=True, slots=True)
class _File:
    url: str
    name: str
    came: int = 0
    announced: int = 0
    state: str = "inProgress"


class Downloads:
    """Notes every file that the page gives; the first one may be taken."""

    def __init__(self, tab: Tab, order: Order, seen: Seen) -> None:
        self._tab = tab
        self._order = order
        self._seen = seen
        self._files: dict[str, _File] = {}
        tab.on("Page.downloadWillBegin", self._on_begin)
        tab.on("Page.downloadProgress", self._on_progress)

    @property
    def begun(self) -> bool:
        return bool(self._files)

    async def take(self, media_type: str, name: str, *, until: float) -> None:
        """Keep the first file as this visit's body; say what it lacks where it is too large or too slow."""
        file = next(iter(self._files.values()))
        self._seen.final_url = file.url
        try:
            lacks = await self._whole(file, until=until)
            if lacks is None:
                await self._keep(await self._tab.downloaded(within=5.0), media_type, name)
        except (TabTrouble, OSError) as error:
            lacks = f"the download was not to be had: {error}"
        if lacks is not None:
            self._seen.lacks(Role.BODY, lacks)
        await self.refuse()

    async def refuse(self) -> None:
        """Cut off what still comes: the page is what was asked for, not its files."""
        if self.begun:
            await self._tab.stop_downloads()

    async def _whole(self, file: _File, *, until: float) -> str | None:
        """Wait for the end of it; the reason to stop before."""
        begun = time.monotonic()
        until = min(until, begun + MAX_WAIT_S)
        while True:
            if max(file.came, file.announced) > MAX_BYTES:
                size = f"{file.announced} bytes were announced" if file.announced else f"{file.came} bytes had come"
                return f"the download was cut off: {size}, at most {MAX_BYTES} are taken"
            if file.state == "completed":
                return None
            if file.state != "inProgress":
                return f"the download broke off ({file.state}); {file.came} bytes had come"
            if time.monotonic() > until:
                return f"the download was cut off after {until - begun:.0f} s; {file.came} bytes had come"
            if self._tab.lost:
                return "the browser died during the download"
            await asyncio.sleep(0.05)

    async def _keep(self, path: Path, media_type: str, name: str) -> None:
        data = await asyncio.to_thread(path.read_bytes)
        self._seen.snapshots.append(self._order.keep(Role.BODY, name, media_type, data))

    def _on_begin(self, event: Mapping[str, Any]) -> None:
        file = _File(url=event["url"], name=event["suggestedFilename"])
        self._files[event["guid"]] = file
        self._seen.note("download", self._order.clock(), url=file.url, suggested_name=file.name)

    def _on_progress(self, event: Mapping[str, Any]) -> None:
        file = self._files.get(event["guid"])
        if file is not None:
            file.came, file.announced = int(event["receivedBytes"]), int(event["totalBytes"])
            file.state = event["state"]
