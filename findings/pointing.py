"""Which of several links a post points at: by number or code on a button, by its picture, or as the only one."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from findings.phrases import has_edge, occurrences, plain_text

MAX_CODE = 12
_CODE = r"(?:\d{1,4}|[A-Z]{1,4}[-.]?\d{1,5}[A-Z]?|\d{1,3}[A-Z])"
_AFTER_MARKER = re.compile(rf"[ ]?(?:is |: ?|= ?)?[#(\[]?[ ]?({_CODE})(?![\w%$€£])", re.IGNORECASE)
_HASH = re.compile(rf"(?<![\w&])#[ ]?({_CODE})(?![\w%])", re.IGNORECASE)
_BARE_CODE = re.compile(r"(?<![\w#@/.-])([A-Z]{1,4}[-.]?\d{1,5}[A-Z]?)(?![\w/.-])")
_COUNTER = re.compile(r"(?<!\d)(\d{1,4})[ ]?(?:号|號|番|번|numara(?!\w)|nolu(?!\w))|第[ ]?(\d{1,4})[ ]?[个個款号號]")
_NEAR_WORDS, _NEAR_CHARACTERS = 6, 48
"""Between where the post sends its readers and a number: with more in between, it is the number of something else."""
_BEFORE_WORDS = 2
"""Behind a number that comes first: "no. 1 fan club of the world, link in bio" speaks of a club."""
_CLAUSE_END = re.compile(r"[.!?。！？؟](?=\s|$)|[。！？؟]")
_OF_SOMETHING = re.compile(
    r"\s*(?:of|tips?|fans?|hits?|rule|reason|thing|song|choice|priority|der|des|die|dans|de la|consejo|truco"
    r"|dica|regel|grund|extension|ext|years?|days?|weeks?)(?!\w)",
    re.IGNORECASE,
)
"""What follows a number that counts something in the world."""
_WRITTEN = re.compile(r"(?<![\w@])(?:https?://)?(?:[\w-]+\.)+[a-z]{2,24}(?:/\S*)?", re.IGNORECASE)
_FRAMED = re.compile(r"(?:[0-9]\ufe0f?\u20e3)+|[\u2460-\u2473\u24ea-\u24ff\u2776-\u2793\u32b1-\u32bf]")
"""A number in keycaps, or one in a circle: framed by whoever wrote it, it is a number of something."""
_ON_LABEL = (
    re.compile(rf"^\W*({_CODE})\s*(?:[·.:)\]|–—•】＞>-]|$)", re.IGNORECASE),
    re.compile(rf"(?:#|\bno\.?|\bnr\.?|n[°º]|№|\bnum(?:ber|mer|ero|éro)?\.?|\bitem|\bcode|\blink)\s*({_CODE})(?!\w)",
               re.IGNORECASE),
    re.compile(r"(\d{1,4})\s?(?:号|號|番|번)"),
    re.compile(rf"[(\[【]\s*({_CODE})\s*[)\]】]\s*$", re.IGNORECASE),
)  # fmt: skip
"""How a button says its number: in front and set apart, behind a word or sign for it, or in brackets at the end."""
_IN_FRONT = re.compile(r"^\W*(\d{1,4})\s+(?=\D)")
_LEAST_NUMBERED = 3
"""Buttons that begin with a number of their own, no two alike, before "14 gold bangle" counts as number 14."""


class By(StrEnum):
    """What makes a link one that the post points at."""

    IN_TEXT = "in_text"
    """It stands in the post's own words."""
    COMMENT = "comment"
    """It stands in the author's own words among the comments of the post."""
    STICKER = "sticker"
    """It lies on the post's picture, as the platform shows it."""
    NUMBER = "number"
    """The post says the number that stands on the button."""
    CODE = "code"
    """The post says the code that stands on the button."""
    PICTURE = "picture"
    """The button shows the post's picture."""
    ONLY_LINK = "only_link"
    """The post sends its readers to the profile, where there is this one link and no other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """Words of a post that a finding rests on; ``start`` and ``end`` count the text's code points."""

    start: int
    end: int
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """One of the links that a page offers."""

    href: str
    label: str = ""
    key: str = ""
    """The same for two buttons that lead to one page; its address where nothing is given."""
    looks_like_post: bool = False
    """Its picture was compared with the post's, and matched."""
    is_aside: bool = False
    """It leads to another account of the same person, where nothing is sold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointer:
    """The post points at this one."""

    href: str
    by: By
    passage: Passage | None
    """None where it is no words that point: a picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointing:
    """What a post's words say of where its link is."""

    sends_to_profile: Passage | None
    codes: tuple[tuple[str, Passage], ...] = field(default=())
    """Each with the passage that says it, as the text has them."""

    @property
    def says_something(self) -> bool:
        return self.sends_to_profile is not None or bool(self.codes)


def pointing_of(text: str, *, is_sent: bool = False) -> Pointing:
    """A number counts right beside the words that send the reader to the link; behind a word for a link, anywhere.

    ``is_sent``: the post names a page of links itself, so that its address is such a place too.
    """
    plain, places = plain_text(text)
    sends = _phrases_in(plain, places, text)
    near = [(each.start, each.end) for each in sends]
    if is_sent:
        near += [match.span() for match in _WRITTEN.finditer(text)]
    codes: dict[str, Passage] = {}
    for start, end, code, is_of_a_link in _codes(plain, places, text):
        if not near or _OF_SOMETHING.match(text, end):
            continue
        if is_of_a_link or any(_is_near(text, (start, end), place) for place in near):
            codes.setdefault(_norm(code), Passage(start=start, end=end, raw=text[start:end]))
    return Pointing(sends_to_profile=sends[0] if sends else None, codes=tuple(codes.items()))


def _is_near(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """``one``: a number or code. ``other``: where the post sends its readers."""
    first, last = sorted((one, other))
    between = text[first[1] : last[0]]
    if first[1] >= last[0]:
        return True  # one lies in the other: "link no. 3 in bio"
    return (
        len(between) <= _NEAR_CHARACTERS
        and len(re.findall(r"\w+", between)) <= (_NEAR_WORDS if first == other else _BEFORE_WORDS)
        and _CLAUSE_END.search(between) is None
    )


def points(pointing: Pointing, buttons: Sequence[Button]) -> tuple[Pointer, ...]:
    """Of one page's links, those that are pointed at. Where a code stands on several, it points at none of them."""
    found: dict[str, Pointer] = {}
    labels = codes_on(buttons)
    for code, passage in pointing.codes:
        named = [n for n, codes in enumerate(labels) if code in codes]
        if named and len({_key(buttons[n]) for n in named}) == 1:
            by = By.NUMBER if code.isdigit() else By.CODE
            for n in named:
                found.setdefault(buttons[n].href, Pointer(href=buttons[n].href, by=by, passage=passage))
    for each in buttons:
        if each.looks_like_post:
            found.setdefault(each.href, Pointer(href=each.href, by=By.PICTURE, passage=None))
    ways = {_key(each): each for each in buttons if not each.is_aside}
    if pointing.sends_to_profile is not None and len(ways) == 1:  # whatever else there is leads to nobody's goods
        (only,) = ways.values()
        pointer = Pointer(href=only.href, by=By.ONLY_LINK, passage=pointing.sends_to_profile)
        found.setdefault(only.href, pointer)
    return tuple(found.values())


def codes_on(buttons: Sequence[Button]) -> list[frozenset[str]]:
    """For each button the numbers and codes that its label shows."""
    framed = [_FRAMED.sub(lambda match: f"#{_unframed(match)} · ", each.label) for each in buttons]
    labels = [" ".join(unicodedata.normalize("NFKC", each).split()) for each in framed]
    found = [{_norm(match[1]) for pattern in _ON_LABEL for match in pattern.finditer(each)} for each in labels]
    fronts = [match[1] if (match := _IN_FRONT.match(each)) else "" for each in labels]
    numbers = [_norm(each) for each in fronts if each]
    if len(numbers) >= _LEAST_NUMBERED and len(set(numbers)) == len(numbers) and 2 * len(numbers) >= len(buttons):
        for codes, front in zip(found, fronts, strict=True):
            codes.update({_norm(front)} if front else ())
    for codes, label in zip(found, labels, strict=True):
        codes.update(_norm(match[1]) for match in _BARE_CODE.finditer(label))
    return [frozenset(each) for each in found]


def _key(button: Button) -> str:
    return button.key or button.href


def _codes(plain: str, places: Sequence[int], text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Where a number or code stands, what it is, and whether a word for a link stands before it."""

    def placed(start: int, end: int) -> tuple[int, int]:
        return places[start], places[end - 1] + 1

    for kind in ("link", "number"):
        for phrase in _phrases(kind):
            for at in occurrences(phrase, plain, edges=(has_edge(phrase[0]), False)):
                match = _AFTER_MARKER.match(plain, at + len(phrase))
                if match is not None:
                    yield *placed(at, match.end()), match[1], kind == "link"
    for pattern in (_HASH, _COUNTER):
        for match in pattern.finditer(plain):
            yield *placed(match.start(), match.end()), next(each for each in match.groups() if each), False
    for match in _BARE_CODE.finditer(text):
        yield match.start(1), match.end(1), match[1], False
    for match in _FRAMED.finditer(text):
        yield match.start(), match.end(), _unframed(match), False


def _phrases_in(plain: str, places: Sequence[int], text: str) -> list[Passage]:
    """Where the post sends its readers to its profile, in the order of the text; of two that overlap the longer."""
    found: list[tuple[int, int]] = []
    for phrase in _phrases("bio"):  # the longest first
        edges = has_edge(phrase[0]), has_edge(phrase[-1])
        for at in occurrences(phrase, plain, edges=edges):
            start, end = places[at], places[at + len(phrase) - 1] + 1
            if all(end <= other[0] or start >= other[1] for other in found):
                found.append((start, end))
    return [Passage(start=start, end=end, raw=text[start:end]) for start, end in sorted(found)]


def _unframed(match: re.Match[str]) -> str:
    digits = "".join(each for each in match[0] if each.isdecimal())
    return digits or str(int(unicodedata.numeric(match[0])))


def _norm(code: str) -> str:
    """``07`` is ``7``, ``lv-23`` is ``LV23``; digits of other scripts are digits."""
    text = re.sub(r"[-.\s]", "", unicodedata.normalize("NFKC", code)).upper()[:MAX_CODE]
    return str(int(text)) if text.isdigit() else text


@cache
def _phrases(kind: str) -> tuple[str, ...]:
    lists: dict[str, Any] = tomllib.loads(
        resources.files("findings").joinpath("pointers.toml").read_text(encoding="utf-8")
    )
    plain = {plain_text(text)[0].strip() for each in lists.values() for text in each[kind]}
    return tuple(sorted(plain, key=lambda each: (-len(each), each)))
