"""Boxes blacked out in a picture that we took: what was under them is in no byte of what comes out."""

import io
import warnings
import zlib
from collections.abc import Sequence

from PIL import Image, ImageChops

from archive.errors import StoreError, UsageError
from archive.reading import Box
from crawlers.pictures.decoding import MAX_BYTES, MAX_PIXELS

_KEPT = (b"IHDR", b"IDAT", b"IEND")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def redact(data: bytes, boxes: Sequence[Box]) -> bytes:
    """A PNG of the same size: black inside of the boxes, elsewhere the very pixels, and no metadata.

    What comes out is read again and compared before it is given back. Raises ``UsageError`` for what is no PNG, or a
    box that does not lie in it.
    """
    original = _opened(data)
    for each in boxes:
        inside = each.x >= 0 and each.y >= 0 and each.width > 0 and each.height > 0
        if not (inside and each.x + each.width <= original.width and each.y + each.height <= original.height):
            raise UsageError(
                f"the box {each.x},{each.y},{each.width},{each.height} does not lie in a picture of {original.width} x "
                f"{original.height} pixels"
            )
    made = Image.frombytes("RGB", original.size, original.tobytes())
    for each in boxes:
        made.paste((0, 0, 0), (each.x, each.y, each.x + each.width, each.y + each.height))
    file = io.BytesIO()
    made.save(file, "PNG", optimize=True)
    result = file.getvalue()
    _check(result, original, boxes)
    return result


def chunks(data: bytes) -> list[bytes]:
    """Names of a PNG's chunks (https://www.w3.org/TR/png-3/#5Chunk-layout). Raises ``UsageError`` for a broken one."""
    if not data.startswith(_SIGNATURE):
        raise UsageError("this is no PNG")
    found, at = [], len(_SIGNATURE)
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 4 : at + 8 + length]
        if zlib.crc32(body) != int.from_bytes(data[at + 8 + length : at + 12 + length], "big"):
            raise UsageError("this PNG is broken")
        found.append(name)
        at += 12 + length
    return found


def _opened(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES or not data.startswith(_SIGNATURE):
        raise UsageError(f"only PNG pictures of at most {MAX_BYTES} bytes are redacted")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own word on large pictures; the limit here is ours
            opened = Image.open(io.BytesIO(data), formats=("PNG",))
        if opened.width * opened.height > MAX_PIXELS:
            raise UsageError(f"only pictures of at most {MAX_PIXELS} pixels are redacted")
        opened.load()
    except Image.DecompressionBombError:
        raise UsageError(f"only pictures of at most {MAX_PIXELS} pixels are redacted") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"this PNG cannot be decoded ({error})") from error
    if opened.mode in {"RGBA", "LA", "PA"} or "transparency" in opened.info:
        alpha = opened.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise UsageError("this picture is see-through in places, which no picture of a page is: it is not redacted")
    return opened.convert("RGB")


def _check(result: bytes, original: Image.Image, boxes: Sequence[Box]) -> None:
    """It is better to give nothing than something that shows what was to be hidden."""
    if odd := set(chunks(result)) - set(_KEPT):
        raise StoreError(f"the redacted picture has {odd.pop()!r} in it, and was not written")
    again = Image.open(io.BytesIO(result), formats=("PNG",)).convert("RGB")
    meant = original.copy()
    for each in boxes:
        place = (each.x, each.y, each.x + each.width, each.y + each.height)
        if any(highest for _, highest in again.crop(place).getextrema()):  # type: ignore[misc]  # RGB: a pair for each band
            raise StoreError("a box of the redacted picture is not black, and it was not written")
        meant.paste((0, 0, 0), place)
    if ImageChops.difference(again, meant).getbbox() is not None:
        raise StoreError("the redacted picture differs outside of its boxes, and was not written")
