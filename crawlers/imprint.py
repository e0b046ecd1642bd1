"""What a marketplace's seller must disclose on its own page: legal name, address, country (Amazon's layouts)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawlers import labels
from crawlers.platform import Draft
from crawlers.saved import Saved, line_of

_ID = re.compile(r"A[0-9A-Z]{9,20}", re.ASCII)
_WHERE = "css #page-section-detail-seller-info"
_ROWS = (
    "(id('page-section-detail-seller-info')|id('seller-info-storefront'))"
    "//*[contains(@class,'a-row')][not(.//*[contains(@class,'a-row')])]"
    "|id('sellerProfileContainer')//li//*[contains(@class,'a-list-item')]"
    "|//*[@class='a-unordered-list a-nostyle a-vertical']/li/*[contains(@class,'a-list-item')]"
)
MAX_ROWS = 80


def fill_seller_page(page: Saved, draft: Draft) -> None:
    """``/sp?seller=``, and the page before it, ``/gp/help/seller/at-a-glance.html``."""
    name = page.by_id("seller-name")
    name = name if name is not None else page.by_id("sellerName")
    draft.put("seller", line_of(name), "css #seller-name", shown=True)
    draft.put("title", line_of(name), "css #seller-name", shown=True)
    asked = [parse_qs(urlsplit(url).query).get("seller", [""])[0] for url in page.own_urls]
    hidden = page.first("//input[@name='seller' or @name='sellerID' or @name='marketplaceSellerId']/@value")
    given = next((each for each in [*asked, str(hidden or "")] if _ID.fullmatch(each)), None)
    draft.put("seller_id", given, "the page's address or form")
    address: list[str] = []
    taking = False
    for called, value in _disclosed(page):
        if called in labels.LEGAL_NAME:
            draft.put("seller_legal_name", value, _WHERE, shown=True)
        taking = called in labels.LEGAL_ADDRESS if called else taking
        if taking and value:
            address.append(value)
    draft.put("seller_address", "\n".join(address), _WHERE, shown=True)
    if address and re.fullmatch(r"[A-Z]{2}", address[-1]):
        draft.put("seller_country", address[-1], _WHERE, shown=True)


def _disclosed(page: Saved) -> Iterator[tuple[str, str]]:
    """Label (empty where a line has none: it goes on with the one before) and text of each line."""
    rows: list[Any] = page.all(_ROWS)[:MAX_ROWS]
    for each in rows:
        bold = each.xpath(".//*[contains(@class,'a-text-bold') or self::b]")
        called = line_of(bold[0]) if bold else ""
        said = line_of(each)
        yield labels.label(called), said[len(called) :].strip(" :：\u200e") if said.startswith(called) else said
