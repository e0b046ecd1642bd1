"""What a person wants changed in a case's brief, as options of the command line say it: a brief in, a brief out."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive import disk
from archive.brief import MAX_PICTURE_BYTES, THRESHOLDS, Brief, Picture, ReferencePrice, Term, TermKind
from archive.errors import UsageError
from console.briefsheet import Sheet, Shown
from custody.digest import Digest
from custody.errors import FormatError

TypeOf = Callable[[bytes], str]
"""Media type of a picture by its content; raises ``UsageError`` for what is none."""

_PRICE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,4})?) ?([A-Za-z]{3})")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """None leaves what is there; an empty text takes it away."""

    title: str | None = None
    matter: str | None = None
    timezone: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    review_by: str | None = None
    retention_days: int | None = None
    terms: Sequence[str] = ()
    products: Sequence[str] = ()
    forms: Sequence[str] = ()
    registrations: Sequence[str] = ()
    authorised: Sequence[str] = ()
    prices: Sequence[str] = ()
    thresholds: Sequence[str] = ()
    pictures: Sequence[Path] = ()
    removed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What is taken away first, by kind: ``term``, ``form``, ``registration``, ``authorised``, ``price``, …"""


@dataclass(slots=True)
class Pictures:
    """The bytes of pictures that are not in the archive yet."""

    type_of: TypeOf
    data: dict[Digest, bytes]

    def take(self, path: Path, note: str = "") -> Picture:
        """Raises ``UsageError`` for what is too long or no picture, ``DiskError`` for what is not there."""
        with disk.trouble(path), path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
        if len(data) > MAX_PICTURE_BYTES:
            raise UsageError(f"{path} has more than {MAX_PICTURE_BYTES} bytes: take a smaller picture of it")
        try:
            media_type = self.type_of(data)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
        digest = Digest.of(data)
        self.data[digest] = data
        return Picture(digest=digest, bytes=len(data), media_type=media_type, name=path.name, note=note)


def from_sheet(brief: Brief, sheet: Sheet, pictures: Pictures) -> Brief:
    """What the file says, all of it; ``brief``: what is there, for the pictures that the file names by digest."""
    known = {each.digest.hex: each for each in brief.pictures}

    def picture(shown: Shown) -> Picture:
        if shown.file is not None:
            return pictures.take(shown.file, shown.note)
        if (found := known.get(shown.sha256 or "")) is None:
            raise UsageError(f"this case has no picture {shown.sha256}: name it by its file")
        return replace(found, note=shown.note)

    return checked(replace(sheet.brief, pictures=tuple(picture(each) for each in sheet.pictures)))


def amended(brief: Brief, wishes: Wishes, pictures: Pictures) -> Brief:
    """Raises ``UsageError`` that names the first option that is not right."""
    brief = _without(brief, wishes.removed)
    terms = {each.text: each for each in brief.terms}
    for kind, texts in ((TermKind.BRAND, wishes.terms), (TermKind.PRODUCT, wishes.products)):
        for text in map(line, texts):
            terms[text] = replace(terms.get(text, Term(text=text)), kind=kind)
    for text in wishes.forms:
        term, form = _of_term(text, terms, "--form 'TERM=FORM'")
        terms[term] = replace(terms[term], forms=_with(terms[term].forms, line(form)))
    prices = {(each.term, each.currency): each for each in brief.prices}
    for text in wishes.prices:
        term, price = _of_term(text, terms, "--price 'TERM=6900 EUR'")
        prices |= _price(term, price)
    shown = {each.digest: each for each in brief.pictures}
    shown |= {each.digest: each for each in map(pictures.take, wishes.pictures)}
    lines = {name: getattr(wishes, name) for name in ("title", "matter", "timezone")}
    prose = {name: getattr(wishes, name) for name in ("purpose", "legal_basis")}
    return checked(
        replace(
            brief,
            **{name: line(text) for name, text in lines.items() if text is not None},
            **{name: text.strip() for name, text in prose.items() if text is not None},
            terms=tuple(terms.values()),
            prices=tuple(prices.values()),
            pictures=tuple(shown.values()),
            registrations=_with(brief.registrations, *map(line, wishes.registrations)),
            authorised=_with(brief.authorised, *map(line, wishes.authorised)),
            thresholds={**brief.thresholds, **dict(map(_threshold, wishes.thresholds))},
            review_by=brief.review_by if wishes.review_by is None else _day(wishes.review_by),
            retention_days=wishes.retention_days or brief.retention_days,
        )
    )


def checked(brief: Brief) -> Brief:
    """The same. Raises ``UsageError`` for what has no place in a brief."""
    try:
        brief.to_json()
    except FormatError as error:
        raise UsageError(f"this cannot be a case's description: {error}") from error
    if brief.timezone:
        try:
            ZoneInfo(brief.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UsageError(f"there is no time zone {brief.timezone!r}: name one such as Europe/Paris") from error
    return brief


def line(text: str) -> str:
    """One spelling for what looks alike: NFC, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _without(brief: Brief, removed: Mapping[str, Sequence[str]]) -> Brief:
    terms = {each.text: each for each in brief.terms}
    for text in removed.get("form", ()):
        term, form = _of_term(text, terms, "--remove-form 'TERM=FORM'")
        kept = _left(list(terms[term].forms), [line(form)], f"form of {term!r}")
        terms[term] = replace(terms[term], forms=tuple(kept))
    gone = [line(each) for each in removed.get("term", ())]
    _left(list(terms), gone, "term")
    names = [line(each) for each in removed.get("price", ())]
    _left([each.term for each in brief.prices], names, "price of a term")
    shown = {each.digest: {each.name, each.digest.hex} for each in brief.pictures}
    pictures = removed.get("picture", ())
    for each in pictures:
        _left([name for names in shown.values() for name in sorted(names)], [each], "picture")
    return replace(
        brief,
        terms=tuple(each for text, each in terms.items() if text not in gone),
        prices=tuple(each for each in brief.prices if each.term not in {*gone, *names}),
        pictures=tuple(each for each in brief.pictures if not shown[each.digest] & set(pictures)),
        registrations=tuple(_left(brief.registrations, map(line, removed.get("registration", ())), "registration")),
        authorised=tuple(_left(brief.authorised, map(line, removed.get("authorised", ())), "authorised seller")),
        thresholds={
            name: brief.thresholds[name]
            for name in _left(list(brief.thresholds), removed.get("threshold", ()), "threshold")
        },
    )


def _left(there: Sequence[str], gone: "Sequence[str] | map[str]", what: str) -> list[str]:
    """Raises ``UsageError`` for what was not there in the first place."""
    left = list(there)
    for each in gone:
        if each not in there:
            named = ", ".join(map(repr, there[:10]))
            raise UsageError(f"there is no {what} {each!r}; " + (f"there are {named}" if named else "there is none"))
        left = [other for other in left if other != each]
    return left


def _with(there: Sequence[str], *added: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*there, *added)))


def _of_term(text: str, terms: Mapping[str, Term], how: str) -> tuple[str, str]:
    """What stands after a term that the case has; a term may have an equals sign in it."""
    clean = line(text)
    fitting = [each for each in terms if clean.startswith(f"{each}=")]
    if not fitting:
        named = ", ".join(map(repr, list(terms)[:10])) or "none yet: add one by --term or --product"
        raise UsageError(f"expected {how} with a term of the case, got {text[:100]!r}; its terms are {named}")
    term = max(fitting, key=len)
    return term, clean.removeprefix(f"{term}=")


def _price(term: str, text: str) -> dict[tuple[str, str], ReferencePrice]:
    found = _PRICE.fullmatch(line(text))
    if found is None:
        raise UsageError(f"expected a price such as '{term}=6900.00 EUR', got {text[:50]!r}")
    currency = found[2].upper()
    return {(term, currency): ReferencePrice(term=term, amount=Decimal(found[1]), currency=currency)}


def _threshold(text: str) -> tuple[str, Decimal]:
    name, equals, number = text.replace(" ", "").partition("=")
    if not equals or name not in THRESHOLDS or _NUMBER.fullmatch(number) is None:
        known = " or ".join(f"{each}=N ({bound.least} to {bound.most})" for each, bound in THRESHOLDS.items())
        raise UsageError(f"expected a threshold as {known}, got {text[:50]!r}")
    return name, Decimal(number)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"expected a day such as 2027-01-31, got {text[:40]!r}") from error
