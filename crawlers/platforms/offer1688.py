"""1688: offers by the data in their page and by what they show, its walls. No real page was at hand."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.money import price_of
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, line_of, search
from crawlers.sliders import asks_login, slider
from custody.model import Outcome

_TITLE = (
    "//h1[contains(@class,'d-title')]|id('mod-detail-title')//h1|//*[contains(@class,'title-text')]"
    "|//*[contains(@class,'title-content')]//h1"
)
_PRICES = (
    "//*[contains(@class,'price-now')]",
    "//*[contains(@class,'price-text')]",
    "//tr[contains(@class,'price')]//*[contains(@class,'value')]",
    "//*[contains(@class,'price-info')]",
)
_COMPANIES = (
    "//*[contains(@class,'company-name')]//a",
    "//a[contains(@class,'company-name')]",
    "//*[contains(@class,'company-name')]",
    "//*[contains(@class,'shop-company-name')]//h1",
)


class Offer1688(Platform):
    """Prices are in CNY and fall with the quantity: ``price`` is the lowest, ``price_max`` the highest."""

    name = "offer1688"
    hosts: ClassVar[frozenset[str]] = frozenset(("1688.com", "qr.1688.com"))
    ready = ".title-text, h1.d-title"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return _model(page.json) is not None
        return super().knows(page) or (not page.own_urls and "1688.com" in page.text and _data(page) is not None)

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        parts = urlsplit(url)
        found = re.search(r"/offer/(\d{8,16})\.html", parts.path)
        asked = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}.get("offerid", "")
        return found[1] if found else asked if re.fullmatch(r"\d{8,16}", asked) else None

    def fill(self, page: Saved, draft: Draft) -> None:
        where, model = ("json", _model(page.json)) if page.json is not None else ("script", _data(page))
        if model is not None:
            _fill_model(model, draft, where)
        title = None if page.json is not None else page.first(_TITLE)
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        if number and title is not None:
            draft.put("title", line_of(title), "css .title-text", shown=True)
            prices = [price_of(line_of(each), usual="CNY") for path in _PRICES for each in page.all(path)[:8]]
            found = sorted((each for each in prices if each is not None), key=lambda each: float(each.amount))
            if found:
                high = max(found, key=lambda each: float(each.highest or each.amount))
                top = high.highest or high.amount
                draft.put("price", found[0].amount, "css .price-now", shown=True)
                draft.put(
                    "price_max", top if float(top) > float(found[0].amount) else None, "css .price-now", shown=True
                )
                draft.put("currency", "CNY", "css .price-now", shown=True)
            for path in _COMPANIES:
                draft.put("seller", line_of(page.first(path)), f"xpath {path}", shown=True)
            draft.put("brand", labels.value_of(page, labels.BRAND), "row 品牌", shown=True)
        if "title" in draft.fields:
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "link canonical")

    def wall(self, page: Saved) -> Outcome | None:
        return slider(page) or asks_login(page)


def _data(page: Saved) -> Any:
    """What the page's own scripts were given, in one of its generations."""
    for pattern in (
        r"__INIT_DATA\s*=\s*(?=\{)",
        r"__GLOBAL_DATA__?\s*=\s*(?=\{)",
        r"iDetailData\s*=\s*(?=\{)",
        r"window\.contextPath\s*,\s*(?=\{)",
        r"window\.context\s*=[\s\S]{0,400}?\)\s*\(\s*[^{]{0,200}(?=\{)",
    ):
        found = _model(page.after(pattern))
        if found is not None:
            return found
    return None


def _model(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        return None
    found = next(search(value, lambda node: "offerTitle" in node or ("offerId" in node and "subject" in node)), None)
    return None if found is None else {"model": found[1], "all": value}


def _fill_model(model: Any, draft: Draft, where: str) -> None:
    offer, everything = model["model"], model["all"]
    draft.put("title", offer.get("offerTitle") or offer.get("subject"), f"{where} .offerTitle")
    draft.put("item_id", str(offer.get("offerId") or ""), f"{where} .offerId")
    draft.put("seller", offer.get("companyName") or dig(offer, "seller", "companyName"), f"{where} .companyName")
    draft.put("seller_legal_name", offer.get("companyName"), f"{where} .companyName")
    draft.put("seller_id", offer.get("sellerMemberId") or offer.get("sellerLoginId"), f"{where} .sellerMemberId")
    prices = []
    for _, node in search(everything, lambda each: "skuRangePrices" in each or "currentPrices" in each):
        steps = node.get("skuRangePrices") or node.get("currentPrices")
        if isinstance(steps, list):
            prices += [price_of(str(dig(each, "price") or ""), usual="CNY") for each in steps]
    amounts = sorted((each.amount for each in prices if each is not None), key=float)
    if amounts:
        draft.put("price", amounts[0], f"{where} .skuRangePrices")
        draft.put(
            "price_max", amounts[-1] if float(amounts[-1]) > float(amounts[0]) else None, f"{where} .skuRangePrices"
        )
        draft.put("currency", "CNY", f"{where} .skuRangePrices")
