"""Pages that a promotion ends at, and pages that lead on: told apart by what they declare and how they are built."""

import re
from collections.abc import Mapping
from typing import Any

from crawlers.address import host_of
from crawlers.hosts import Kind, classify, platform_of
from crawlers.markup import Markup, place, types_of
from crawlers.outline import Outline

POSTING_TYPES = frozenset(
    ("article", "blogposting", "newsarticle", "socialmediaposting", "discussionforumposting", "recipe", "videoobject")
)
_CART = re.compile(
    r"add[-_]?to[-_]?(?:cart|bag|basket)|buy[-_]?now|buybox|/(?:cart|basket|checkout)(?:/add)?\b", re.IGNORECASE
)
# What the button says, where nothing else does: the languages of the marketplaces that posts lead to.
_CART_WORDS = re.compile(
    r"add to (?:cart|bag|basket|trolley)|buy (?:it )?now|in den (?:warenkorb|einkaufswagen)|ajouter au panier|acheter"
    r"|añadir (?:al carrito|a la cesta)|agregar al carrito|comprar|aggiungi al carrello|acquista|adicionar ao carrinho"
    r"|do koszyka|sepete ekle|в корзину|купить|in winkelwagen|加入购物车|加入購物車|立即购买|立即購買"
    r"|カートに入れる|장바구니|구매하기"
    r"|أضف إلى (?:السلة|العربة|عربة التسوق)|اشتر الآن|thêm vào giỏ|หยิบใส่ตะกร้า",
    re.IGNORECASE,
)
_CURRENCY_CODE = r"\b(?:USD|EUR|GBP|CHF|CNY|JPY|AED|SAR|TRY|PLN|SEK|NOK|DKK|AUD|CAD|CZK|HUF|INR|BRL)\b"
_PRICE = re.compile(
    rf"(?:[$€£¥￥₹₩₽₺₴₫฿]|{_CURRENCY_CODE}|Rs\.?|kr\.?)\s?\d"
    rf"|\d[\d.,]*\s?(?:[€£¥₹₩₽₺₴₫฿]|{_CURRENCY_CODE}|kr\b|zł|Kč|元|円|원|د\.إ|ر\.س)"
)


def is_listing(outline: Outline) -> bool:
    """Whether something is for sale here: the end of a chain."""
    markup = outline.markup
    if markup.meta("og:type").lower().startswith(("product", "og:product")) or markup.meta("product:price:amount"):
        return True
    if any("product" in types_of(thing) and _is_offered_here(outline, thing) for thing in markup.things):
        return True
    priced = carted = sold = False
    for node in outline.nodes:
        sold = sold or any(kind.rpartition("/")[2].lower() == "product" for kind in node.get("itemtype").split())
        priced = priced or "price" in node.get("itemprop").lower().split()
        if node.tag in ("button", "input", "form", "a") and not carted:
            said = " ".join(
                node.get(name) for name in ("id", "name", "class", "action", "href", "value", "data-action")
            )
            words = outline.text_of(node.n) if node.tag in ("button", "a") and node.chars <= 40 else node.get("value")
            carted = bool(_CART.search(said) or (node.tag != "form" and _CART_WORDS.fullmatch(words)))
    if sold and priced:
        return True
    return carted and (priced or bool(_PRICE.search(outline.text_of(0)[:200_000])))


def is_posting(markup: Markup) -> bool:
    """Whether the page says that it is something written or shown by somebody."""
    return markup.meta("og:type").lower() in ("article", "blog", "video.other") or bool(markup.types & POSTING_TYPES)


def is_article(markup: Markup) -> bool:
    """The narrower sense: a hub may embed videos and stay one."""
    return markup.meta("og:type").lower() in ("article", "video.other") or bool(
        markup.types & {"article", "blogposting", "newsarticle", "socialmediaposting", "discussionforumposting"}
    )


def is_profile(markup: Markup) -> bool:
    """Whether the page says that it is about a person (schema.org ProfilePage, Open Graph `profile`)."""
    if markup.meta("og:type").lower() == "profile":
        return True
    for thing in markup.things:
        said = thing.get("url") or thing.get("@id")
        own = isinstance(said, str) and place(markup.join(said) or "") in markup.own_addresses
        # Posts name their author's ProfilePage too; the page's own one has a main entity or the page's address.
        if "profilepage" in types_of(thing) and ("mainEntity" in thing or own):
            return True
    return False


def is_hub_host(url: str) -> bool:
    return classify(f"https://{host_of(url)}/") is Kind.HUB


def asks_for_password(outline: Outline) -> bool:
    return any(node.tag == "input" and node.get("type").lower() == "password" for node in outline.nodes)


def _is_offered_here(outline: Outline, product: Mapping[str, Any]) -> bool:
    """A hub may describe products of other shops; those have their address there."""
    url = product.get("url")
    elsewhere = isinstance(url, str) and "://" in url and platform_of(host_of(url)) != outline.site
    return bool(product.get("offers")) and not elsewhere
