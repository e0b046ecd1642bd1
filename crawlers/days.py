"""Days written in words: "May 29, 2021", "21 de octubre de 2014", "2021年5月29日". Whole dates only, nothing guessed.

A general parser of dates makes a day of any text that resembles one, and fills in the year where none is written.
"""

import re
from datetime import date

# Month names and their short forms, as Unicode CLDR has them, of the languages that the platforms speak most.
_MONTHS = """
    january jan januar janvier janv enero ene gennaio gen janeiro januari styczeń stycznia sty января янв ocak oca
    leden ledna ianuarie ian tammikuuta jänner januára január ιανουαρίου ιαν січня يناير जनवरी मกราคม มกราคม

    february feb februar février févr fevr febrero febbraio febr fevereiro fev februari luty lutego lut февраля
    фев şubat şub únor února februarie helmikuuta február φεβρουαρίου φεβ лютого فبراير फ़रवरी กุมภาพันธ์

    march mar märz mär mrz mars marzo março maart mrt marzec marca марта mart březen března martie maaliskuuta
    marts március μαρτίου березня مارس मार्च มีนาคม maret

    april apr avril avr abril abr aprile kwiecień kwietnia kwi апреля апр nisan nis duben dubna aprilie huhtikuuta
    április απριλίου квітня أبريل अप्रैल เมษายน

    may mai mayo maggio mag maio mei mag maj maja мая mayıs květen května toukokuuta május μαΐου травня مايو मई
    พฤษภาคม

    june jun juni juin junio giugno giu junho czerwiec czerwca cze июня июн haziran haz červen června iunie iun
    kesäkuuta június ιουνίου червня يونيو जून มิถุนายน

    july jul juli juillet juil julio luglio lug julho lipiec lipca lip июля июл temmuz tem červenec července iulie
    iul heinäkuuta július ιουλίου липня يوليو जुलाई กรกฎาคม

    august aug août aout agosto ago augustus sierpień sierpnia sie августа авг ağustos ağu srpen srpna elokuuta
    augusti augusztus αυγούστου серпня أغسطس अगस्त สิงหาคม agustus agt

    september sep sept septembre septiembre set settembre setembro wrzesień wrzesień września wrz сентября сен
    сент eylül eyl září septembrie syyskuuta szeptember σεπτεμβρίου вересня سبتمبر सितंबर กันยายน

    october oct oktober okt octobre octubre ottobre ott outubro out październik października paź октября окт ekim
    eki říjen října octombrie lokakuuta október οκτωβρίου жовтня أكتوبر अक्टूबर ตุลาคม

    november nov novembre noviembre novembro listopad listopada lis ноября ноя нояб kasım kas listopadu noiembrie
    noi marraskuuta νοεμβρίου листопада نوفمبر नवंबर พฤศจิกายน

    december dec dezember dez décembre déc diciembre dic dicembre dezembro grudzień grudnia gru декабря дек aralık
    ara prosinec prosince decembrie joulukuuta δεκεμβρίου грудня ديسمبر दिसंबर ธันวาคม desember des
"""
_NUMBERS = {name: n for n, names in enumerate(_MONTHS.split("\n\n"), 1) for name in names.split()}
_WORD = r"(?P<month>[^\W\d_][\w\u0300-\u0e7f]*)\.?"
_ORDERS = (
    # May 29, 2021
    re.compile(rf"{_WORD}\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d\d)\b"),
    # 29 May 2021, 29. Mai 2021, 29 de mayo de 2021, 29 Μαΐου 2021
    re.compile(
        rf"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+|d[’'])?{_WORD}\s*,?\s*(?:de[l]?\s+)?"
        r"(?P<year>(?:19|20)\d\d)\b"
    ),
    # 2021年5月29日, 2021년 5월 29일
    re.compile(r"(?P<year>(?:19|20)\d\d)\s*[年년]\s*(?P<month>[01]?\d)\s*[月월]\s*(?P<day>[0-3]?\d)\s*[日일]"),
    # 2021-05-29
    re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>[01]\d)-(?P<day>[0-3]\d)\b"),
)
MAX_CHARACTERS = 500


def day_in(text: str) -> str | None:
    """The first whole date in a text as ``YYYY-MM-DD``; None where there is none, or its month is of no language here.

    All in digits with strokes or dots is none: 08/02/2018 is a day of two months.
    """
    folded = text[:MAX_CHARACTERS].casefold()
    found = [
        (match.start(), day)
        for order in _ORDERS
        for match in order.finditer(folded)
        if (day := _day(match["year"], match["month"], match["day"])) is not None
    ]
    return min(found)[1] if found else None


def _day(year: str, month: str, day: str) -> str | None:
    number = int(month) if month.isdigit() else _NUMBERS.get(month)
    try:
        return date(int(year), number or 0, int(day)).isoformat()
    except ValueError:
        return None
