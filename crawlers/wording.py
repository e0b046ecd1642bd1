"""What walls and leaving pages say: sentences out of visible text, and the statements of many languages in them."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MAX_LINES = 1_500
"""Lines of one page that are split into sentences; a wall is short, and what comes later is not it."""
MAX_SENTENCE = 400
"""Longer sentences are cut: no statement in the table is that long."""

_DROPPED = re.compile(
    "[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u0655\u0670\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]"
)
_ALIKE = str.maketrans(
    dict.fromkeys("’‘`´‛", "'")
    | dict.fromkeys("“”„«»「」", '"')
    | dict.fromkeys("–—‐‑", "-")
    | {"ı": "i", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "…": "..."}
)
_ENDS = re.compile(r"(?<=[.!?؟])[\"')]*\s+|(?<=[。！？])|\s+[|•·]\s+")
_OPENING = re.compile(
    r"^[\W_]*((we'?re |we are |i'?m |so |oh |uh.?oh|o+ps|oh no|hmm+|whoops|sorry|error( \d+)?|4\d\d|5\d\d|leider|hoppla"
    r"|ups|desole|nous sommes desoles|mi dispiace|spiacenti|siamo spiacenti|lo sentimos|lo siento|vaya|desculpe|helaas"
    r"|oeps|很抱歉|抱歉|对不起|對不起|申し訳ございません|申し訳ありません(が)?|죄송합니다|عذرا|к сожалению|извините"
    r"|uzgunuz|maalesef)\b[\W_]*)*"
)
_CLOSING = re.compile(r"[\s.!:;,。！…]+$")
_QUOTED = re.compile(r'"[^"]{8,}"')
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_ANY = "any"
_SCRIPTS = {
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ja": re.compile("[\u3040-\u30ff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "ar": re.compile("[\u0620-\u064a]"),
    "ru": re.compile("[\u0400-\u04ff]"),
}


def fold(text: str) -> str:
    """Lower case, no accents, one kind of quote and dash, single spaces: what is compared, never what is kept."""
    text = unicodedata.normalize("NFKD", text.translate(_ALIKE))
    text = unicodedata.normalize("NFC", _DROPPED.sub("", text)).translate(_ALIKE).casefold()
    return " ".join(text.split())


def weight(text: str) -> float:
    """How much is said: characters, where one of Chinese, Japanese or Korean says as much as two or three."""
    return len(text) + 1.4 * len(_WIDE.findall(text))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it stands on the page, and folded."""

    text: str
    folded: str
    line: str
    """The whole line it is part of, folded."""

    @property
    def alone(self) -> bool:
        """Whether it is the whole of its line."""
        return len(self.folded) >= len(self.line) - 8


@dataclass(frozen=True, slots=True)
class Said:
    """A statement found in a sentence."""

    sentence: Sentence
    language: str
    coverage: float
    """How much of the sentence the statement is, 0 to 1."""


def sentences(text: str, *, limit: int = MAX_LINES) -> Iterator[Sentence]:
    """The sentences of a visible text, line by line, each once."""
    seen: set[str] = set()
    for raw in text.split("\n", limit)[:limit]:
        line = " ".join(raw.split())
        if not line:
            continue
        folded_line = _trimmed(fold(line[: 4 * MAX_SENTENCE]))
        for part in _ENDS.split(line[: 4 * MAX_SENTENCE]):
            folded = _trimmed(fold(part[:MAX_SENTENCE]))
            if folded and folded not in seen:
                seen.add(folded)
                yield Sentence(text=part.strip(), folded=folded, line=folded_line)


def title_parts(title: str) -> list[Sentence]:
    """A document's title without the site's name: `Log in • Example` -> `Log in`, `Example`."""
    title = title[:MAX_SENTENCE]
    parts = re.split(r"\s+[|•·–—‹›»-]+\s+|\s*[|•]\s*|: ", title)
    folded = [(part.strip(), _trimmed(fold(part))) for part in (title, *parts[:8])]
    return [Sentence(text=part, folded=short, line=short) for part, short in dict.fromkeys(folded) if short]


def _trimmed(folded: str) -> str:
    """Without "sorry," before and the full stop after; whole again where nothing else was said."""
    return _CLOSING.sub("", _OPENING.sub("", folded)) or _CLOSING.sub("", folded)


@cache
def _book() -> dict[str, dict[str, object]]:
    return tomllib.loads(files("crawlers").joinpath("wording.toml").read_text(encoding="utf-8"))


@cache
def languages() -> tuple[str, ...]:
    return tuple(name for name in _book() if name != _ANY)


@cache
def pattern(language: str, key: str) -> re.Pattern[str]:
    """All statements of one language under one key, as one expression over folded text."""
    section = _book()[language]
    listed = section[key]
    assert isinstance(listed, list)
    things = fold(str(section.get("things", "")))
    alternatives = (fold(str(each)).replace("~", r".{0,40}?").replace("{n}", things) for each in listed)
    start = "" if section.get("joined") or language == _ANY else r"(?<!\w)"
    return re.compile(f"{start}(?:{'|'.join(f'(?:{each})' for each in alternatives)})")


def spoken(text: str) -> tuple[str, ...]:
    """The languages worth asking for a text, by the scripts it is written in."""
    found = [language for language, script in _SCRIPTS.items() if len(script.findall(text)) >= 2]
    if "ja" in found:
        found.sort(key=lambda language: language != "ja")  # kana: the same Han words mean what they mean in Japanese
    latin = [language for language in languages() if language not in _SCRIPTS]
    return (*found, *latin) if re.search(r"[A-Za-z]{3}", text) else tuple(found)


def says(key: str, sentence: Sentence, among: Sequence[str]) -> Said | None:
    """Whether a sentence makes a statement of that kind. What it only quotes does not count."""
    said = sentence.folded
    unquoted = _QUOTED.sub('""', said)
    if len(unquoted) > 12:
        said = unquoted
    for language in among:
        found = pattern(language, key).search(said)
        if found is not None:
            return Said(sentence, language, (found.end() - found.start()) / max(len(said), 1))
    return None


def speaks_of(key: str, folded: str) -> bool:
    """Whether a folded text holds one of the words of all languages under the key."""
    return pattern(_ANY, key).search(folded) is not None


def is_worded(key: str, text: str, among: Sequence[str] | None = None) -> bool:
    """Whether a short text, a button's say, begins with one of the words under the key."""
    folded = _trimmed(fold(text[:200]))
    return bool(folded) and any(pattern(each, key).match(folded) for each in among or languages())
