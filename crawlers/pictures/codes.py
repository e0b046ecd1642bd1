"""QR codes, other matrix codes and bar codes, by zxing-cpp (the extra `qr`)."""

from collections.abc import Callable
from importlib import metadata
from typing import Any

from PIL import Image

from crawlers.pictures.findings import Box, Code

PACKAGE = "zxing-cpp"
MAX_CODES = 200
"""Of one picture."""
MAX_PAYLOAD = 8_192
"""Bytes; the largest QR code holds 2,953 (ISO/IEC 18004)."""


def prepare() -> tuple[dict[str, Any], Callable[[Image.Image], tuple[list[Code], list[str]]]]:
    """What the engine is, and the engine: picture in, codes and notes out."""
    import zxingcpp  # noqa: PLC0415  # an extra

    engine = {"name": PACKAGE, "version": metadata.version(PACKAGE)}

    def look(picture: Image.Image) -> tuple[list[Code], list[str]]:
        found = zxingcpp.read_barcodes(picture)
        notes = [f"its first {MAX_CODES} of {len(found)} codes are given"] if len(found) > MAX_CODES else []
        return [_code(each) for each in found[:MAX_CODES]], notes

    return engine, look


def _code(found: Any) -> Code:
    return Code(
        format=found.format.name,
        content=found.content_type.name,
        text=found.text[:MAX_PAYLOAD],
        data=bytes(found.bytes)[:MAX_PAYLOAD],
        box=_box(found.position),
    )


def _box(position: Any) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    one, two, three, four = ((int(each.x), int(each.y)) for each in corners)
    return one, two, three, four
