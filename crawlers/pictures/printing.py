"""Prints of the pictures that captures kept, each made in a process of its own, with limits; what has none says why."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Self

import PIL
from PIL import Image, ImageChops

from archive.derived import Derived
from crawlers.confined import Confined, Lost, OutOfTime
from crawlers.pictures import traffic
from crawlers.pictures.decoding import NotDecoded, TooSmall, decode
from crawlers.pictures.viewing import shut_in
from custody.digest import Digest
from findings import pdq
from findings.resemblance import MIN_SIDE, TRIMMED, Box, Print, boxes, print_of

MAKER = f"1-pillow-{PIL.__version__}"
"""What prints depend on beside the picture: the rules here and in ``findings`` (raise the number), and the decoder."""
SECONDS = 20.0
MEMORY_BYTES = 2 << 30
"""Of addresses, above what the process has to begin with: 64 million pixels, and a few copies."""
PART_SIDE = 128
"""Pixels that a part is scaled to: a third of the time that ``pdq.SCALED_SIDE`` takes, and as often right."""
_OURS = "urn:"
"""So begin the addresses of what the program itself took of the page, and laid beside its traffic (docs/cli.md)."""
_EVEN = 16
"""Of 255: what differs no more from the corner is its ground. JPEG alone makes five of it."""
_LEAST_LEFT = 0.25
"""Of the area: of less that is left without the ground, the picture was the ground."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What came of one picture."""

    print: Print | None = None
    width: int | None = None
    height: int | None = None
    why: str = ""
    """There is no print: a clause, to follow "no print:". Empty where there is one."""
    is_small: bool = False
    """Too small to tell anything by (``MIN_SIDE``)."""
    is_final: bool = True
    """The same bytes come to the same another time; not where time or memory was up."""

    def to_text(self) -> str:
        told = {"print": str(self.print) if self.print else None, "width": self.width, "height": self.height}
        return json.dumps({**told, "why": self.why, "is_small": self.is_small})

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None: a line that broke off, or of somebody else."""
        try:
            told = json.loads(text)
            found = Print.parse(told["print"]) if told["print"] else None
            return cls(
                print=found, width=told["width"], height=told["height"], why=told["why"], is_small=told["is_small"]
            )
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """A picture of a capture's traffic: that it was fetched is seen here, that a person saw it is not."""

    url: str
    record: str
    """WARC-Record-ID."""
    digest: Digest
    """Of the bytes as they were sent."""
    media_type: str
    width: int | None
    height: int | None
    print: Print | None
    why: str
    """Why there is no print; empty where there is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """All pictures of some traffic, in its order: each URL and digest once."""

    pictures: tuple[Printed, ...]
    small: int
    """How many more there were that are less than ``MIN_SIDE`` pixels wide or high."""


class Printer:
    """Makes prints of strangers' bytes. Used as a context; its process starts with the first picture."""

    def __init__(
        self, known: Derived | None = None, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._known = known
        self._confined = Confined[bytes, str](_prepared, seconds=seconds, memory_bytes=memory_bytes, name="prints")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._confined.end()

    def look(self, data: bytes, digest: Digest) -> Look:
        """Never raises for what a picture holds."""
        if self._known is not None and (text := self._known.get(digest)) is not None and (known := Look.parse(text)):
            return known
        try:
            answer = self._confined.ask(data)
        except Lost as lost:
            return Look(why=f"the process that looked {lost}", is_final=False)
        made = Look.parse(answer)
        if made is None:
            return Look(why=answer, is_final=False)
        if self._known is not None:
            self._known.put(digest, answer)
        return made

    def sheet(self, streams: Iterable[BinaryIO]) -> Sheet:
        """Of the WARCs of one visit. Raises ``StoreError`` for what is no WARC."""
        looks: dict[Digest, Look] = {}
        found: dict[tuple[str, Digest], Printed] = {}
        for stream in streams:
            for answer in traffic.pictures(stream):
                if answer.url.startswith(_OURS):
                    continue
                look = looks.get(answer.digest) or self.look(answer.data, answer.digest)
                looks[answer.digest] = look
                if not look.is_small:
                    found.setdefault((answer.url, answer.digest), _printed(answer, look))
        return Sheet(pictures=tuple(found.values()), small=sum(each.is_small for each in looks.values()))


def printed(picture: Image.Image) -> Print:
    """Of a decoded picture, on white and upright."""
    grey = picture.convert("L")
    placed: dict[str, Box] = boxes(grey.width, grey.height)
    if (inside := _trimmed(grey)) is not None:
        placed[TRIMMED] = inside
    whole, mirror = pdq.both_of(_scaled(grey, (0, 0, *grey.size), pdq.SCALED_SIDE), pdq.SCALED_SIDE, pdq.SCALED_SIDE)
    parts = {
        name: (pdq.hash_of(_scaled(grey, box, PART_SIDE), PART_SIDE, PART_SIDE), box) for name, box in placed.items()
    }
    return print_of(whole, mirror, grey.width, grey.height, parts)


def _scaled(grey: Image.Image, box: Box, side: int) -> bytes:
    """Small pictures are made larger too: where PDQ takes its places goes with the size, and costs up to 30 bits."""
    return grey.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0).tobytes()


def _trimmed(grey: Image.Image) -> Box | None:
    """What lies within the ground, if there is any around it: from each side as far as all is like the first corner."""
    ground = Image.new("L", grey.size, grey.getpixel((0, 0)))
    inside = ImageChops.difference(grey, ground).point(lambda value: 255 * (value > _EVEN)).getbbox()
    if inside is None or inside == (0, 0, *grey.size):
        return None
    left, top, right, bottom = inside
    if (right - left) * (bottom - top) < _LEAST_LEFT * grey.width * grey.height:
        return None
    return inside


def _prepared() -> Callable[[bytes], str]:
    pdq.hash_of(bytes(64 * 64), 64, 64)  # what it needs once is made before memory is limited
    Image.init()
    shut_in()
    return _worked


def _worked(data: bytes) -> str:
    """A look as text; a bare clause where another time may come to something else."""
    try:
        return _looked(data).to_text()
    except OutOfTime:
        return "the time for it was up"
    except MemoryError:
        return "it wanted more memory than it may have"
    except Exception as error:  # noqa: BLE001  # a stranger's picture: the next one is looked at all the same
        return f"the making of it failed ({type(error).__name__})"


def _looked(data: bytes) -> Look:
    try:
        picture, shape, _ = decode(data)
    except TooSmall as why:
        return Look(why=str(why), is_small=True)
    except NotDecoded as why:
        return Look(why=str(why))
    if min(picture.size) < MIN_SIDE:
        small = f"it has {shape.width} x {shape.height} pixels, less than {MIN_SIDE} one way"
        return Look(width=shape.width, height=shape.height, why=small, is_small=True)
    return Look(print=printed(picture), width=shape.width, height=shape.height)


def _printed(answer: traffic.Answer, look: Look) -> Printed:
    return Printed(
        url=answer.url,
        record=answer.record,
        digest=answer.digest,
        media_type=answer.media_type,
        width=look.width,
        height=look.height,
        print=look.print,
        why=look.why,
    )
