"""The one product that a page is about, as it declares it: JSON-LD, microdata, Open Graph (schema.org Product)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers.markup import place, squeeze, types_of
from crawlers.money import Price, code_of, data_price, number_of
from crawlers.platform import Draft
from crawlers.saved import Saved, dig, line_of
from crawlers.stock import availability_of, together

PRODUCTS = (
    "product", "productgroup", "productmodel", "individualproduct", "someproducts", "book", "vehicle", "car",
    "motorcycle", "musicalbum", "softwareapplication", "videogame", "audiobook",
)  # fmt: skip
_OFFERED = frozenset(PRODUCTS) - {"product", "productgroup", "productmodel", "individualproduct", "someproducts"}
"""Types that are products only where something is asked for them: a recipe blog has books, too."""
_ELSEWHERE = (
    "itemListElement", "isRelatedTo", "isSimilarTo", "isAccessoryOrSparePartFor", "isConsumableFor", "isVariantOf",
    "hasVariant", "about", "mentions", "itemReviewed", "makesOffer", "hasOfferCatalog", "workExample", "hasPart",
)  # fmt: skip
"""Where a product hangs that is another one, or one among many."""
_SAID = "products said"
MAX_OFFERS = 2_000
_UNFILLED = re.compile(r"\$[a-zA-Z_]\w*|\$?\{\{?[^{}]*\}?\}|<%[^%]*%>|%[a-zA-Z_]+%|undefined|null|\[object Object\]")
"""What a template leaves where it was given nothing."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One schema.org product. Values are as the page has them."""

    where: str
    data: Mapping[str, Any] = field(repr=False)

    def text(self, *names: str) -> str:
        return next((found for name in names if (found := text_in(self.data.get(name)))), "")

    @property
    def offers(self) -> list[Mapping[str, Any]]:
        """Leaves of what is offered; an AggregateOffer that names no leaf is one itself."""
        return list(_offers(self.data))

    @property
    def addresses(self) -> list[str]:
        found = [self.data.get("url"), self.data.get("@id"), self.data.get("mainEntityOfPage")]
        found += [each.get("url") for each in self.offers[:3]]
        texts = (each.get("@id") if isinstance(each, Mapping) else each for each in found)
        return [each for each in texts if isinstance(each, str) and each]


def text_in(value: Any) -> str:
    """One text out of what schema.org allows: a text, a number, a thing with a name, a list of them."""
    if isinstance(value, (list, tuple)):
        return next((found for each in value if (found := text_in(each))), "")
    if isinstance(value, Mapping):
        inner = value.get("properties") if isinstance(value.get("properties"), Mapping) else value
        return text_in(dig(inner, "name") or dig(inner, "@value"))
    if isinstance(value, bool) or value is None or (isinstance(value, str) and _UNFILLED.fullmatch(value.strip())):
        return ""
    # Shops write their data with the tools that they write markup with: "Black &amp; Silver" is no name.
    return " ".join(unescape(str(value)).split()) if isinstance(value, (str, int, float)) else ""


def declared(page: Saved) -> Declared | None:
    """The product of this page; None where it declares none, or several of which none is the page's own."""
    return next(all_declared(page), None)


def all_declared(page: Saved) -> Iterator[Declared]:
    """The page's product in JSON-LD, then in microdata: one may have what the other leaves out."""
    if _lists(page):
        return
    for found in (_in_json_ld(page), _in_microdata(page)):
        chosen = _chosen(page, found)
        if chosen is not None:
            yield chosen


def _lists(page: Saved) -> bool:
    """A page that says it is a list of things, or the front page of a site."""
    if page.things("collectionpage", "searchresultspage"):
        return True
    paths = [urlsplit(url).path.strip("/") for url in page.own_urls]
    return bool(paths) and not any(paths) and not any(urlsplit(url).query for url in page.own_urls)


def _chosen(page: Saved, found: list[Declared]) -> Declared | None:
    own = [each for each in found if _is_own(page, each)]
    named = [each for each in own or found if _is_named(page, each)]
    for some in (named, own, found):
        names = {squeeze(each.text("name")) for each in some}
        if len(names) == 1 or (some is own and some):
            best = max(some[:20], key=lambda each: bool(each.offers))
            return _with_variations(best, some) if len(names) == 1 else best
    return None


def _with_variations(product: Declared, some: list[Declared]) -> Declared:
    """A shop may declare each size as a product of the same name: what is offered of one is offered of all."""
    numbers = {text for each in some if (text := each.text("productID", "sku", "productId"))}
    if len(numbers) < 2:
        return product
    offers = [offer for each in some for offer in each.offers]
    return Declared(where=product.where, data={**product.data, "offers": offers[:MAX_OFFERS]})


def fill_declared(page: Saved, draft: Draft, product: Declared, *, usual: str | None = None) -> None:
    """Fields of a listing out of a declared product."""
    where = product.where
    draft.put("title", product.text("name"), f"{where} .name")
    draft.put("brand", product.text("brand", "manufacturer"), f"{where} .brand")
    draft.put("item_id", product.text("productID", "sku", "productId"), f"{where} .sku")
    images = product.data.get("image")
    images = images if isinstance(images, list) else [images]
    urls = [dig(each, "contentUrl") or dig(each, "url") or each for each in images]
    kept = [each for each in urls if isinstance(each, str) and each]
    draft.put("images", kept or None, f"{where} .image")
    fill_rating(draft, product.data.get("aggregateRating"), f"{where} .aggregateRating")
    fill_offers(page, draft, product.offers, f"{where} .offers", usual=usual)


def add_declared(
    page: Saved,
    draft: Draft,
    *,
    but: tuple[str, ...] = (),
    usual: str | None = None,
    product: Declared | None = None,
) -> Declared | None:
    """What the page declares of its product, behind what a platform's reader found itself.

    ``but``: fields whose declared values are known to be wrong there. A price of the reader's own keeps the declared
    range and currency out: they may be another country's.
    """
    product = product or declared(page)
    if product is None:
        return None
    declares = Draft(platform=draft.platform)
    fill_declared(page, declares, product, usual=usual)
    priced = "price" in draft.fields
    for name, value in declares.fields.items():
        if name not in but and not (priced and name in ("price", "price_max", "currency")):
            draft.fields.setdefault(name, value)
            draft.sources.setdefault(name, declares.sources[name])
    return product


def fill_rating(draft: Draft, rating: Any, where: str) -> None:
    rating = dig(rating, "properties") or rating
    if isinstance(rating, Mapping):
        draft.put("rating", text_in(rating.get("ratingValue")), f"{where}.ratingValue")
        draft.put("rating_count", number_of(_one(rating, "ratingCount", "reviewCount")), f"{where}.ratingCount")


def fill_offers(
    page: Saved, draft: Draft, offers: list[Mapping[str, Any]], where: str, *, usual: str | None = None
) -> None:
    """Price from lowest to highest, currency, availability and seller out of schema.org offers."""
    chosen = [each for each in offers if _leads_here(page, each)] or offers
    prices = [found for each in chosen if (found := _price(each, usual=usual))]
    lowest = min(prices, key=lambda each: Decimal(each.amount), default=None)
    if lowest is not None and Decimal(lowest.amount) > 0:
        draft.put("price", lowest.amount, f"{where}.price")
        tops = [Decimal(each.highest or each.amount) for each in prices if each.currency == lowest.currency]
        if max(tops) > Decimal(lowest.amount):
            draft.put("price_max", format(max(tops), "f"), f"{where}.highPrice")
        draft.put("currency", lowest.currency, f"{where}.priceCurrency")
    stock = [said for each in chosen if (said := availability_of(_one(each, "availability")))]
    draft.put("availability", together(stock), f"{where}.availability")
    sellers = {name for each in chosen if (name := text_in(_one(each, "seller", "offeredBy")))}
    if len(sellers) == 1:
        draft.put("seller", sellers.pop(), f"{where}.seller")


def put_entries(draft: Draft, entries: Sequence[Mapping[str, Any]], where: str, *, one: bool) -> None:
    """Listings out of a platform's answer to a program: one fills the fields, a list of them fills ``items``."""
    kept = [{name: value for name, value in each.items() if value not in (None, "", [])} for each in entries]
    kept = [each for each in kept if each.get("title")]
    if not kept:
        return
    draft.kind = Kind.LISTING
    if one:
        for name, value in kept[0].items():
            draft.put(name, value, f"{where} .{name}")
    else:
        draft.put("items", kept, where)


def heading(page: Saved) -> str:
    """Of the page's first heading of the first rank that says something."""
    return next((text for each in page.all("//h1")[:5] if (text := line_of(each))), "")


# --- which of several -------------------------------------------------------------------------------------------------


def _in_json_ld(page: Saved) -> list[Declared]:
    elsewhere = {
        id(inner)
        for thing in page.markup.things
        for key in _ELSEWHERE
        if key in thing
        for inner in _reached(thing[key])
    }
    listed = [(n, thing) for n, thing in enumerate(page.markup.things) if set(types_of(thing)).intersection(PRODUCTS)]
    found = [Declared(where=f"json-ld {n}", data=thing) for n, thing in listed if id(thing) not in elsewhere]
    return [each for each in found if each.text("name") and (_is_sold(types_of(each.data)) or each.offers)]


def _in_microdata(page: Saved) -> list[Declared]:
    found = [
        Declared(where=path, data=properties)
        for path, properties in page.items(*PRODUCTS)
        if not any(f".{key}" in path for key in (*_ELSEWHERE, "isSimilarTo"))
    ]
    return [each for each in found if each.text("name") or each.offers]


def _is_sold(types: tuple[str, ...]) -> bool:
    return not _OFFERED.issuperset(set(types).intersection(PRODUCTS))


def _reached(value: Any) -> Iterator[Mapping[str, Any]]:
    """Objects at a key, and those directly in them (a ListItem holds its item)."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, Mapping):
            yield each
            for inner in each.values():
                for held in inner if isinstance(inner, list) else [inner]:
                    if isinstance(held, Mapping):
                        yield held


def _is_own(page: Saved, product: Declared) -> bool:
    return any(_is_here(page, each) for each in product.addresses)


def _is_here(page: Saved, address: str) -> bool:
    joined = page.markup.join(address, next(iter(page.own_urls), "")) or ""
    return bool(joined) and any(place(joined) == place(own) for own in page.own_urls)


def _leads_here(page: Saved, offer: Mapping[str, Any]) -> bool:
    """One variation's offer has an address of its own, and this page is the page of that variation."""
    url = offer.get("url")
    return isinstance(url, str) and "?" in url and _is_here(page, url)


def _is_named(page: Saved, product: Declared) -> bool:
    name = squeeze(product.text("name"))
    # A category's title may be the beginning of its products' names, and is far shorter.
    return bool(name) and any(
        name in words or (words in name and len(words) > 0.6 * len(name)) for words in _said(page)
    )


def _said(page: Saved) -> list[str]:
    """What the page calls itself, squeezed. Found once: a page may declare products by the thousand."""
    if _SAID not in page.known:
        said = (heading(page), page.meta("og:title"), line_of(page.first("//head/title")))
        page.known[_SAID] = [words for each in said if (words := squeeze(each))]
    found: list[str] = page.known[_SAID]
    return found


# --- offers -----------------------------------------------------------------------------------------------------------


def _offers(product: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    stack: list[Any] = [product.get("offers"), product.get("offerDetails"), product.get("hasVariant")]
    for _ in range(MAX_OFFERS):
        if not stack:
            return
        node = stack.pop(0)
        if isinstance(node, list):
            stack[:0] = node
        elif isinstance(node, Mapping):
            properties = node.get("properties")
            inner: Mapping[str, Any] = properties if isinstance(properties, Mapping) else node
            held = inner.get("offers") or inner.get("hasVariant")
            if held and not _price(inner, usual=None):
                stack.insert(0, held)
            else:
                yield inner


def _price(offer: Mapping[str, Any], *, usual: str | None) -> Price | None:
    places = [offer]
    specified = offer.get("priceSpecification")
    for each in specified if isinstance(specified, list) else [specified]:
        inner = dig(each, "properties") or each
        if isinstance(inner, Mapping) and not _is_other_price(inner):
            places.append(inner)
    currency = next(
        (code for each in places if (code := code_of(_one(each, "priceCurrency", "pricecurrency", "currency")))), None
    )
    for each in places:
        found = data_price(_one(each, "price", "lowPrice", "minPrice"), usual=currency or usual)
        if found is not None:
            top = data_price(_one(each, "highPrice", "maxPrice"), usual=currency or usual)
            highest = found.highest or (top.amount if top is not None else None)
            return Price(amount=found.amount, highest=highest, currency=currency or found.currency)
    return None


def _is_other_price(specification: Mapping[str, Any]) -> bool:
    """A list price, or a price for a quantity (schema.org priceType, referenceQuantity)."""
    kind = str(specification.get("priceType") or "").lower()
    return any(each in kind for each in ("list", "srp", "msrp", "strike", "regular", "minimumadvertised")) or (
        "referenceQuantity" in specification
    )


def _one(thing: Mapping[str, Any], *names: str) -> Any:
    """The first value there is; of a list of a microdata property its first."""
    for name in names:
        value = thing.get(name)
        if isinstance(value, list):
            value = next((each for each in value if each not in (None, "")), None)
        if value not in (None, ""):
            return value
    return None
