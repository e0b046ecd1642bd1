"""DHgate: listings by what they declare and show, suppliers' pages. No real page was at hand."""

import re
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, declared
from crawlers.saved import Saved, dig, having, line_of, search
from crawlers.stock import availability_of

_ITEM = re.compile(r"/(?:product|wholesale|goods)/[^/?#]*/(\d{6,14})\.html|/product/(\d{6,14})\.html")
_STORE = re.compile(r"/store/(?:top-selling/)?(\d+)")
_TITLE = (
    "//h1[@itemprop='name']|//*[contains(@class,'product-name') or contains(@class,'productTitle')"
    " or contains(@class,'pro-name')]//h1|//h1[contains(@class,'product') or contains(@class,'Title')]"
)
_SELLERS = (
    "//*[contains(@class,'seller-name') or contains(@class,'store-name') or contains(@class,'storeName')]//a",
    "//a[contains(@class,'storeName') or contains(@class,'store-name')]",
    "//a[contains(@href,'/store/')][normalize-space(.)]",
)
_PRICES = (
    "//*[contains(@class,'j-wholesale-price') or contains(@class,'wholesale-price')]",
    "//*[@itemprop='price']",
    (
        "//*[contains(@class,'productPrice')"
        " or contains(@class,'product-price')]//*[contains(@class,'current') or contains(@class,'Current')]"
    ),
)


class DHgate(Platform):
    """Prices fall with the quantity: ``price`` is the lowest declared."""

    name = "dhgate"
    hosts: ClassVar[frozenset[str]] = frozenset(("dhgate.com",))
    ready = "h1"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return any(True for _ in search(page.json, having("itemCode", "productName")))
        return super().knows(page) or (not page.own_urls and "dhresource.com" in page.text and "dhgate" in page.text)

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        found = _ITEM.search(urlsplit(url).path)
        asked = {key.lower(): values[0] for key, values in parse_qs(urlsplit(url).query).items()}.get("itemcode", "")
        return (found[1] or found[2]) if found else asked if asked.isdigit() else None

    def fill(self, page: Saved, draft: Draft) -> None:
        data = page.json if page.json is not None else page.script("__NEXT_DATA__")
        found = next(search(data, having("itemCode", "productName")), None)
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        if found is not None and (page.json is not None or str(found[1]["itemCode"]) == number):
            where = f"json {found[0]}"
            draft.kind = Kind.LISTING
            draft.put("title", found[1]["productName"], f"{where}.productName")
            draft.put("item_id", str(found[1]["itemCode"]), f"{where}.itemCode")
            for name in ("minPrice", "lowPrice", "price"):
                price = price_of(found[1].get(name), usual="USD")
                draft.put("price", price.amount if price else None, f"{where}.{name}")
            if "price" in draft.fields:
                draft.put("currency", dig(found[1], "currency") or dig(found[1], "currencyCode"), f"{where}.currency")
            draft.put("seller", dig(found[1], "supplierName") or dig(found[1], "storeName"), f"{where}.supplierName")
        product = None if page.json is not None else declared(page)
        title = None if page.json is not None else page.first(_TITLE)
        if number and (product is not None or title is not None):
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "link canonical")
            own = product is not None and "dhgate" in product.text("brand").lower()
            add_declared(page, draft, but=("brand",) if own else (), usual="USD")
            draft.put("title", line_of(title), "css h1", shown=True)
            self._fill_shown(page, draft)
        stores = [match[1] for url in page.own_urls if (match := _STORE.search(urlsplit(url).path))]
        if stores and not draft.fields and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT
            draft.put("seller_id", stores[0], "the page's address")
            draft.put("seller", line_of(page.first("//h1")) or page.meta("og:title"), "css h1", shown=True)

    def _fill_shown(self, page: Saved, draft: Draft) -> None:
        for path in _PRICES:
            price = price_of(line_of(page.first(path)), usual="USD")
            if price is not None and "price" not in draft.fields:
                draft.put("price", price.amount, f"xpath {path}", shown=True)
                draft.put("price_max", price.highest, f"xpath {path}", shown=True)
                draft.put("currency", price.currency, f"xpath {path}", shown=True)
        for path in _SELLERS:
            draft.put("seller", line_of(page.first(path)), f"xpath {path}", shown=True)
        store = page.first("//a[contains(@href,'/store/')]/@href")
        found = _STORE.search(str(store)) if store is not None else None
        draft.put("seller_id", found[1] if found else None, "css a[href*=/store/]")
        brand = labels.value_of(page, labels.BRAND)
        draft.put("brand", brand, "row brand", shown=True)
        gone = line_of(
            page.first("//*[contains(@class,'sold-out') or contains(@class,'soldOut') or contains(@class,'offline')]")
        )
        draft.put("availability", availability_of(gone[:120]), "css .sold-out", shown=True)
        crumbs = breadcrumb(page)
        draft.put("category", crumbs[1] if crumbs else None, crumbs[0] if crumbs else "")
