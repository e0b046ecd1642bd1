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
_COUNTER = re.compile(r"(?<!\d)(\d{1,4})[ ]?(?:号|號|番|번)")
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
    number: int = 0
    """Its place among the buttons, from 1; 0 where nobody has counted."""


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
    """A number counts behind a word for a link; behind less, or bare, only where the post sends its readers somewhere.

    That is to its profile, by its words, or, as ``is_sent`` says, to a page of links that it names itself.
    """
    plain, places = plain_text(text)
    sends = _first_phrase(plain, places, text, "bio")
    codes: dict[str, Passage] = {}
    for start, end, code in _codes(plain, places, text, is_sent=is_sent or sends is not None):
        codes.setdefault(_norm(code), Passage(start=start, end=end, raw=text[start:end]))
    return Pointing(sends_to_profile=sends, codes=tuple(codes.items()))


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


def _codes(plain: str, places: Sequence[int], text: str, *, is_sent: bool) -> Iterator[tuple[int, int, str]]:
    def placed(start: int, end: int) -> tuple[int, int]:
        return places[start], places[end - 1] + 1

    for kind in ("link", "number") if is_sent else ("link",):
        for phrase in _phrases(kind):
            for at in occurrences(phrase, plain, edges=(has_edge(phrase[0]), False)):
                match = _AFTER_MARKER.match(plain, at + len(phrase))
                if match is not None:
                    yield *placed(at, match.end()), match[1]
    if is_sent:
        for pattern in (_HASH, _COUNTER):
            for match in pattern.finditer(plain):
                yield *placed(match.start(), match.end()), match[1]
        for match in _BARE_CODE.finditer(text):
            yield match.start(1), match.end(1), match[1]
        for match in _FRAMED.finditer(text):
            yield match.start(), match.end(), _unframed(match)


def _first_phrase(plain: str, places: Sequence[int], text: str, kind: str) -> Passage | None:
    best: tuple[int, int] | None = None
    for phrase in _phrases(kind):
        edges = has_edge(phrase[0]), has_edge(phrase[-1])
        at = next(occurrences(phrase, plain, edges=edges), None)
        if at is not None and (best is None or (at, -len(phrase)) < (best[0], best[0] - best[1])):
            best = (at, at + len(phrase))
    if best is None:
        return None
    start, end = places[best[0]], places[best[1] - 1] + 1
    return Passage(start=start, end=end, raw=text[start:end])


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
