"""What a shop's product page shows beside what it declares: stock, the button to buy, brand, its place in the shop."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

from crawlers import labels
from crawlers.breadcrumbs import breadcrumb
from crawlers.money import Price, is_price, price_of
from crawlers.platform import Draft
from crawlers.saved import Saved, line_of
from crawlers.stock import availability_of

_BUY = re.compile(
    r"(?:add|zum?|in|im) (?:item )?(?:to )?(?:your |my |den |die |the )?(?:shopping )?"
    r"(?:cart|bag|basket|trolley|warenkorb|einkaufswagen|tüte)(?: legen| hinzufügen)?"
    r"|in den warenkorb(?: legen)?|in den einkaufswagen|buy (?:it )?now|jetzt kaufen|add to order"
    r"|ajouter (?:au|à mon|à votre|à la) (?:panier|sac)|acheter(?: maintenant)?"
    r"|aggiungi al(?: tuo)? (?:carrello|cestino)|acquista(?: ora)?|aggiungi alla borsa"
    r"|(?:añadir|agregar) (?:al|a la|a mi) (?:carrito|cesta|bolsa|carro)(?: de compras?)?|comprar(?: ahora| agora| já)?"
    r"|adicionar (?:ao|à) (?:carrinho|sacola|cesto)|colocar no carrinho"
    r"|(?:toevoegen aan|in) (?:mijn |je )?winkel(?:wagen|mand|mandje)|in winkelwagen|nu kopen"
    r"|lägg i (?:varukorgen|varukorg|kundvagnen|påsen)|köp(?: nu)?"
    r"|legg i handlekurv(?:en)?|læg i kurv(?:en)?|køb(?: nu)?"
    r"|do koszyka|dodaj do koszyka|kup teraz|do košíku|přidat do košíku|kosárba(?: teszem)?"
    r"|j['’]achète|dodaj v košarico|v košarico|naroči|(?:vložiť )?do košíka|pridať do košíka|kúpiť|koupit"
    r"|vložit do košíku"
    r"|dodaj u (?:košaricu|korpu)|u košaricu|stavi u košaricu|lisa (?:ostu)?korvi|osta(?: kohe)?|lisää ostoskoriin"
    r"|pievienot grozam|ielikt grozā|likt grozā|pirkt|į krepšelį|įdėti į krepšelį|pirkti|προσθήκη στο καλάθι|αγορά"
    r"|добави в количката|купи|הוסף לסל|הוספה לסל|קנה עכשיו|直接購買|放入購物車|立即購買|cumpără(?: acum)?"
    r"|sepete ekle|hemen al|satın al|в корзину|добавить в корзину|купить|до кошика|додати до кошика|adaugă în coș"
    r"|カートに入れる|カートに追加(?:する)?|買い物かごに入れる|今すぐ購入|購入手続きへ|加入购物车|加入購物車|立即购买"
    r"|장바구니(?: 담기| 추가)?|바로 ?구매|구매하기"
    r"|أضف (?:إلى|الى) (?:السلة|عربة التسوق|الحقيبة)|thêm vào giỏ(?: hàng)?"
    r"|เพิ่มลงในตะกร้า|ใส่ตะกร้า|tambah(?:kan)? ke keranjang|beli sekarang",
    re.IGNORECASE,
)
_STOCK = (
    "//*[self::p or self::span or self::div or self::link or self::strong or self::li or self::td]"
    "[contains(concat(' ',@class,' '),' stock ') or contains(@class,'availability') or contains(@class,'stock-status')"
    " or contains(@class,'stock_status') or contains(@class,'product-stock') or contains(@class,'out-of-stock')"
    " or contains(@class,'in-stock') or contains(@class,'sold-out') or @itemprop='availability'"
    " or @id='availability' or @data-testid='availability']"
)
_PRESSED = (
    "//button|//input[@type='submit' or @type='button']"
    "|//a[@role='button' or contains(@class,'btn') or contains(@class,'button')]"
)
_CART_BUTTONS = (
    "//form[contains(@action,'/cart')]//*[self::button or self::input][@type='submit' or @name='add' or @disabled]"
)
_OLD = re.compile(
    r"(?:^|[\s_-])(?:old|was|strike\w*|striked|original|regular|compare\w*|unit|sav(?:e|es|ed|ing|ings)|rrp|uvp|msrp|before"
    r"|previous|crossed|instal\w*|shipping|delivery)(?=$|[\s_-])"
    r"|(?:old|was|strike|original|regular|compare\w*|unit|saving|before|previous|list)[_-]?price|price[_-]?(?:old|was|before)"
    r"|price[_-]?(?:tax|net|ex\w{0,7}[_-]?(?:tax|vat))(?![a-z])",
    re.IGNORECASE,
)
"""In a class: a price that is asked no more, or for something else."""
_PRICE = ".//*[contains(@class,'price') or contains(@class,'Price') or contains(@id,'price')]"
_ANY = ".//*[self::span or self::div or self::p or self::strong or self::b or self::td or self::ins]"
_ELSEWHERE = frozenset(("related", "recommend", "upsell", "cross-sell", "carousel", "slider", "recently", "also-like"))
MAX_BUTTONS = 8
MAX_INSIDE = 40
"""Elements; a price in pieces has a dozen."""
MAX_WORDS = 60
"""Characters of a label that says whether there is any."""


def fill_shown(page: Saved, draft: Draft) -> None:
    """Fields that what the page declares has left open."""
    crumbs = breadcrumb(page)
    if crumbs is not None:
        draft.put("category", crumbs[1], crumbs[0])
    if "brand" not in draft.fields:
        draft.put(
            "brand", labels.value_of(page, labels.BRAND) or labels.value_of(page, labels.MAKER), "row brand", shown=True
        )
    if "availability" not in draft.fields:
        found = shown_stock(page)
        if found is not None:
            draft.put("availability", found[0], found[1], shown=True)


def shown_stock(page: Saved) -> tuple[str, str] | None:
    """What a label says of the stock; without one, a button to buy that can be pressed says that there is some."""
    for each in page.all(_STOCK)[:60]:
        if is_elsewhere(each):
            continue
        href = each.get("href") or each.get("content") or ""
        words = line_of(each)
        found = availability_of(href) if href else availability_of(words) if len(words) <= MAX_WORDS else None
        if found:
            return found, f"css .{(each.get('class') or each.get('itemprop') or 'stock').split()[0]}"
    button = buy_button(page)
    if button is not None:
        return "InStock", f"button “{line_of(button)[:40] or button.get('value')}”"
    for each in page.all(_CART_BUTTONS)[:20]:
        said = line_of(each) or each.get("value") or ""
        found = availability_of(said) if len(said) <= MAX_WORDS and _is_off(each) and not is_elsewhere(each) else None
        if found in {"OutOfStock", "SoldOut"}:
            return found, f"button “{said[:40]}”"
    return None


def _is_off(button: Any) -> bool:
    """Whether it cannot be pressed."""
    return (
        button.get("disabled") is not None
        or button.get("aria-disabled") == "true"
        or "disabled" in (button.get("class") or "").split()
    )


def buy_button(page: Saved) -> Any | None:
    """The first that can be pressed, outside what is said of other products."""
    return next(_buy_buttons(page), None)


def _buy_buttons(page: Saved) -> Iterator[Any]:
    for each in page.all(_PRESSED)[:400]:
        said = " ".join((line_of(each) or each.get("value") or each.get("aria-label") or "").split())
        if not _is_off(each) and len(said) <= MAX_WORDS and _BUY.fullmatch(said) and not is_elsewhere(each):
            yield each


def shown_offer(page: Saved) -> Price | None:
    """The price that a page shows between its one heading and its one button to buy; a list has more of either."""
    buttons = list(islice(_buy_buttons(page), MAX_BUTTONS))
    headings = [each for each in page.all("//h1")[:20] if line_of(each)]
    if not buttons or len({line_of(each) for each in headings}) != 1:
        return None
    around = {above for each in headings for above in each.iterancestors()}
    for button in buttons[:3]:  # the cart in the page's head may have one too
        block = next((each for each in button.iterancestors() if each in around), None)
        inside = [line_of(each) for each in buttons if block in set(each.iterancestors())]
        if block is None or len(set(inside)) < len(inside):  # the same button twice is a list's
            continue
        found = _price_within(block)
        if found is not None:
            return found
    return None


def _price_within(block: Any) -> Price | None:
    """The first that is asked now: by its class, else the first text that is a price and nothing else."""
    for path, most in ((_PRICE, 40), (_ANY, 400)):
        for each in block.xpath(path)[:most]:
            if sum(1 for _ in islice(each.iter(), MAX_INSIDE)) == MAX_INSIDE:
                continue  # it holds far more than a price
            words = line_of(each)
            if len(words) > MAX_WORDS or not is_price(words) or _is_old(each, block) or is_elsewhere(each):
                continue
            found = price_of(words)
            if found is not None and found.currency is not None and float(found.amount) > 0:
                return found
    return None


def _is_old(element: Any, block: Any) -> bool:
    """Crossed out, or called a price of before: itself, what it is in, or what is in it."""
    above = [element, *takewhile(lambda each: each is not block, element.iterancestors())]
    within = [each for each in element.iter() if isinstance(each.tag, str) and line_of(each)]
    return any(
        each.tag in ("s", "del", "strike") or _OLD.search(f"{each.get('class') or ''} {each.get('id') or ''}")
        for each in (*above, *within)
    )


def is_elsewhere(element: Any) -> bool:
    """In a part of the page that is about other products, or shown only in another state of it."""
    for each in (element, *element.iterancestors()):
        named = f"{each.get('class') or ''} {each.get('id') or ''}".lower().split()
        if any(word in name and not name.startswith(("no-", "has-")) for name in named for word in _ELSEWHERE):
            return True
        style = (each.get("style") or "").replace(" ", "").lower()
        if "display:none" in style or each.get("hidden") is not None or each.tag == "template":
            return True
    return False
