"""Bytes -> pixels, for pictures of strangers: only formats of the web, only so many pixels, whole or not."""

import io
import warnings

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from crawlers.confined import OutOfTime
from crawlers.pictures.findings import Shape

MAX_BYTES = 64 << 20
"""Of a picture's file."""
MAX_PIXELS = 64_000_000
"""A whole page of 1366 x 40,000 has fewer; in memory it takes four bytes each, and a few copies."""
MIN_SIDE = 16
"""Pixels. What is smaller (a tracking pixel, a bullet) holds no text and no code: a QR code has 21 modules at least."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "ICO")
"""What browsers show (https://developer.mozilla.org/docs/Web/Media/Guides/Formats/Image_types), but SVG."""


class NotDecoded(Exception):
    """Why a picture is not looked at: a clause, to follow "not read:"."""


class TooSmall(NotDecoded):
    """It has fewer pixels than anything is looked for in."""


def decode(data: bytes) -> tuple[Image.Image, Shape, list[str]]:
    """The first frame in RGB, upright, on white. Raises ``NotDecoded``; notes say what of the file was not taken."""
    if len(data) > MAX_BYTES:
        raise NotDecoded(f"it has more than {MAX_BYTES} bytes")
    if _is_svg(data):
        raise NotDecoded("it is SVG, a drawing without pixels")
    notes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own word on large pictures; the limit here is ours
        try:
            picture = _decoded(data, notes)
        except (NotDecoded, OutOfTime, MemoryError):
            raise
        except Image.DecompressionBombError:
            raise NotDecoded(f"it has more than {MAX_PIXELS} pixels") from None
        except UnidentifiedImageError:
            raise NotDecoded("it is no picture of a format that is read") from None
        except Exception as error:  # a stranger's file: decoders raise what they like
            raise NotDecoded(f"it cannot be decoded ({type(error).__name__})") from error
    shape = Shape(format=notes.pop(0), width=picture.width, height=picture.height)
    return picture, shape, notes


def media_type(data: bytes) -> str:
    """By what is in the file, whatever its name says. Raises ``NotDecoded``."""
    _, shape, _ = decode(data)
    return Image.MIME[shape.format]


def _decoded(data: bytes, notes: list[str]) -> Image.Image:
    """``notes`` gets the format's name first."""
    opened: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    notes.append(opened.format or "")
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise NotDecoded(f"it has {width} x {height} pixels, more than {MAX_PIXELS}")
    if min(width, height) < MIN_SIDE:
        raise TooSmall(f"it has {width} x {height} pixels: too small for text or a code")
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        notes.append(f"it moves: the first of its {frames} frames was looked at")
    try:
        opened.load()
    except OSError:
        opened = _as_far_as_it_goes(data, notes)
    # A turned camera says so in EXIF, and browsers turn the picture: CSS Images 3, image-orientation.
    upright = ImageOps.exif_transpose(opened)
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        colours = upright.convert("RGBA")
        paper = Image.new("RGBA", colours.size, "white")
        return Image.alpha_composite(paper, colours).convert("RGB")
    return upright.convert("RGB")


def _as_far_as_it_goes(data: bytes, notes: list[str]) -> Image.Image:
    """What came of a file that breaks off; the rest of it is grey or black."""
    opened = Image.open(io.BytesIO(data), formats=FORMATS)
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        opened.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    notes.append("its file is broken or breaks off: what could be decoded was looked at")
    return opened


def _is_svg(data: bytes) -> bool:
    return b"<svg" in data[:1024].lower()
