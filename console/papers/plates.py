"""Plates: derived pictures in a paper, each with what it was made of."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from archive.errors import StoreError, UsageError
from archive.reading import Box
from console.papers.casefile import MAX_PICTURE_BYTES, CaseFile, Look
from custody.artifact import Artifact
from custody.model import Role

WIDTH = 1000
HEIGHT = 1300
"""Pixels of a page's picture in a paper, at most."""
MARGIN = 24
_SHOWN = (Role.VIEWPORT, Role.SCREENSHOT)


class Cut(Protocol):
    """``crawlers.pictures.cropping.Cut``."""

    @property
    def data(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...
    @property
    def of_width(self) -> int: ...
    @property
    def of_height(self) -> int: ...
    @property
    def is_whole(self) -> bool: ...


class Cutter(Protocol):
    """``crawlers.run``, which alone may look at pictures."""

    def overview(self, data: bytes, *, width: int, height: int) -> Cut: ...

    def crop(self, data: bytes, box: Box, *, margin: int, width: int) -> Cut: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """One picture in a paper."""

    uri: str = field(repr=False)
    alt: str
    of: Artifact
    note: str

    @classmethod
    def of_cut(cls, cut: Cut, artifact: Artifact, alt: str, note: str) -> "Plate":
        uri = f"data:{cut.media_type};base64,{base64.b64encode(cut.data).decode()}"
        return cls(uri=uri, alt=alt, of=artifact, note=note)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plates:
    """Of one case."""

    file: CaseFile
    cutter: Cutter

    def page(self, look: Look) -> Plate | None:
        """The window as it was first shown, or else the whole page; None where neither is at hand."""
        artifact = next((found for role in _SHOWN if (found := look.artifact(role)) is not None), None)
        data = None if artifact is None else self.pixels(artifact)
        if artifact is None or data is None:
            return None
        try:
            cut = self.cutter.overview(data, width=WIDTH, height=HEIGHT)
        except UsageError:
            return None
        part = "" if cut.is_whole else ", its upper part"
        what = "window" if artifact.role == Role.VIEWPORT else "whole page"
        alt = f"Picture of the {what} of {look.entry.requested_url}"
        return Plate.of_cut(cut, artifact, alt, f"scaled from {_size(cut)}{part}")

    def passage(self, look: Look, name: str, raw: str) -> tuple[Plate | None, str]:
        """The place on the picture of the whole page where a text of the reading stands, or why there is none."""
        made: Mapping[str, Any] = look.reading or {}
        boxes: Mapping[str, Any] = made.get("boxes") or {}
        found = name if boxes.get(name) else _same_words(made, boxes, raw)
        if found is None:
            why = (made.get("without_box") or {}).get(name)
            return None, str(why or "the reading has no place on the picture for this text")
        artifact, box = _placed(look, made, boxes[found][0])
        data = None if artifact is None else self.pixels(artifact)
        if artifact is None or data is None:
            return None, "the picture that it stands on is not at hand"
        try:
            cut = self.cutter.crop(data, box, margin=MARGIN, width=WIDTH)
        except UsageError as error:
            return None, str(error)
        place = f"x {box.x}, y {box.y}, {box.width} × {box.height} of {_size(cut)}; the frame is ours"
        also = "" if found == name else f", which has the same words as {name}"
        return Plate.of_cut(cut, artifact, f"Part of the picture where {found} stands{also}", place), ""

    def pixels(self, artifact: Artifact) -> bytes | None:
        """None where they are gone, or not what was recorded: then there is no picture, and the verdict says why."""
        try:
            return self.file.blob(artifact, MAX_PICTURE_BYTES)
        except StoreError:
            return None


def _same_words(made: Mapping[str, Any], boxes: Mapping[str, Any], raw: str) -> str | None:
    fields = (made.get("reading") or {}).get("fields") or {}
    return next((name for name in boxes if boxes[name] and raw in str(fields.get(name, ""))), None)


def _placed(look: Look, made: Mapping[str, Any], box: Mapping[str, Any]) -> tuple[Artifact | None, Box]:
    """The file that the box lies on, and the box in that file's pixels."""
    picture: Mapping[str, Any] = made.get("picture") or {}
    scale = float(picture.get("scale") or 1)
    artifacts = () if look.record is None else look.record.artifacts
    for file in picture.get("files") or ():
        if file["top"] <= box["y"] < file["top"] + file["height"]:
            return next((each for each in artifacts if each.name == file["name"]), None), Box(
                x=round(box["x"] * scale),
                y=round((box["y"] - file["top"]) * scale),
                width=round(box["width"] * scale),
                height=round(box["height"] * scale),
            )
    return None, Box(x=0, y=0, width=0, height=0)


def _size(cut: Cut) -> str:
    return f"{cut.of_width} × {cut.of_height} pixels"
