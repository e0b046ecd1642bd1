"""What a product's page says of it in Open Graph, product and Twitter card elements."""

import re
from decimal import Decimal

from crawlers.money import code_of, data_price, price_of
from crawlers.platform import Draft
from crawlers.saved import Saved
from crawlers.stock import availability_of

_WHOLE = frozenset(
    ("CLP", "COP", "CRC", "HUF", "IDR", "IRR", "ISK", "JPY", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF")
)
"""Currencies in which nobody is asked for parts of one."""
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
_PRICE_LABELS = frozenset(
    ("price", "preis", "prix", "precio", "prezzo", "preço", "prijs", "pris", "cena", "fiyat", "цена")
)


def fill_meta(page: Saved, draft: Draft, *, usual: str | None = None) -> None:
    """What Open Graph, product and Twitter card elements add."""
    draft.put("title", page.meta("og:title", "twitter:title"), "meta og:title")
    draft.put("brand", page.meta("product:brand", "og:brand"), "meta product:brand")
    draft.put("item_id", page.meta("product:retailer_item_id"), "meta product:retailer_item_id")
    if "price" not in draft.fields:
        currency = page.meta("product:sale_price:currency", "product:price:currency", "og:price:currency")
        amount = page.meta("product:sale_price:amount", "product:price:amount", "og:price:amount")
        paid_in = code_of(currency) or usual
        if paid_in in _WHOLE and _GROUPED.fullmatch(amount.strip()):
            amount = amount.replace(".", "")  # written for people: "173.000" pesos are no 173
        found = data_price(amount, usual=paid_in)
        if found is not None and Decimal(found.amount) > 0:
            draft.put("price", found.amount, "meta product:price:amount")
            draft.put("currency", code_of(currency) or found.currency, "meta product:price:currency")
    card = price_of(card_price(page), usual=usual)
    if card is not None and "price" not in draft.fields:
        draft.put("price", card.amount, "meta twitter:data")
        draft.put("currency", card.currency, "meta twitter:data")
    stock = availability_of(page.meta("product:availability", "og:availability"))
    draft.put("availability", stock, "meta product:availability")
    image = page.meta("og:image:secure_url", "og:image")
    draft.put("images", [image] if image else None, "meta og:image")


def card_price(page: Saved) -> str:
    """What a product card for Twitter shows as the price."""
    for n in (1, 2):
        if page.meta(f"twitter:label{n}").strip().casefold() in _PRICE_LABELS:
            return page.meta(f"twitter:data{n}")
    return ""
