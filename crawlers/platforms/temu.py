"""Temu: listings by the data in their page and by what they declare, its walls: no other real page was at hand."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers.money import code_of, number_of, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, declared
from crawlers.saved import Saved, dig, having, search
from crawlers.stock import availability_of
from crawlers.wording import is_worded, languages
from custody.model import Outcome

_ITEM = re.compile(r"-g-(\d{9,20})\.html")
_MALL = re.compile(r"-m-(\d{9,20})\.html")


class Temu(Platform):
    """``seller`` is the mall that a listing belongs to."""

    name = "temu"
    hosts: ClassVar[frozenset[str]] = frozenset(("temu.com", "temu.to"))
    ready = "[class*='goods'] h1"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return (
                dig(page.json, "goods", "goodsId") is not None
                or dig(page.json, "store", "goods", "goodsId") is not None
            )
        return super().knows(page) or (not page.own_urls and "kwcdn.com" in page.text and "window.rawData" in page.text)

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        parts = urlsplit(url)
        found = _ITEM.search(parts.path)
        asked = parse_qs(parts.query).get("goods_id", [""])[0] if "goods" in parts.path else ""
        return found[1] if found else asked if asked.isdigit() else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            data, where = page.json, "json"
        else:
            data, where = page.after(r"window\.rawData\s*=\s*(?=\{)"), "script rawData"
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        store = dig(data, "store") if isinstance(dig(data, "store"), Mapping) else data
        goods = dig(store, "goods")
        if isinstance(goods, Mapping) and goods.get("goodsName"):
            draft.kind = Kind.LISTING
            self._fill_goods(store, goods, draft, f"{where} .store")
        product = None if page.json is not None else declared(page)
        if product is not None and (number or draft.fields):
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "link canonical")
            add_declared(page, draft)
        malls = [found[1] for url in page.own_urls if (found := _MALL.search(urlsplit(url).path))]
        if malls and not draft.fields and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT
            draft.put("seller_id", malls[0], "the page's address")
            draft.put("seller", page.meta("og:title"), "meta og:title")

    def _fill_goods(self, store: Any, goods: Mapping[str, Any], draft: Draft, where: str) -> None:
        draft.put("title", goods.get("goodsName"), f"{where}.goods.goodsName")
        draft.put("item_id", str(goods.get("goodsId") or ""), f"{where}.goods.goodsId")
        shown = goods.get("minOnSalePriceStr") or goods.get("priceStr") or dig(goods, "priceInfo", "priceStr")
        usual = code_of(goods.get("currency") or dig(store, "currency") or dig(goods, "priceInfo", "currency"))
        price = price_of(shown, usual=usual)
        if price is not None:
            draft.put("price", price.amount, f"{where}.goods.minOnSalePriceStr")
            draft.put("price_shown", shown, f"{where}.goods.minOnSalePriceStr")
            draft.put("currency", price.currency or usual, f"{where}.goods.minOnSalePriceStr")
        mall = next((each for _, each in search(store, having("mallId", "mallName"))), None)
        draft.put("seller", dig(mall, "mallName"), f"{where}.mall.mallName")
        draft.put("seller_id", str(dig(mall, "mallId") or goods.get("mallId") or ""), f"{where}.mall.mallId")
        if isinstance(goods.get("isOnsale"), (bool, int)):
            draft.put("availability", availability_of(bool(goods["isOnsale"])), f"{where}.goods.isOnsale")
        draft.put("bought_count", goods.get("sideSalesTip") or goods.get("salesTip"), f"{where}.goods.salesTip")
        draft.put("rating", dig(store, "review", "goodsScore"), f"{where}.review.goodsScore")
        draft.put("rating_count", number_of(dig(store, "review", "reviewNum")), f"{where}.review.reviewNum")
        gallery = goods.get("gallery")
        urls = [dig(each, "url") for each in gallery] if isinstance(gallery, list) else []
        draft.put("images", [each for each in urls if isinstance(each, str)] or None, f"{where}.goods.gallery")

    def wall(self, page: Saved) -> Outcome | None:
        paths = [urlsplit(url).path for url in page.own_urls]
        if any("bgn_verification" in each for each in paths):
            return Outcome.CAPTCHA
        if page.json is None and self._asks_login(page):
            return Outcome.LOGIN_WALL
        if page.json is None and len(page.text) < 200_000:
            if any(each.endswith("/login.html") for each in paths):
                return Outcome.LOGIN_WALL
            if "bgn_verification" in page.text and not page.shown_text.strip():
                return Outcome.CAPTCHA
        return None

    @staticmethod
    def _asks_login(page: Saved) -> bool:
        """A page that is called "Temu | Login", in its reader's language, and has a field to type in."""
        site, _, rest = " ".join("".join(page.all("//head/title[1]//text()")).split()).partition("|")
        named = site.strip() == "Temu" and is_worded("login_words", rest.strip(), languages())
        return named and page.first("//input[not(@type='hidden')]") is not None
