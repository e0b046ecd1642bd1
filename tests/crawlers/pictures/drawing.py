"""Pictures made here: codes and letters where the test says."""

import io
from typing import Any

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

LINK = "https://shop.example/hidden?ref=qr"


def code(text: str, *, scale: int = 5, form: Any = zxingcpp.BarcodeFormat.QRCode) -> Image.Image:
    made = memoryview(zxingcpp.create_barcode(text, form).to_image(scale=scale))
    assert made.shape is not None
    return Image.frombuffer("L", (made.shape[1], made.shape[0]), made.tobytes())


def poster(*lines: str, size: tuple[int, int] = (640, 480), at: tuple[int, int] = (20, 20)) -> Image.Image:
    """Lines of 34 px letters, 60 px apart."""
    picture = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(34)
    for n, line in enumerate(lines):
        pen.text((at[0], at[1] + 60 * n), line, fill="black", font=font)
    return picture


def with_code(picture: Image.Image, text: str, at: tuple[int, int]) -> Image.Image:
    picture.paste(code(text), at)
    return picture


def file_of(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()
