"""Shops on Shopify, under any host: product pages of many themes, the products' JSON, articles of the shop's blog."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers.cards import fill_meta
from crawlers.hosts import Kind as Host
from crawlers.hosts import classify
from crawlers.markup import squeeze
from crawlers.money import code_of, data_price, of_units
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, heading, put_entries
from crawlers.saved import Saved, dig, line_of
from crawlers.shopfront import fill_shown

_SHOP = re.compile(r"Shopify\.shop\s*=\s*[\"']([a-z0-9-]+\.myshopify\.com)")
_PRODUCT_PATH = re.compile(r"/products/([^/?#]+?)(?:\.js(?:on)?)?/?$")
MAX_SCRIPT = 4_000_000
"""Characters of a script that is searched."""
MAX_TRIES = 20
"""Objects that may be the product's."""
_SOLD = frozenset((Host.MARKET, Host.WRAPPER, Host.SHORTENER, Host.HUB))


class Shopify(Platform):
    """``shop_domain``, the shop's name at Shopify, stays the same whatever host it sells under."""

    name = "shopify"
    hosts: ClassVar[frozenset[str]] = frozenset(("myshopify.com",))
    rank = -40
    ready = "form[action*='/cart/add']"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return bool(_products(page.json))
        return "Shopify.shop" in page.text or (
            "cdn.shopify.com/s/files" in page.text and "ShopifyAnalytics" in page.text
        )

    def canonical(self, url: str) -> str | None:
        found = _PRODUCT_PATH.search(urlsplit(url).path) if self.knows_url(url) else None
        return found[1] if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            products, one = _products(page.json) or ([], True)
            put_entries(draft, [_entry(each) for each in products], "json", one=one)
            return
        shop = _SHOP.search(page.text)
        meta = page.after(r"\bvar meta\s*=\s*(?=\{)")
        kind = str(dig(meta, "page", "pageType") or "")
        if kind == "product" or (not kind and _on_product_path(page)):
            self._fill_product(page, draft, dig(meta, "product"))
        elif kind == "article" or (not kind and page.meta("og:type") == "article"):
            _fill_article(page, draft)
        elif (kind in ("collection", "home", "index") or not kind) and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT if kind in ("home", "index", "collection") else Kind.OTHER
            draft.put("title", heading(page) or page.meta("og:title"), "css h1", shown=True)
        if draft.fields:
            draft.put("shop_domain", shop[1] if shop else None, "script Shopify.shop")

    def _fill_product(self, page: Saved, draft: Draft, known: Any) -> None:
        draft.kind = Kind.LISTING
        currency = code_of(dig(page.after(r"Shopify\.currency\s*=\s*(?=\{)"), "active"))
        own = _own_json(page, known)
        if own is not None:
            where, product = own
            for name, value in _entry(product, cents=True, chosen=_chosen(page)).items():
                if value not in (None, "", []):
                    draft.put(name, value, f"{where} .{name}")
        add_declared(page, draft, usual=currency)
        fill_meta(page, draft, usual=currency)
        if isinstance(known, Mapping):
            entry = _entry(known, cents=True)
            draft.put("brand", entry["brand"], "script meta.product .vendor")
            draft.put("item_id", entry["item_id"], "script meta.product .id")
            draft.put("category", entry["category"], "script meta.product .type")
            if draft.put("price", entry["price"], "script meta.product .variants"):
                draft.put("price_max", entry["price_max"], "script meta.product .variants")
        draft.put("title", heading(page), "css h1", shown=True)
        if "price" in draft.fields:
            draft.put("currency", currency, "script Shopify.currency")
        fill_shown(page, draft)


def _products(answer: Any) -> tuple[list[Mapping[str, Any]], bool] | None:
    """What ``/products.json``, ``/products/X.json`` and ``/products/X.js`` hold, and whether it is one product's."""
    if isinstance(dig(answer, "products"), list):
        found = [each for each in answer["products"] if _is_product(each)]
        return (found, False) if found else None
    for each in (dig(answer, "product"), answer):
        if _is_product(each):
            return [each], True
    return None


def _is_product(value: Any) -> bool:
    return (
        isinstance(value, Mapping) and isinstance(value.get("variants"), list) and "handle" in value and "id" in value
    )


def _own_json(page: Saved, known: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The product's object that themes keep in a script, if it is this page's product: prices in it are cents."""
    number = dig(known, "id")
    wanted = str(number) if isinstance(number, int) else r"\d+"
    for script in page.scripts:
        kind, text = (script.get("type") or "").lower(), script.text or ""
        if "ld+json" in kind or '"variants"' not in text or len(text) > MAX_SCRIPT:
            continue
        for match in islice(re.finditer(r'(?=\{"id":' + wanted + r',"title":)', text), MAX_TRIES):
            value = _decoded(text, match.end())
            if not _is_product(value):
                continue
            named = squeeze(str(value.get("title") or ""))
            if isinstance(number, int) or (named and named in squeeze(f"{heading(page)} {page.meta('og:title')}")):
                return f"json script {script.get('id') or ''}".strip(), value
    return None


def _decoded(text: str, start: int) -> Any:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None  # a theme's template, or cut off


def _chosen(page: Saved) -> str:
    """The variation that the address names."""
    asked = [parse_qs(urlsplit(url).query).get("variant", [""])[0] for url in page.own_urls]
    return next(filter(None, asked), "")


def _entry(product: Mapping[str, Any], *, cents: bool | None = None, chosen: str = "") -> dict[str, Any]:
    """``.js`` gives prices as whole cents, ``.json`` as text with a point."""
    variants = [each for each in product.get("variants") or [] if isinstance(each, Mapping)]
    mine = [each for each in variants if chosen and str(each.get("id")) == chosen]
    prices = [found for each in mine or variants if (found := _amount(each.get("price"), cents=cents))]
    lowest = min(prices, key=Decimal, default=None)
    highest = max(prices, key=Decimal, default=None)
    stock = [each["available"] for each in mine or variants if isinstance(each.get("available"), bool)]
    stock = stock or [each for each in [product.get("available")] if isinstance(each, bool)]
    images = product.get("images")
    urls = [dig(each, "src") or each for each in images] if isinstance(images, list) else []
    return {
        "title": product.get("title"),
        "brand": product.get("vendor"),
        "item_id": str(product["id"]) if product.get("id") else None,
        "price": lowest,
        "price_max": highest if lowest is not None and Decimal(highest or 0) > Decimal(lowest) else None,
        "availability": ("InStock" if any(stock) else "OutOfStock") if stock else None,
        "category": product.get("product_type") or product.get("type"),
        "variation": mine[0].get("title") if mine else None,
        "images": [each for each in urls if isinstance(each, str)],
        "published": product.get("published_at"),
    }


def _amount(value: Any, *, cents: bool | None) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and cents is not False:
        return of_units(value, 2)
    found = data_price(value)
    return None if found is None else found.amount


def _on_product_path(page: Saved) -> bool:
    return any(_PRODUCT_PATH.search(urlsplit(url).path) for url in page.own_urls)


def _fill_article(page: Saved, draft: Draft) -> None:
    draft.kind = Kind.POST
    draft.put("title", heading(page), "css h1", shown=True)
    draft.put("title", page.meta("og:title"), "meta og:title")
    works = page.things("article", "blogposting", "newsarticle")
    draft.put("published", next((each.get("datePublished") for _, each in works), None), "json-ld .datePublished")
    times = page.all("//time[@datetime][contains(ancestor::*/@class,'article') or ancestor::article]|//time[@datetime]")
    if times:
        draft.put("published", times[0].get("datetime"), "css time[datetime]", shown=True)
        draft.put("published_shown", line_of(times[0]), "css time[datetime]", shown=True)
    writers = [dig(each, "author", "name") for _, each in works]
    draft.put("author", next(filter(None, writers), None), "json-ld .author.name")
    body = page.first(
        "//*[@itemprop='articleBody']|//*[contains(@class,'article') and contains(@class,'content')]|//article"
    )
    if body is not None:
        links = [page.markup.join(each, next(iter(page.own_urls), "")) or "" for each in body.xpath(".//a/@href")]
        kept = [each for each in dict.fromkeys(links) if each.startswith("http") and classify(each) in _SOLD]
        draft.put("outbound_links", kept, "css article a[href]", shown=True)
