"""What of a page's words stays the same while nobody edits it: counts, ages and clock times are blotted out."""

import re

_COUNT = re.compile(
    r"\d[\d.,\u00a0\u202f' ]*\s?(?:[KMBkmb]\b|万|億|亿|만)?\s?"
    r"(?=\+?\s*(?:likes?|views?|followers?|following|posts?|comments?|shares?|saves?|repl(?:y|ies)|reviews?|ratings?|sold"
    r"|watching|watchers?|bought|orders?|others?|more|people|plays?|subscribers?|members?|subs?)\b)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"^\s*[+♥❤👍💬]?\s*(?:\d{1,3}(?:[.,]\d{3})*|\d+(?:[.,]\d)?\s?[KMBkmb万億亿만]|\d+)\s*$", re.MULTILINE
)
"""A number that is all of a line, and no price with cents."""
_AGE = re.compile(
    r"\b\d+\s?(?:s|m|h|d|w|mo|y)\b|\b(?:\d+|an?|one|few)\s(?:second|sec|minute|min|hour|hr|day|week|month|year)s?\sago\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?")
_BLOT = "#"


def settled(text: str) -> str:
    """Of a page's words, for comparing only: lines without what changes by itself, and without room around them.

    A price is no count: it stays. What is blotted out is not compared, and whoever compares says so.
    """
    for pattern in (_ALONE, _COUNT, _AGE, _CLOCK):
        text = pattern.sub(_BLOT, text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and line != _BLOT)
