"""The reading that is made in the visit itself: of the document that was kept, with boxes on the picture of the page.

It is derived, and may be made again from ``dom.html`` at any time; only the boxes need the page. Nothing in here makes
a capture less complete: what there is not is told where the record tells of what is derived.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archive.reading import Reading
from crawlers import boxes
from crawlers.boxes import Placed, Wanted
from crawlers.camera import Shot
from crawlers.kit import Kit
from crawlers.tab import Refused, Slow
from custody.model import Json, Role, Snapshot

NAME = "reading.json"
DOCUMENT = "dom.html"
SCHEMA = 1
WAIT_S = 5.0
"""For the reader, once the picture could be taken. The largest page takes a tenth of a second; a busy machine more."""
ASK_S = 2.0
"""For each of the two questions to the page."""
NOT_READ = "its reader had not ended when the page was left"
LATE = "its reader had not ended when the picture was due"
NO_PICTURE = "no picture of the whole page was taken"


@dataclass(slots=True)
class Firsthand:
    """Of one page. Without a reader, or a document, every step does nothing."""

    kit: Kit
    _document: Snapshot | None = None
    _url: str = ""
    _reading: "asyncio.Future[Reading] | None" = None
    _wanted: list[Wanted] = field(default_factory=list)
    _said: list[str | None] = field(default_factory=list)
    _placed: Placed = field(default_factory=Placed)
    _shots: tuple[Shot, ...] = ()
    _why: str | None = NO_PICTURE
    """There are no boxes."""

    def begin(self) -> None:
        """Have what was kept of the document read, while the visit goes on."""
        readers, seen = self.kit.order.readers, self.kit.seen
        self._document = next((each for each in seen.snapshots if each.name == DOCUMENT), None)
        self._url = seen.final_url or self.kit.order.url
        if readers is not None and self._document is not None:
            self._reading = readers.begin(self._document.path.read_bytes(), self._url)

    async def read(self) -> Reading | None:
        """What its reader found; None where there is no reader or document, or it did not come to an end in time."""
        if self._reading is None:
            return None
        await asyncio.wait({self._reading}, timeout=WAIT_S)
        return self._reading.result() if self._reading.done() else None

    async def mark(self, *, left: bool) -> None:
        """Find in the page what its picture is about to show of the reading. ``left``: it is another. Raises Gone."""
        if self._reading is None:
            return
        await asyncio.wait({self._reading}, timeout=WAIT_S)
        if not self._reading.done():
            self._why = LATE
            return
        self._wanted, without = boxes.wanted(self._reading.result())
        self._placed = Placed(without=without)
        if left or self.kit.seen.trouble is not None:
            self._why = "the page left for another while it was kept" if left else "the page did not come to rest"
            self._wanted = []
            return
        try:
            self._said = await boxes.mark(self.kit.world, self._wanted, within=ASK_S) if self._wanted else []
        except (Slow, Refused) as error:
            self._why, self._wanted = f"the page could not be asked before its picture was taken: {error}", []

    async def place(self, shots: Sequence[Shot], *, left: bool) -> None:
        """Ask the page again, now that there is a picture. ``left``: it is another page by now. Raises Gone."""
        self._shots = tuple(shots)
        if not self._wanted:
            self._why = self._why if self._why != NO_PICTURE or not shots else None
            return
        if left or not shots:
            self._why = "the page left for another while its picture was taken" if left else NO_PICTURE
            return
        try:
            found = await boxes.measured(self.kit.world, within=ASK_S)
        except (Slow, Refused) as error:
            self._why = f"the page could not be asked once its picture was taken: {error}"
            return
        size: Any = self.kit.seen.settings["page_px"]
        made = boxes.placed(
            self._wanted,
            self._said,
            found,
            shots,
            size=(size["width"], size["height"]),
            scale=self.kit.order.density,
        )
        self._placed = Placed(boxes=made.boxes, without={**self._placed.without, **made.without})
        self._why = None

    async def afterwards(self, why: str) -> None:
        """The reading of a document whose page is not there to be asked any more: without boxes, and ``why`` so."""
        self.begin()
        self._why = why
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=WAIT_S)
        self.keep()

    def keep(self) -> None:
        """What there is by now. Waits for nothing and asks nobody. Raises DiskError."""
        readers = self.kit.order.readers
        if readers is None or self._document is None or self._reading is None:
            return
        of = {"name": self._document.name, "sha256": self._document.digest.hex}
        told: dict[str, Json] = {"role": Role.READING.value, "by": readers.by, "of": [of]}
        if not self._reading.done():
            self.kit.seen.derived.append({**told, "name": None, "why": NOT_READ})
            return
        reading = self._reading.result()
        value = {
            "schema": SCHEMA,
            "derived": True,
            "by": readers.by,
            "of": {**of, "url": self._url},
            "reading": reading.to_json(),
            "boxes": {name: [box.to_json() for box in each] for name, each in self._placed.boxes.items()},
            "without_box": dict(self._placed.without),
            "picture": self._picture(),
        }
        text = json.dumps(value, ensure_ascii=False, indent=1)
        made = self.kit.order.keep(Role.READING, NAME, "application/json", text.encode("utf-8", "replace"))
        self.kit.seen.snapshots.append(made)
        facts: dict[str, Json] = {
            "platform": reading.platform,
            "kind": reading.kind.value,
            "wall": reading.wall,
            "fields": len(reading.fields),
            "boxes": len(self._placed.boxes),
        }
        self.kit.seen.derived.append({**told, "name": made.name, **facts})

    def _picture(self) -> Mapping[str, Json]:
        """What the boxes are drawn on, or why there are none."""
        if self._why is not None or not self._shots:
            return {"why": self._why or NO_PICTURE}
        files: list[Json] = [
            {"name": each.name, "top": each.tile.top, "height": each.tile.height} for each in self._shots
        ]
        return {"files": files, "width": self._shots[0].tile.width, "scale": f"{self.kit.order.density:g}"}
