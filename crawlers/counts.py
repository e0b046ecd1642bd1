"""Counts as pages write them for readers: "1,2 тыс.", "1.2M", "12 345", "3.4万"."""

import re
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"(\d[\d\s\u00a0\u202f.,'’٬]*)\s*([^\W\d_]+\.?)?")
_FOLD = {
    "k": 3, "m": 6, "b": 9, "bn": 9, "mn": 6, "mio": 6, "mil": 3, "mi": 6, "mill": 6, "md": 9, "mrd": 9,
    "tsd": 3, "tys": 3,
    "тыс": 3, "млн": 6, "млрд": 9, "тис": 3, "bin": 3, "rb": 3, "jt": 6, "万": 4, "萬": 4, "億": 8, "亿": 8,
    "만": 4, "천": 3,
    "억": 8, "千": 3, "lakh": 5, "crore": 7, "cr": 7, "t": 3, "ألف": 3, "مليون": 6, "พัน": 3, "หมื่น": 4,
    "แสน": 5, "ล้าน": 6,
}  # fmt: skip


def count_in(text: str) -> int | None:
    """The first count in a text; None where there is none. "1.2K" is 1200: as near as it says."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    digits, word = found[1].strip(), (found[2] or "").rstrip(".").lower()
    power = _FOLD.get(word) or _FOLD.get(word[:1] if word[:1] in "万萬億亿만천억千" else "") or 0
    compact = re.sub(r"[\s\u00a0\u202f'’٬]", "", digits)
    if power and re.fullmatch(r"\d+[.,]\d{1,2}", compact):
        compact = compact.replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(?:[.,]\d{2,3})*", compact) or compact.isdigit():
        compact = re.sub(r"[.,]", "", compact)
    else:
        compact = re.sub(r"[.,].*$", "", compact)
    try:
        return int(Decimal(compact) * 10**power)
    except (InvalidOperation, ValueError):
        return None
