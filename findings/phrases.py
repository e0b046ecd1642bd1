"""Phrases in a text: found without regard to case, accents, types and what stands between words, and placed in it."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from findings.letters import bare

_BETWEEN = frozenset(",;-–—_/|·•…→←➡⬅👉👈️>~、，،؛")
"""Signs that set words apart, and mean no more than a space."""


def plain_text(text: str) -> tuple[str, Sequence[int]]:
    """Bare, what stands between words as one space; and for each character the place in the text that it comes from."""
    letters: list[str] = []
    places: list[int] = []
    for n, each in enumerate(text):
        for one in _bare_letter(each):
            if one != " " or (letters and letters[-1] != " "):
                letters.append(one)
                places.append(n)
    return "".join(letters), places


def occurrences(phrase: str, plain: str, *, edges: tuple[bool, bool]) -> Iterator[int]:
    """Where a plain phrase stands in a plain text; ``edges``: whether no letter may stand right before or after it."""
    at = plain.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        before = at > 0 and _is_letter(plain[at - 1])
        after = end < len(plain) and _is_letter(plain[end])
        if not (edges[0] and before) and not (edges[1] and after):
            yield at
        at = plain.find(phrase, at + 1)


def has_edge(character: str) -> bool:
    """Scripts that set no spaces between words, and Korean, which hangs endings on, have no edges to look for."""
    name = unicodedata.name(character, "")
    return not name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))


@lru_cache(65_536)
def _bare_letter(letter: str) -> str:
    return " " if letter.isspace() or letter in _BETWEEN else bare(letter)


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"
