"""Weidian: listings by the data in their page and by its interface's answer. No real page was at hand."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers.money import of_units, price_of
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, having, line_of, search


class Weidian(Platform):
    """Prices are in CNY."""

    name = "weidian"
    hosts: ClassVar[frozenset[str]] = frozenset(("weidian.com", "koudai.com", "youshop10.com"))
    ready = ".item-title, .item-name"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return isinstance(page.json, Mapping) and dig(page.json, "result", "itemTitle") is not None
        return super().knows(page) or page.by_id("__rocker-render-inject__") is not None

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        asked = {key.lower().replace("_", ""): values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        found = re.search(r"/item/(\d{6,14})", urlsplit(url).path)
        number = asked.get("itemid") or (found[1] if found else "")
        return number if re.fullmatch(r"\d{6,14}", number) else None

    def fill(self, page: Saved, draft: Draft) -> None:
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        if page.json is not None:
            self._fill_answer(dig(page.json, "result"), draft)
        else:
            self._fill_page(page, draft, number)
        if "title" in draft.fields:
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "the page's address")

    def _fill_answer(self, result: Any, draft: Draft) -> None:
        """``detail/getItemSkuInfo``: prices in it are whole cents."""
        draft.put("title", dig(result, "itemTitle"), "json .result.itemTitle")
        draft.put("item_id", str(dig(result, "itemId") or ""), "json .result.itemId")
        low = of_units(dig(result, "itemDiscountLowPrice") or dig(result, "itemOriginalLowPrice"), 2)
        high = of_units(dig(result, "itemDiscountHighPrice") or dig(result, "itemOriginalHighPrice"), 2)
        draft.put("price", low, "json .result.itemDiscountLowPrice")
        draft.put(
            "price_max",
            high if low and high and float(high) > float(low) else None,
            "json .result.itemDiscountHighPrice",
        )
        draft.put("currency", "CNY" if low else None, "json .result.itemDiscountLowPrice")
        stock = dig(result, "itemStock")
        if isinstance(stock, int) and not isinstance(stock, bool):
            draft.put("availability", "InStock" if stock > 0 else "OutOfStock", "json .result.itemStock")
        image = dig(result, "itemMainPic")
        draft.put("images", [image] if image else None, "json .result.itemMainPic")

    def _fill_page(self, page: Saved, draft: Draft, number: str) -> None:
        held = page.by_id("__rocker-render-inject__")
        try:
            data = json.loads((held.get("data-obj") or held.text or "null") if held is not None else "null")
        except (ValueError, RecursionError):
            data = None
        item = next((each for _, each in search(data, having("item_name"))), None)
        shop = next((each for _, each in search(data, having("shopName"))), None)
        where = "json script#__rocker-render-inject__"
        if item is not None:
            draft.put("title", item.get("item_name"), f"{where} .item_name")
            draft.put("item_id", str(item.get("item_id") or item.get("itemId") or ""), f"{where} .item_id")
            _put_price(draft, item.get("item_price") or item.get("price"), f"{where} .item_price")
            draft.put("bought_count", item.get("sold"), f"{where} .sold")
        draft.put("seller", dig(shop, "shopName"), f"{where} .shopName")
        draft.put("seller_id", str(dig(shop, "shopId") or dig(shop, "seller_id") or ""), f"{where} .shopId")
        if number or item is not None:
            title = page.first("//*[contains(@class,'item-title') or contains(@class,'item-name')]")
            draft.put("title", line_of(title), "css .item-title", shown=True)
            _put_price(draft, line_of(page.first("//*[contains(@class,'cur-price')]")), "css .cur-price", shown=True)
            draft.put("seller", line_of(page.first("//*[contains(@class,'shop-name')]")), "css .shop-name", shown=True)


def _put_price(draft: Draft, text: Any, where: str, *, shown: bool = False) -> None:
    price = price_of(text, usual="CNY")
    if price is not None and "price" not in draft.fields:
        draft.put("price", price.amount, where, shown=shown)
        draft.put("price_max", price.highest, where, shown=shown)
        draft.put("currency", "CNY", where, shown=shown)
