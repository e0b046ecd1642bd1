"""Archives for the console's tests, laid out as files: made in an instant, signed and stamped as real ones are."""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from custody.artifact import Artifact
from custody.model import Candidate, Json, Role, Via
from custody.record import Record
from tests.authority import LocalAuthority
from tests.custody.archive_builder import ArchiveBuilder, Captured, MemorySource

NAMES: Mapping[str, tuple[str, str]] = {
    Role.SCREENSHOT: ("screenshot.png", "image/png"),
    Role.VIEWPORT: ("viewport.png", "image/png"),
    Role.DOM: ("dom.html", "text/html"),
    Role.TEXT: ("text.txt", "text/plain; charset=utf-8"),
    Role.HEADERS: ("headers.json", "application/json"),
    Role.BODY: ("body.html", "text/html"),
    Role.READING: ("reading.json", "application/json"),
    Role.MEDIA: ("media.svg", "image/svg+xml"),
    Role.WARC: ("traffic.warc.gz", "application/warc"),
}


def png(width: int = 8, height: int = 6, colour: tuple[int, int, int] = (40, 90, 120)) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    row = b"\0" + bytes(colour) * width
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
    )


@dataclass
class Shelf(ArchiveBuilder):
    """Captures with the names and types that the program gives."""

    media_types: dict[str, str] = field(default_factory=dict)

    def _artifact(self, role: Role, data: bytes) -> Artifact:
        name, kind = NAMES[role]
        made = super()._artifact(role, data)
        return replace(made, name=name, media_type=self.media_types.get(role, kind))

    def page(
        self,
        run: str,
        *,
        scope: str | None = None,
        unit: str | None = None,
        files: Mapping[Role, bytes] | None = None,
        circumstances: Mapping[str, Json] | None = None,
        change: Callable[[Record], Record] = lambda record: record,
        **fields: Any,
    ) -> Captured:
        """A capture whose record has these fields."""
        own = {
            Role.SCREENSHOT: png(8, 6, (len(self.captures) % 255, 90, 120)),
            Role.TEXT: f"visible text {len(self.captures)}".encode(),
            Role.DOM: b"<!doctype html><title>a page</title><p>kept",
            Role.HEADERS: b"[]",
            **(files or {}),
        }

        def changed(record: Record) -> Record:
            sections = {**record.circumstances, **(circumstances or {})}
            return change(replace(record, circumstances=sections, **fields))

        return self.capture(run, scope=scope, unit=unit, files=own, change=changed)


def reading(kind: str, **fields: Json) -> bytes:
    """As it is made in a visit: each field was shown."""
    sources, seen = dict.fromkeys(fields, "css p"), dict.fromkeys(fields, "shown")
    value: dict[str, Json] = {"platform": "generic", "kind": kind, "wall": None, "fields": fields}
    value |= {"sources": sources, "seen": seen, "notes": []}
    return json.dumps({"schema": 1, "by": {"version": "0"}, "reading": value, "links": 2}).encode()


ITEM, BESIDE = "https://shop.example/item/1", "https://shop.example/item/2"


def promoted(
    shelf: Shelf, run: str, scope: str, *, title: str = "Screw bracelet", says: str = ""
) -> tuple[Captured, Captured]:
    """A post whose own words name a listing, and that listing; and a link beside it that is a candidate.

    ``says``: stands in every field of both besides.
    """
    named, beside = (
        Via(href=href, text=f"find {n}{says}", where=where)
        for n, (href, where) in enumerate(((ITEM, "text"), (BESIDE, "page")))
    )
    candidates = (
        Candidate(via=named, follow=True, reason="followed"),
        Candidate(via=beside, follow=False, reason="over_limit"),
    )
    told = reading(
        "post", author=f"ada{says}", handle=f"ada.finds{says}", caption=f"my find {ITEM} {says}",
        published_shown=f"May 3, 2026{says}",
    )  # fmt: skip
    post = shelf.page(run, scope=scope, title="A post", files={Role.READING: told}, candidates=candidates)
    told = reading(
        "listing", title=f"{title}{says}", seller=f"SunnyJewel{says}", price="12.90", currency="USD",
        price_shown=f"$12.90{says}", brand=says, availability=says, item_id=says,
    )  # fmt: skip
    listing = shelf.page(
        run, unit=post.unit, via=named, requested_url=ITEM, final_url=ITEM, title=title, files={Role.READING: told}
    )
    return post, listing


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A home and a store on disk."""

    home: Path
    store: Path
    builder: Shelf

    def path(self, key: str) -> Path:
        return self.store / key

    def lay(self, source: MemorySource) -> None:
        for key, data in source.objects.items():
            path = self.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def flip(self, key: str, at: int = -1) -> None:
        """Change one bit of the byte there; by default in the middle."""
        data = bytearray(self.path(key).read_bytes())
        at = len(data) // 2 if at < 0 else at
        data[at] ^= 1
        self.path(key).write_bytes(bytes(data))


def lay(builder: Shelf, folder: Path) -> Laid:
    laid = Laid(home=folder / "home", store=folder / "store", builder=builder)
    laid.home.mkdir(parents=True)
    (laid.home / "trust.json").write_bytes(builder.trust.format())
    laid.store.mkdir()
    laid.lay(builder.build())
    return laid


def opened(authorities: Sequence[LocalAuthority] = ()) -> Shelf:
    """A log that was begun, and nothing in it."""
    shelf = Shelf(authorities, locked=False)
    shelf.open_log()
    return shelf
