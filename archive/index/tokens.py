"""Texts -> tokens that are searched. The same here, in SQLite and in PostgreSQL, since both get what is made here."""

import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping

MAX_TOKENS = 12_000
"""Of one capture: PostgreSQL counts places in a text to 16,383."""
_MAX_TOKEN = 80
_WORD = re.compile(r"[^\W_]+")
_SPACELESS = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\U00020000-\U0003ffff])"
)
"""Thai, Lao, Burmese, Khmer, kana, Han and Hangul: words stand without spaces, or are searched for in parts."""


def tokens_of(text: str) -> list[str]:
    """Case, accents and width dropped (Unicode NFKD); of scripts without spaces, each character by itself."""
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(each for each in flat if not unicodedata.combining(each))
    # Composed again, so that a syllable of Hangul is one character and not its letters.
    spaced = _SPACELESS.sub(r" \1 ", unicodedata.normalize("NFC", plain))
    return [word[:_MAX_TOKEN] for word in _WORD.findall(spaced)]


def joined(texts: Iterable[str]) -> str:
    """Tokens of several texts, in order, cut where it is too long; no phrase goes over from one text to the next."""
    found: list[str] = []
    for text in texts:
        here = tokens_of(text)
        if here:
            found += [*here, BREAK]
        if len(found) >= MAX_TOKENS:
            break
    return " ".join(found[:MAX_TOKENS])


BREAK = "zqzq0breakq0"
"""Stands between two texts; nobody searches for it."""


def labelled(told: Mapping[str, str | None], tokens: str) -> str:
    """Tokens, and before them what lists are filtered by: a search then goes through those alone that have both."""
    return " ".join([*(label_of(name, value) for name, value in told.items() if value), BREAK, tokens])


def label_of(name: str, value: str) -> str:
    """One token. Two values may share one, so whoever finds by it compares the value itself as well."""
    return f"zqzq{name}{''.join(tokens_of(value))}"[:_MAX_TOKEN]


def phrases_of(query: str) -> list[list[str]]:
    """Of what a person typed: each word, or what stands between quotation marks, is a phrase; all of them are meant."""
    found = []
    for quoted, word in re.findall(r'"([^"]*)"|(\S+)', query):
        if tokens := tokens_of(quoted or word):
            found.append(tokens)
    return found


def folded(texts: Iterable[str]) -> bytes:
    """Texts as they are kept, to be shown, and to know again which tokens were made of them."""
    return zlib.compress(json.dumps(list(texts), ensure_ascii=False).encode("utf-8", "replace"), 6)


def unfolded(data: bytes) -> list[str]:
    return [str(each) for each in json.loads(zlib.decompress(data).decode())]
