"""Terms in a text, as they are spelt and as they are disguised: ``Gucci``, ``G*cci``, ``GUCC1``, ``g u c c i``.

What is found is a passage of the text and how it differs from the term; whether anything was meant by it is not said.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from findings.letters import IGNORABLE, MARKS, Trick, bare, stand_ins

MAX_TERM = 80
"""Characters of one term."""
LEAST_DISGUISED = 4
"""Letters: of a shorter Latin term, nothing but its plain spelling is told from other words."""
_WILDCARDS = "*#?•·✱＊"
_WILD = f"[{re.escape(_WILDCARDS)}\u2600-\u27bf\U0001f300-\U0001faff]"
"""An emoji in the place of a letter, too."""
_IS_WILD = re.compile(_WILD)
_SEPARATORS = r"\s._\-·•|/\\~,'’*"
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Scripts that set no spaces between words, and Korean, which hangs endings on: for a character class."""
_BETWEEN_WORDS = rf"[\s._\-–'’{IGNORABLE}]*"
_AND = r"(?:&|\+|(?<=\s)(?:[aA][nN][dD]|[eE][tT]|[uU][nN][dD]|[nNyY])(?=\s))?"
"""Between words that a term joins by a sign."""
_SIGN = re.compile(r"\s+(?:and|et|und|[yn])(?=\s)|[\s&+]+", re.IGNORECASE)
"""What joins words: as a word, it has room on both sides."""
_JOINING = re.compile(r"[\s._\-–&+'’]")
_IGNORED = re.compile(f"[{IGNORABLE}]")
_MARK = re.compile(f"[{MARKS}]")


class Strength(StrEnum):
    """What a passage is good for."""

    PLAIN = "plain"
    """The term as anybody writes it."""
    DISGUISED = "disguised"
    """Spelt in a way that a search for the term does not find."""
    WEAK = "weak"
    """Disguised so little or so much that it may as well be another word: for a person to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """Where a term stands in a text."""

    term: str
    """As the case has it."""
    start: int
    end: int
    """Code points of the text, as Python counts them."""
    raw: str
    """As it stands there."""
    tricks: tuple[Trick, ...]
    """Without repeats, in the order of ``Trick``. Empty: no difference but of case."""
    strength: Strength
    in_hashtag: bool
    """It is a part of a longer hashtag."""


def find(text: str, terms: Sequence[str]) -> tuple[Passage, ...]:
    """Passages in the order of the text. Where two of one term overlap, the plainer counts; then the longer.

    A term stands for itself as a word: ``diorama`` is no ``Dior``; inside a hashtag it may be a part of a word.
    """
    found: list[Passage] = []
    for term in dict.fromkeys(each.strip()[:MAX_TERM] for each in terms):
        found += _apart([passage for form in _forms(term) for passage in _passages(form, text)])
    return tuple(sorted(found, key=lambda each: (each.start, each.end, each.term)))


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a term may be written."""

    term: str
    letters: str
    """Bare, without what stands between words."""
    pattern: re.Pattern[str]
    joints: frozenset[int]
    """How many letters stand before each sign that joins words."""
    separated: bool
    in_hashtag: bool


@lru_cache(2048)
def _forms(term: str) -> tuple[_Form, ...]:
    parts = [re.findall(r"[^\s\-–_.'’]+", part) for part in re.split(r"[&+]", bare(term))]
    parts = [words for words in parts if words]
    letters = "".join(word for words in parts for word in words)
    if not letters:
        return ()
    is_short = _weight(letters) < LEAST_DISGUISED

    def spelt(*, disguised: bool) -> str:
        joined = (_BETWEEN_WORDS.join(_word(word, disguised=disguised) for word in words) for words in parts)
        return f"{_BETWEEN_WORDS}{_AND}{_BETWEEN_WORDS}".join(joined)

    written, plain = spelt(disguised=not is_short), spelt(disguised=False)
    lengths = [sum(map(len, words)) for words in parts]
    joints = frozenset(sum(lengths[:n]) for n in range(1, len(lengths)))

    def form(pattern: str, *, separated: bool = False, in_hashtag: bool = False) -> _Form:
        return _Form(term, letters, re.compile(pattern), joints, separated=separated, in_hashtag=in_hashtag)

    forms = [form(_bounds(letters).format(written))]
    if not is_short:
        tag = rf"(?<=[#＃])(?P<before>\w*?)(?P<it>{plain})(?=\w*)"
        forms.append(form(tag, in_hashtag=True))
        apart = rf"[{_SEPARATORS}{IGNORABLE}]{{1,3}}".join(_letter(each, disguised=True) for each in letters)
        forms.append(form(_bounds(letters).format(apart), separated=True))
    return tuple(forms)


def _weight(letters: str) -> int:
    """Letters, where one that is not Latin counts twice: words of few letters are rarer in such scripts."""
    return sum(1 if each.isascii() else 2 for each in letters)


def _bounds(letters: str) -> str:
    """A word's own; scripts that set no spaces have none, and a word beside them ends all the same: ``Gucciの``."""
    before = rf"(?<![^\W{_UNSPACED}])" if _has_edge(letters[0]) else ""
    after = rf"(?![^\W{_UNSPACED}])" if _has_edge(letters[-1]) else ""
    return f"{before}(?P<it>{{}}){after}"


def _has_edge(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return not name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR"))


def _word(word: str, *, disguised: bool) -> str:
    """The letters one after another; where it may be disguised, each up to three times, one of a pair left out."""
    if not disguised:
        return "".join(_letter(each, disguised=False) for each in word)
    pieces: list[str] = []
    for n, each in enumerate(word):
        one = _letter(each, disguised=True)
        if n and word[n - 1] == each:
            pieces.append(f"(?:{one}|{_WILD})?")  # Guci
        else:
            again = _letter(each, disguised=False)
            pieces.append(f"(?:{one}(?:{again}){{0,2}}|{_WILD})" if each.isalpha() else one)
    return "".join(pieces)


@lru_cache(4096)
def _letter(letter: str, *, disguised: bool) -> str:
    """A pattern of one letter, with what is not seen after it."""
    others = stand_ins().get(letter, {})
    kinds = {Trick.ACCENT, Trick.TYPE} if not disguised else {*Trick}
    alike = "".join(re.escape(each) for each, trick in others.items() if trick in kinds)
    after = f"[{MARKS}{IGNORABLE}]*" if disguised else f"[{MARKS}]*"
    cases = "".join(
        re.escape(each) for each in dict.fromkeys((letter, letter.upper(), letter.lower())) if len(each) == 1
    )
    return f"[{cases}{alike}]{after}"


def _passages(form: _Form, text: str) -> Iterator[Passage]:
    for match in form.pattern.finditer(text):
        start, end = match.span("it")
        while end > start and (_IGNORED.match(text[end - 1]) is not None):
            end -= 1
        raw = text[start:end]
        tricks = _tricks(form, raw)
        if tricks is None:
            continue
        strength = _strength(form, raw, tricks)
        is_part = form.in_hashtag and (bool(match["before"]) or _goes_on(text, end))
        if form.in_hashtag and not is_part:
            continue  # the whole hashtag is the term: found as a word
        yield Passage(
            term=form.term, start=start, end=end, raw=raw, tricks=tricks, strength=strength, in_hashtag=is_part
        )


def _goes_on(text: str, end: int) -> bool:
    return end < len(text) and (text[end].isalnum() or text[end] == "_")


def _tricks(form: _Form, raw: str) -> tuple[Trick, ...] | None:
    """What was done to each letter; None where it is not the term after all."""
    seen: set[Trick] = set()
    if form.separated:
        seen.add(Trick.SEPARATED)
    if _IGNORED.search(raw):
        seen.add(Trick.HIDDEN)
    others = stand_ins()
    want = form.letters
    at = 0
    wild = 0
    written = _IGNORED.sub("", raw)
    past = 0
    for n, each in enumerate(written):
        if n < past:
            continue
        if at in form.joints and n and (sign := _SIGN.match(written, n)):
            past = sign.end()
            continue
        if _MARK.match(each):
            seen.add(Trick.ACCENT)
            continue
        plain = each.lower()
        if at < len(want) and plain == want[at]:
            at += 1
            continue
        if at < len(want) and (trick := others.get(want[at], {}).get(each)) is not None:
            seen.add(trick)
            at += 1
            continue
        if at and _is(each, want[at - 1]):
            seen.add(Trick.REPEATED)
            continue
        if at + 1 < len(want) and want[at] == want[at - 1] and _is(each, want[at + 1]):  # one of a pair is left out
            seen.add(Trick.REPEATED)
            if (trick := others.get(want[at + 1], {}).get(each)) is not None:
                seen.add(trick)
            at += 2
            continue
        if form.separated and re.match(f"[{_SEPARATORS}]", each):
            continue
        if at < len(want) and _IS_WILD.match(each) is not None:
            wild += 1
            at += 1
            continue
        if _JOINING.match(each):
            continue
        return None
    if at < len(want) and not (at == len(want) - 1 and at and want[at] == want[at - 1]):
        return None
    if at < len(want):
        seen.add(Trick.REPEATED)
    if wild:
        seen.add(Trick.WILDCARD)
        if wild > max(1, len(want) // 3) or len(want) - wild < 2:
            return None
    seen.discard(Trick.ACCENT)  # the term itself may have it
    if _differs_by_accent(form.term, raw):
        seen.add(Trick.ACCENT)
    return tuple(each for each in Trick if each in seen)


def _is(written: str, letter: str) -> bool:
    return written.lower() == letter or written in stand_ins().get(letter, {})


def _differs_by_accent(term: str, raw: str) -> bool:
    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", _IGNORED.sub("", text)).casefold()

    return folded(term) != folded(raw) and bare(term) == bare(_IGNORED.sub("", raw))


def _strength(form: _Form, raw: str, tricks: Sequence[Trick]) -> Strength:
    disguises = {*tricks} - {Trick.ACCENT, Trick.TYPE}
    if not disguises:
        return Strength.PLAIN
    if Trick.REPEATED in disguises or (Trick.WILDCARD in disguises and len(form.letters) < LEAST_DISGUISED + 1):
        return Strength.WEAK
    if disguises == {Trick.CONFUSABLE} and not any(each.isascii() and each.isalpha() for each in raw):
        return Strength.WEAK  # a word of another script, whose letters all happen to look like these
    if disguises == {Trick.DIGIT} and _is_by_strokes(form, raw) and not _is_of_one_case(raw):
        return Strength.WEAK  # ``Cartler`` is a name; ``GUCCl`` is none
    if disguises == {Trick.DIGIT} and sum(each.isalpha() for each in raw) * 2 <= len(form.letters):
        return Strength.WEAK
    return Strength.DISGUISED


def _is_by_strokes(form: _Form, raw: str) -> bool:
    """An ``l`` for an ``i``, or the other way round."""
    return raw.count("l") > form.letters.count("l") or raw.count("I") > form.letters.count("i")


def _is_of_one_case(raw: str) -> bool:
    """Whether all other letters are upper case around an ``l``, or lower case around an ``I``."""
    others = [each for each in raw if each.isalpha() and each not in "lI"]
    return ("l" in raw and all(each.isupper() for each in others)) or (
        "I" in raw and all(each.islower() for each in others)
    )


def _apart(passages: Sequence[Passage]) -> list[Passage]:
    order = {Strength.PLAIN: 0, Strength.DISGUISED: 1, Strength.WEAK: 2}
    kept: list[Passage] = []
    for each in sorted(passages, key=lambda one: (order[one.strength], one.start - one.end, one.start)):
        if all(each.end <= other.start or each.start >= other.end for other in kept):
            kept.append(each)
    return kept
