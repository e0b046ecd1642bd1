"""AliExpress: listings of four generations of its page, answers of its two interfaces, its walls."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.money import code_of, data_price, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, put_entries
from crawlers.saved import Saved, dig, having, line_of, search
from crawlers.sliders import asks_login, slider
from crawlers.stock import availability_of
from custody.model import Outcome

_ITEM = re.compile(
    r"/(?:item|i)/(?:[^/?#]+/)?(\d{8,20})(?:\.html)?(?=[/?#]|$)|/store/product/[^/]*?/\d+_(\d{8,20})\.html"
)
_STORE = re.compile(r"/store/(?:all-wholesale-products/)?(\d+)")
_TITLE = (
    "//h1[@data-pl='product-title']|//h1[contains(@class,'product-title')]|//*[contains(@class,'product-title-text')]"
    "|//h1[@itemprop='name' or contains(@class,'product-name')]|//h1[contains(@class,'HazeProductDescription')]"
)
_PRICES = (
    "id('j-sku-discount-price')",
    "id('j-sku-price')",
    "id('sku-discount-price')",
    "id('sku-price')",
    "//*[contains(@class,'price--currentPriceText')]",
    "//*[contains(@class,'price-default--current')]",
    "//*[contains(@class,'product-price-current')]//*[contains(@class,'product-price-value')]",
    "//*[contains(@class,'uniform-banner-box-price')]",
    "//*[contains(@class,'product-price-value')]",
    "//*[contains(@class,'product-price-current')]",
    "//*[contains(@class,'price--current--')]",
    "//*[contains(@class,'snow-price_SnowPrice__mainM')]|//*[contains(@class,'SnowPrice__mainM')]",
)
_STORES = (
    "//a[@data-pl='store-name']",
    "//*[contains(@class,'store-detail--storeName')]",
    "//*[contains(@class,'store-header--storeName')]",
    "//*[contains(@class,'shop-name')]//a[contains(@href,'/store/')]",
    "//*[@class='store-name']//a",
    "//a[contains(@class,'store-lnk')]",
)


class AliExpress(Platform):
    """``seller`` is the store; its legal name stands on another page."""

    name = "aliexpress"
    hosts: ClassVar[frozenset[str]] = frozenset(("aliexpress.com", "aliexpress.us", "aliexpress.ru"))
    ready = "h1[data-pl='product-title'], .product-title-text"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return _result(page.json) is not None or bool(_affiliate(page.json))
        if super().knows(page) or page.meta("og:site_name").lower().startswith("aliexpress"):
            return True
        if page.own_urls:
            return False
        return "aliexpress" in page.text and (
            "runParams" in page.text or "_dida_config_" in page.text or "_d_c_" in page.text
        )

    def canonical(self, url: str) -> str | None:
        found = _ITEM.search(urlsplit(url).path) if self.knows_url(url) else None
        return None if found is None else found[1] or found[2]

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            products = _affiliate(page.json)
            put_entries(draft, [_entry(each) for each in products], "json", one=len(products) == 1)
            result = _result(page.json)
            if result is not None:
                _fill_result(result, draft, "json .data.result")
            return
        number = next(filter(None, map(self.canonical, page.own_urls)), "")
        data = page.after(r"runParams\s*=\s*\{[\s\"']*data[\"']?\s*:\s*(?=\{)")
        data = data if data is not None else page.after(r"_init_data_\s*=\s*\{[\s\"']*data[\"']?\s*:\s*(?=\{)")
        if isinstance(data, Mapping):
            _fill_modules(data, draft)
            _fill_components(data, draft)
            for path, result in search(data, having("PRODUCT_TITLE", "PRICE")):
                _fill_result(result, draft, f"script {path}")
        title = page.first(_TITLE)
        if number and (title is not None or "title" in draft.fields):
            self._fill_shown(page, draft, title)
        if "title" in draft.fields:
            draft.kind = Kind.LISTING
            draft.put("item_id", number, "link canonical")
            return
        stores = [found[1] for url in page.own_urls if (found := _STORE.search(urlsplit(url).path))]
        if stores and not number and not self.is_walled(page):
            draft.kind = Kind.STOREFRONT
            draft.put("seller_id", stores[0], "the page's address")
            draft.put("seller", page.meta("og:title") or line_of(page.first("//h1")), "meta og:title")

    def _fill_shown(self, page: Saved, draft: Draft, title: Any) -> None:
        draft.put("title", line_of(title), "css h1", shown=True)
        if "price" not in draft.fields:
            for path in _PRICES:
                shown = line_of(page.first(path))[:60]
                low, high = page.first("//*[@itemprop='lowPrice']"), page.first("//*[@itemprop='highPrice']")
                shown = (
                    f"{line_of(low)} - {line_of(high)}"
                    if path.startswith("id(") and low is not None and high is not None
                    else shown
                )
                if _put_price(draft, shown, f"xpath {path}", _usual(page), shown=True):
                    break
        add_declared(page, draft, but=("item_id", "brand", "seller"))
        for path in _STORES:
            draft.put("seller", line_of(page.first(path)), f"xpath {path}", shown=True)
        store = page.first("//a[contains(@href,'/store/')]/@href")
        found = _STORE.search(str(store)) if store is not None else None
        draft.put("seller_id", found[1] if found else None, "css a[href*=/store/]")
        rows = labels.rows(
            page.all("//*[contains(@class,'property-item') or contains(@class,'specification--prop')]")[:80]
        )
        draft.put(
            "brand", next((line_of(value) for name, value in rows if name in labels.BRAND), ""), "row brand", shown=True
        )
        gone = page.first(
            "//*[contains(@class,'not-available') or contains(@class,'product-unavailable')"
            " or contains(@class,'item-not-found')]"
        )
        draft.put("availability", availability_of(line_of(gone)), "css .not-available", shown=True)

    def wall(self, page: Saved) -> Outcome | None:
        return slider(page) or asks_login(page)


def _usual(page: Saved) -> str | None:
    """The currency that the page's data says it deals in."""
    found = re.search(
        r"[\"']?(?:tradeCurrencyCode|currencyCode|baseCurrencyCode)[\"']?\s*[:=]\s*[\"']([A-Z]{3})", page.text
    )
    return code_of(found[1]) if found else None


def _put_price(draft: Draft, text: Any, where: str, usual: str | None, *, shown: bool = False) -> bool:
    price = price_of(text, usual=usual)
    if price is None:
        return False
    draft.put("price_shown", text, where, shown=shown)
    draft.put("price", price.amount, where, shown=shown)
    draft.put("price_max", price.highest, where, shown=shown)
    draft.put("currency", price.currency or usual, where, shown=shown)
    return True


def _put_amounts(draft: Draft, low: Any, high: Any, where: str) -> None:
    """``{currency, value, formatedAmount}``."""
    price = data_price(dig(low, "value"))
    if price is None:
        return
    top = data_price(dig(high, "value"))
    draft.put("price", price.amount, f"{where}.value")
    draft.put(
        "price_max",
        top.amount if top is not None and float(top.amount) > float(price.amount) else None,
        f"{where}.value",
    )
    draft.put("price_shown", dig(low, "formatedAmount"), f"{where}.formatedAmount")
    draft.put("currency", code_of(dig(low, "currency")), f"{where}.currency")


def _put_stock(draft: Draft, quantity: Any, where: str) -> None:
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        draft.put("availability", "InStock" if quantity > 0 else "OutOfStock", where)


def _put_brand(draft: Draft, props: Any, where: str) -> None:
    for each in props if isinstance(props, list) else []:
        if dig(each, "attrNameId") == 2 or labels.label(str(dig(each, "attrName") or "")) in labels.BRAND:
            draft.put("brand", dig(each, "attrValue"), where)


def _fill_modules(data: Mapping[str, Any], draft: Draft) -> None:
    """2019 to 2022: ``titleModule``, ``priceModule``, ``storeModule``."""
    if "titleModule" not in data:
        return
    where = "script runParams.data"
    draft.put("title", dig(data, "titleModule", "subject"), f"{where}.titleModule.subject")
    price, usual = data.get("priceModule"), code_of(dig(data, "webEnv", "currency"))
    now = "Activity" if dig(price, "minActivityAmount") else ""
    draft.put("price_shown", dig(price, f"formated{now}Price"), f"{where}.priceModule.formated{now}Price")
    _put_amounts(
        draft, dig(price, f"min{now}Amount"), dig(price, f"max{now}Amount"), f"{where}.priceModule.min{now}Amount"
    )
    _put_price(draft, dig(price, "formatedActivityPrice") or dig(price, "formatedPrice"), f"{where}.priceModule", usual)
    draft.put("seller", dig(data, "storeModule", "storeName"), f"{where}.storeModule.storeName")
    draft.put("seller_id", str(dig(data, "storeModule", "storeNum") or ""), f"{where}.storeModule.storeNum")
    draft.put(
        "seller_country", dig(data, "storeModule", "countryCompleteName"), f"{where}.storeModule.countryCompleteName"
    )
    number = dig(data, "actionModule", "productId") or dig(data, "commonModule", "productId")
    draft.put("item_id", str(number or ""), f"{where}.actionModule.productId")
    _put_brand(draft, dig(data, "specsModule", "props"), f"{where}.specsModule.props")
    if dig(data, "actionModule", "itemStatus") not in (0, None):
        draft.put("availability", "OutOfStock", f"{where}.actionModule.itemStatus")
    _put_stock(draft, dig(data, "quantityModule", "totalAvailQuantity"), f"{where}.quantityModule.totalAvailQuantity")
    draft.put(
        "rating", dig(data, "titleModule", "feedbackRating", "averageStar"), f"{where}.titleModule.feedbackRating"
    )
    draft.put(
        "rating_count",
        dig(data, "titleModule", "feedbackRating", "totalValidNum"),
        f"{where}.titleModule.feedbackRating",
    )
    draft.put("bought_count", dig(data, "titleModule", "tradeCount"), f"{where}.titleModule.tradeCount")
    draft.put("images", dig(data, "imageModule", "imagePathList"), f"{where}.imageModule.imagePathList")


def _fill_components(data: Mapping[str, Any], draft: Draft) -> None:
    """2023: the same under names that end in ``Component``."""
    if "productInfoComponent" not in data:
        return
    where = "script runParams.data"
    draft.put("title", dig(data, "productInfoComponent", "subject"), f"{where}.productInfoComponent.subject")
    draft.put("item_id", str(dig(data, "productInfoComponent", "id") or ""), f"{where}.productInfoComponent.id")
    price = dig(data, "priceComponent", "discountPrice")
    price = price if dig(price, "minActivityAmount") else dig(data, "priceComponent", "origPrice")
    now = "Activity" if dig(price, "minActivityAmount") else ""
    _put_amounts(draft, dig(price, f"min{now}Amount"), dig(price, f"max{now}Amount"), f"{where}.priceComponent")
    _put_price(
        draft,
        dig(price, "multiCurrencyDisplayPrice"),
        f"{where}.priceComponent",
        code_of(dig(data, "currencyComponent", "currencyCode")),
    )
    draft.put("seller", dig(data, "sellerComponent", "storeName"), f"{where}.sellerComponent.storeName")
    draft.put("seller_id", str(dig(data, "sellerComponent", "storeNum") or ""), f"{where}.sellerComponent.storeNum")
    _put_brand(draft, dig(data, "productPropComponent", "props"), f"{where}.productPropComponent.props")
    _put_stock(draft, dig(data, "inventoryComponent", "totalAvailQuantity"), f"{where}.inventoryComponent")
    draft.put("rating", dig(data, "feedbackComponent", "evarageStar"), f"{where}.feedbackComponent.evarageStar")
    draft.put("images", dig(data, "imageComponent", "imagePathList"), f"{where}.imageComponent.imagePathList")


def _result(answer: Any) -> Mapping[str, Any] | None:
    """``mtop.aliexpress.pdp.pc.query``, 2024 on."""
    found = dig(answer, "data", "result")
    return found if isinstance(found, Mapping) and "PRODUCT_TITLE" in found else None


def _fill_result(result: Mapping[str, Any], draft: Draft, where: str) -> None:
    draft.put("title", dig(result, "PRODUCT_TITLE", "text"), f"{where}.PRODUCT_TITLE.text")
    if "title" not in draft.fields:
        return
    draft.kind = Kind.LISTING
    ids = dig(result, "GLOBAL_DATA", "globalData")
    draft.put("item_id", str(dig(ids, "productId") or ""), f"{where}.GLOBAL_DATA.globalData.productId")
    sku = dig(result, "PRICE", "targetSkuPriceInfo")
    text = (
        dig(sku, "salePriceString")
        or dig(sku, "salePrice", "formatedAmount")
        or dig(sku, "originalPrice", "formatedAmount")
    )
    _put_price(
        draft,
        text,
        f"{where}.PRICE.targetSkuPriceInfo",
        code_of(dig(ids, "currencyCode") or dig(sku, "originalPrice", "currency")),
    )
    draft.put(
        "seller", dig(result, "SHOP_CARD_PC", "storeName") or dig(ids, "storeName"), f"{where}.SHOP_CARD_PC.storeName"
    )
    number = dig(result, "SHOP_CARD_PC", "sellerInfo", "storeNum") or dig(ids, "storeId")
    draft.put("seller_id", str(number or ""), f"{where}.SHOP_CARD_PC.sellerInfo.storeNum")
    draft.put("rating", dig(result, "PC_RATING", "rating"), f"{where}.PC_RATING.rating")
    for props in (dig(result, "PRODUCT_PROP_PC", "showedProps"), dig(result, "PRODUCT_PROP_PC", "props")):
        _put_brand(draft, props, f"{where}.PRODUCT_PROP_PC")
    draft.put("images", dig(result, "HEADER_IMAGE_PC", "imagePathList"), f"{where}.HEADER_IMAGE_PC.imagePathList")


def _affiliate(answer: Any) -> list[Mapping[str, Any]]:
    """Products of the affiliate interface."""
    found = next(search(answer, having("product_id", "product_title")), None) if isinstance(answer, Mapping) else None
    if found is None:
        return []
    return [each for _, each in search(answer, having("product_id", "product_title"))]


def _entry(product: Mapping[str, Any]) -> dict[str, Any]:
    at = "target_" if product.get("target_sale_price") else ""
    price = data_price(product.get(f"{at}sale_price"))
    return {
        "title": product.get("product_title"),
        "item_id": str(product["product_id"]),
        "price": None if price is None else price.amount,
        "currency": code_of(product.get(f"{at}sale_price_currency")),
        "seller": product.get("shop_name"),
        "seller_id": str(product.get("shop_id") or ""),
        "category": product.get("second_level_category_name") or product.get("first_level_category_name"),
        "images": [product["product_main_image_url"]] if product.get("product_main_image_url") else None,
    }
