"""Amazon, all marketplaces: listings of fifteen years' layouts, sellers' pages, brands' stores, its walls."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.address import host_of
from crawlers.buybox import fill_offer
from crawlers.bylines import fill_makers
from crawlers.imprint import fill_seller_page
from crawlers.money import code_of, data_price, number_of
from crawlers.platform import Draft, Platform
from crawlers.products import put_entries
from crawlers.saved import Saved, dig, line_of
from crawlers.stars import stars_in
from crawlers.stock import availability_of
from custody.model import Outcome

CURRENCIES = {
    "com": "USD",
    "co.uk": "GBP",
    "de": "EUR",
    "fr": "EUR",
    "it": "EUR",
    "es": "EUR",
    "nl": "EUR",
    "ie": "EUR",
    "com.be": "EUR",
    "se": "SEK",
    "pl": "PLN",
    "com.tr": "TRY",
    "ca": "CAD",
    "com.mx": "MXN",
    "com.br": "BRL",
    "co.jp": "JPY",
    "in": "INR",
    "com.au": "AUD",
    "sg": "SGD",
    "ae": "AED",
    "sa": "SAR",
    "eg": "EGP",
    "cn": "CNY",
    "co.za": "ZAR",
    "com.co": "COP",
    "cl": "CLP",
}
"""Marketplaces by what stands behind ``amazon.``, each with the currency that its bare signs mean."""
_HOST = re.compile(rf"(?:[a-z0-9-]+\.)*amazon\.({'|'.join(re.escape(each) for each in CURRENCIES)})")
_SHORT = frozenset(("amzn.to", "amzn.eu", "amzn.asia", "amzn.in", "amzn.com", "a.co"))
_ASIN = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]", re.ASCII)
_IN_PATH = re.compile(
    r"/(?:dp|gp/product(?:/glance)?|gp/aw/d|exec/obidos/(?:asin|tg/detail/-)|o/asin|product|asin)"
    r"/(?:[^/]+/)?([A-Z0-9]{10})(?=[/?#]|$)",
    re.IGNORECASE,
)
_TITLES = ("productTitle", "ebooksProductTitle", "ebooksTitle", "btAsinTitle", "item_name", "mas-title", "title")
_ROWS = (
    "id('productDetails_detailBullets_sections1')//tr|id('productDetails_db_sections')//tr"
    "|id('productDetails_techSpec_section_1')//tr|id('productDetails_techSpec_section_2')//tr|id('prodDetails')//tr"
    "|id('detailBullets_feature_div')//li/span[1]|id('detailBulletsWrapper_feature_div')//li/span[1]"
    "|id('detail-bullets')//li|id('detail_bullets_id')//li|id('productDetailsTable')//li"
    "|id('productOverview_feature_div')//tr|id('poExpander')//tr"
)
_ASKS_WHERE = re.compile(
    r"update|select|choose|your address|actualizar|actualiza|selecciona|elige|aktualisieren|wählen|mettre à jour|choisi"
    r"|sélectionne|aggiorna|scegli|seleziona|atualiz|selecione|bijwerken|selecteer|kies|uppdatera|välj|zaktualizuj|wybierz"
    r"|güncelle|seç|お届け先を選択|住所を選択|選択してください|更新|选择|تحديث|اختر|चुनें",
    re.IGNORECASE,
)
"""In place of where a parcel would go: the page asks for it."""
_LINKED = re.compile(r"https?://(www\.amazon\.[a-z.]{2,6})/")
_LINKED_WITHIN = 400_000
_SMALL = 120_000
"""Characters; Amazon's walls are a few thousand, its pages a million."""


class Amazon(Platform):
    """``price`` is that of the buy box; where it holds no offer there is none."""

    name = "amazon"
    hosts: ClassVar[frozenset[str]] = _SHORT
    ready = "#productTitle, #seller-name, #btAsinTitle"

    def knows_url(self, url: str) -> bool:
        host = host_of(url)
        return bool(_HOST.fullmatch(host)) or host.removeprefix("www.") in _SHORT

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return isinstance(page.json, dict) and ("ItemsResult" in page.json or "itemsResult" in page.json)
        if page.own_urls:
            return super().knows(page)
        marked = any(each in page.text for each in ("ue_mid", "api-services-support@amazon.", "amazon.com/images/G/"))
        own = ("navbar", "nav-belt", "productTitle", "seller-name", "btAsinTitle")
        return marked and (any(page.by_id(each) is not None for each in own) or self.wall(page) is not None)

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        parts = urlsplit(url)
        found = _IN_PATH.search(parts.path)
        asked = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
        asin = (found[1] if found else asked.get("asin", "")).upper()
        return asin if _ASIN.fullmatch(asin) else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            _fill_answer(page.json, draft)
            return
        usual = CURRENCIES.get(_marketplace(page) or "")
        title, where = _title(page)
        asin, asin_where = self._asin(page)
        if title and asin:
            draft.kind = Kind.LISTING
            draft.put("title", title, where, shown=True)
            draft.put("asin", asin, asin_where)
            draft.put("item_id", asin, asin_where)
            fill_offer(page, draft, usual=usual)
            fill_makers(page, draft)
            _fill_rest(page, draft)
        elif self.is_walled(page):
            return
        elif page.by_id("seller-name") is not None or page.by_id("sellerName") is not None:
            draft.kind = Kind.STOREFRONT
            fill_seller_page(page, draft)
        elif any(re.search(r"/stores/(?:[^/]+/)?(?:page/|[^/]+$)", urlsplit(url).path) for url in page.own_urls):
            draft.kind = Kind.STOREFRONT
            title = page.meta("og:title") or line_of(page.first("//head/title"))
            draft.put("title", re.sub(r"^Amazon\.[a-z.]+\s*[:：]\s*", "", title), "css title")
        elif len(page.text) > _SMALL and page.by_id("navbar") is not None:  # a search, a category: no product's page
            draft.put("title", line_of(page.first("//head/title")) or _head_title(page), "css title")

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            return None
        forms = [each.get("action") or "" for each in page.root.iter("form")]
        if any("/validateCaptcha" in each for each in forms):
            return Outcome.CAPTCHA
        if len(page.text) > _SMALL:
            return None
        title = _head_title(page)
        if re.match(r"(?:Robot|Bot) Check", title) or "opfcaptcha" in page.text:
            return Outcome.CAPTCHA
        if page.first("//form[@name='signIn']") is not None or any("/ap/signin" in each for each in forms):
            return Outcome.LOGIN_WALL
        if page.first("//img[contains(@src,'/error/')]|//a[contains(@href,'dogsofamazon')]") is not None:
            lost = page.first("//a[contains(@href,'cs_404')]|//img[contains(@src,'404')]") is not None
            return Outcome.UNAVAILABLE if lost or "404" in title or "Not Found" in title else Outcome.HTTP_ERROR
        return None

    def _asin(self, page: Saved) -> tuple[str, str]:
        asked: tuple[tuple[str, Callable[[], str]], ...] = (
            ("css input#ASIN", lambda: _attribute(page.by_id("ASIN"), "value")),
            ("css link[rel=canonical]", lambda: next(filter(None, map(self.canonical, page.own_urls)), "")),
            ("css input[name^=ASIN]", lambda: _attribute(page.first("//input[starts-with(@name,'ASIN')]"), "value")),
            ("css #averageCustomerReviews", lambda: _attribute(page.by_id("averageCustomerReviews"), "data-asin")),
            ("css #cerberus-data-metrics", lambda: _attribute(page.by_id("cerberus-data-metrics"), "data-asin")),
        )
        for where, value in asked:  # the first is nearly always there; looking through all inputs takes a millisecond
            said = value().strip().upper()
            if _ASIN.fullmatch(said):
                return said, where
        return "", ""


def _attribute(element: Any, name: str) -> str:
    return "" if element is None else element.get(name) or ""


def _head_title(page: Saved) -> str:
    return " ".join("".join(page.all("//head/title[1]//text()")).split())


def _marketplace(page: Saved) -> str | None:
    """What stands behind ``amazon.`` in the page's own address, its server's name, or the first of its links home."""
    hosts = [host_of(each) for each in page.own_urls]
    said = re.match(r"ue_sn\s*=\s*[\"']([a-z0-9.-]{5,60})", page.behind("ue_sn", 90))
    hosts += [said[1]] if said else []
    if not any(map(_HOST.fullmatch, hosts)):
        linked = _LINKED.search(page.text, 0, _LINKED_WITHIN)
        hosts += [linked[1]] if linked else []
    return next((found[1] for each in hosts if (found := _HOST.fullmatch(each))), None)


def _title(page: Saved) -> tuple[str, str]:
    for name in _TITLES:
        element = page.by_id(name)
        text = "" if element is None or element.tag in ("input", "div") else line_of(element)
        if text:
            return text, f"css #{name}"
    music = page.first("id('dmusicProductTitle_feature_div')//h1")
    return (line_of(music), "css #dmusicProductTitle_feature_div h1") if music is not None else ("", "")


def _fill_rest(page: Saved, draft: Draft) -> None:
    rows: dict[str, Any] = {}
    for name, element in labels.rows(page.all(_ROWS)[: labels.MAX_ROWS]):
        rows.setdefault(name, element)
    for field, labelled in (("brand", labels.BRAND), ("first_available", labels.FIRST_AVAILABLE)):
        said = next((line_of(rows[each]) for each in rows if each in labelled), "")
        if said and (field != "brand" or "author" not in draft.fields):
            draft.put(field, said[:300], f"row {field}", shown=True)
    ranked = page.by_id("SalesRank")
    if ranked is None:
        ranked = next((rows[each].getparent() for each in rows if each in labels.RANK), None)
    said = re.sub(r"^[^:：\d#]{0,80}[:：]?\s*", "", line_of(ranked))
    if re.match(r"\D{0,12}\d", said):
        draft.put("rank", said[:300], "row rank", shown=True)
    crumbs = [line_of(each) for each in page.all("id('wayfinding-breadcrumbs_feature_div')//li//a")[:12]]
    draft.put(
        "category", " > ".join(each for each in crumbs if each), "css #wayfinding-breadcrumbs_feature_div", shown=True
    )
    draft.put("rating", _stars(page), "css #acrPopover", shown=True)
    draft.put(
        "rating_count",
        number_of(line_of(page.by_id("acrCustomerReviewText"))),
        "css #acrCustomerReviewText",
        shown=True,
    )
    bought = line_of(page.by_id("social-proofing-faceout-title-tk_bought"))
    draft.put("bought_count", bought, "css #social-proofing-faceout-title-tk_bought", shown=True)
    place = line_of(page.by_id("glow-ingress-line2"))
    draft.put("ships_to", "" if _ASKS_WHERE.search(place) else place, "css #glow-ingress-line2", shown=True)
    chosen = page.all(
        "(id('twister')|id('twister_feature_div')|id('variation_size_name')|id('variation_color_name'))"
        "//*[contains(@class,'selection') or starts-with(@id,'inline-twister-expanded-dimension-text')]"
    )
    names = list(dict.fromkeys(said for each in chosen[:20] if (said := line_of(each)) and len(said) < 100))
    draft.put("variation", ", ".join(names), "css #twister .selection", shown=True)
    parent = re.match(r'"parentAsin"\s*:\s*"([A-Z0-9]{10})"', page.behind('"parentAsin"', 40))
    if parent is not None and parent[1] != draft.fields.get("asin"):
        draft.put("parent_id", parent[1], "script parentAsin")
    draft.put("images", _images(page) or None, "css #landingImage")


def _stars(page: Saved) -> str | None:
    popover = page.by_id("acrPopover")
    said = "" if popover is None else popover.get("title") or line_of(popover)
    return stars_in(said)


def _images(page: Saved) -> list[str]:
    found: list[str] = []
    for name in ("landingImage", "imgBlkFront", "ebooksImgBlkFront", "main-image", "prodImage"):
        image = page.by_id(name)
        if image is None:
            continue
        try:
            sizes = json.loads(image.get("data-a-dynamic-image") or "{}")
        except ValueError:
            sizes = {}
        largest = max(sizes, key=lambda url: _area(sizes[url]), default="") if isinstance(sizes, Mapping) else ""
        url = image.get("data-old-hires") or largest or image.get("src") or ""
        if url.startswith("http"):
            found.append(url)
    return list(dict.fromkeys(found))


def _area(size: Any) -> int:
    return size[0] if isinstance(size, list) and size and isinstance(size[0], int) else 0


def _fill_answer(answer: Any, draft: Draft) -> None:
    """GetItems of the Product Advertising API 5, or of its successor with the same names in camel case."""
    items = dig(answer, "ItemsResult", "Items") or dig(answer, "itemsResult", "items")
    entries = [_entry(_lowered(each)) for each in items] if isinstance(items, list) else []
    put_entries(draft, entries, "json .ItemsResult.Items", one=len(entries) == 1)


def _entry(item: Any) -> dict[str, Any]:
    offer = dig(item, "offersv2", "listings", 0) or dig(item, "offers", "listings", 0)
    money = dig(offer, "price", "money") or dig(offer, "price")
    price = data_price(dig(money, "amount"))
    stock = dig(offer, "availability", "type") or dig(offer, "availability", "message")
    return {
        "title": dig(item, "iteminfo", "title", "displayvalue"),
        "asin": dig(item, "asin"),
        "item_id": dig(item, "asin"),
        "parent_id": dig(item, "parentasin"),
        "brand": dig(item, "iteminfo", "bylineinfo", "brand", "displayvalue"),
        "price": None if price is None else price.amount,
        "price_shown": dig(money, "displayamount"),
        "currency": code_of(dig(money, "currency")),
        "seller": dig(offer, "merchantinfo", "name"),
        "seller_id": dig(offer, "merchantinfo", "id"),
        "availability": availability_of({"now": "InStock"}.get(str(stock).lower(), stock)),
    }


def _lowered(value: Any) -> Any:
    """Keys in lower case: two versions of the API differ in nothing else."""
    if isinstance(value, Mapping):
        return {str(key).lower(): _lowered(each) for key, each in value.items()}
    return [_lowered(each) for each in value] if isinstance(value, list) else value
