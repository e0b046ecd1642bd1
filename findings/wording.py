"""Wording: what a text says of goods as copies, of links as hidden, of listings that show something else. No verdict.

Each finding is a passage and the phrase it is: that somebody writes "mirror quality" is seen, what is sold is not.
"""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from findings.phrases import has_edge, occurrences, plain_text

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "zh")
"""ISO 639-1; for each there are labelled sentences, true ones and look-alikes."""
_SENTENCE_END = re.compile(r"[.!?。！？؟\n\r]+(?=\s|$)|[\n\r。！？]+")


class Subject(StrEnum):
    """What a phrase speaks of."""

    COPY = "copy"
    """The goods are, or are said to be, a copy."""
    HIDDEN_LINK = "hidden_link"
    """A link leads to what it does not show."""
    SWAP = "swap"
    """What is ordered is not what comes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One passage."""

    subject: Subject
    phrase: str
    """As the lexicon has it."""
    languages: tuple[str, ...]
    """In whose lists it stands: ``replica`` is in several."""
    start: int
    end: int
    """Code points of the text."""
    raw: str
    is_weak: bool
    """An everyday word, which means this only together with something else."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    plain: str
    subject: Subject
    is_weak: bool
    languages: tuple[str, ...]
    unless: tuple[str, ...]
    edges: tuple[bool, bool]
    """Whether a letter may not stand right before it, or right after."""


class _Sentences:
    """A text's sentences, each made plain once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        self._plain: dict[tuple[int, int], str] = {}

    def around(self, start: int, end: int) -> str:
        """The sentence that a passage stands in; several, where it goes over an end."""
        before, after = bisect_right(self._ends, start), bisect_left(self._ends, end)
        begin = self._ends[before - 1] if before else 0
        until = self._ends[after] if after < len(self._ends) else len(self._text)
        if (begin, until) not in self._plain:
            self._plain[begin, until] = plain_text(self._text[begin:until])[0]
        return self._plain[begin, until]


def said_in(text: str, languages: Sequence[str] = LANGUAGES) -> tuple[Said, ...]:
    """Passages in the order of the text. Where two overlap, the longer counts, and a strong one before a weak one.

    A phrase counts unless, in its sentence and in one of its languages, words stand that give it another sense.
    """
    plain, places = plain_text(text)
    sentences = _Sentences(text)
    found: list[Said] = []
    for phrase in _phrases():
        wanted = [each for each in phrase.languages if each in languages]
        if not wanted:
            continue
        for at in occurrences(phrase.plain, plain, edges=phrase.edges):
            start, end = places[at], places[at + len(phrase.plain) - 1] + 1
            sentence = sentences.around(start, end)
            if any(each in sentence for each in phrase.unless):
                continue
            found.append(
                Said(
                    subject=phrase.subject,
                    phrase=phrase.text,
                    languages=tuple(wanted),
                    start=start,
                    end=end,
                    raw=text[start:end],
                    is_weak=phrase.is_weak,
                )
            )
    kept: list[Said] = []
    for each in sorted(found, key=lambda one: (one.is_weak, one.start - one.end, one.start)):
        if all(each.end <= other.start or each.start >= other.end for other in kept):
            kept.append(each)
    return tuple(sorted(kept, key=lambda one: one.start))


@cache
def _phrases() -> tuple[_Phrase, ...]:
    """Of all languages; the same phrase of several is one, with what speaks against it in any of them."""
    lists: Mapping[str, Any] = tomllib.loads(
        resources.files("findings").joinpath("lexicon.toml").read_text(encoding="utf-8")
    )
    merged: dict[tuple[str, Subject, bool], _Phrase] = {}
    for language, kinds in lists.items():
        unless = tuple(plain_text(each)[0] for each in kinds["unless"])
        for name, phrases in kinds.items():
            if name == "unless":
                continue
            subject, is_weak = Subject(name.removeprefix("weak_")), name.startswith("weak_")
            for text in phrases:
                plain, _ = plain_text(text)
                known = merged.get((plain, subject, is_weak))
                merged[plain, subject, is_weak] = _Phrase(
                    text=known.text if known else text,
                    plain=plain,
                    subject=subject,
                    is_weak=is_weak,
                    languages=(*(known.languages if known else ()), language),
                    unless=tuple(dict.fromkeys((*(known.unless if known else ()), *unless))),
                    edges=(has_edge(plain[0]), has_edge(plain[-1])),
                )
    return tuple(merged.values())


ABOUT: Mapping[Subject, str] = MappingProxyType(
    {
        Subject.COPY: "has words that are used of copies",
        Subject.HIDDEN_LINK: "has words that are used of hidden links",
        Subject.SWAP: "has words that are used where a listing shows one thing and another comes",
    }
)
"""For people: what stands there, and no more; what was meant by it is not said."""
