"""Whether a thing can be bought, in schema.org's words, out of what shops say in many languages."""

import re
import unicodedata
from typing import Any

NAMES = {
    each.lower(): each
    for each in (
        "BackOrder", "Discontinued", "InStock", "InStoreOnly", "LimitedAvailability", "MadeToOrder", "OnlineOnly",
        "OutOfStock", "PreOrder", "PreSale", "Reserved", "SoldOut",
    )
}  # fmt: skip
"""schema.org ItemAvailability."""
_MACHINE = {
    "available": "InStock", "availablefororder": "InStock", "instockonline": "InStock", "outofstock": "OutOfStock",
    "oos": "OutOfStock", "unavailable": "OutOfStock", "notavailable": "OutOfStock", "soldout": "SoldOut",
    "preorder": "PreOrder", "backorder": "BackOrder", "onbackorder": "BackOrder", "pending": "PreOrder",
    "availablefororderfrom": "BackOrder", "limitedstock": "LimitedAvailability", "lowstock": "InStock",
}  # fmt: skip

# In this order: "not available" holds "available". As shops write them on product pages.
_WORDS = (
    ("OutOfStock", (
        "unavailable", "not available", "no longer available", "out of stock", "out-of-stock", "sold out",
        "temporarily out", "no stock", "not on stock", "isn't available", "not in stock", "no longer in stock",
        "nicht mehr verfugbar", "nicht erhaltlich", "nicht mehr erhaltlich",
        "nicht mehr lieferbar", "nicht mehr auf lager", "nicht mehr vorratig", "nicht am lager",
        "n'est plus en stock", "plus en stock", "pas en stock", "hors stock", "non in magazzino", "non e in magazzino",
        "no esta en stock", "no hay stock", "no hay existencias", "nao esta em stock", "sem stock",
        "niet meer op voorraad",
        "niet meer leverbaar", "niet meer beschikbaar", "niet in voorraad", "inte i lager", "ingen pa lager",
        "ikke i lager", "ei varastossa", "loppunut", "nu este in stoc", "nu e in stoc", "fara stoc", "nedostupn",
        "nie je skladom", "neni na sklade", "nincs keszleten", "nie ma w magazynie", "wyprzedan", "niedostepn",
        "stokta bulunmuyor", "stokta kalmadi", "temin edilemiyor",
        "khong con hang", "ไม่มีสินค้า", "재고 없", "재고없", "매진",
        "在庫なし", "在庫がありません", "完売", "无库存", "沒有庫存", "已售完", "غير متاح", "нет на складе",
        "недоступн",
        "נמכר", "אזל",
        "nicht verfugbar", "nicht auf lager", "ausverkauft", "vergriffen", "nicht vorratig", "nicht lieferbar",
        "indisponible", "rupture de stock", "epuise", "en rupture", "plus disponible", "pas disponible",
        "non disponibile", "esaurito", "non e disponibile", "no disponible", "agotado", "sin existencias", "sin stock",
        "indisponivel", "nao disponivel", "esgotado", "fora de estoque", "sem estoque", "nao temos previsao",
        "niet beschikbaar", "uitverkocht", "niet op voorraad", "niet leverbaar", "momenteel niet verkrijgbaar",
        "niet verkrijgbaar", "ar inte tillganglig", "inte tillganglig", "slut i lager", "slutsald", "ej i lager",
        "udsolgt", "ikke pa lager", "utsolgt", "niedostepny", "niedostepne", "produkt wyprzedany", "brak w magazynie",
        "mevcut degil", "stokta yok", "tukendi", "нет в наличии", "нет в продаже", "распродано", "недоступен",
        "закончился", "немає в наявності", "vyprodano", "neni skladem", "elfogyott", "nincs raktaron",
        "在庫切れ", "現在お取り扱いできません", "品切れ", "売り切れ", "入荷時期は未定",
        "缺货", "无货", "已售罄", "售罄",
        "目前无货", "下架", "已下架", "暂时缺货", "售完", "缺貨", "品絶", "품절", "일시품절", "غير متوفر",
        "نفذت الكمية", "نفد", "สินค้าหมด", "het hang", "stok habis", "habis terjual", "अनुपलब्ध", "stoc epuizat",
    )),
    ("BackOrder", (
        "backorder", "back-order", "back order", "nachbestell", "en reassort", "nabestelling",
    )),
    ("PreOrder", (
        "pre-order", "preorder", "will be released", "not yet released", "vorbestell", "noch nicht erschienen",
        "precommande", "pre-commande", "preordina", "reserva", "pre-venda", "pre-orden", "予約", "预售", "предзаказ",
        "has not yet been released", "erscheint am", "paraitra", "ben pre",
    )),
    ("InStock", (
        "in stock", "available", "ships within", "usually ships", "usually dispatched", "left in stock", "get it as",
        "erhaltlich",
        "auf lager", "verfugbar", "lieferbar", "vorratig", "versandfertig", "en stock", "disponible", "expedie sous",
        "il ne reste plus", "disponibile", "disponibilita", "in magazzino", "en existencia", "quedan", "queda(n)",
        "em estoque", "disponivel", "em stock", "op voorraad", "leverbaar", "beschikbaar", "i lager", "finns i lager",
        "pa lager", "w magazynie", "dostepny", "dostepne", "stokta", "в наличии", "есть на складе", "в наявності",
        "skladem", "skladom", "na sklade", "raktaron", "keszleten", "varastossa", "在庫あり", "在庫残り", "残り",
        "点在庫", "通常", "现货", "有货", "有現貨", "재고", "متوفر", "يتوفر",
        "มีสินค้า", "con hang", "stok tersedia", "in stoc", "उपलब्ध", "only 1 left", "left - order soon",
        "last one", "letzter artikel", "dernier article", "ultimo oggetto", "ultimo articulo", "ultima unidad",
    )),
)  # fmt: skip


def availability_of(value: Any) -> str | None:
    """The schema.org name for what a page's data or words say; None where they do not tell."""
    if isinstance(value, bool):
        return "InStock" if value else "OutOfStock"
    if isinstance(value, (list, tuple)):
        found = [each for each in map(availability_of, value) if each]
        return together(found)
    if not isinstance(value, str) or not value.strip():
        return None
    last = re.split(r"[/#]", value.strip().rstrip("/"))[-1]
    squeezed = re.sub(r"[\s_-]+", "", last).lower()
    known = NAMES.get(squeezed) or _MACHINE.get(squeezed)
    if known:
        return known
    folded = _fold(value[:300])
    for name, words in _WORDS:
        if any(each in folded for each in words):
            return name
    return None


def together(found: list[str]) -> str | None:
    """Of several offers of one thing: what can be had, before what cannot."""
    for name in ("InStock", "LimitedAvailability", "OnlineOnly", "InStoreOnly", "MadeToOrder", "BackOrder", "PreOrder"):
        if name in found:
            return name
    return found[0] if found else None


def _fold(text: str) -> str:
    """Lower case, without accents where letters are Latin."""
    parts = unicodedata.normalize("NFKD", text.lower()).replace("ł", "l").replace("ı", "i")
    return unicodedata.normalize("NFC", "".join(each for each in parts if not "\u0300" <= each <= "\u036f"))
