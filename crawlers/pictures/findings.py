"""What was found in a picture: codes, lines of text, and what was not looked at. Derived; the picture stays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from custody.model import Json

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
"""Corners (x, y) in pixels of the upright picture, from its top left corner: clockwise, the first where the text or
code itself has its top left."""
_QR = frozenset({"QRCode", "QRCodeModel1", "QRCodeModel2", "MicroQRCode", "RMQRCode"})
_WEB = ("http://", "https://")


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A bar code or a matrix code."""

    format: str
    """The engine's name for it: ``QRCode``, ``EAN13``, ``DataMatrix``."""
    content: str
    """What the engine takes the payload to be: ``Text``, ``Binary``, ``GS1``."""
    text: str
    data: bytes = field(repr=False)
    """The payload itself."""
    box: Box

    @property
    def is_link(self) -> bool:
        """A web address, whole: one that a telephone's camera would offer to open."""
        text = self.text.strip()
        return text[:8].lower().startswith(_WEB) and not any(each.isspace() for each in text)

    def to_json(self) -> dict[str, Json]:
        return {
            "format": self.format,
            "content": self.content,
            "text": self.text,
            "payload_hex": self.data.hex(),
            "box": [list(each) for each in self.box],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of text as an engine reads it: it may be wrong, and ``confidence`` is the engine's own word."""

    text: str
    confidence: str
    """0 to 1, with three decimals."""
    box: Box

    def to_json(self) -> dict[str, Json]:
        return {"text": self.text, "confidence": self.confidence, "box": [list(each) for each in self.box]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How the picture was decoded. Width and height in pixels, upright."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """One engine's look at one picture. ``shape`` is None where it could not be decoded; a note says why."""

    engine: Mapping[str, Json]
    shape: Shape | None = None
    codes: tuple[Code, ...] = ()
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    done: bool = False
    """Whether the engine looked at all of it."""

    def to_json(self) -> dict[str, Json]:
        """For the way out of the process that looked."""
        shape = self.shape
        return {
            "engine": self.engine,
            "shape": None if shape is None else [shape.format, shape.width, shape.height],
            "codes": [each.to_json() for each in self.codes],
            "lines": [each.to_json() for each in self.lines],
            "notes": list(self.notes),
            "done": self.done,
        }

    @classmethod
    def of_json(cls, value: Any) -> Self:
        """What ``to_json`` gave. ``ValueError``, ``LookupError``, ``TypeError`` or ``AttributeError`` for all else."""
        shape = value["shape"]
        return cls(
            engine=value["engine"],
            shape=None if shape is None else Shape(format=str(shape[0]), width=int(shape[1]), height=int(shape[2])),
            codes=tuple(
                Code(
                    format=each["format"],
                    content=each["content"],
                    text=each["text"],
                    data=bytes.fromhex(each["payload_hex"]),
                    box=_box(each["box"]),
                )
                for each in value["codes"]
            ),
            lines=tuple(
                Line(text=each["text"], confidence=each["confidence"], box=_box(each["box"])) for each in value["lines"]
            ),
            notes=tuple(value["notes"]),
            done=bool(value["done"]),
        )


def _box(value: Any) -> Box:
    one, two, three, four = ((int(x), int(y)) for x, y in value)
    return one, two, three, four


def together(looks: Mapping[str, Looked]) -> dict[str, Any]:
    """The public form (docs/cli.md) of what the engines found; ``looks`` by ``codes`` and ``text``."""
    shape = next((each.shape for each in looks.values() if each.shape is not None), None)
    codes = [code for look in looks.values() for code in look.codes]
    return {
        "derived": True,
        "format": shape.format if shape else None,
        "width": shape.width if shape else None,
        "height": shape.height if shape else None,
        "engines": {name: {**look.engine, "done": look.done} for name, look in looks.items()},
        "codes": [code.to_json() for code in codes],
        "text": [line.to_json() for look in looks.values() for line in look.lines],
        "links": list(_links(codes)),
        "notes": list(dict.fromkeys(note for look in looks.values() for note in look.notes)),
    }


def _links(codes: list[Code]) -> Iterator[dict[str, Json]]:
    """Candidates: nothing on the page says them in words, and none was followed."""
    for at, code in enumerate(codes):
        if code.is_link:
            kind = "qr" if code.format in _QR else "barcode"
            yield {"href": code.text.strip(), "kind": kind, "code": at, "follow": False, "reason": "in_picture"}
