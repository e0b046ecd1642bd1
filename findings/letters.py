"""Letters that a reader takes for one another: what may stand for an ASCII letter, and which trick it is."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from string import ascii_lowercase
from types import MappingProxyType
from typing import Any

from confusable_homoglyphs.utils import load

IGNORABLE = "\u00ad\u034f\u061c\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
"""For a character class: they are not seen (UAX #44, Default_Ignorable), or, as the Arabic tatweel, only stretch."""
MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""Combining marks of the scripts that write them apart from their letters."""
_MARKS = re.compile(f"[{MARKS}]")
_DRESSED = ((0x80, 0x24F), (0x1E00, 0x1EFF), (0x2090, 0x214F), (0x2460, 0x24FF), (0xA720, 0xA7FF), (0xFF00, 0xFF5E),
            (0x1D400, 0x1D7FF), (0x1F100, 0x1F189))  # fmt: skip
"""Blocks in which Latin letters stand with accents, in other widths, in frames or in other types."""
_FRAMED = {chr(first + n): letter for first in (0x1F150, 0x1F170) for n, letter in enumerate(ascii_lowercase)}
"""White letters on a ground, which Unicode does not take apart."""
_UNDECOMPOSED = _FRAMED | {
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "ħ": "h",
    "ŧ": "t",
    "ı": "i",
    "ȷ": "j",
    "ƀ": "b",
    "ɍ": "r",
    "ɏ": "y",
}
"""A stroke is no combining mark to Unicode, and an accent to a reader."""
_DIGITS = {
    "a": "4@", "b": "8", "c": "(", "e": "3€", "g": "9", "i": "1!|l", "l": "1|I", "o": "0", "s": "5$", "t": "7+",
    "z": "2",
}  # fmt: skip


class Trick(StrEnum):
    """How a passage differs from the term that it stands for."""

    ACCENT = "accent"
    """With an accent or without: as people write, and no disguise."""
    TYPE = "type"
    """Letters of another type or width (Unicode compatibility forms, as NFKC undoes them)."""
    CONFUSABLE = "confusable"
    """A letter of another script that looks the same (UTS #39)."""
    DIGIT = "digit"
    """A digit or sign for a letter."""
    WILDCARD = "wildcard"
    """A sign in the place of a letter that is left out."""
    HIDDEN = "hidden"
    """Characters in between that are not seen."""
    SEPARATED = "separated"
    """Letters set apart one by one."""
    REPEATED = "repeated"
    """A letter more, or one of a pair less."""


def bare(text: str) -> str:
    """Without case, accents and compatibility forms: ``Hermès`` and ``ＨＥＲＭＥＳ`` are ``hermes``."""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(_UNDECOMPOSED.get(each, each) for each in _MARKS.sub("", spread))
    return unicodedata.normalize("NFC", letters)  # kana and hangul, whose marks make other letters of them


@cache
def stand_ins() -> Mapping[str, Mapping[str, Trick]]:
    """By ASCII letter in lower case, what may stand for it, and which trick that is. The letter itself is not there."""
    found: dict[str, dict[str, Trick]] = {each: {} for each in ascii_lowercase}
    for first, last in _DRESSED:
        for number in range(first, last + 1):
            letter = chr(number)
            if (plain := bare(letter)) in found:
                is_dressed = unicodedata.normalize("NFKC", letter) != letter
                found[plain][letter] = Trick.TYPE if is_dressed else Trick.ACCENT
    for letter, alike in _confusables().items():
        if not letter.isalpha() or letter.isascii():
            continue
        for each in alike:
            plain = each["c"].lower()
            if len(plain) == 1 and plain in found and bare(letter) != plain:
                found[plain].setdefault(letter, Trick.CONFUSABLE)
    for plain, signs in _DIGITS.items():
        for sign in signs:
            found[plain][sign] = Trick.DIGIT
    return MappingProxyType({plain: MappingProxyType(others) for plain, others in found.items()})


def _confusables() -> Mapping[str, Any]:
    """By character, those that Unicode's table lists with it (confusables.txt, UTS #39)."""
    read: Mapping[str, Any] = load("confusables.json")
    return read
