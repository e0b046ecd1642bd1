"""How often the same picture is known again, change by change, and how often two are taken for one; and how fast.

The pictures are painted (tests/findings/painting.py): BENCH_PICTURES=N of each kind (60), of which BENCH_CHANGED=N (20)
are changed in each way that is listed. That takes a quarter of an hour of two cores.
BENCH_FOLDER=DIR takes the picture files of a folder instead: each one different from all others, as you have to know.
"""

import io
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import combinations
from multiprocessing import Pool
from pathlib import Path
from random import Random
from types import MappingProxyType

from PIL import Image, ImageEnhance

from bench.measuring import tell
from crawlers.pictures.decoding import NotDecoded, decode
from crawlers.pictures.printing import printed
from findings.resemblance import THRESHOLD, Likeness, Print, compare
from tests.findings.painting import KINDS, bordered, cropped, lettered, mirrored, paint, turned, watermarked

LONG = True
OF_EACH = int(os.environ.get("BENCH_PICTURES", "60"))
CHANGED = int(os.environ.get("BENCH_CHANGED", "20"))
FOLDER = os.environ.get("BENCH_FOLDER", "")
TOLD = "gradient"
"""This kind has nothing to be known by: whatever is found in it is wrong."""

Name = tuple[str, int]
Change = Callable[[Image.Image], Image.Image]


def packed(form: str, quality: int) -> Change:
    def change(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, form, quality=quality)
        return Image.open(file).convert("RGB")

    return change


def sized(times: float) -> Change:
    return lambda picture: picture.resize(
        (max(1, round(picture.width * times)), max(1, round(picture.height * times))), Image.Resampling.LANCZOS
    )


def then(*changes: Change) -> Change:
    def change(picture: Image.Image) -> Image.Image:
        for each in changes:
            picture = each(picture)
        return picture

    return change


def cut(share: float) -> Change:
    return then(lambda picture: cropped(picture, share), packed("JPEG", 80))


def cut_somewhere(picture: Image.Image) -> Image.Image:
    """Each side by up to a tenth, each by another."""
    rng = Random(f"{picture.size} {picture.getpixel((5, 5))}")  # noqa: S311  # cuts, no secrets
    left, top, right, bottom = (rng.uniform(0, 0.1) for _ in range(4))
    wide, high = picture.size
    return picture.crop((int(left * wide), int(top * high), int((1 - right) * wide), int((1 - bottom) * high)))


def cut_at_the_foot(picture: Image.Image) -> Image.Image:
    return picture.crop((0, 0, picture.width, int(picture.height * 0.85)))


def in_a_square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((x, y, x + side, y + side)).resize((320, 320))


def as_on_a_screen(picture: Image.Image) -> Image.Image:
    """At a telephone's width, from a screenshot of it, packed twice."""
    return then(packed("JPEG", 75), sized(412 / picture.width), packed("PNG", 0), packed("WEBP", 75))(picture)


def in_a_post(picture: Image.Image) -> Image.Image:
    """On a screenshot of a post, with its head and foot: the picture is one thing among others."""
    wide, high = picture.size
    page = Image.new("RGB", (wide, int(high * 1.4)), "white")
    page.paste(picture, (0, int(high * 0.15)))
    page.paste((40, 40, 40), (int(wide * 0.05), int(high * 0.04), int(wide * 0.45), int(high * 0.08)))
    page.paste((90, 90, 90), (int(wide * 0.05), int(high * 1.22), int(wide * 0.9), int(high * 1.26)))
    return page


CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "JPEG 90": packed("JPEG", 90),
        "JPEG 70": packed("JPEG", 70),
        "JPEG 40": packed("JPEG", 40),
        "WebP 60": packed("WEBP", 60),
        "AVIF 50": packed("AVIF", 50),
        "0.25 of the size": sized(0.25),
        "0.5 of the size": sized(0.5),
        "1.5 of the size": sized(1.5),
        "twice the size": sized(2),
        "on a screen": as_on_a_screen,
        "cut by 2 %": cut(0.02),
        "cut by 5 %": cut(0.05),
        "cut by 10 %": cut(0.10),
        "cut by 14 %": cut(0.14),
        "cut by 20 %": cut(0.20),
        "cut by 25 %": cut(0.25),
        "the square in the middle": in_a_square,
        "cut unevenly, 0-10 % a side": cut_somewhere,
        "15 % cut at the foot": cut_at_the_foot,
        "white frame of 3 %": then(lambda picture: bordered(picture, 0.03), packed("JPEG", 80)),
        "black frame of 10 %": then(lambda picture: bordered(picture, 0.10, "black"), packed("JPEG", 80)),
        "mirrored": then(mirrored, packed("JPEG", 80)),
        "mirrored, cut by 10 %": then(mirrored, cut(0.10)),
        "brightness +30 %": lambda picture: ImageEnhance.Brightness(picture).enhance(1.3),
        "brightness -30 %": lambda picture: ImageEnhance.Brightness(picture).enhance(0.7),
        "contrast +40 %": lambda picture: ImageEnhance.Contrast(picture).enhance(1.4),
        "contrast -40 %": lambda picture: ImageEnhance.Contrast(picture).enhance(0.6),
        "colours +60 %": lambda picture: ImageEnhance.Color(picture).enhance(1.6),
        "grey": lambda picture: picture.convert("L").convert("RGB"),
        "watermark": watermarked,
        "band with letters": lettered,
        "turned by 2 degrees": lambda picture: turned(picture, 2),
        "turned by 5 degrees": lambda picture: turned(picture, 5),
        "in a screenshot of a post": in_a_post,
    }
)


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if of == 0:
        return 0.0, 1.0
    z, share = 1.959964, found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(found: int, of: int, digits: int = 1) -> str:
    low, high = wilson(found, of)
    point = f"{100 * found / of:.{digits}f}" if of else "-"
    return f"{point} % ({100 * low:.{digits}f} to {100 * high:.{digits}f})"


def opened(name: Name) -> Image.Image:
    if not FOLDER:
        return paint(*name)
    return decode(Path(name[0]).read_bytes())[0]


def made(name: Name) -> tuple[Name, Print, dict[str, Print]]:
    picture = opened(name)
    changes = CHANGES if name[1] < CHANGED and name[0] != TOLD else {}
    return name, printed(picture), {what: printed(change(picture)) for what, change in changes.items()}


def names() -> list[Name]:
    if not FOLDER:
        return [(kind, number) for kind in KINDS for number in range(OF_EACH)]
    found = []
    for path in sorted(Path(FOLDER).rglob("*")):
        try:
            if path.is_file() and min(decode(path.read_bytes())[0].size) >= 200:
                found.append((str(path), 0))
        except NotDecoded as why:
            print(f"   {path}: {why}")
    return found


def known_again(all_made: list[tuple[Name, Print, dict[str, Print]]]) -> None:
    changed = [each for each in all_made if each[2]]
    telling = [each for each in changed if each[1].is_telling]
    print(f"   {len(changed)} pictures were changed; {len(telling)} are telling as a whole, and they alone are counted")
    print("   change                        known again, of the telling ones      as a whole")
    for what in CHANGES:
        found = [likeness for _, one, others in telling if (likeness := compare(one, others[what])) is not None]
        whole = sum(not each.is_of_a_part for each in found)
        print(f"   {what:28}  {share(len(found), len(telling)):36}  {100 * whole / max(1, len(telling)):.0f} %")


def taken_for_one(all_made: list[tuple[Name, Print, dict[str, Print]]]) -> None:
    pairs: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    seen: list[tuple[Likeness, Name, Name]] = []
    for (name, one, _), (other_name, other, _) in combinations(all_made, 2):
        kind = name[0] if name[0] == other_name[0] and not FOLDER else "of different kinds"
        likeness = compare(one, other)
        for counted in (kind, "all"):
            pairs[counted] += 1
            wrong[counted] += likeness is not None
        if likeness is not None:
            seen.append((likeness, name, other_name))
    print("   two different pictures        pairs      taken for one")
    print(f"   {sum(not one.is_telling for _, one, _ in all_made)} of {len(all_made)} are not telling as a whole")
    for kind, of in pairs.items():
        print(f"   {kind:28}  {of:9,}  {share(wrong[kind], of, 3)}")
    for likeness, name, other_name in sorted(seen, key=lambda each: each[0].distance)[:12]:
        print(f"      {name} and {other_name}: {likeness.distance} bits, {likeness.ours} and {likeness.theirs}")
    rng = Random(0)  # noqa: S311
    crossed = found = 0
    for name, one, _ in all_made:
        for other_name, _, changed in rng.sample(all_made, min(90, len(all_made))):
            if name != other_name and changed:
                crossed += 1
                found += compare(one, changed[rng.choice(tuple(changed))]) is not None
    print(f"   {'with a change, by chance':28}  {crossed:9,}  {share(found, crossed, 3)}")


def speed() -> None:
    for name in (("scene", 0), ("bag on white", 0)):
        picture = paint(*name)
        begun = time.process_time()
        for _ in range(5):
            printed(picture)
        tell(
            f"a print of {picture.width} x {picture.height} pixels",
            200 * (time.process_time() - begun),
            "ms",
            at_most=250,
        )
    file = io.BytesIO()
    paint("scene", 0).resize((4000, 3000)).save(file, "JPEG")
    begun = time.process_time()
    printed(decode(file.getvalue())[0])
    tell("decoding and a print of 4000 x 3000 pixels", 1000 * (time.process_time() - begun), "ms", at_most=800)
    one, other = printed(paint("scene", 0)), printed(paint("scene", 1))
    begun = time.process_time()
    for _ in range(2_000):
        compare(one, other)
    tell("comparing two prints with all parts", 500 * (time.process_time() - begun), "us", at_most=60)


def main() -> None:
    begun = time.process_time()
    with Pool(2) as pool:
        all_made = pool.map(made, names(), chunksize=4)
    print(f"   {len(all_made)} pictures, threshold {THRESHOLD} of 256 bits; intervals are Wilson's, 95 %")
    known_again(all_made)
    taken_for_one(all_made)
    speed()
    print(f"   ({time.process_time() - begun:.0f} s of this process)")


if __name__ == "__main__":
    main()
