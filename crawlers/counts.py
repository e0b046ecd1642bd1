"""Counts as pages give them: a number where it is exact, the page's own words where it is rounded."""

import re
from typing import Any

from crawlers.platform import Draft

MAX_CHARACTERS = 64


def count(value: Any) -> int | None:
    """A whole number as a page gives one exactly: 1856109, "1,856,109", "1.856.109 Aufrufe". "1.8M" is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    text = str(value)[:MAX_CHARACTERS].strip().replace("\u00a0", " ").replace("\u202f", " ")
    match = re.match(r"([0-9]{1,3}(?:[ .,'’][0-9]{3})+|[0-9]+)(?![0-9.,])(?:\s+(?P<word>\w+))?", text)
    if match is None or re.match(r"\s*[KkMmBb万萬億亿천만억](?![a-z])", text[match.end(1) :]):
        return None
    if re.fullmatch(r"(?:mil|mila|millones|milioni|milhões|millions?|Mio|Tsd|Mln|tys|mln|тыс|млн|rb|jt|lakh|crore)",
                    match["word"] or "", re.IGNORECASE):  # fmt: skip
        return None
    return int(re.sub(r"[^0-9]", "", match[1]))


def put_count(draft: Draft, name: str, value: Any, where: str, *, shown: bool = False) -> None:
    """A count where it is exact; where it is rounded, what the page shows (``followers_shown``: "46.3m")."""
    exact = count(value)
    if exact is not None:
        draft.put(name, exact, where, shown=shown)
    elif isinstance(value, str):
        draft.put(f"{name}_shown", value, where, shown=shown)
