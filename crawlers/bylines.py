"""The line below an Amazon product's title: whose brand it is, or who wrote it."""

import re

from crawlers.platform import Draft
from crawlers.saved import Saved, line_of

# "Visit the X Store" and "Brand: X", as each marketplace writes them above the price.
_BYLINES = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        r"visit (?:the )?(.+?)(?:[’'`]s)? (?:amazon )?(?:store(?:front)?|shop)",
        r"(?:besuche(?:n sie)?) den (.+?)[- ]store",
        r"(?:visiter|visitez|découvrez|découvrir) la boutique (?:de )?(.+)",
        r"visita (?:lo|la|il) (?:store|negozio|vetrina) (?:di )?(.+)",
        r"(?:visita|visite) (?:la tienda|el store|la store)(?: de)? (.+)",
        r"visite a loja (?:da |de |do )?(.+)",
        r"bezoek de (.+?)[- ](?:store|winkel)",
        r"besök (.+?)[- ](?:butiken|store)",
        r"besök butiken (?:för )?(.+)",
        r"odwiedź sklep (?:marki )?(.+)",
        r"(.+?) (?:store|mağaza)[’'`]?\w{0,5} ziyaret edin.*",
        r"(.+?)\s?(?:の)?ストアを表示",
        r"(.+?)\s?のストアを見る",
        r"访问\s?(.+?)\s?(?:品牌)?(?:旗舰)?店(?:铺)?",
        r"(?:تفضل بزيارة متجر|زيارة متجر|قم بزيارة متجر)\s*(.+)",
        r"(.+) स्टोर पर जाएं",
        (
            r"(?:brand|marke|marque|marca|merk|märke|varumärke|marka|ブランド|品牌"
            r"|العلامة التجارية|الماركة|ब्रांड)\s*[:：]\s*(.+)"
        ),
    )
)
_INVITES = re.compile(
    r"store|shop\b|boutique|negozio|tienda|loja|winkel|butik|sklep|mağaza|ziyaret|ストア|店|متجر|स्टोर"
    r"|\b(?:visit|besuch|besök|bezoek|odwiedź|zur|discover|entdecke)",
    re.IGNORECASE,
)
"""What leads to a brand's pages in a sentence that is not known: its name cannot be told from the rest."""
MAX_LINE = 300
"""Characters of the line; a name takes fewer."""
_PEOPLE = "|".join(
    f"id('{each}')//*[contains(concat(' ',@class,' '),' author ')]"
    for each in ("bylineInfo", "byline", "bylineInfo_feature_div", "booksTitle", "title_feature_div")
)
_PEOPLE = f"{_PEOPLE}|id('btAsinTitle')/ancestor::h1/following-sibling::span[1][a]"
_WRITERS_PAGE = ".//a[contains(@href,'/author/') or contains(@href,'field-author')]"
_BY_PEOPLE = "boolean(.//*[contains(@class,'author') or contains(@class,'contribut')])"
_WRITES = re.compile(
    r"author|autor|auteur|autore|escritor|schrijver|författare|autor(?:in)?|著|作者|yazar|مؤلف|लेखक|schriftsteller",
    re.IGNORECASE,
)


def _is_name(text: str) -> bool:
    return (
        0 < len(text) <= 60
        and not re.match(r"(?:by|von|de|di|da|par|door|av|od)\s", text)
        and not _INVITES.search(text)
    )


def fill_makers(page: Saved, draft: Draft) -> None:
    """Brand or author: the line below the title says either."""
    line = page.by_id("bylineInfo")
    if line is None:
        line = page.by_id("brand")
    box = line if line is not None else page.by_id("bylineInfo_feature_div")
    people = page.all(_PEOPLE)
    for each in people[:20]:
        role = line_of(next(iter(each.xpath(".//*[contains(@class,'contribution')]")), None))
        name = line_of(next(iter(each.xpath(".//a[contains(@class,'contributorNameID')]|.//a")), None))
        if name and (not role or _WRITES.search(role)):
            draft.put("author", name, "css #bylineInfo .author", shown=True)
            break
    writer = next(iter([] if box is None else box.xpath(_WRITERS_PAGE)), None)
    if not people and writer is not None:
        draft.put("author", line_of(writer), "css #bylineInfo a[href*=author]", shown=True)
        return
    if people or (box is not None and box.xpath(_BY_PEOPLE)):
        return
    text = line_of(line)[:MAX_LINE]
    for pattern in _BYLINES if text else ():
        found = pattern.fullmatch(text)
        if found:
            draft.put("brand", found[1].strip(), "css #bylineInfo", shown=True)
            return
    if line is not None and line.tag == "a" and _is_name(text):
        draft.put("brand", text, f"css #{line.get('id')}", shown=True)
    overview = page.first(
        "(id('productOverview_feature_div')|id('poExpander')|id('productDetails_feature_div'))"
        "//tr[contains(@class,'po-brand')]/td[last()]|id('mbc')/@data-brand"
    )
    draft.put("brand", overview if isinstance(overview, str) else line_of(overview), "css .po-brand", shown=True)
