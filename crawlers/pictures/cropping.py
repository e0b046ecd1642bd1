"""Parts of pictures that we took ourselves, for papers: scaled down, or cut out around a box that is framed.

What comes out is derived, and says so where it is shown; the picture itself is never touched.
"""

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from archive.errors import UsageError
from archive.reading import Box
from crawlers.pictures.decoding import NotDecoded, decode

_FRAME = (200, 0, 0)
_FRAME_PX = 3
_QUALITY = 85
_SPARE = 0.15
"""Of a part: as much as one may be longer, so that no sliver is left over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A derived picture."""

    data: bytes
    media_type: str
    width: int
    height: int
    of_width: int
    """Pixels of what it was made of."""
    of_height: int
    is_whole: bool
    """Nothing of the original is left out; it may be scaled."""


def overview(data: bytes, *, width: int, height: int) -> Cut:
    """Scaled to at most ``width``; of what is then taller than ``height`` the upper part. Raises ``UsageError``."""
    picture = _opened(data)
    scale = min(1.0, width / picture.width)
    rows = min(picture.height, int(height / scale))
    part = picture.crop((0, 0, picture.width, rows))
    if scale < 1:
        part = part.resize((width, max(1, round(rows * scale))), Image.Resampling.LANCZOS)
    return _cut(part, picture, is_whole=rows == picture.height, lossless=False)


def crop(data: bytes, box: Box, *, margin: int, width: int) -> Cut:
    """The box with so many pixels around it, in a frame that lies outside of the box. Raises ``UsageError``."""
    picture = _opened(data)
    if not (0 <= box.x < picture.width and 0 <= box.y < picture.height and box.width > 0 and box.height > 0):
        raise UsageError(f"the box {box} lies outside of a picture of {picture.width} x {picture.height}")
    left, top = max(0, box.x - margin), max(0, box.y - margin)
    right = min(picture.width, box.x + box.width + margin)
    bottom = min(picture.height, box.y + box.height + margin)
    part = picture.crop((left, top, right, bottom))
    frame = (
        box.x - left - _FRAME_PX,
        box.y - top - _FRAME_PX,
        min(box.x + box.width, picture.width) - left + _FRAME_PX - 1,
        min(box.y + box.height, picture.height) - top + _FRAME_PX - 1,
    )
    ImageDraw.Draw(part).rectangle(frame, outline=_FRAME, width=_FRAME_PX)
    if part.width > width:
        part = part.resize((width, max(1, round(part.height * width / part.width))), Image.Resampling.LANCZOS)
    return _cut(part, picture, is_whole=False, lossless=True)


def slices(data: bytes, *, height: int, width: int) -> list[Cut]:
    """All of it from top to bottom, in equal parts of about ``height`` pixels, each scaled to at most ``width``."""
    picture = _opened(data)
    count = max(1, math.ceil(picture.height / height - _SPARE))
    each = math.ceil(picture.height / count)
    found = []
    for top in range(0, picture.height, each):
        part = picture.crop((0, top, picture.width, min(picture.height, top + each)))
        if part.width > width:
            part = part.resize((width, max(1, round(part.height * width / part.width))), Image.Resampling.LANCZOS)
        found.append(_cut(part, picture, is_whole=count == 1, lossless=False))
    return found


def _opened(data: bytes) -> Image.Image:
    try:
        return decode(data)[0]
    except NotDecoded as error:
        raise UsageError(f"the picture cannot be shown: {error}") from error


def _cut(part: Image.Image, of: Image.Image, *, is_whole: bool, lossless: bool) -> Cut:
    file = io.BytesIO()
    if lossless:
        part.save(file, "PNG", optimize=True)
    else:
        part.save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return Cut(
        data=file.getvalue(),
        media_type="image/png" if lossless else "image/jpeg",
        width=part.width,
        height=part.height,
        of_width=of.width,
        of_height=of.height,
        is_whole=is_whole,
    )
