"""Which fields of a reading are held against each other, as what, and when two values of one are the same. Pure."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archive.reading import Kind as PageKind
from archive.reading import Reading
from custody.model import Json
from findings.change import Kind
from findings.settled import settled


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One that the author has put there, as the reading has it."""

    url: str
    text: str = ""
    field: str = "outbound_links"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A field, or several that say one thing together."""

    name: str
    """The reading's, whose place on the page is named."""
    words: str
    """For people."""
    kind: Kind
    topic: str
    value: Callable[[Reading], str | None]
    """None: the page does not carry it."""
    norm: Callable[[str], str]
    """What of a value has to be another for it to be another."""

    def same(self, one: str, other: str) -> bool:
        return self.norm(one) == self.norm(other)


def of(kind: PageKind) -> Sequence[Compared]:
    """Those of a page of this kind."""
    return _BY_KIND.get(kind, _OTHER)


def links(reading: Reading) -> list[Link] | None:
    """None: the reading says nothing of links, which is not that there are none."""
    shown = reading.fields.get("links")
    found = list(_shown_links(shown))
    targets = reading.fields.get("outbound_links")
    if isinstance(targets, (list, tuple)):
        texts = {each.url: each.text for each in found}
        return [Link(url=url, text=texts.get(url, "")) for url in targets if isinstance(url, str)]
    return found if found or reading.kind is PageKind.OTHER else None


def disclosures(reading: Reading, by: str) -> list[str] | None:
    """The ``platform``'s marks, or the ``author``'s words, that say that a post is paid for; None: nobody can tell.

    A platform's reader leaves the field out where there is no mark to be set and the caption has no such words.
    """
    value = reading.fields.get("disclosures")
    if not isinstance(value, (list, tuple)):
        return [] if by == "author" and isinstance(reading.fields.get("caption"), str) else None
    marks = (each for each in value if isinstance(each, Mapping) and each.get("by") == by)
    return [plain(str(each.get("text", ""))) for each in marks]


def has_pictures(reading: Reading) -> bool:
    return any(reading.fields.get(name) for name in ("media", "images"))


def stable(reading: Reading) -> dict[str, Json]:
    """What is compared of a reading, and nothing that changes by itself: two that give the same are unchanged."""
    told: dict[str, Json] = {"platform": reading.platform, "kind": reading.kind.value, "wall": reading.wall}
    for each in of(reading.kind):
        told[each.name] = None if (value := each.value(reading)) is None else each.norm(value)
    found = links(reading)
    told["links"] = None if found is None else sorted({each.url for each in found})
    for by in ("platform", "author"):
        marks = disclosures(reading, by)
        told[f"disclosures by {by}"] = None if marks is None else sorted(set(marks))
    return told


def plain(text: str) -> str:
    """The same for two spellings of one text: composed alike, white space as one."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _shown_links(value: Json) -> Iterator[Link]:
    for each in value if isinstance(value, (list, tuple)) else ():
        if isinstance(each, Mapping) and isinstance(url := each.get("leads_to") or each.get("url"), str):
            text = each.get("text")
            yield Link(url=url, text=text if isinstance(text, str) else "", field="links")


def _text(*names: str) -> Callable[[Reading], str | None]:
    """The first of these fields that the reading carries as a text."""

    def value(reading: Reading) -> str | None:
        found = (reading.fields[name] for name in names if name in reading.fields)
        return next((each for each in found if isinstance(each, str)), None)

    return value


def _price(reading: Reading) -> str | None:
    amount, most, currency = (reading.fields.get(name) for name in ("price", "price_max", "currency"))
    if not isinstance(amount, (str, int)) or isinstance(amount, bool):
        return None
    range_ = f" to {most}" if isinstance(most, (str, int)) and most != amount else ""
    return f"{amount}{range_} {currency}" if isinstance(currency, str) else f"{amount}{range_}"


def _seller(reading: Reading) -> str | None:
    name, number = _text("seller", "seller_legal_name")(reading), _text("seller_id")(reading)
    if name is None and number is None:
        return None
    return name if number is None else f"{name or 'unnamed'} ({number})"


def _compared(name: str, words: str, kind: Kind, *names: str, counts: bool = False) -> Compared:
    return Compared(
        name=name, words=words, kind=kind, topic=name, value=_text(name, *names), norm=settled if counts else plain
    )


_NAME = _compared("author", "account's name", Kind.NAME_CHANGED)
_HANDLE = _compared("handle", "account's handle", Kind.NAME_CHANGED)
_TITLE = _compared("title", "title", Kind.TITLE_CHANGED)
_POST = (_NAME, _HANDLE, _compared("caption", "caption", Kind.CAPTION_EDITED, "text"))
_PROFILE = (_NAME, _HANDLE, _compared("bio", "bio", Kind.BIO_EDITED))
_LISTING = (
    _TITLE,
    Compared(name="price", words="price", kind=Kind.PRICE_CHANGED, topic="price", value=_price, norm=plain),
    Compared(name="seller", words="seller", kind=Kind.SELLER_CHANGED, topic="seller", value=_seller, norm=plain),
    _compared("availability", "availability", Kind.AVAILABILITY_CHANGED),
    _compared("brand", "brand", Kind.TITLE_CHANGED),
)
_OTHER = (
    _compared("title", "title", Kind.TITLE_CHANGED, counts=True),
    _compared("text", "text", Kind.WORDS_CHANGED, counts=True),
)
_BY_KIND: Mapping[PageKind, Sequence[Compared]] = {
    PageKind.POST: _POST,
    PageKind.PROFILE: _PROFILE,
    PageKind.LINK_HUB: (_NAME, _TITLE, _compared("bio", "bio", Kind.BIO_EDITED)),
    PageKind.LISTING: _LISTING,
    PageKind.STOREFRONT: (_TITLE, _compared("seller", "seller", Kind.SELLER_CHANGED)),
    PageKind.WALL: (),
}
