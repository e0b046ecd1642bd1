"""Prices as shops write them: the number and the currency in a text, whatever the country."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

MAX_TEXT = 400
"""Characters of a text that are looked at: a price is short."""

CODES = frozenset(
    [
        "AED",
        "ARS",
        "AUD",
        "BDT",
        "BGN",
        "BHD",
        "BYN",
        "BRL",
        "CAD",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CZK",
        "DKK",
        "EGP",
        "EUR",
        "GBP",
        "GEL",
        "GHS",
        "HKD",
        "HRK",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "ISK",
        "JOD",
        "JPY",
        "KES",
        "KRW",
        "KWD",
        "KZT",
        "LKR",
        "MAD",
        "MXN",
        "MYR",
        "NGN",
        "NOK",
        "NZD",
        "OMR",
        "PEN",
        "PHP",
        "PKR",
        "PLN",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "SAR",
        "SEK",
        "SGD",
        "THB",
        "TND",
        "TRY",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "VND",
        "ZAR",
    ]
)
_LIKE_CODES = {"RMB": "CNY", "NTD": "TWD", "STG": "GBP", "RUR": "RUB", "CNH": "CNY"}
_THREE_PLACES = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
_SIGNS = {
    "US$": "USD", "US $": "USD", "U$S": "USD", "CA$": "CAD", "C$": "CAD", "CDN$": "CAD", "CAN$": "CAD", "AU$": "AUD",
    "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "SG$": "SGD", "S$": "SGD", "MX$": "MXN", "MEX$": "MXN",
    "R$": "BRL", "AR$": "ARS", "€": "EUR", "euro": "EUR", "£": "GBP", "円": "JPY", "人民币": "CNY", "元": "CNY",
    "₹": "INR", "rs.": "INR", "rs": "INR", "₽": "RUB", "руб": "RUB", "₺": "TRY", "tl": "TRY", "zł": "PLN", "kč": "CZK",
    "₩": "KRW", "원": "KRW", "฿": "THB", "บาท": "THB", "₫": "VND", "đ": "VND", "rp": "IDR", "rm": "MYR", "₱": "PHP",
    "₪": "ILS", "د.إ": "AED", "ر.س": "SAR", "ريال": "SAR", "جنيه": "EGP", "ft": "HUF", "lei": "RON", "лв": "BGN",
    "₴": "UAH", "грн": "UAH", "₸": "KZT", "₦": "NGN", "s/": "PEN", "fr.": "CHF", "sfr": "CHF", "nkr": "NOK",
    "dkr": "DKK", "skr": "SEK", "ksh": "KES", "kshs": "KES", "৳": "BDT", "tk": "BDT", "₾": "GEL", "vnđ": "VND",
    "jp¥": "JPY", "cn¥": "CNY", "col$": "COP", "eur": "EUR", "euros": "EUR", "د.ك": "KWD", "ر.ق": "QAR",
    "ر.ع": "OMR", "тг": "KZT", "тенге": "KZT", "kn": "HRK", "د.ب": "BHD", "ج.م": "EGP",
}  # fmt: skip
_SHARED = {
    "$": frozenset(("USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "ARS", "CLP", "COP", "TWD", "UYU")),
    "¥": frozenset(("JPY", "CNY")),
    "kr": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "r": frozenset(("ZAR",)),
}
"""Signs of several currencies: they mean the one that the page is known to deal in, else nothing is known."""
_ALSO = {"rs": frozenset(("PKR", "LKR")), "rs.": frozenset(("PKR", "LKR")), "руб": frozenset(("BYN",))}
"""Signs that nearly always mean one currency, and another where the page is known to deal in that."""
_NUMBER = re.compile(r"\d{1,3}(?:[ '’.,]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)*|(?<=[$€£])\.\d\d(?![\d.,])")
_RAISED = re.compile(r"(\d[\d.,]{0,12})([⁰¹²³⁴-⁹]{2})(?![⁰¹²³⁴-⁹])")
"""Cents above the line: ``19⁹⁹``."""
_APART = re.compile(r"(?<![A-Za-z])((?:US|CA|CDN|C|AU|A|NZ|HK|NT|SG|S|MX|AR|R)) (?=\$)")
"""eBay's ``AU $25.00``, which is no US dollar."""
MAX_NUMBERS = 12
"""Of one text that are looked at."""
_WORD_SIGNS = "|".join(
    re.escape(each) for each in sorted([*_SIGNS, *_SHARED], key=len, reverse=True) if each[0].isalpha()
)
_SIGN = re.compile(
    "|".join(re.escape(each) for each in sorted([*_SIGNS, *_SHARED], key=len, reverse=True) if not each[0].isalpha())
    + rf"|(?<![^\W\d_])(?:{_WORD_SIGNS})(?![^\W\d_])",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![A-Z])([A-Z]{3})(?![A-Z])")
_ANY_SIGN = rf"(?:{_SIGN.pattern}|(?<![A-Z])(?:{'|'.join([*sorted(CODES), *_LIKE_CODES])})(?![A-Z]))"
_SIGN_BEFORE = re.compile(rf"{_ANY_SIGN}[.:]?\s{{0,2}}$", re.IGNORECASE)
_SIGN_BEHIND = re.compile(rf"\s{{0,2}}{_ANY_SIGN}", re.IGNORECASE)
_ROUNDED = re.compile(
    r"(?:[.,]\d{1,2})?\s?(?:k|m|mil|tsd|tys|тыс|тис|mio|万|萬|千|만|천|lakh)(?![^\W\d_])", re.IGNORECASE
)
_RANGE = re.compile(r"\s*[^\d\s]{0,6}\s*(?:-|–|—|~|〜|to|bis|à|a|até|t/m|do)\s*[^\d\s]{0,6}\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """Of one offer, or from the lowest to the highest of several."""

    amount: str
    """With a decimal point, as many places as shown."""
    highest: str | None = None
    """Only where the text shows a range."""
    currency: str | None = None
    """ISO 4217; None where the text does not tell."""


def price_of(text: Any, *, usual: str | None = None) -> Price | None:
    """The first price in a text. ``usual``: the currency that the shop deals in, for signs that several share.

    >>> price_of("1.234,56 €")
    Price(amount='1234.56', highest=None, currency='EUR')
    """
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, (int, float, Decimal)):
        return Price(amount=plain(Decimal(str(text))), currency=usual)
    if not isinstance(text, str):
        return None
    clean = _plain_text(text)
    first = _first_price(clean)
    if first is None:
        return None
    currency = currency_in(clean, usual=usual)
    amount = _decimal(first[0], currency)
    highest = None
    between = _RANGE.match(clean, first.end())
    if between:
        second = _NUMBER.match(clean, between.end())
        if second:
            highest = _decimal(second[0], currency)
    if amount is None:
        return None
    return Price(
        amount=plain(amount),
        highest=plain(highest) if highest is not None and highest > amount else None,
        currency=currency,
    )


def is_price(text: str) -> bool:
    """Whether a text is one price, or a range, and nothing else."""
    rest = _NUMBER.sub(" ", re.sub(_ANY_SIGN, " ", _plain_text(text), flags=re.IGNORECASE))
    return any(each.isdigit() for each in text) and not re.search(r"[^\s.,+*:–—~/-]", rest)


def _first_price(clean: str) -> re.Match[str] | None:
    """The first number beside a currency's sign, else the first: in "2 for $10" and "-20% 16,00 €" it is the second.

    A percentage is none.
    """
    numbers = [
        each
        for each in islice(_NUMBER.finditer(clean), MAX_NUMBERS)
        if not clean[each.end() :].lstrip().startswith("%")
    ]
    for each in numbers[1:] and numbers:
        before, behind = clean[max(0, each.start() - 9) : each.start()], clean[each.end() : each.end() + 9]
        if _SIGN_BEFORE.search(before) or _SIGN_BEHIND.match(behind):
            return each
    return numbers[0] if numbers else None


def data_price(value: Any, *, usual: str | None = None) -> Price | None:
    """A price out of page data, where a point is a decimal point (schema.org ``price``); else as a text is read."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,15}(?:\.\d{1,6})?\s*", value, re.ASCII):
        return Price(amount=value.strip(), currency=usual)
    return price_of(value, usual=usual)


def of_units(value: Any, places: Any) -> str | None:
    """A whole number of the currency's smallest unit: ``1999`` of 2 places is ``19.99``."""
    try:
        return plain(Decimal(int(value)).scaleb(-int(places)))
    except (TypeError, ValueError, ArithmeticError):
        return None


def currency_in(text: str, *, usual: str | None = None) -> str | None:
    """The ISO 4217 code that a text names by code or sign; a sign of several means the usual one, if it may."""
    clean = _plain_text(text)
    for match in _CODE.finditer(clean):
        code = _LIKE_CODES.get(match[1], match[1])
        if code in CODES:
            return code
    signs = [match[0].lower() for match in _SIGN.finditer(clean)]
    for sign in signs:
        if usual in _ALSO.get(sign, ()):
            return usual
        known = _SIGNS.get(sign) or _SIGNS.get(sign.upper())
        if known:
            return known
    for sign in signs:
        meant = _SHARED.get(sign)
        if meant and usual in meant:
            return usual
        if meant and len(meant) == 1:
            return next(iter(meant))
    return None


def code_of(value: Any) -> str | None:
    """A currency's code out of a field that is to hold one."""
    if not isinstance(value, str):
        return None
    code = value.strip().upper()
    code = _LIKE_CODES.get(code, code)
    return code if code in CODES else currency_in(value)


def number_of(text: Any) -> int | None:
    """A whole number as counted things are shown: ``2.842 Bewertungen``, ``21,200 ratings``, ``1 234``.

    None for ``1.2K``: how many is not said.
    """
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, (int, float)):
        return int(text)
    if not isinstance(text, str):
        return None
    found = re.search(r"\d{1,3}(?:[ .,'’]\d{3})+(?!\d)|(?:\d{1,3},)(?:\d\d,)*\d{3}|\d+", _plain_text(text))
    if found and _ROUNDED.match(_plain_text(text), found.end()):
        return None
    return int(re.sub(r"\D", "", found[0])) if found else None


def plain(value: Decimal) -> str:
    """Without exponent or needless zeros in front."""
    return format(value, "f")


def _plain_text(text: str) -> str:
    clean = _RAISED.sub(lambda cents: f"{cents[1]}{',' if '.' in cents[1] else '.'}{cents[2]}", text[:MAX_TEXT])
    clean = unicodedata.normalize("NFKC", clean) if not clean.isascii() else clean
    clean = clean.replace("٫", ".").replace("٬", ",").replace("\u200e", "").replace("\u200f", "")
    if not clean.isascii():
        clean = "".join(str(unicodedata.digit(each)) if each.isdigit() else each for each in clean)
    return _APART.sub(r"\1", " ".join(clean.split()))


def _decimal(number: str, currency: str | None) -> Decimal | None:
    """Which of points and commas part the thousands, as the number itself shows."""
    digits = re.sub(r"[ '’]", "", number)
    if not digits or len(digits) > 24:
        return None
    comma, point = digits.rfind(","), digits.rfind(".")
    mark = max(comma, point)
    if mark < 0:
        return Decimal(digits)
    places = len(digits) - mark - 1
    both = comma >= 0 and point >= 0
    repeated = digits.count(digits[mark]) > 1
    whole = digits[:mark]
    three = places == 3 and not both and whole.strip("0") != "" and currency not in _THREE_PLACES
    if repeated or (three and len(whole) <= 3):
        return Decimal(re.sub(r"[.,]", "", digits))
    return Decimal(re.sub(r"[.,]", "", whole) + "." + digits[mark + 1 :])
