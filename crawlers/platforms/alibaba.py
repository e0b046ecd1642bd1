"""Alibaba.com: offers of several generations of its page, suppliers' pages, its walls."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.address import host_of
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import data_price, number_of, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared
from crawlers.saved import Saved, dig, line_of
from crawlers.sliders import asks_login, slider
from custody.model import Outcome

_ITEM = re.compile(
    r"/product-detail/[^/?#]*?_(\d{6,16})\.html|/product/(\d{6,16})(?:-\d+)?/[^/]*\.html|/product-tp/(\d{6,16})/"
)
_TITLE = (
    "//h1[contains(@class,'ma-title')]|//*[contains(@class,'product-title-container')]//h1|//*[contains(@class,'module_title')]//h1"
    "|//*[contains(@class,'product-title')]//h1|//h1[contains(@class,'module-pdp-title')]|//h1[@itemprop='name']|//h1[@title]"
)
_PRICES = (
    "//*[contains(@class,'ma-spec-price')]",
    "//*[contains(@class,'ma-ref-price')]",
    "//*[contains(@class,'price-range')]",
    "//*[@data-testid='range-price' or @data-testid='fixed-price']",
    "//*[contains(@class,'product-price')]//*[contains(@class,'price')]",
)
_COMPANIES = (
    "//*[contains(@class,'company-name')]//a",
    "//a[contains(@class,'company-name')]",
    "//*[contains(@class,'cp-name')]//a",
    "//*[@data-testid='company-name']",
)


class Alibaba(Platform):
    """Prices are per unit and fall with the quantity: ``price`` is the lowest, ``price_max`` the highest."""

    name = "alibaba"
    hosts: ClassVar[frozenset[str]] = frozenset(("alibaba.com",))
    ready = "h1"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return False
        if page.own_urls:
            return super().knows(page)
        marked = "icbu" in page.text and ("alibaba.com" in page.text or "alicdn.com" in page.text)
        return marked and (
            "window.detailData" in page.text or page.first("//meta[contains(@content,'icbu')]") is not None
        )

    def canonical(self, url: str) -> str | None:
        found = _ITEM.search(urlsplit(url).path) if self.knows_url(url) else None
        return None if found is None else found[1] or found[2] or found[3]

    def fill(self, page: Saved, draft: Draft) -> None:
        data = page.after(r"window\.detailData\s*=\s*(?=\{)")
        product, seller = dig(data, "globalData", "product"), dig(data, "globalData", "seller")
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        title = page.first(_TITLE)
        if isinstance(product, Mapping) and product.get("subject"):
            draft.kind = Kind.LISTING
            _fill_data(product, seller, draft)
        if number and (title is not None or draft.fields):
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "link canonical")
            self._fill_shown(page, draft, title)
        elif not draft.fields and not self.is_walled(page):
            hosts = [host_of(url) for url in page.own_urls]
            if any(each.endswith(".en.alibaba.com") or ".trustpass." in each for each in hosts):
                draft.kind = Kind.STOREFRONT
                draft.put(
                    "seller",
                    line_of(page.first(_COMPANIES[0])) or page.meta("og:title"),
                    "css .company-name",
                    shown=True,
                )
            draft.put("title", "".join(page.all("//head/title[1]//text()")), "css title")

    def _fill_shown(self, page: Saved, draft: Draft, title: Any) -> None:
        draft.put("title", line_of(title), "css h1", shown=True)
        rows = labels.rows(
            page.all("//*[contains(@class,'do-entry-item')]|//*[contains(@class,'attribute-item')]|//dl/dt")[:120]
        )
        draft.put(
            "brand", next((line_of(value) for name, value in rows if name in labels.BRAND), ""), "row brand", shown=True
        )
        add_declared(page, draft, but=("item_id",), usual="USD")
        if "price" not in draft.fields:
            for path in _PRICES:
                found = [each for one in page.all(path)[:8] if (each := price_of(line_of(one), usual="USD"))]
                if found:
                    low = min(found, key=lambda each: float(each.amount))
                    high = max(float(each.highest or each.amount) for each in found)
                    draft.put("price", low.amount, f"xpath {path}", shown=True)
                    draft.put(
                        "price_max",
                        format(high, ".2f") if high > float(low.amount) else None,
                        f"xpath {path}",
                        shown=True,
                    )
                    draft.put("currency", low.currency, f"xpath {path}", shown=True)
                    break
        for path in _COMPANIES:
            draft.put("seller", line_of(page.first(path)), f"xpath {path}", shown=True)
        crumbs = breadcrumb(page)
        draft.put("category", crumbs[1] if crumbs else None, crumbs[0] if crumbs else "")

    def wall(self, page: Saved) -> Outcome | None:
        return slider(page) or asks_login(page)


def _fill_data(product: Mapping[str, Any], seller: Any, draft: Draft) -> None:
    where = "script detailData.globalData"
    draft.put("title", product.get("subject"), f"{where}.product.subject")
    draft.put("item_id", str(product.get("productId") or product.get("id") or ""), f"{where}.product.productId")
    price = product.get("price")
    steps = dig(price, "productLadderPrices")
    found = (
        [data_price(dig(each, "price") or dig(each, "dollarPrice")) for each in steps]
        if isinstance(steps, list)
        else []
    )
    ends = dig(price, "productRangePrices")
    found += [data_price(dig(ends, "priceRangeLow")), data_price(dig(ends, "priceRangeHigh"))]
    amounts = sorted((each.amount for each in found if each is not None), key=float)
    if amounts:
        draft.put("price", amounts[0], f"{where}.product.price")
        draft.put(
            "price_max", amounts[-1] if float(amounts[-1]) > float(amounts[0]) else None, f"{where}.product.price"
        )
        shown = dig(steps, 0, "formatPrice") or dig(ends, "priceRangeText")
        named = price_of(shown, usual="USD") if shown else None
        draft.put("currency", named.currency if named else dig(price, "currency"), f"{where}.product.price")
        draft.put("price_shown", shown, f"{where}.product.price")
    draft.put("seller", dig(seller, "companyName"), f"{where}.seller.companyName")
    draft.put("seller_legal_name", dig(seller, "companyName"), f"{where}.seller.companyName")
    draft.put("seller_id", str(dig(seller, "companyId") or ""), f"{where}.seller.companyId")
    draft.put("seller_country", dig(seller, "companyRegisterCountry"), f"{where}.seller.companyRegisterCountry")
    for each in product.get("productBasicProperties") or []:
        if labels.label(str(dig(each, "attrName") or "")) in labels.BRAND:
            draft.put("brand", dig(each, "attrValue"), f"{where}.product.productBasicProperties")
    media = product.get("mediaItems")
    urls = [dig(each, "imageUrl", "big") for each in media] if isinstance(media, list) else []
    draft.put("images", [each for each in urls if isinstance(each, str)] or None, f"{where}.product.mediaItems")
    draft.put("rating_count", number_of(dig(product, "review", "totalReviewCount")), f"{where}.product.review")
