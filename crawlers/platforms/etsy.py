"""Etsy: listings of three generations of its page and the API's answer, shops' pages, its robot check."""

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import code_of, data_price, of_units, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import Declared, add_declared, declared, fill_declared, put_entries
from crawlers.saved import Saved, dig, line_of
from crawlers.shopfront import buy_button
from crawlers.stock import availability_of
from custody.model import Outcome

_LISTING = re.compile(r"^/(?:[a-z]{2}(?:-[a-zA-Z]{2})?/)?(?:transaction|listing)/(\d{5,12})(?=[/?#]|$)")
_SHOP = re.compile(r"^(?:https?://[^/]*etsy\.com)?/(?:[a-z]{2}(?:-[a-zA-Z]{2})?/)?(?:shop|people)/([A-Za-z0-9_-]+)")
_TITLE = (
    "//h1[@data-buy-box-listing-title]|//h1[@data-listing-id]|id('listing-page-cart')//h1"
    "|//h1[@itemprop='name']|//h1[.//*[@itemprop='name']]"
)
_PRICES = (
    "//*[@data-buy-box-region='price']//*[contains(@class,'override-listing-price')]",
    "//*[@data-buy-box-region='price']//p[not(ancestor::*[contains(@class,'strike')])]",
    "//*[@data-buy-box-region='price']//*[contains(@class,'wt-text-title')]",
    "//*[@data-selector='price-only']//p[contains(@class,'wt-text-title')]",
    "//*[@data-selector='price-only']",
    "id('listing-price')//*[contains(@class,'currency-text')]",
    "id('listing-price')",
    "//*[@data-buy-box-region='price']",
)
_SHOPS = (
    "//*[@data-buy-box]//a[contains(@href,'/shop/')]",
    "//*[contains(@class,'shop-name')]//a[contains(@href,'/shop/')]",
    "//a[contains(@class,'shop-name')][contains(@href,'/shop/')]",
    "//a[contains(@href,'ref=simple-shop-header-name')]",
    "//a[contains(@href,'ref=shop-header-name')]",
    "id('listing-page-cart')//a[contains(@href,'/shop/')]",
    "//*[@itemprop='title'][ancestor::a[contains(@href,'/shop/')]]",
)
_GONE = re.compile(
    r"sorry, this item (?:is|and shop are)|this item is (?:unavailable|sold out)|sold out|nicht verfügbar|ausverkauft"
    r"|indisponible|épuisé|no disponible|agotado|non disponibile|esaurito|niet beschikbaar|uitverkocht",
    re.IGNORECASE,
)


class Etsy(Platform):
    """``seller`` is the shop. Etsy declares it as the brand, too: that is no brand."""

    name = "etsy"
    hosts: ClassVar[frozenset[str]] = frozenset(("etsy.com", "etsy.me"))
    ready = "[data-buy-box-listing-title], [data-buy-box-region='price']"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return bool(_listings(page.json))
        return super().knows(page) or (
            not page.own_urls
            and "etsystatic.com" in page.text
            and page.first(f"{_TITLE}|//*[@data-buy-box]") is not None
        )

    def canonical(self, url: str) -> str | None:
        found = _LISTING.match(urlsplit(url).path) if self.knows_url(url) else None
        return found[1] if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            listings = _listings(page.json)
            put_entries(draft, [_entry(each) for each in listings], "json", one="results" not in page.json)
            return
        title = page.first(_TITLE)
        number = next(filter(None, map(self.canonical, page.own_urls)), "") or _number(page)
        product = declared(page)
        if number and (title is not None or product is not None):
            draft.kind = Kind.LISTING
            draft.put("title", line_of(title), "css h1", shown=True)
            draft.put("item_id", number, "link canonical")
            self._fill_listing(page, draft, product)
            return
        shops = [named[1] for url in page.own_urls if (named := _SHOP.match(url))]
        if shops and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT
            draft.put("seller", shops[0], "the page's address")
            draft.put("title", line_of(page.first("//h1")) or page.meta("og:title"), "css h1", shown=True)
            draft.put(
                "ships_from",
                line_of(page.first("//*[contains(@class,'shop-location')]")),
                "css .shop-location",
                shown=True,
            )

    def _fill_listing(self, page: Saved, draft: Draft, product: Any) -> None:
        usual = code_of(page.meta("product:price:currency", "etsymarketplace:currency_code"))
        for path in _PRICES:
            shown = line_of(page.first(path))
            price = price_of(shown, usual=usual) if len(shown) <= 160 else None
            if price is not None and price.currency:
                draft.put("price", price.amount, f"xpath {path}", shown=True)
                draft.put("price_max", price.highest, f"xpath {path}", shown=True)
                draft.put("price_shown", shown, f"xpath {path}", shown=True)
                draft.put("currency", price.currency, f"xpath {path}", shown=True)
                break
        for path in _SHOPS:
            for each in page.all(path)[:6]:
                href = each.get("href") or next(iter(each.xpath("ancestor::a/@href")), "")
                named = _SHOP.match(href)
                draft.put("seller", named[1] if named else "", f"xpath {path}", shown=True)
        said = page.after(r'(?=\{"shop_name":)|"shop_name":\s*(?=")')
        draft.put("seller", said if isinstance(said, str) else dig(said, "shop_name"), "script shop_name")
        message = line_of(
            page.first("//*[contains(@class,'unavailable') or contains(@class,'sold-out') or @data-sold-out]")
        )
        if message and _GONE.search(message[:300]):
            draft.put("availability", "OutOfStock", "css .unavailable", shown=True)
        if product is not None:
            # Older microdata has a stock that never changes.
            told = () if product.where.startswith("json-ld") else ("availability",)
            add_declared(page, draft, but=("brand", "item_id", *told))
            _put_top(page, draft, product)
            draft.put("seller", product.text("brand"), f"{product.where} .brand")
        elif "price" not in draft.fields:
            price = data_price(page.meta("product:price:amount", "etsymarketplace:price_value"))
            currency = usual or code_of(page.meta("etsymarketplace:price"))
            draft.put("price", price.amount if price else None, "meta product:price:amount")
            draft.put("currency", currency if price else None, "meta product:price:currency")
        if (
            "availability" not in draft.fields
            and page.first("//*[@data-buy-box]") is not None
            and buy_button(page) is not None
        ):
            draft.put("availability", "InStock", "the button to buy", shown=True)
        crumbs = breadcrumb(page)
        if crumbs is not None:
            draft.put("category", crumbs[1], crumbs[0])
        image = page.meta("og:image")
        draft.put("images", [image] if image else None, "meta og:image")

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is None and len(page.text) < 60_000 and "captcha-delivery.com" in page.text:
            return Outcome.CAPTCHA
        return None


def _put_top(page: Saved, draft: Draft, product: Declared) -> None:
    """Where what is shown is "€40.63+", the declared range tells its top, if it begins there too."""
    declares = Draft(platform=draft.platform)
    fill_declared(page, declares, product)
    same = all(draft.fields.get(each) == declares.fields.get(each) for each in ("price", "currency"))
    if same and str(draft.fields.get("price_shown", "")).rstrip().endswith("+"):
        draft.put("price_max", declares.fields.get("price_max"), f"{product.where} .offers.highPrice")


def _number(page: Saved) -> str:
    title = page.first(
        "//h1[@data-listing-id]/@data-listing-id|//*[@data-buy-box]//@data-listing-id"
        "|//*[contains(@class,'carousel') or contains(@data-component,'image')]/@data-palette-listing-id"
    )
    if title is None:
        title = page.first("//form//input[@name='listing_id']/@value")
    app = re.search(r"listing/(\d{5,12})", page.meta("al:ios:url", "al:android:url", "twitter:app:url:iphone"))
    title = title if title is not None or app is None else app[1]
    return str(title) if title is not None and re.fullmatch(r"\d{5,12}", str(title)) else ""


def _listings(answer: Any) -> list[Any]:
    """Of the Open API: one listing, or ``results``; version 2 has its price as text, version 3 as an amount."""
    found = [answer] if dig(answer, "listing_id") else dig(answer, "results")
    return [each for each in found if dig(each, "listing_id") and "title" in each] if isinstance(found, list) else []


def _entry(listing: Any) -> dict[str, Any]:
    price = listing.get("price")
    units = dig(price, "amount")
    places = {1: 0, 10: 1, 100: 2, 1000: 3}.get(dig(price, "divisor") or 100, 2)
    plain = data_price(price) if isinstance(price, str) else None
    state = dig(listing, "state")
    return {
        "title": listing.get("title"),
        "item_id": str(listing["listing_id"]),
        "price": of_units(units, places) if units is not None else plain.amount if plain else None,
        "currency": code_of(dig(price, "currency_code") or listing.get("currency_code")),
        "seller": dig(listing, "Shop", "shop_name") or dig(listing, "shop", "shop_name"),
        "seller_id": str(listing["shop_id"]) if listing.get("shop_id") else None,
        "availability": availability_of({"active": "InStock"}.get(str(state), state if state == "sold_out" else None)),
        "images": [each for n in range(20) if (each := dig(listing, "images", n, "url_fullxfull"))],
    }
