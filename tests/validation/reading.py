"""What the archive holds of one capture, read back from it: every byte is checked against its digest first."""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from PIL import Image

from custody import keyspace
from custody.digest import Digest
from custody.record import Record
from tests.validation.truth import Colour, Step, flat

_FRAME = re.compile(r"--- frame \d+: .* ---")
_LINKED = frozenset({"no_follow"})
"""The reason that a link has which is followed unless one says --no-follow."""
Image.MAX_IMAGE_PIXELS = None  # our own screenshots, of up to 24 million pixels a tile


class NotAsStored(Exception):
    """The archive has not what its own manifest and records say it has; nothing can be judged by it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One capture, as whoever opens the archive finds it."""

    capture_id: str
    outcome: str
    reason: str
    status: str
    title: str | None
    final_url: str | None
    lines: tuple[str, ...] = field(repr=False)
    """Of the text before and after scrolling, what either has."""
    hops: tuple[Step, ...]
    hop_times: tuple[datetime, ...]
    links: tuple[str, ...]
    """Hrefs that would have been followed."""
    times: Mapping[str, datetime] = field(repr=False)
    documents: str = field(repr=False)
    viewport: Image.Image | None = field(repr=False)
    tiles: tuple[Image.Image, ...] = field(repr=False)
    pixels: str
    """A digest of what the picture of the whole page shows, however it is packed."""
    missing: tuple[str, ...]
    environment: Mapping[str, Any] = field(repr=False)

    def colour(self, left: float, top: float, density: float) -> Colour | None:
        """At a place of the page, in CSS pixels, in the picture of the whole page. None: it is not in the picture."""
        x, y = int(left * density), int(top * density)
        for tile in self.tiles:
            if y < tile.height:
                return _pixel(tile, x, y)
            y -= tile.height
        return None

    def first_colour(self, left: float, top: float, density: float) -> Colour | None:
        """The same in the first picture, of the window as it was: a phone may have shown the page small there."""
        scale = density * float(self.environment.get("page_scale", 1))
        return None if self.viewport is None else _pixel(self.viewport, int(left * scale), int(top * scale))

    def without_pictures(self) -> Self:
        """They take a hundred megabytes each; their digest stays."""
        return replace(self, viewport=None, tiles=(), documents="")


def _pixel(picture: Image.Image, x: int, y: int) -> Colour | None:
    if not (0 <= x < picture.width and 0 <= y < picture.height):
        return None
    red, green, blue = picture.getpixel((x, y))  # type: ignore[misc]  # it was made RGB
    return int(red), int(green), int(blue)


def read(capture: Mapping[str, Any], store: Path) -> Found:
    """Raises NotAsStored where a blob is missing, or not what its digest says."""
    artifacts: Sequence[Mapping[str, Any]] = capture["artifacts"]
    own = [each for each in artifacts if not str(each["name"]).startswith("hop-")]
    record = Record.parse(_blob(store, keyspace.blob(Digest(capture["record_sha256"])), capture["record_sha256"]))
    named = {str(each["name"]): each for each in own}

    def text(name: str) -> str:
        return _data(store, named[name]).decode("utf-8", "replace") if name in named else ""

    shots = [each for each in own if each["role"] == "screenshot"]
    shots.sort(key=lambda each: int((re.findall(r"-(\d+)\.png$", each["name"]) or ["1"])[0]))
    tiles = tuple(_picture(_data(store, each)) for each in shots)
    viewport = next((each for each in own if each["role"] == "viewport"), None)
    return Found(
        capture_id=record.capture_id,
        outcome=record.outcome.value,
        reason=record.outcome_reason,
        status=record.status.value,
        title=record.title,
        final_url=record.final_url,
        lines=tuple(_either(_lines(text("text.txt")), _lines(text("scrolled-text.txt")))),
        hops=tuple(Step(kind=each.kind, status=each.status, to_url=each.to_url) for each in record.hops),
        hop_times=tuple(each.at for each in record.hops),
        links=tuple(each.via.href for each in record.candidates if each.follow or each.reason in _LINKED),
        times=record.times,
        documents="\n".join(
            _data(store, each).decode("utf-8", "replace") for each in own if each["role"] in ("dom", "text")
        ),
        viewport=None if viewport is None else _picture(_data(store, viewport)),
        tiles=tiles,
        pixels=_digest(tiles),
        missing=tuple(f"{each.role.value}: {each.reason}" for each in record.missing),
        environment=record.circumstances["environment"],  # type: ignore[arg-type]
    )


def _lines(text: str) -> list[str]:
    return [flat(line) for line in text.splitlines() if flat(line) and not _FRAME.fullmatch(line)]


def _either(first: list[str], second: list[str]) -> Iterator[str]:
    """All of the first, and what the second has more."""
    yield from first
    left = list(first)
    for line in second:
        if line in left:
            left.remove(line)
        else:
            yield line


def _picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _digest(tiles: Sequence[Image.Image]) -> str:
    hasher = hashlib.sha256()
    for tile in tiles:
        hasher.update(repr(tile.size).encode() + tile.tobytes())
    return hasher.hexdigest()


def _data(store: Path, artifact: Mapping[str, Any]) -> bytes:
    return _blob(store, str(artifact["key"]), str(artifact["sha256"]))


def _blob(store: Path, key: str, sha256: str) -> bytes:
    try:
        data = (store / key).read_bytes()
    except OSError as error:
        raise NotAsStored(f"{key} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NotAsStored(f"{key} is not what its digest says")
    return data
