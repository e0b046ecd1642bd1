"""Amazon's offer of a product as its page shows it: price, who sells and ships, whether it can be had."""

import re
from typing import Any

from crawlers import labels
from crawlers.money import Price, price_of
from crawlers.platform import Draft
from crawlers.saved import Saved, line_of
from crawlers.stock import availability_of

_PRICES = (
    "priceblock_dealprice",
    "priceblock_saleprice",
    "priceblock_ourprice",
    "priceblock_pospromoprice",
    "corePriceDisplay_desktop_feature_div",
    "corePriceDisplay_mobile_feature_div",
    "corePrice_desktop",
    "corePrice_mobile_feature_div",
    "corePrice_feature_div",
    "apex_desktop",
    "apex_mobile",
    "priceToPay",
    "price_inside_buybox",
    "newBuyBoxPrice",
    "kindle-price",
    "ebooksPrice_feature_div",
    "buyNewSection",
    "usedBuySection",
    "miniATF_price",
    "actualPriceValue",
    "buyingPriceValue",
    "priceBlock",
    "price",
)
"""Elements of the product's own offer, by id: never a list price, another format's or another product's."""
_PAID = (
    ".//*[contains(concat(' ',@class,' '),' priceToPay ') or contains(@class,'apexPriceToPay')]",
    (
        ".//*[contains(concat(' ',@class,' '),' a-price ')][not(contains(@class,'a-text-price'))][not(@data-a-strike)]"
        "[not(ancestor::*[contains(@class,'basisPrice') or contains(@class,'pricePerUnit')"
        " or contains(@class,'savings')])]"
    ),
    (
        ".//*[contains(@class,'offer-price') or contains(@class,'a-color-price') or contains(@class,'priceLarge')]"
        "[not(contains(@class,'avings') or contains(@class,'olp'))]"
        "[not(ancestor-or-self::*[contains(@class,'a-text-strike') or contains(@class,'priceBlockStrike')])]"
    ),
)
_STOCK = (
    "availability",
    "availabilityInsideBuyBox_feature_div",
    "outOfStock",
    "outOfStockBuyBox_feature_div",
    "availability_feature_div",
)
# "Sold by X and fulfilled by Amazon": X as each language's sentence holds it.
_SENTENCES = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        r"(?:ships|dispatched|delivered) from and sold by (?P<s>.+?)(?:\.(?:\s|$)|$| gift-wrap| in easy-to-open)",
        (
            r"sold by (?P<s>.+?)(?: and | & |, )(?:fulfilled|ships|shipped|dispatched|delivered)"
            r" (?:by|from) (?P<f>.+?)(?:\.(?:\s|$)|$)"
        ),
        r"(?:verkauf und versand|versand und verkauf) durch (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"verkauf durch (?P<s>.+?) und versand durch (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:expédié et vendu|vendu et expédié) par (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"vendu par (?P<s>.+?) et expédié par (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:venduto e spedito|spedito e venduto) da (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"venduto da (?P<s>.+?) e spedito da (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:vendido y enviado|enviado y vendido) por (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"vendido por (?P<s>.+?) y (?:enviado|gestionado) por (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:vendido e entregue|enviado e vendido|vendido e enviado) por (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"vendido por (?P<s>.+?) e (?:entregue|enviado) por (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:verkocht en verzonden|verzonden en verkocht) door (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"verkocht door (?P<s>.+?) en verzonden door (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?:säljs|såld) och (?:levereras|skickas|skickad) av (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"(?:säljs|såld) av (?P<s>.+?) och (?:levereras|skickas|skickad) av (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"sprzedawane i wysyłane przez (?P<s>.+?)(?:\.(?:\s|$)|$)",
        r"sprzedawane przez (?P<s>.+?)(?:,| i) wysyłane przez (?P<f>.+?)(?:\.(?:\s|$)|$)",
        r"(?P<s>[^.]+?) tarafından (?:satılır ve gönderilir|satılmakta ve gönderilmektedir)",
        r"(?P<s>[^.]+?) tarafından satılır ve (?P<f>.+?) tarafından gönderilir",
        r"この商品は、?\s*(?P<s>.+?)\s*(?:が販売し、\s*(?P<f>.+?)\s*が発送|が販売、発送|が販売および発送|が販売・発送)",
        r"(?P<s>\S.*?)\s*が販売し、\s*(?P<f>.+?)\s*が発送",
        r"由\s*(?P<s>.+?)\s*(?:直接销售和发货|销售和发货|销售，|销售并)",
        r"(?:يُباع ويُشحن من|تباع وتشحن من|يباع ويشحن من)\s*(?P<s>.+?)(?:\.(?:\s|$)|$)",
        (
            r"(?:sold by|verkauft von|vendu par|venduto da|vendido por|verkocht door)"
            r"\s*:?\s*(?P<s>[^:]{2,60}?)\s*(?:\.(?:\s|$)|$)"
        ),
    )
)
_SELLER_ID = re.compile(r"[?&;](?:seller|merchantID|me|m)=(A[0-9A-Z]{9,20})(?![0-9A-Z])")


def fill_offer(page: Saved, draft: Draft, *, usual: str | None) -> None:
    """The buy box's offer. Where it holds none, there is no price and nobody sells."""
    stock = _stock(page)
    # "Temporarily out of stock" takes orders all the same.
    ordered = page.by_id("add-to-cart-button") is not None
    if page.by_id("unqualifiedBuyBox") is None and (stock is None or stock[0] != "OutOfStock" or ordered):
        _fill_price(page, draft, usual)
        _fill_seller(page, draft)
    if stock is not None:
        draft.put("availability", stock[0], stock[1], shown=True)


def _stock(page: Saved) -> tuple[str, str] | None:
    """By what the element says first: later parts offer other sellers' stock, or explain."""
    for name in _STOCK:
        element = page.by_id(name)
        found = None if element is None else availability_of(line_of(element)[:160])
        if found:
            return found, f"css #{name}"
    buying = page.by_id("handleBuy")
    for each in [] if buying is None else buying.xpath(".//*[starts-with(@class,'avail')]")[:5]:
        found = availability_of(line_of(each)[:160])
        if found:
            return found, "css #handleBuy .availGreen"
    return None


def _fill_price(page: Saved, draft: Draft, usual: str | None) -> None:
    for name in _PRICES:
        element = page.by_id(name)
        if element is None:
            continue
        found = _paid(element, usual)
        if found is not None:
            price, text = found
            where = f"css #{name}"
            draft.put("price", price.amount, where, shown=True)
            draft.put("price_max", price.highest, where, shown=True)
            draft.put("price_shown", text, where, shown=True)
            draft.put("currency", price.currency or usual, where, shown=True)
            return
    _fill_from_swatch(page, draft, usual)
    _fill_from_music(page, draft, usual)


def _fill_from_music(page: Saved, draft: Draft, usual: str | None) -> None:
    """What the button says that buys an album to download."""
    said = line_of(page.first("id('dmusic_buy_box_group')//a[@role='button'][.//*[contains(@class,'a-text-bold')]]"))
    price = price_of(said, usual=usual)
    if price is not None:
        where = "css #dmusic_buy_box_group [role=button]"
        draft.put("price", price.amount, where, shown=True)
        draft.put("price_shown", said, where, shown=True)
        draft.put("currency", price.currency or usual, where, shown=True)


def _fill_from_swatch(page: Saved, draft: Draft, usual: str | None) -> None:
    """Of a book whose box is not in the page: what the format that is chosen costs; "from" is other sellers' price."""
    chosen = page.first(
        "id('tmmSwatches')//*[contains(concat(' ',@class,' '),' selected ')]//*[contains(@class,'a-color-price')]"
        "[not(ancestor::*[contains(@class,'olp')])]"
    )
    text = line_of(chosen)
    price = price_of(text, usual=usual) if re.fullmatch(r"\D{0,5}\d[\d.,\s]*\D{0,5}", text) else None
    if price is not None:
        where = "css #tmmSwatches .selected"
        draft.put("price", price.amount, where, shown=True)
        draft.put("price_shown", text, where, shown=True)
        draft.put("currency", price.currency or usual, where, shown=True)


def _paid(element: Any, usual: str | None) -> tuple[Price, str] | None:
    """An element that holds a price and little else says it; in a larger one, what is marked as the price to pay."""
    texts: list[str] = []
    for path in _PAID:
        marked = [_price_text(each) for each in element.xpath(path)[:12]]
        texts = [each for each in marked if each and price_of(each, usual=usual)]
        if texts:
            break
    if not texts:
        own = _with_cents(element) or line_of(element)
        texts = [own] if len(own) <= 40 else []
    for text in texts[:1]:
        price = price_of(text, usual=usual)
        if price is None:
            continue
        if (
            price.highest is None
            and len(texts) > 1
            and element.xpath("boolean(.//*[contains(@class,'a-price-range')])")
        ):
            top = price_of(texts[1], usual=usual)
            if top is not None:
                both = price_of(f"{text} - {texts[1]}", usual=usual)
                return (both or price), f"{text} - {texts[1]}"
        return price, text
    return None


def _price_text(element: Any) -> str:
    """An ``a-price`` says its price twice, once for screen readers, and there in whole; cents may stand raised."""
    spoken = element.xpath(".//*[contains(@class,'a-offscreen')]")
    said = line_of(spoken[0]) if spoken else ""
    if any(each.isdigit() for each in said):
        return said
    symbol, whole, fraction = (
        next((" ".join((each.text or "").split()) for each in element.xpath(f".//*[contains(@class,'{name}')]")), "")
        for name in ("a-price-symbol", "a-price-whole", "a-price-fraction")
    )
    digits = re.sub(r"\D", "", whole)
    if digits:
        return f"{symbol}{digits}.{fraction}" if fraction.isdigit() else f"{symbol}{whole}"
    return _with_cents(element) or line_of(element)


def _with_cents(element: Any) -> str:
    """``15`` with a raised ``99`` behind it and no point in between, as until 2018; empty where it is not so."""
    raised = element.xpath(".//*[contains(@class,'price-info-superscript')][last()]")
    large = element.xpath(".//*[contains(@class,'price-large')]")
    if not raised or not large:
        return ""
    whole, cents = line_of(large[0]), line_of(raised[-1])
    return f"{line_of(element).partition(whole)[0]}{whole}.{cents}" if re.fullmatch(r"\d\d", cents) else ""


def _fill_seller(page: Saved, draft: Draft) -> None:
    named, where, shipper = _seller(page)
    if not named:
        return
    draft.put("seller", named, where, shown=True)
    draft.put("ships_from", shipper, "the buy box: css #tabular-buybox, #merchant-info", shown=True)
    trigger = page.by_id("sellerProfileTriggerId")
    linked = _SELLER_ID.search((trigger.get("href") or "") if trigger is not None else "")
    merchant = page.by_id("merchantID")
    given = (merchant.get("value") or "").strip() if merchant is not None else ""
    if re.fullmatch(r"A[0-9A-Z]{9,20}", given):
        draft.put("seller_id", given, "css #merchantID")
    elif linked:
        draft.put("seller_id", linked[1], "css #sellerProfileTriggerId")


def _seller(page: Saved) -> tuple[str, str, str]:
    """Who sells, where that stands, who ships."""
    rows = dict(_buybox_rows(page))
    shipper = next((rows[each] for each in rows if each in labels.SHIPS_FROM), "")
    for name, shown in (("fulfillerInfoFeature_feature_div", ""), ("merchantInfoFeature_feature_div", "")):
        element = page.by_id(name)
        texts = [] if element is None else element.xpath(".//*[contains(@class,'offer-display-feature-text-message')]")
        shown = line_of(texts[0]) if texts else ""  # noqa: PLW2901
        if name.startswith("fulfiller"):
            shipper = shipper or shown
        elif shown:
            return shown, f"css #{name}", shipper
    trigger = page.by_id("sellerProfileTriggerId")
    # Below a new copy a used one may be offered, by somebody else.
    used = trigger is not None and bool(trigger.xpath("ancestor::*[starts-with(@id,'used')]"))
    if trigger is not None and line_of(trigger) and not (used and page.by_id("newAccordionRow") is not None):
        sentence = _sentence(page)
        return line_of(trigger), "css #sellerProfileTriggerId", shipper or sentence[1]
    for each, value in rows.items():
        if each in labels.SOLD_BY and value:
            return value, "css #tabular-buybox", shipper
    sentence = _sentence(page)
    if sentence[0]:
        return sentence[0], "css #merchant-info", shipper or sentence[1]
    for box in ("buybox", "Ebooks-desktop-KINDLE_ALC-prices-printSoldBy", "rightCol"):
        element = page.by_id(box)
        for row in [] if element is None else element.xpath(".//tr")[:40]:
            cells = row.xpath("./td|./th")
            if len(cells) == 2 and labels.label(line_of(cells[0])) in labels.SOLD_BY:
                inner = cells[1].xpath("./*[normalize-space(.)]")
                return line_of(inner[0] if inner else cells[1]), f"css #{box}", shipper
    return "", "", ""


def _buybox_rows(page: Saved) -> list[tuple[str, str]]:
    """Label and value, of the table's two generations."""
    table = page.by_id("tabular-buybox")
    if table is None:
        return []
    named = table.xpath(".//*[@tabular-attribute-name]")
    if named:
        return [(labels.label(each.get("tabular-attribute-name")), _whole(each)) for each in named]
    cells = [_whole(each) for each in table.xpath(".//td")]
    return [(labels.label(a), b) for a, b in zip(cells[::2], cells[1::2], strict=False)]


def _whole(cell: Any) -> str:
    """A cell that the page cuts short holds its text twice: whole, and cut."""
    full = cell.xpath(".//*[contains(@class,'a-truncate-full')]")
    return line_of(full[0]) if full else line_of(cell)


def _sentence(page: Saved) -> tuple[str, str]:
    for name in (
        "merchant-info",
        "mbc-merchant-info",
        "merchantInfo",
        "handleBuy",
        "soldByThirdParty",
        "sold-by",
        "dmusic_tracklist_footer_soldby",
    ):
        element = page.by_id(name)
        text = "" if element is None else line_of(element)[:800]
        for each in _SENTENCES if text else ():
            found = each.search(text)
            if found:
                shipper = (found.groupdict().get("f") or "").strip()
                seller = found["s"].strip()
                return seller, shipper or (seller if "(?P<f>" not in each.pattern else "")
    return "", ""
