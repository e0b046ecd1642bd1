"""eBay, all sites: listings of three generations of its page and the Browse API's answer, sellers' pages, its walls."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers import labels
from crawlers.address import host_of
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import code_of, data_price, number_of, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, put_entries
from crawlers.saved import Saved, dig, line_of
from crawlers.stock import availability_of
from custody.model import Outcome

CURRENCIES = {
    "com": "USD",
    "co.uk": "GBP",
    "de": "EUR",
    "fr": "EUR",
    "it": "EUR",
    "es": "EUR",
    "ie": "EUR",
    "at": "EUR",
    "be": "EUR",
    "nl": "EUR",
    "ch": "CHF",
    "pl": "PLN",
    "ca": "CAD",
    "com.au": "AUD",
    "com.hk": "HKD",
    "com.sg": "SGD",
    "com.my": "MYR",
    "ph": "PHP",
    "in": "INR",
}
_HOST = re.compile(rf"(?:[a-z0-9-]+\.)*ebay\.({'|'.join(re.escape(each) for each in CURRENCIES)})")
_SHORT = frozenset(("ebay.us", "ebay.to"))
_ITEM = re.compile(
    r"/itm/(?:[^/?#]+/)?(\d{9,15})(?=[/?#]|$)|/(?:viewitem|ws/ebayisapi\.dll).*?item=?(\d{9,15})", re.IGNORECASE
)
_TITLE = "//h1[@id='itemTitle']|//h1[contains(@class,'x-item-title')]|//h1[@class='product-title' or @itemprop='name']"
_PRICES = (
    "//*[@id='mm-saleDscPrc']",
    "//*[@id='prcIsum']",
    "//*[@id='prcIsum_bidPrice']",
    "//*[@id='convbinPrice']/..[@itemprop]",
    "//*[contains(@class,'x-price-primary')]",
    "//*[contains(@class,'x-bin-price__content')]//*[@itemprop='price']",
    "//*[contains(@class,'x-bid-price')]//*[contains(@class,'ux-textspans')]",
    "//*[contains(@class,'vi-VR-cvipPrice')]",
    "//*[contains(@class,'display-price')]",
)
_SELLERS = (
    "id('mbgLink')//*[contains(@class,'mbg-nw')]",
    "id('mbgLink')",
    "//*[contains(@class,'x-sellercard-atf__info__about-seller')]//a//*[contains(@class,'ux-textspans')]",
    "//*[contains(@class,'x-sellercard-atf__info__about-seller')]//a",
    "//*[contains(@class,'ux-seller-section__item--seller')]//a//*[contains(@class,'ux-textspans')]",
    "//*[contains(@class,'ux-seller-section__item--seller')]//a",
    "//*[contains(@class,'mbg')]//*[contains(@class,'mbg-nw')]",
    "//*[contains(@class,'seller-persona')]//a[contains(@href,'/usr/')]",
)
_ENDED = re.compile(
    r"bidding (?:has )?ended"
    r"|(?:listing|item|auction) (?:was|has|is)? ?(?:ended|sold|no longer available)|this listing sold"
    r"|ended by the seller|out of stock|sold out|beendet|wurde verkauft|nicht (?:mehr )?verfügbar|n.est plus disponible"
    r"|(?:vente|annonce|enchère)\S* (?:est )?(?:terminée|clôturée)|a été clôturée"
    r"|a pris fin|offerta terminata|è (?:stata )?(?:chiusa|scaduta)"
    r"|non è più disponibile|è terminata|sono terminate|ha finalizado|finalizada|ya no está disponible|vendido el"
    r"|is (?:beëindigd|afgelopen)|niet meer beschikbaar|zakończ|nie jest już dostępn",
    re.IGNORECASE,
)
_SOLD = re.compile(
    r"(\d[\d.,  ]*[KkMm]?)\+? (?:sold|verkauft|vendus?|vendut[oi]|vendidos?|verkocht|sprzedan)", re.IGNORECASE
)
_STATUS = (
    "//*[contains(@class,'statusLeftContent') or contains(@class,'d-statusmessage') or contains(@class,'statusmessage')"
    " or @data-testid='d-statusmessage' or contains(@class,'ux-layout-section__textual-display--statusmessage')"
    " or contains(@class,'--statusMessage') or contains(@class,'d-top-panel-message')"
    " or contains(@class,'msgTextAlign') or @id='msgPanel' or contains(@class,'vi-is1-titlebar-ended')]"
)
_BUY = "id('binBtn_btn')|id('binBtn_btn_1')|id('isCartBtn_btn')|//*[contains(@class,'x-bin-action')]//a"
_CHECK = "//form[contains(@action,'captcha') or contains(@action,'splashui')]|id('captcha_form')|id('captcha-box')"
_MAKE = frozenset(("make", "car make", "vehicle make")) | labels.BRAND | labels.MAKER


class Ebay(Platform):
    """``price`` is in the listing's own currency, never eBay's conversion beside it."""

    name = "ebay"
    hosts = _SHORT
    ready = "h1.x-item-title__mainTitle, #itemTitle"

    def knows_url(self, url: str) -> bool:
        host = host_of(url)
        return bool(_HOST.fullmatch(host)) or host.removeprefix("www.") in _SHORT

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return bool(_items(page.json))
        if page.own_urls:
            return super().knows(page)
        return "ebaystatic.com" in page.text and page.first(f"{_TITLE}|id('gh-logo')|id('gh')") is not None

    def canonical(self, url: str) -> str | None:
        parts = urlsplit(url) if self.knows_url(url) else None
        if parts is None:
            return None
        found = _ITEM.search(f"{parts.path}?{parts.query}" if "dll" in parts.path.lower() else parts.path)
        asked = parse_qs(parts.query).get("item", [""])[0]
        return (found[1] or found[2]) if found else asked if asked.isdigit() else None

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            items = _items(page.json)
            put_entries(draft, [_entry(each) for each in items], "json", one=len(items) == 1)
            return
        title = page.first(_TITLE)
        item, where = self._item(page)
        if title is not None and item:
            draft.kind = Kind.LISTING
            draft.put("title", _without_hidden(title), "css h1", shown=True)
            draft.put("item_id", item, where)
            self._fill_listing(page, draft)
        elif any(re.match(r"/(?:usr|str)/[^/]+", urlsplit(url).path) for url in page.own_urls) and not self.is_walled(
            page
        ):
            draft.kind = Kind.STOREFRONT
            name = re.match(
                r"/(?:usr|str)/([^/?#]+)",
                next(path for url in page.own_urls if (path := urlsplit(url).path).startswith(("/usr/", "/str/"))),
            )
            draft.put("seller", name[1] if name else None, "the page's address")
            draft.put("title", page.meta("og:title"), "meta og:title")

    def _item(self, page: Saved) -> tuple[str, str]:
        shown = line_of(page.by_id("descItemNumber"))
        canonical = next(filter(None, map(self.canonical, page.own_urls)), "")
        row = re.sub(
            r"\D", "", line_of(page.first("//*[contains(@class,'ux-layout-section__textual-display--itemId')]"))
        )
        for where, value in (("link canonical", canonical), ("css #descItemNumber", shown), ("row itemId", row)):
            if re.fullmatch(r"\d{9,15}", value):
                return value, where
        return "", ""

    def _fill_listing(self, page: Saved, draft: Draft) -> None:
        host = next((found for url in page.own_urls if (found := _HOST.fullmatch(host_of(url)))), None)
        usual = CURRENCIES[host[1]] if host else None
        for path in _PRICES:
            element = page.first(path)
            paid = None if element is None else _paid(element, usual)
            if paid is not None:
                draft.put("price", paid[0], f"xpath {path}", shown=True)
                draft.put("price_shown", line_of(element), f"xpath {path}", shown=True)
                draft.put("currency", paid[1], f"xpath {path}", shown=True)
                break
        for path in _SELLERS:
            seller = re.sub(r"\s*\(\d[\d.,\s]*\)$", "", line_of(page.first(path)))
            draft.put("seller", seller, f"xpath {path}", shown=True)
        self._fill_specifics(page, draft)
        if any(_ENDED.search(line_of(each)[:300]) for each in page.all(_STATUS)[:12]):
            draft.put("availability", "OutOfStock", "the listing's status message", shown=True)
        for where, offer in page.items("offer"):
            draft.put("availability", availability_of(offer.get("availability")), f"{where} .availability")
        add_declared(page, draft, but=("brand", "seller", "item_id"), usual=usual)
        stock = line_of(
            page.first(
                "id('qtySubTxt')|id('qtyAvailability')|//*[contains(@class,'x-quantity__availability')"
                " or contains(@class,'d-quantity__availability')]"
            )
        )
        draft.put("availability", availability_of(stock), "css #qtySubTxt", shown=True)
        if page.first(_BUY) is not None:
            draft.put("availability", "InStock", "the button to buy", shown=True)
        crumbs = breadcrumb(page)
        if crumbs is not None:
            draft.put("category", crumbs[1], crumbs[0])
        place = page.first(
            "//*[@itemprop='availableAtOrFrom']|//*[contains(@class,'ux-labels-values--itemLocation')]//dd"
        )
        draft.put("ships_from", line_of(place), "css [itemprop=availableAtOrFrom]", shown=True)
        sold = line_of(page.first("//*[contains(@class,'vi-qty-pur-lnk')]|//*[contains(@class,'x-quantity__sold')]"))
        draft.put("bought_count", number_of(sold), "css .vi-qty-pur-lnk", shown=True)
        told = _SOLD.search(stock)
        draft.put("bought_count", number_of(told[1]) if told else None, "css .x-quantity__availability", shown=True)

    def _fill_specifics(self, page: Saved, draft: Draft) -> None:
        found = list(labels.rows(page.all("//*[contains(@class,'itemAttr')]//tr")[:80]))
        found += labels.rows(page.all("//dl[contains(@class,'ux-labels-values')]//dt")[:120])
        apart = page.all("//div[contains(@class,'ux-labels-values__labels')]")[:120]
        found += [(labels.label(line_of(each)), each.getnext()) for each in apart]
        for wanted in (labels.BRAND, _MAKE):
            said = next((line_of(value) for name, value in found if name in wanted and value is not None), "")
            draft.put("brand", said, "row brand", shown=True)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None or len(page.text) > 200_000:
            return None
        title = line_of(page.first("//head/title")) or "".join(page.all("//head/title//text()")).strip()
        if page.first(_CHECK) is not None or "Pardon Our Interruption" in title:
            return Outcome.CAPTCHA
        if page.first("id('signin-form')|id('SignInForm')|//form[contains(@action,'signin.ebay.')]") is not None:
            return Outcome.LOGIN_WALL
        return None


def _without_hidden(title: Any) -> str:
    """The title has "Details about" in front for screen readers, and a link to the original behind."""
    hidden = set(title.xpath(".//*[contains(@class,'g-hdn') or contains(@class,'clipped') or self::a]"))
    parts = [
        text
        for text in title.xpath(".//text()")
        if not hidden.intersection([text.getparent(), *text.getparent().iterancestors()])
        or (text.is_tail and text.getparent() in hidden)
    ]
    return " ".join("".join(parts).split()) or line_of(title)


def _paid(element: Any, usual: str | None) -> tuple[str, str | None] | None:
    held = element if element.get("content") else next(iter(element.xpath(".//*[@itemprop='price'][@content]")), None)
    shown = price_of(line_of(element), usual=usual)
    given = data_price(None if held is None else held.get("content"))
    best = given or shown
    if best is None:
        return None
    codes = element.xpath(
        "./following-sibling::*[@itemprop='priceCurrency']/@content|.//*[@itemprop='priceCurrency']/@content"
    )
    return best.amount, (code_of(codes[0]) if codes else None) or (shown.currency if shown else None)


def _items(answer: Any) -> list[Any]:
    """Items of the Browse API: one, or what ``getItems`` and a search give."""
    if isinstance(dig(answer, "itemId"), str) and "price" in answer:
        return [answer]
    found = dig(answer, "items") or dig(answer, "itemSummaries")
    return [each for each in found if isinstance(dig(each, "itemId"), str)] if isinstance(found, list) else []


def _entry(item: Any) -> dict[str, Any]:
    parts = str(item["itemId"]).split("|")
    price = data_price(dig(item, "price", "convertedFromValue") or dig(item, "price", "value"))
    return {
        "title": dig(item, "title"),
        "item_id": dig(item, "legacyItemId") or (parts[1] if len(parts) > 1 else parts[0]),
        "price": None if price is None else price.amount,
        "currency": code_of(dig(item, "price", "convertedFromCurrency") or dig(item, "price", "currency")),
        "brand": dig(item, "brand"),
        "seller": dig(item, "seller", "username"),
        "seller_legal_name": dig(item, "seller", "sellerLegalInfo", "name"),
        "availability": availability_of(dig(item, "estimatedAvailabilities", 0, "estimatedAvailabilityStatus")),
        "category": dig(item, "categoryPath"),
        "ships_from": dig(item, "itemLocation", "country"),
        "images": [dig(item, "image", "imageUrl")] if dig(item, "image", "imageUrl") else None,
    }
