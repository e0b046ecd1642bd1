"""Taobao and Tmall: listings of three generations of their page, answers of their page data, their walls."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.address import host_of
from crawlers.money import price_of
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, having, line_of, search
from crawlers.sliders import asks_login, slider
from custody.model import Outcome

_TITLE = (
    "//*[contains(@class,'tb-detail-hd')]//h1|//*[contains(@class,'tb-main-title')]|id('J_Title')//h3"
    "|//h1[contains(@class,'mainTitle')]|//*[contains(@class,'ItemHeader--mainTitle')]|//*[contains(@class,'ItemTitle')]//h1"
)
_PRICES = (
    "id('J_PromoPrice')//*[contains(@class,'tm-price') or contains(@class,'tb-rmb-num')]",
    "id('J_PromoPriceNum')",
    "id('J_StrPriceModBox')//*[contains(@class,'tm-price')]",
    "id('J_StrPrice')",
    "//*[contains(@class,'tm-price')]",
    "//*[contains(@class,'tb-rmb-num')]",
    "//*[contains(@class,'Price--priceText')]",
    "//*[contains(@class,'highlightPrice')]//*[contains(@class,'text')]",
)
_SHOPS = (
    "//*[contains(@class,'slogo-shopname')]",
    "//*[contains(@class,'tb-shop-name')]",
    "//*[contains(@class,'shop-name-link')]",
    "//*[contains(@class,'ShopHeader--title')]",
    "//*[contains(@class,'shopName')]",
    "id('J_ShopInfo')//*[contains(@class,'shop-name')]",
)
_NICK = re.compile(r"sellerNick(?:Name)?[\"']?\s*[:=]\s*[\"']([^\"']{1,300})[\"']")
_ITEM_ID = re.compile(r"[\"']?itemId[\"']?\s*[:=]\s*[\"']?(\d{8,16})\b")
_BRAND = re.compile(r"\"brand\"\s*:\s*\"([^\"]{1,120})\"")


class Taobao(Platform):
    """Prices are in CNY: these sites show no other currency to those who are not signed in."""

    name = "taobao"
    hosts: ClassVar[frozenset[str]] = frozenset(("taobao.com", "tmall.com", "tmall.hk", "m.tb.cn", "e.tb.cn"))
    ready = ".tb-detail-hd h1, .tb-main-title, [class*='mainTitle']"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return _detail(page.json) is not None
        if super().knows(page) or any("taobao.com" in each or "tmall.com" in each for each in page.own_urls):
            return True
        if page.own_urls:
            return False
        title = "".join(page.all("//head/title[1]//text()")).strip()
        return title.endswith(("-tmall.com天猫", "-淘宝网", "-天猫Tmall.com", "-Taobao", "_淘宝网")) or (
            "g.alicdn.com" in page.text
            and any(each in page.text for each in ("TShop.Setup", "tb-main-title", "g_config.idata"))
        )

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        parts = urlsplit(url)
        found = re.search(r"/item/(?:[^/]+/)?(\d{8,16})\.htm", parts.path)
        asked = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
        number = found[1] if found else asked.get("id") or asked.get("itemid") or ""
        seen = "item" in parts.path or "detail" in host_of(url)
        return number if seen and re.fullmatch(r"\d{8,16}", number) else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            _fill_detail(_detail(page.json), draft, "json")
            return
        data = page.after(r"(?:__ICE_APP_CONTEXT__|__INITIAL_DATA__|_DATA_Detail|_DATA_Mdskip)\s*=\s*(?=\{)")
        if _detail(data) is None:  # since 2025 the page puts what it has into the context piece by piece
            data = page.after(r"var \w\s*=\s*(?=\{\"appData\")")
        detail = _detail(data)
        if detail is not None:
            _fill_detail(detail, draft, "script")
        title = page.first(_TITLE)
        if title is None and "title" not in draft.fields:
            if any(re.search(r"(?:^|\.)(?:shop\w*)\.(?:taobao|tmall)\.com$", host_of(url)) for url in page.own_urls):
                if self.is_walled(page):
                    return
                draft.kind = Kind.STOREFRONT
                draft.put("title", "".join(page.all("//head/title[1]//text()")), "css title")
            return
        draft.kind = Kind.LISTING
        draft.put(
            "title", (title.get("data-title") if title is not None else "") or line_of(title), "css h1", shown=True
        )
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        draft.put("item_id", number, "link canonical")
        said = _ITEM_ID.search(page.text)
        draft.put("item_id", said[1] if said else None, "script itemId")
        self._fill_shown(page, draft)

    def _fill_shown(self, page: Saved, draft: Draft) -> None:
        for path in _PRICES:
            for each in page.all(path)[:3]:
                hidden = any("display:none" in (up.get("style") or "").replace(" ", "") for up in each.iterancestors())
                if not hidden:
                    _put_price(draft, line_of(each), f"xpath {path}", shown=True)
        for path in _SHOPS:
            draft.put("seller", line_of(page.first(path)), f"xpath {path}", shown=True)
        nick = _NICK.search(page.text)
        draft.put("seller", unquote(nick[1]) if nick else None, "script sellerNick")
        number = re.search(r"[\"']?(?:sellerId|userId)[\"']?\s*[:=]\s*[\"']?(\d{5,20})", page.text)
        draft.put("seller_id", number[1] if number else None, "script sellerId")
        draft.put("brand", line_of(page.first("id('J_BrandAttr')//b")), "css #J_BrandAttr", shown=True)
        for each in page.all("id('J_AttrUL')/li|//*[contains(@class,'attributes-list')]/li")[:60]:
            name, _, value = line_of(each).replace("：", ":").partition(":")
            if labels.label(name) in labels.BRAND:
                draft.put("brand", value, "css #J_AttrUL", shown=True)
        brand = _BRAND.search(page.text) if "itemDO" in page.text else None
        draft.put("brand", brand[1] if brand else None, "script itemDO.brand")

    def wall(self, page: Saved) -> Outcome | None:
        return slider(page) or asks_login(page)


def _put_price(draft: Draft, text: Any, where: str, *, shown: bool = False) -> None:
    price = price_of(text, usual="CNY")
    if price is not None:
        draft.put("price_shown", text, where, shown=shown)
        draft.put("price", price.amount, where, shown=shown)
        draft.put("currency", "CNY", where, shown=shown)
        if draft.sources["price"].where == where:
            draft.put("price_max", price.highest, where, shown=shown)


def _detail(value: Any) -> Mapping[str, Any] | None:
    """``{item, seller, ...}`` in what getdetail and pcdetail answer, and in pages that hold the same."""
    if not isinstance(value, (Mapping, list)):
        return None
    return next((node for _, node in search(value, having("item", "seller")) if dig(node, "item", "title")), None)


def _fill_detail(detail: Mapping[str, Any] | None, draft: Draft, where: str) -> None:
    item, seller = dig(detail, "item"), dig(detail, "seller")
    draft.put("title", dig(item, "title"), f"{where} .item.title")
    if "title" not in draft.fields:
        return
    draft.kind = Kind.LISTING
    draft.put("item_id", str(dig(item, "itemId") or ""), f"{where} .item.itemId")
    draft.put("seller", dig(seller, "shopName") or dig(seller, "sellerNick"), f"{where} .seller.shopName")
    draft.put("seller_id", str(dig(seller, "userId") or dig(seller, "sellerId") or ""), f"{where} .seller.userId")
    images = dig(item, "images")
    draft.put("images", images if isinstance(images, list) and images else None, f"{where} .item.images")
    price = dig(detail, "componentsVO", "priceVO")
    _put_price(
        draft,
        dig(price, "extraPrice", "priceText") or dig(price, "price", "priceText"),
        f"{where} .componentsVO.priceVO",
    )
    stack = dig(detail, "apiStack", 0, "value")
    try:
        live = json.loads(stack) if isinstance(stack, str) else stack
    except (ValueError, RecursionError):
        live = None
    _put_price(draft, dig(live, "price", "price", "priceText"), f"{where} .apiStack.0.value.price")
    for group in dig(detail, "props", "groupProps") or []:
        for row in [row for _, rows in _rows(group) for row in rows]:
            for name, said in row.items() if isinstance(row, Mapping) else ():
                if labels.label(str(name)) in labels.BRAND:
                    draft.put("brand", said, f"{where} .props.groupProps")


def _rows(group: Any) -> list[tuple[str, list[Any]]]:
    return (
        [(str(name), rows) for name, rows in group.items() if isinstance(rows, list)]
        if isinstance(group, Mapping)
        else []
    )
