"""Passages in their context, marked; and whether they want a translation. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from custody.digest import Digest
from custody.errors import FormatError

AROUND = 160
"""Characters of context on either side."""
PAPER = "en"
"""The language that papers are written in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """A passage, and what stands around it in the text that it is of."""

    before: str
    raw: str
    after: str
    in_context: bool
    """False: the text that was kept does not have it at that place, so it is shown alone."""

    @property
    def digest(self) -> Digest:
        """Of the passage with its context, as UTF-8: what a translation is bound to."""
        return Digest.of(f"{self.before}{self.raw}{self.after}".encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """What somebody says that a passage means."""

    kind: str
    """``aid``: to work with, by whomever; ``certified``: by a person who answers for it."""
    by: str
    text: str


def mark(text: str | None, start: int, end: int, raw: str) -> Marked:
    """``start`` and ``end`` count code points, as observations do."""
    if text is None or text[start:end] != raw:
        return Marked(before="", raw=raw, after="", in_context=False)
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    before = ("… " if first else "") + text[first:start]
    after = text[end:last] + (" …" if last < len(text) else "")
    return Marked(before=before, raw=raw, after=after, in_context=True)


def wants_translation(text: str, language: str | None) -> bool:
    """Where the page says another language, or letters stand in it that English is not written with."""
    if language and language.partition("-")[0].lower() not in {PAPER, "und", ""}:
        return True
    return any(_is_foreign(character) for character in text)


def direction(text: str) -> str:
    """``rtl`` where the first letter with a direction is written from right to left (Unicode UAX #9, P2 and P3)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in {"R", "AL"}:
            return "rtl"
    return "ltr"


def parse_translations(rows: list[Mapping[str, str]]) -> dict[str, list[Translation]]:
    """By the passage's digest, of a table with the columns sha256, kind, by, text. Raises ``ValueError``."""
    found: dict[str, list[Translation]] = {}
    for n, row in enumerate(rows, 2):
        try:
            digest, kind, by, text = (row[name].strip() for name in ("sha256", "kind", "by", "text"))
        except (KeyError, AttributeError):
            raise ValueError("a table of translations has the columns sha256, kind, by, text") from None
        try:
            digest = Digest(digest.lower().removeprefix("sha256:")).hex
        except FormatError as error:
            raise ValueError(f"line {n}: {error}") from error
        if kind not in {"aid", "certified"}:
            raise ValueError(f"line {n}: kind is aid or certified, got {kind[:40]!r}")
        if not by or not text:
            raise ValueError(f"line {n}: a translation says by whom it is, and what it says")
        found.setdefault(digest, []).append(Translation(kind=kind, by=by, text=text))
    return found


def _is_foreign(character: str) -> bool:
    return character.isalpha() and not unicodedata.name(character, "").startswith(
        ("LATIN ", "MODIFIER ", "FEMININE", "MASCULINE")
    )
