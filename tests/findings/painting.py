"""Pictures painted from a number: the like of photographs, goods on white, posters of one template.

Everything is drawn by Pillow from ``random.Random(seed)``, so that a picture is named by its kind and its number.
"""

import math
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
SHAPES = ((1080, 1080), (1080, 1350), (1200, 800), (800, 800), (640, 960), (900, 600))
WORDS = (
    "SALE",
    "New in",
    "link in bio",
    "50% off",
    "summer",
    "only today",
    "unboxing",
    "must have",
    "code LUNA10",
    "dupe?",
)


def paint(kind: str, number: int) -> Image.Image:
    return KINDS[kind](Random(f"{kind} {number}"))


def scene(rng: Random) -> Image.Image:
    """Clouds of several sizes in two colours each, a few things in front of them: the like of a photograph outdoors."""
    picture = _clouds(rng, _size(rng))
    for _ in range(rng.randint(2, 7)):
        _thing(rng, picture)
    return _grain(rng, picture)


def portrait(rng: Random) -> Image.Image:
    """A head, shoulders and hair in front of a blurred room."""
    picture = _clouds(rng, _size(rng)).filter(ImageFilter.GaussianBlur(12))
    wide, high = picture.size
    pen = ImageDraw.Draw(picture)
    x, y, r = wide * rng.uniform(0.35, 0.65), high * rng.uniform(0.3, 0.45), min(wide, high) * rng.uniform(0.13, 0.26)
    skin, hair, cloth = _colour(rng, 90, 240), _colour(rng, 10, 160), _colour(rng)
    pen.ellipse((x - 1.3 * r, y - 1.5 * r, x + 1.3 * r, y + rng.uniform(0.8, 2.6) * r), fill=hair)
    pen.rounded_rectangle((x - 2.1 * r, y + 1.3 * r, x + 2.1 * r, high + r), int(r), fill=cloth)
    pen.ellipse((x - 0.9 * r, y - 1.15 * r, x + 0.9 * r, y + 1.25 * r), fill=skin)
    for side in (-1, 1):
        pen.ellipse((x + side * 0.4 * r - 9, y - 16, x + side * 0.4 * r + 9, y - 2), fill=hair)
    pen.arc((x - 0.4 * r, y + 0.2 * r, x + 0.4 * r, y + 0.7 * r), 20, 160, fill=(150, 30, 40), width=8)
    return _grain(rng, picture)


def goods_in_a_room(rng: Random) -> Image.Image:
    """A bag, bottle, shoe or watch on a table."""
    picture = _clouds(rng, _size(rng))
    wide, high = picture.size
    table = _clouds(rng, (wide, high // 3))
    picture.paste(table, (0, high - table.height))
    _good(rng, picture, rng.choice(tuple(GOODS)), scale=rng.uniform(0.4, 0.8))
    return _grain(rng, picture)


def on_white(good: str) -> Callable[[Random], Image.Image]:
    """The picture of a shop: one kind of thing, in the middle, on white. All of one kind are hard to tell apart."""

    def draw(rng: Random) -> Image.Image:
        picture = Image.new("RGB", rng.choice(((800, 800), (1000, 1000), (800, 1000))), "white")
        _good(rng, picture, good, scale=rng.uniform(0.68, 0.8), wander=0.02)
        return picture

    return draw


def poster(rng: Random) -> Image.Image:
    """One template for all: a band, a headline, a price, a sign; what is sold differs, and lies in the same frame."""
    picture = Image.new("RGB", (1080, 1080), (250, 236, 220))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 1080, 190), fill=(26, 26, 46))
    pen.text((60, 50), "TODAY ONLY", fill="white", font=ImageFont.load_default(90))
    inner = _clouds(rng, (760, 640)).filter(ImageFilter.GaussianBlur(4))
    _good(rng, inner, rng.choice(tuple(GOODS)), scale=rng.uniform(0.6, 0.85))
    picture.paste(inner, (160, 230))
    pen.text((60, 900), f"only {rng.randint(9, 99)}.99", fill=(200, 30, 30), font=ImageFont.load_default(110))
    pen.ellipse((800, 860, 1020, 1060), fill=(226, 183, 20))
    pen.text((838, 930), f"-{rng.randint(10, 80)}%", fill="black", font=ImageFont.load_default(64))
    return picture


def words(rng: Random) -> Image.Image:
    """Lines of large letters on a ground that runs from one colour into another: a story without a photograph."""
    picture = gradient(rng)
    wide, high = picture.size
    pen = ImageDraw.Draw(picture)
    ink = rng.choice(("white", "black"))
    for line in range(rng.randint(2, 6)):
        letters = ImageFont.load_default(rng.randint(50, 130))
        pen.text((rng.randint(20, wide // 3), 40 + line * high // 7), rng.choice(WORDS), fill=ink, font=letters)
    return picture


def gradient(rng: Random) -> Image.Image:
    """Two colours and nothing else: nothing to know a picture by."""
    size = _size(rng)
    slope = Image.linear_gradient("L").rotate(rng.choice((0, 45, 90, 135, 180, 225, 270, 315)), expand=True)
    middle = slope.crop(tuple(int(part * slope.width) for part in (0.25, 0.25, 0.75, 0.75)))  # type: ignore[arg-type]
    mask = middle.resize(size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", size, _colour(rng)), Image.new("RGB", size, _colour(rng)), mask)


def _size(rng: Random) -> tuple[int, int]:
    return rng.choice(SHAPES)


def _colour(rng: Random, least: int = 0, most: int = 255) -> Colour:
    return rng.randint(least, most), rng.randint(least, most), rng.randint(least, most)


def _clouds(rng: Random, size: tuple[int, int]) -> Image.Image:
    """Noise of several sizes, each half as strong as the one before it."""
    mask = Image.new("L", size, 128)
    share = 0.5
    for side in (3, 5, 9, 18, 40, 90):
        noise = Image.frombytes("L", (side, side), rng.randbytes(side * side)).resize(size, Image.Resampling.BICUBIC)
        mask = Image.blend(mask, noise, share)
        share *= 0.62
    mask = mask.point(lambda value: max(0, min(255, int((value - 128) * 1.8 + 128))))
    return Image.composite(Image.new("RGB", size, _colour(rng)), Image.new("RGB", size, _colour(rng)), mask)


def _grain(rng: Random, picture: Image.Image) -> Image.Image:
    noise = Image.frombytes("L", (128, 128), rng.randbytes(128 * 128)).resize(picture.size)
    return Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), 0.06)


def _thing(rng: Random, picture: Image.Image) -> None:
    wide, high = picture.size
    pen = ImageDraw.Draw(picture)
    x, y, r = rng.randrange(wide), rng.randrange(high), rng.uniform(0.05, 0.25) * min(wide, high)
    corners = [
        (x + r * rng.uniform(0.4, 1.2) * math.cos(turn), y + r * rng.uniform(0.4, 1.2) * math.sin(turn))
        for turn in (2 * math.pi * part / 7 for part in range(7))
    ]
    if rng.random() < 0.5:
        pen.polygon(corners, fill=_colour(rng))
    else:
        pen.ellipse((x - r, y - r * rng.uniform(0.4, 1), x + r, y + r), fill=_colour(rng))


def _good(rng: Random, picture: Image.Image, good: str, *, scale: float, wander: float = 0.12) -> None:
    """Drawn on a square of its own, with a cloth of its own, then laid into the picture with a shadow."""
    side = int(min(picture.size) * scale)
    mask = Image.new("L", (side, side), 0)
    GOODS[good](rng, ImageDraw.Draw(mask), side)
    cloth = Image.blend(_clouds(rng, (side, side)), Image.new("RGB", (side, side), _colour(rng)), 0.5)
    pen = ImageDraw.Draw(cloth)
    for _ in range(rng.randint(0, 5)):  # seams, buckles, labels
        x, y = rng.randrange(side), rng.randrange(side)
        pen.rectangle((x, y, x + side * rng.uniform(0.03, 0.4), y + side * rng.uniform(0.01, 0.12)), fill=_colour(rng))
    left = int((picture.width - side) / 2 + rng.uniform(-wander, wander) * picture.width)
    top = int((picture.height - side) / 2 + rng.uniform(-wander, wander) * picture.height)
    shadow = mask.filter(ImageFilter.GaussianBlur(side // 40)).point(lambda value: value // 4)
    picture.paste((60, 60, 60), (left + side // 60, top + side // 40), shadow)
    picture.paste(cloth, (left, top), mask)


def _bag(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    top, slant = side * rng.uniform(0.32, 0.45), side * rng.uniform(0, 0.14)
    pen.polygon([(slant, top), (side - slant, top), (side - 1, side - 1), (0, side - 1)], fill=255)
    wide, rim = side * rng.uniform(0.12, 0.3), side // rng.randint(18, 34)
    pen.arc((wide, side * 0.02, side - wide, top * 2), 180, 360, fill=255, width=rim)


def _bottle(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    half, neck = side * rng.uniform(0.16, 0.36), side * rng.uniform(0.05, 0.12)
    shoulder = side * rng.uniform(0.22, 0.4)
    pen.rounded_rectangle((side / 2 - half, shoulder, side / 2 + half, side - 1), side // rng.randint(8, 30), fill=255)
    pen.rectangle((side / 2 - neck, side * 0.05, side / 2 + neck, shoulder + 9), fill=255)


def _shoe(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    heel, toe = side * rng.uniform(0.25, 0.4), side * rng.uniform(0.55, 0.7)
    sole = side * rng.uniform(0.74, 0.84)
    pen.polygon(
        [(0, heel), (side * 0.35, heel), (side * 0.6, toe), (side - 1, toe), (side - 1, sole), (0, sole)], fill=255
    )
    pen.rectangle((0, sole, side * rng.uniform(0.25, 1), sole + side * 0.08), fill=255)


def _watch(rng: Random, pen: ImageDraw.ImageDraw, side: int) -> None:
    half, strap = side * rng.uniform(0.24, 0.33), side * rng.uniform(0.09, 0.16)
    pen.rectangle((side / 2 - strap, 0, side / 2 + strap, side), fill=255)
    pen.ellipse((side / 2 - half, side / 2 - half, side / 2 + half, side / 2 + half), fill=255)


GOODS: Mapping[str, Callable[[Random, ImageDraw.ImageDraw, int], None]] = MappingProxyType(
    {"bag": _bag, "bottle": _bottle, "shoe": _shoe, "watch": _watch}
)
KINDS: Mapping[str, Callable[[Random], Image.Image]] = MappingProxyType(
    {
        "scene": scene,
        "portrait": portrait,
        "goods": goods_in_a_room,
        **{f"{good} on white": on_white(good) for good in GOODS},
        "poster": poster,
        "words": words,
        "gradient": gradient,
    }
)


def mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """``share`` of the width and of the height, taken off from all sides alike."""
    x, y = int(picture.width * share / 2), int(picture.height * share / 2)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def bordered(picture: Image.Image, share: float, colour: str = "white") -> Image.Image:
    edge = int(min(picture.size) * share)
    framed = Image.new("RGB", (picture.width + 2 * edge, picture.height + 2 * edge), colour)
    framed.paste(picture, (edge, edge))
    return framed


def lettered(picture: Image.Image) -> Image.Image:
    """Large letters across the lower third, as stories have them."""
    copy = picture.copy()
    pen = ImageDraw.Draw(copy, "RGBA")
    high = picture.height
    pen.rectangle((0, high * 0.72, picture.width, high * 0.84), fill=(0, 0, 0, 150))
    pen.text((picture.width * 0.06, high * 0.735), "LINK IN BIO", fill="white", font=ImageFont.load_default(high // 11))
    return copy


def watermarked(picture: Image.Image) -> Image.Image:
    """A name in grey across the middle."""
    mark = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mark).text(
        (picture.width * 0.1, picture.height * 0.45),
        "shop.example",
        fill=110,
        font=ImageFont.load_default(picture.width // 8),
    )
    copy = picture.copy()
    copy.paste((190, 190, 190), (0, 0), mark)
    return copy


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
