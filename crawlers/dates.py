"""When a page says that something was published: an instant where it gives one, else a day, never more than it says."""

import re
import unicodedata
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

_SHORTEST = 6
_EPOCH = range(631_152_000, 4_102_444_800)
"""Seconds from 1990 to 2100; no page is older, and a number outside them is no time."""
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:$|[T ]0?0:00(?::00(?:\.0+)?)?$)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}")
_ZONED = re.compile(r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})$")
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*[-./年년]\s*(\d{1,2})\s*[-./月월]\s*(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})\s*[./-]\s*(\d{1,2})\s*[./-]\s*((?:19|20)\d{2}|\d{2})(?!\d)")
_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0900-\u094d\u0e31-\u0e4e])*|\d+")
"""With the marks of Devanagari and Thai, which are no letters by themselves."""
_BETWEEN = frozenset(("st", "nd", "rd", "th", "of", "the", "de", "di", "den", "der", "er", "re", "ro", "a"))
_FAR_APART = 4
"""Words between a month and its day or year: "5 de abril de 2019"."""

# Names of the months, January first, lower case, a line a language: English, German, French, Spanish, Italian,
# Portuguese, Dutch, Swedish, Danish and Norwegian, Finnish, Polish, Czech (two each), Slovak, Russian, Ukrainian,
# Turkish, Indonesian, Romanian, Hungarian, Greek, Arabic, Hindi, Thai. Case forms are there where dates take
# them.
_NAMES = """
january february march april may june july august september october november december
januar februar marz april mai juni juli august september oktober november dezember
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesakuuta heinakuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
leden unor brezen duben kveten cerven cervenec srpen zari rijen listopad prosinec
ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince
januara februara marca aprila maja juna jula augusta septembra oktobra novembra decembra
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik
januari februari maret april mei juni juli agustus september oktober november desember
ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
januar februar marcius aprilis majus junius julius augusztus szeptember oktober november december
ιανουαριου φεβρουαριου μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου οκτωβριου νοεμβριου δεκεμβριου
يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม
"""  # noqa: E501  # a language a line
_SHORT = {
    "janner": 1,
    "mar": 3,
    "mrz": 3,
    "mrt": 3,
    "sept": 9,
    "avg": 8,
    "agt": 8,
    "янв": 1,
    "май": 5,
    "may": 5,
    "dez": 12,
    "dec": 12,
    "des": 12,
    "dic": 12,
}


def instant(value: Any) -> str | None:
    """ISO 8601: in UTC where an instant is given (``2024-05-06T07:08:09Z``), a bare day where only that; else None.

    Takes seconds or milliseconds since 1970, ISO 8601, and the dates of e-mail and HTTP (RFC 5322, RFC 9110). A time of
    day without a zone is no instant: the day is kept, the time is not.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)) or (isinstance(value, str) and re.fullmatch(r"\d{10}(?:\.\d+)?|\d{13}", value)):
        return _of_epoch(float(value))
    if not isinstance(value, str) or not _SHORTEST <= len(value.strip()) <= 64:
        return None
    text = value.strip()
    bare = _ISO_DAY.match(text)
    if bare is not None:
        return _day(int(bare[1]), int(bare[2]), int(bare[3]))
    if _ISO.match(text):
        return _of_iso(text)
    if not re.search(r"\d:\d{2}", text) or "," not in text[:10]:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.date().isoformat() if found.tzinfo is None else _utc(found)


def day_in(text: str, *, near: str = "", american: bool | None = None) -> str | None:
    """The first day that a text names with its year, in the languages of the table; None where none is sure.

    ``near``: an address of the page, whose ``/2013/09/`` settles which number is the month. ``american``: whether the
    page writes the month first, where its language says so; None where nothing does.
    """
    if len(text) > 400:
        text = text[:400]
    first = _YEAR_FIRST.search(text)
    if first is not None:
        return _day(int(first[1]), int(first[2]), int(first[3]))
    named = _in_words(text)
    if named is not None:
        return named
    numbers = _NUMERIC.search(text)
    if numbers is None:
        return None
    one, two = int(numbers[1]), int(numbers[2])
    year = int(numbers[3]) if len(numbers[3]) == 4 else 2000 + int(numbers[3])
    path = re.search(rf"/{year}/(\d\d)(?:/|$)", near)
    if path is not None and int(path[1]) in (one, two):
        month = int(path[1])
        return _day(year, month, two if one == month else one)
    if one > 12 or two > 12 or one == two:
        return _day(year, two, one) if one > 12 else _day(year, one, two)
    if american is None:
        return None  # 3.4.2019: nobody can tell
    return _day(year, one, two) if american else _day(year, two, one)


def same_instant(one: str, other: str) -> bool:
    """Whether two values of ``instant`` say the same as far as both go: a day holds all its instants."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter] if shorter == len("2020-01-01") else one == other


def _in_words(text: str) -> str | None:
    words = _WORDS.findall(_plain(text))
    for n, word in enumerate(words):
        month = _month(word)
        if month is None:
            continue
        around = words[max(0, n - _FAR_APART) : n + _FAR_APART + 1]
        year = next((int(each) for each in around if re.fullmatch(r"(?:19|20)\d{2}", each)), None)
        before, after = _beside(words[:n][::-1]), _beside(words[n + 1 :])
        if before is None and _is_next_months(words[n + 1 :]):
            continue  # "mar 21 oct 2014": a weekday
        if before is not None and re.search(rf":0?{before}\b", text):
            before = None  # "10:30 May 5, 2019"
        for day in (before, after):
            found = None if year is None or day is None else _day(year, month, day)
            if found is not None:
                return found
    return None


def _is_next_months(words: list[str]) -> bool:
    """Whether the number that comes first is followed by a month of its own."""
    return len(words) > 1 and words[0].isdigit() and _month(words[1]) is not None


def _beside(words: list[str]) -> int | None:
    """The number next to a month, with no more between than "4th of July" and "5 de abril" have."""
    nearest = next((each for each in words[:3] if each not in _BETWEEN), "")
    return int(nearest) if re.fullmatch(r"\d{1,2}", nearest) else None


@lru_cache(maxsize=1024)
def _month(word: str) -> int | None:
    """A month's name, or the beginning of one; None where it begins the names of two."""
    if len(word) > _LONGEST or word.isdigit():
        return None
    if word in _SHORT:
        return _SHORT[word]
    exact = {month for name, month in _MONTHS if name == word}
    if not exact and len(word) < 3:
        return None
    begun = exact or {month for name, month in _MONTHS if name.startswith(word)}
    return begun.pop() if len(begun) == 1 else None


def _plain(text: str) -> str:
    """Lower case, without accents: "Février" and "fevrier" are one."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in folded if not unicodedata.combining(each)).replace("ı", "i").replace("й", "й")


_MONTHS = frozenset(
    (name, month) for line in _plain(_NAMES).splitlines() for month, name in enumerate(line.split(), 1)
)  # fmt: skip
_LONGEST = max(len(name) for name, _ in _MONTHS)


def _of_epoch(seconds: float) -> str | None:
    if seconds >= 10**11:
        seconds /= 1000
    return _utc(datetime.fromtimestamp(seconds, UTC)) if int(seconds) in _EPOCH else None


def _of_iso(text: str) -> str | None:
    tidy = re.sub(r"\s*(?:UTC|GMT)$", "Z", text).replace("Z", "+00:00")
    tidy = re.sub(r"\s+([+-]\d{2}:?\d{2})$", r"\1", tidy)
    tidy = re.sub(r"([T ])(\d):", r"\g<1>0\2:", tidy)
    try:
        found = datetime.fromisoformat(tidy)
    except ValueError:
        return _day(*map(int, text[:10].split("-")))
    if found.tzinfo is None or not _ZONED.search(text):
        return found.date().isoformat()
    return _utc(found)


def _utc(found: datetime) -> str | None:
    try:
        return found.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError):
        return None


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
