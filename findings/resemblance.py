"""Resemblance: whether two pictures are the same one, packed anew, made smaller, cut or mirrored. No more than that.

A picture's print is its PDQ hash and those of some parts of it, since PDQ itself knows no picture again of which a
twentieth is cut off. How often this is right, and what it does not find: docs/resemblance.md.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from findings import pdq

THRESHOLD = 31
"""Of 256 bits, so many may differ: what PDQ's authors start with (pdq/README.md in facebook/ThreatExchange)."""
MIN_QUALITY = 50
"""Of 100, from the same place: what has less is too even to be known again by anything in it."""
MIN_SIDE = 100
"""Pixels, ours: icons and avatars are smaller, and the same on pages that have nothing to do with each other."""
WHOLE = "whole"
SQUARE = "square"
"""The square in the middle, as grids and lists of links show a picture."""
TRIMMED = "trimmed"
"""Without an even border, or even ground."""
INNER = (97, 94, 91, 88, 85, 82, 79)
"""Hundredths of width and height that are left when all sides are cut alike. Whole prints bear two hundredths."""
PARTS = (*(f"inner_{share}" for share in INNER), SQUARE, TRIMMED)

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_HASH = "[0-9a-f]{64}"
_TEXT = re.compile(
    rf"pdq1:({_HASH}):(0|[1-9]\d?|100):({_HASH}):([1-9]\d{{0,8}})x([1-9]\d{{0,8}})((?::(?:{'|'.join(PARTS)})={_HASH})*)"
)

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Print:
    """What a picture is known again by."""

    bits: int
    mirrored: int
    quality: int
    width: int
    """Pixels of the picture itself, upright, before anything was made smaller."""
    height: int
    parts: tuple[tuple[str, int], ...] = ()
    """Name and bits, in the order of ``PARTS``: those parts that are telling."""

    @property
    def is_telling(self) -> bool:
        """Whether the whole can match anything."""
        return is_telling(self.quality, self.width, self.height)

    def __str__(self) -> str:
        whole = f"pdq1:{self.bits:064x}:{self.quality}:{self.mirrored:064x}:{self.width}x{self.height}"
        return whole + "".join(f":{name}={bits:064x}" for name, bits in self.parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``ValueError`` for anything that ``str`` does not give."""
        if (match := _TEXT.fullmatch(text)) is None:
            raise ValueError(
                "that is no print: pdq1:<hash>:<quality>:<mirrored hash>:<width>x<height>[:<part>=<hash>…]"
            )
        parts = tuple((name, int(bits, 16)) for name, bits in _pairs(match[6]))
        if [name for name, _ in parts] != [name for name in PARTS if name in dict(parts)]:
            raise ValueError("that is no print: its parts are not in their order, each once")
        return cls(
            bits=int(match[1], 16),
            quality=int(match[2]),
            mirrored=int(match[3], 16),
            width=int(match[4]),
            height=int(match[5]),
            parts=parts,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """Two pictures that are taken for one: which part of each is like which of the other, and how much."""

    distance: int
    """Bits that differ, of 256."""
    is_mirrored: bool
    """One is nearer to what a mirror shows of the other."""
    ours: str = WHOLE
    """``whole`` or a part. Never parts of both: what is left of two pictures on even ground is alike too often."""
    theirs: str = WHOLE
    threshold: int = THRESHOLD
    """What the distance was held against."""

    @property
    def is_of_a_part(self) -> bool:
        return (self.ours, self.theirs) != (WHOLE, WHOLE)


def is_telling(quality: int, width: float, height: float) -> bool:
    return quality >= MIN_QUALITY and min(width, height) >= MIN_SIDE


def distance(one: Print, other: Print) -> int:
    """Bits of the whole that differ: 0 to 256; about 128 between pictures that have nothing in common."""
    return (one.bits ^ other.bits).bit_count()


def compare(ours: Print, theirs: Print, *, threshold: int = THRESHOLD) -> Likeness | None:
    """The nearest of the likenesses there are, of the wholes rather than of parts. None: there is none to be seen."""
    best = min((each for each in _distances(ours, theirs) if each[1] <= threshold), default=None)
    if best is None:
        return None
    _, bits, is_mirrored, our_part, their_part = best
    return Likeness(distance=bits, is_mirrored=is_mirrored, ours=our_part, theirs=their_part, threshold=threshold)


def matches(ours: Mapping[Ours, Print], theirs: Mapping[Theirs, Print]) -> tuple[tuple[Ours, Theirs, Likeness], ...]:
    """Every pair of one of ours and one of theirs that are taken for the same picture, the nearest first."""
    found = [
        (one, other, likeness)
        for one, our in ours.items()
        for other, their in theirs.items()
        if (likeness := compare(our, their)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (each[2].is_of_a_part, each[2].distance)))


def boxes(width: int, height: int) -> dict[str, Box]:
    """The parts that width and height alone say. ``TRIMMED`` is known to who has the pixels."""
    found: dict[str, Box] = {}
    for share in INNER:
        x, y = width * (100 - share) / 200, height * (100 - share) / 200
        found[f"inner_{share}"] = (x, y, width - x, height - y)
    if width != height:
        side = min(width, height)
        x, y = (width - side) / 2, (height - side) / 2
        found[SQUARE] = (x, y, x + side, y + side)
    return found


def print_of(
    whole: pdq.Hash, mirror: pdq.Hash, width: int, height: int, parts: Mapping[str, tuple[pdq.Hash, Box]]
) -> Print:
    """``parts``: by name, with where they lie in the picture; those that are not telling are left out."""
    telling = []
    for name in PARTS:
        if name in parts:
            made, (left, top, right, bottom) = parts[name]
            if is_telling(made.quality, right - left, bottom - top):
                telling.append((name, made.bits))
    return Print(
        bits=whole.bits,
        mirrored=mirror.bits,
        quality=whole.quality,
        width=width,
        height=height,
        parts=tuple(telling),
    )


def _distances(ours: Print, theirs: Print) -> Iterator[tuple[bool, int, bool, str, str]]:
    """Whether it is of a part, bits, whether mirrored, what of ours, what of theirs: so that the least is the best."""
    if ours.is_telling and theirs.is_telling:
        yield False, (ours.bits ^ theirs.bits).bit_count(), False, WHOLE, WHOLE
        yield False, (ours.mirrored ^ theirs.bits).bit_count(), True, WHOLE, WHOLE
        yield False, (ours.bits ^ theirs.mirrored).bit_count(), True, WHOLE, WHOLE
    if ours.is_telling:
        for name, bits in theirs.parts:
            yield True, (ours.bits ^ bits).bit_count(), False, WHOLE, name
            yield True, (ours.mirrored ^ bits).bit_count(), True, WHOLE, name
    if theirs.is_telling:
        for name, bits in ours.parts:
            yield True, (theirs.bits ^ bits).bit_count(), False, name, WHOLE
            yield True, (theirs.mirrored ^ bits).bit_count(), True, name, WHOLE


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for each in text.split(":")[1:]:
        name, _, bits = each.partition("=")
        yield name, bits
