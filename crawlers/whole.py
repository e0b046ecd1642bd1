"""A very tall page as one picture, made of the tiles that were kept of it; never in their place."""

import asyncio
import threading
import time
from dataclasses import dataclass
from importlib import metadata

from crawlers.kit import Kit
from crawlers.mosaic import NotComposedError, compose
from crawlers.recording.desk import File
from custody.model import Json, Role, Snapshot

NAME = "screenshot-whole.png"
MAX_S = 15.0
"""Two or three seconds a hundred million pixels, on a machine that has nothing else to do."""
HOW = "the rows of each under those of the one before it; no pixel is changed"


@dataclass(frozen=True, slots=True)
class Whole:
    """Says in the record what it is made of, or why there is none."""

    kit: Kit

    async def compose(self, *, within: float) -> None:
        """Of a visit that looks once. Raises DiskError."""
        tiles = [each for each in self.kit.seen.snapshots if each.role is Role.SCREENSHOT]
        await self.of(tiles, within=within)

    async def of(self, tiles: list[Snapshot], *, within: float, prefix: str = "") -> Snapshot | None:
        """Nothing to do where the page is one picture. ``prefix``: of the file's name. Raises DiskError."""
        seen, desk = self.kit.seen, self.kit.order.desk
        if len(tiles) < 2 or desk is None:
            return None
        until, given_up = time.monotonic() + min(MAX_S, within), threading.Event()
        size = (0, 0)

        def write(file: File) -> None:
            nonlocal size
            size = compose([each.path for each in tiles], file, is_late=lambda: _is_late(until, given_up))

        try:
            made = await asyncio.to_thread(desk.fill, Role.COMPOSITE, f"{prefix}{NAME}", "image/png", write)
        except NotComposedError as error:
            seen.derived.append({**_parents(tiles), "name": None, "why": str(error)})
            return None
        finally:
            given_up.set()  # a thread is not cancelled with the visit
        seen.snapshots.append(made)
        size_px: dict[str, Json] = {"width": size[0], "height": size[1]}
        seen.derived.append({**_parents(tiles), "name": made.name, "how": HOW, "size_px": size_px})
        return made


def _is_late(until: float, given_up: threading.Event) -> bool:
    return given_up.is_set() or time.monotonic() > until


def _parents(tiles: list[Snapshot]) -> dict[str, Json]:
    return {
        "role": Role.COMPOSITE.value,
        "by": f"counterproof {metadata.version('counterproof')}",
        "of": [{"name": each.name, "sha256": each.digest.hex} for each in tiles],
    }
