"""Walmart: listings of three generations of its page and the affiliate interface's answer, its robot check."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers.address import host_of
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import code_of, data_price, number_of, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, declared, put_entries
from crawlers.saved import Saved, dig, having, line_of, search
from crawlers.stock import availability_of
from custody.model import Outcome

_ITEM = re.compile(r"/ip/(?:[^/?#]+/){0,2}([0-9A-Z]{5,16})(?=[/?#]|$)")
_CURRENCIES = {"walmart.com": "USD", "walmart.ca": "CAD", "walmart.com.mx": "MXN"}


class Walmart(Platform):
    """``seller`` is the marketplace seller, or Walmart itself."""

    name = "walmart"
    hosts: ClassVar[frozenset[str]] = frozenset(("walmart.com", "walmart.ca", "walmart.com.mx", "walmrt.us"))
    ready = "[itemprop='price'], #main-title"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return bool(_answered(page.json))
        return (
            super().knows(page)
            or (not page.own_urls and "walmartimages." in page.text and self._product(page) is not None)
            or ("px-captcha" in page.text and "walmart" in page.text.lower())
        )

    def canonical(self, url: str) -> str | None:
        found = _ITEM.search(urlsplit(url).path) if self.knows_url(url) else None
        return found[1] if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            items = _answered(page.json)
            put_entries(draft, [_entry(each) for each in items], "json", one=len(items) == 1)
            return
        usual = next(
            (code for url in page.own_urls for host, code in _CURRENCIES.items() if host_of(url).endswith(host)), None
        )
        found = self._product(page)
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        title = page.first("id('main-title')|//h1[@itemprop='name']|//h1[contains(@class,'prod-ProductTitle')]")
        if found is not None:
            draft.kind = Kind.LISTING
            _fill_product(found[1], draft, found[0])
        if number and (title is not None or draft.fields or declared(page) is not None):
            draft.kind = Kind.LISTING
            draft.put("title", line_of(title), "css h1", shown=True)
            draft.put("item_id", number, "link canonical")
            self._fill_shown(page, draft, usual)
        elif not draft.fields and _is_seller(page) and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT
            draft.put("seller", line_of(page.first("//h1")), "css h1", shown=True)
        if "price" in draft.fields:
            draft.put("currency", usual, "the page's address")

    def _product(self, page: Saved) -> tuple[str, Mapping[str, Any]] | None:
        for script, path in (
            ("__NEXT_DATA__", ("props", "pageProps", "initialData", "data", "product")),
            ("item", ("item", "product", "buyBox", "products", 0)),
        ):
            product = dig(page.script(script), *path)
            if isinstance(product, Mapping) and (product.get("name") or product.get("productName")):
                return f"json script#{script} .{'.'.join(map(str, path))}", product
        state = page.after(r"__WML_REDUX_INITIAL_STATE__\s*=\s*(?=\{)")
        product = dig(state, "product", "buyBox", "products", 0) or dig(
            state, "item", "product", "buyBox", "products", 0
        )
        return ("script __WML_REDUX_INITIAL_STATE__", product) if isinstance(product, Mapping) else None

    def _fill_shown(self, page: Saved, draft: Draft, usual: str | None) -> None:
        for path in ("//*[@itemprop='price']", "//*[contains(@class,'price-characteristic')][@content]"):
            element = page.first(path)
            if element is not None and "price" not in draft.fields:
                price = data_price(element.get("content"), usual=usual) or price_of(line_of(element), usual=usual)
                draft.put("price", price.amount if price else None, f"xpath {path}", shown=True)
                draft.put("currency", price.currency if price else None, f"xpath {path}", shown=True)
        add_declared(page, draft, but=("item_id",), usual=usual)
        draft.put(
            "brand",
            line_of(page.first("//*[contains(@class,'prod-brandName')]|//a[@data-seo-id='brand-name']")),
            "css .prod-brandName",
            shown=True,
        )
        draft.put(
            "seller",
            line_of(page.first("//*[contains(@class,'seller-name')]|//*[@data-testid='seller-name-link']")),
            "css .seller-name",
            shown=True,
        )
        crumbs = breadcrumb(page)
        draft.put("category", crumbs[1] if crumbs else None, crumbs[0] if crumbs else "")

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            return Outcome.CAPTCHA if "/blocked" in str(dig(page.json, "redirectUrl") or "") else None
        title = "".join(page.all("//head/title[1]//text()"))
        blocked = any("/blocked" in urlsplit(url).path for url in page.own_urls)
        if len(page.text) < 200_000 and ("Robot or human" in title or page.by_id("px-captcha") is not None or blocked):
            return Outcome.CAPTCHA
        return None


def _is_seller(page: Saved) -> bool:
    return any(re.match(r"/(?:global/)?seller/", urlsplit(url).path) for url in page.own_urls)


def _fill_product(product: Mapping[str, Any], draft: Draft, where: str) -> None:
    draft.put("title", product.get("name") or product.get("productName"), f"{where}.name")
    draft.put("item_id", str(product.get("usItemId") or ""), f"{where}.usItemId")
    draft.put("brand", product.get("brand") or product.get("brandName"), f"{where}.brand")
    price = dig(product, "priceInfo", "currentPrice") or dig(product, "priceMap")
    found = data_price(dig(price, "price"))
    if found is not None and float(found.amount) > 0:
        draft.put("price", found.amount, f"{where}.priceInfo.currentPrice.price")
        draft.put("price_shown", dig(price, "priceString"), f"{where}.priceInfo.currentPrice.priceString")
        draft.put("currency", code_of(dig(price, "currencyUnit")), f"{where}.priceInfo.currentPrice.currencyUnit")
    between = dig(product, "priceInfo", "priceRange")
    low, high = data_price(dig(between, "minPrice")), data_price(dig(between, "maxPrice"))
    if found is None and low is not None and float(low.amount) > 0:
        draft.put("price", low.amount, f"{where}.priceInfo.priceRange.minPrice")
        top = high.amount if high is not None and float(high.amount) > float(low.amount) else None
        draft.put("price_max", top, f"{where}.priceInfo.priceRange.maxPrice")
        draft.put("price_shown", dig(between, "priceString"), f"{where}.priceInfo.priceRange.priceString")
        draft.put("currency", code_of(dig(between, "currencyUnit")), f"{where}.priceInfo.priceRange.currencyUnit")
    draft.put("seller", product.get("sellerDisplayName") or product.get("sellerName"), f"{where}.sellerName")
    draft.put(
        "seller_id", product.get("catalogSellerId") and str(product["catalogSellerId"]), f"{where}.catalogSellerId"
    )
    stock = product.get("availabilityStatus") or dig(product, "urgentQuantity")
    draft.put("availability", availability_of(stock if isinstance(stock, str) else None), f"{where}.availabilityStatus")
    draft.put("rating", product.get("averageRating"), f"{where}.averageRating")
    draft.put("rating_count", number_of(product.get("numberOfReviews")), f"{where}.numberOfReviews")
    names = [dig(each, "name") for each in dig(product, "category", "path") or []]
    draft.put("category", " > ".join(each for each in names if isinstance(each, str)), f"{where}.category.path")
    images = dig(product, "imageInfo", "allImages")
    urls = [dig(each, "url") for each in images] if isinstance(images, list) else []
    draft.put("images", [each for each in urls if isinstance(each, str)] or None, f"{where}.imageInfo.allImages")


def _answered(answer: Any) -> list[Mapping[str, Any]]:
    """Items of the affiliate interface."""
    if not isinstance(answer, Mapping):
        return []
    return [each for _, each in search(answer, having("itemId", "name", "salePrice"))][:200]


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    price = data_price(item.get("salePrice"))
    return {
        "title": item.get("name"),
        "item_id": str(item["itemId"]),
        "parent_id": str(item.get("parentItemId") or ""),
        "brand": item.get("brandName"),
        "price": None if price is None else price.amount,
        "seller": item.get("sellerInfo"),
        "availability": availability_of(item.get("stock")),
        "category": str(item.get("categoryPath") or "").replace("/", " > "),
        "images": [item["largeImage"]] if item.get("largeImage") else None,
    }
