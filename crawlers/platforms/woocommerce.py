"""Shops on WooCommerce, under any host: product pages of its themes, answers of its two interfaces."""

import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers import labels
from crawlers.cards import fill_meta
from crawlers.money import code_of, currency_in, data_price, of_units, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import declared, fill_declared, put_entries
from crawlers.saved import Saved, dig, line_of
from crawlers.shopfront import fill_shown
from crawlers.stock import availability_of

_SUMMARY = (
    "//*[contains(concat(' ',@class,' '),' summary ') or contains(@class,'entry-summary')"
    " or contains(@class,'product-summary')]"
)
_BLOCK = (
    "//*[contains(@class,'wp-block-woocommerce-product-price') or contains(@class,'wc-block-components-product-price')]"
)
"""Of themes made of blocks."""
_AMOUNT = ".//*[contains(@class,'woocommerce-Price-amount') or contains(concat(' ',@class,' '),' amount ')]"


class WooCommerce(Platform):
    """The price shown counts before the declared one, which leaves out what taxes a visitor is shown."""

    name = "woocommerce"
    rank = -40
    ready = "body.single-product .price"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return bool(_answered(page.json))
        if "woocommerce" not in page.text:
            return False
        return bool(_classes(page) & {"woocommerce-page", "woocommerce", "single-product"}) and _is_product(page)

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            products = _answered(page.json)
            put_entries(draft, [_entry(each) for each in products], "json", one=not isinstance(page.json, list))
            return
        if not _is_product(page):
            return
        draft.kind = Kind.LISTING
        title = page.first(
            "//h1[contains(@class,'product_title') or contains(@class,'product-title')"
            " or contains(@class,'wp-block-post-title')]"
        )
        draft.put("title", line_of(title), "css h1.product_title", shown=True)
        product = declared(page)
        declares = Draft(platform=self.name)
        if product is not None:
            fill_declared(page, declares, product)
        usual = code_of(declares.fields.get("currency") or page.meta("product:price:currency"))
        _fill_price(page, draft, usual)
        for name, value in declares.fields.items():
            if not (name in ("price", "price_max") and "price" in draft.fields) and name != "seller":
                draft.put(name, value, declares.sources[name].where)
        sku = page.first(f"{_SUMMARY}//*[contains(@class,'sku') and not(contains(@class,'wrapper'))]")
        draft.put("item_id", line_of(sku), "css .sku", shown=True)
        said = line_of(page.first(f"{_SUMMARY}//*[contains(concat(' ',@class,' '),' stock ')]"))
        draft.put("availability", availability_of(said), "css .stock", shown=True)
        rows = labels.rows(
            page.all("//*[contains(@class,'woocommerce-product-attributes') or contains(@class,'shop_attributes')]//tr")
        )
        draft.put(
            "brand", next((line_of(value) for name, value in rows if name in labels.BRAND), ""), "row brand", shown=True
        )
        crumbs = [line_of(each) for each in page.all("//*[contains(@class,'posted_in')]//a")[:8]]
        draft.put("category", " > ".join(crumbs[:1]), "css .posted_in", shown=True)
        fill_meta(page, draft)
        fill_shown(page, draft)


def _classes(page: Saved) -> set[str]:
    body = page.first("//body")
    return set() if body is None else set((body.get("class") or "").split())


def _is_product(page: Saved) -> bool:
    if "single-product" in _classes(page):
        return True
    return (
        page.first("//h1[contains(@class,'product_title')]") is not None
        and page.first("//form[contains(@class,'cart')]") is not None
    )


def _fill_price(page: Saved, draft: Draft, usual: str | None) -> None:
    shown = page.first(f"{_SUMMARY}//p[contains(concat(' ',@class,' '),' price ')]")
    shown = shown if shown is not None else page.first("//p[contains(concat(' ',@class,' '),' price ')]")
    shown = shown if shown is not None else page.first(_BLOCK)
    if shown is None:
        return
    now = shown.find(".//ins")
    texts = [line_of(each) for each in (now if now is not None else shown).xpath(_AMOUNT)[:4]]
    if now is None:
        texts = [line_of(each) for each in shown.xpath(_AMOUNT)[:6] if not list(each.iterancestors("del"))]
    prices = [found for each in dict.fromkeys(texts) if (found := price_of(each, usual=usual))]
    if not prices or float(prices[0].amount) == 0:
        return
    draft.put("price", prices[0].amount, "css .summary .price", shown=True)
    if len(prices) > 1 and float(prices[1].amount) > float(prices[0].amount):
        draft.put("price_max", prices[1].amount, "css .summary .price", shown=True)
    draft.put("price_shown", line_of(now if now is not None else shown), "css .summary .price", shown=True)
    draft.put("currency", usual or prices[0].currency or currency_in(line_of(shown)), "css .summary .price", shown=True)


def _answered(answer: Any) -> list[Mapping[str, Any]]:
    """Products of the store interface (``wc/store``) or of the one for owners (``wc/v3``)."""
    found = answer if isinstance(answer, list) else [answer]
    return [
        each
        for each in found
        if isinstance(each, Mapping)
        and "name" in each
        and "permalink" in each
        and ("prices" in each or "regular_price" in each)
    ]


def _entry(product: Mapping[str, Any]) -> dict[str, Any]:
    prices = product.get("prices")
    places = dig(prices, "currency_minor_unit")
    low, high = dig(prices, "price_range", "min_amount"), dig(prices, "price_range", "max_amount")
    plain = data_price(product.get("price"))
    stock = product.get("is_in_stock") if "is_in_stock" in product else product.get("stock_status")
    top = of_units(high, places) if high != low else None
    images = product.get("images")
    return {
        "title": re.sub(r"<[^>]*>", "", str(product["name"])),
        "item_id": str(product.get("sku") or product.get("id") or ""),
        "price": of_units(low or dig(prices, "price"), places) if prices else plain.amount if plain else None,
        "price_max": top,
        "currency": code_of(dig(prices, "currency_code")),
        "brand": dig(product, "brands", 0, "name"),
        "availability": availability_of(stock),
        "category": dig(product, "categories", 0, "name"),
        "images": [each["src"] for each in images if dig(each, "src")] if isinstance(images, list) else None,
    }
