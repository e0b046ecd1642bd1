"""What shops' pages say: layouts of several years, answers of interfaces, walls, and pages that are broken."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crawlers.platforms.agents import decode
from crawlers.registry import every
from tests.crawlers.platforms.fixtures import Page, pages, reading

PAGES = pages()
BY_FILE = {each.file: each for each in PAGES}
NAMED = ("title", "brand", "seller", "author", "asin", "seller_legal_name", "seller_country")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_reads_what_the_page_says_and_no_more(page: Page) -> None:
    read = reading(page.text)
    assert (read["platform"], read["kind"], read["wall"]) == (page.platform, page.kind, page.wall)
    assert {name: read["fields"].get(name) for name in page.says} == page.says
    assert set(read["sources"]) == set(read["fields"])
    assert not [note for note in read["notes"] if "stopped" in note]


CANONICAL = (
    ("https://www.amazon.com/Purse-Black/dp/B0ABCD1234/ref=sr_1_3?tag=demo0c-20&th=1", "B0ABCD1234"),
    ("https://www.amazon.co.uk/gp/product/B0ABCD1234?pf_rd_r=XYZ", "B0ABCD1234"),
    ("https://www.amazon.de/gp/aw/d/B0ABCD1234/?psc=1", "B0ABCD1234"),
    ("https://www.amazon.co.jp/-/en/dp/4123456789", "4123456789"),
    ("https://www.amazon.com./dp/B0ABCD1234", "B0ABCD1234"),
    ("https://www.amazon.com/dp/B0ABCD12345", None),
    ("https://amazon.com.evil.example/dp/B0ABCD1234", None),
    ("https://www.amazon.com@evil.example/dp/B0ABCD1234", None),
    ("https://www.amazon.com/sp?seller=A1CJB5SYI9X4XC", None),
    ("https://www.ebay.com/itm/some-slug/123456789012?hash=item1", "123456789012"),
    ("https://www.ebay.com/usr/inkwell", None),
    ("https://de.aliexpress.com/item/1005001234567890.html?spm=a2g0o", "1005001234567890"),
    ("https://www.alibaba.com/product-detail/Brass-nib_1600000000001.html", "1600000000001"),
    ("https://www.etsy.com/de/listing/1234567890/demo?click_key=a", "1234567890"),
    ("https://www.walmart.com/ip/Demo-Bag/123456789?athcpid=1", "123456789"),
    ("https://www.dhgate.com/product/demo-bag/987654321.html?f=bm", "987654321"),
    ("https://www.temu.com/demo-bag-g-601099512345678.html?x=1", "601099512345678"),
    ("https://item.taobao.com/item.htm?spm=a1&id=612345678901", "612345678901"),
    ("https://world.taobao.com/item/612345678901.htm", "612345678901"),
    ("https://weidian.com/item.html?itemID=4301234567&spider_token=x", "4301234567"),
    ("https://detail.1688.com/offer/612345678901.html?spm=a", "612345678901"),
    ("https://inkwell.myshopify.com/products/brass-nib.json", "brass-nib"),
)


@pytest.mark.parametrize(("url", "wanted"), CANONICAL)
def test_the_id_in_an_address(url: str, wanted: str | None) -> None:
    found = next((each for each in every() if each.knows_url(url)), None)
    assert (None if found is None else found.canonical(url)) == wanted


AGENTS = (
    ("https://www.cssbuy.com/item-micro-4301234567.html", ("weidian", "4301234567")),
    ("https://www.cssbuy.com/item-1688-612345678901.html", ("1688", "612345678901")),
    ("https://www.cssbuy.com/item-612345678901.html", ("taobao", "612345678901")),
    ("https://cnfans.com/product/?shop_type=weidian&id=4301234567&ref=9", ("weidian", "4301234567")),
    ("https://mulebuy.com/product/?id=612345678901&platform=ALI_1688", ("1688", "612345678901")),
    ("https://oopbuy.com/product/1/612345678901", ("taobao", "612345678901")),
    ("https://hoobuy.com/product/2/4301234567", ("weidian", "4301234567")),
    ("https://hoobuy.com/product/3/612345678901", None),  # two sources disagree on what 3 is
    ("https://www.superbuy.com/en/page/buy/?url=https%3A%2F%2Fweidian.com%2Fitem.html%3FitemID%3D4301234567",
     ("weidian", "4301234567")),
    ("https://www.pandabuy.com/product?url=https%3A%2F%2Fdetail.1688.com%2Foffer%2F612345678901.html",
     ("1688", "612345678901")),
    ("https://www.superbuy.com/en/page/buy/?url=https%3A%2F%2Fevil.example%2Fitem.html%3FitemID%3D4301234567", None),
)  # fmt: skip


@pytest.mark.parametrize(("url", "wanted"), AGENTS)
def test_an_agents_address_holds_its_source(url: str, wanted: tuple[str, str] | None) -> None:
    assert decode(url) == wanted


STOREFRONTS = (
    "https://www.ebay.com/usr/inkwell",
    "https://www.etsy.com/shop/InkByAda",
    "https://www.aliexpress.com/store/1234567",
    "https://www.amazon.com/stores/page/01234567-89AB-CDEF-0123-456789ABCDEF",
)


@pytest.mark.parametrize("url", STOREFRONTS)
def test_a_wall_at_a_storefronts_address_is_no_storefront(url: str) -> None:
    check = (
        "<title>Just a moment...</title><form id=challenge-form></form><p>Please verify you are a human to continue."
    )
    read = reading(f"<html><head></head><body>{check}</body></html>", url)
    assert (read["kind"], read["fields"]) == ("wall", {})


def test_an_answer_that_sends_to_the_slider_is_a_wall() -> None:
    answer = {
        "ret": ["FAIL_SYS_USER_VALIDATE", "RGV587"],
        "data": {"url": "https://x/_____tmd_____/punish?x5secdata=1"},
    }
    read = reading(json.dumps(answer), "https://www.aliexpress.com/item/1005000000000001.html")
    assert (read["platform"], read["wall"]) == ("aliexpress", "captcha")


def test_words_of_a_review_do_not_take_a_product_off_the_shelves() -> None:
    page = BY_FILE["amazon-2023-united-states.html"].text
    text = page.replace("</body>", "<p class=review>Currently unavailable, they said.</p></body>")
    assert text != page
    assert reading(text)["fields"]["availability"] == "InStock"


def test_amazon_is_known_without_its_address() -> None:
    page = BY_FILE["amazon-2023-united-states.html"].text
    bare = re.sub(r'<link rel="canonical"[^>]*>', "<script>var ue_mid = 'X', ue_sn = 'www.amazon.ca';</script>", page)
    assert bare != page
    read = reading(bare)
    assert (read["platform"], read["fields"]["asin"], read["fields"]["currency"]) == ("amazon", "B0BRASS001", "CAD")


def test_another_products_price_is_not_this_ones() -> None:
    text = re.sub(
        r'(?s)<div id="corePriceDisplay.*?(?=<div id="availability)', "", BY_FILE["amazon-2023-united-states.html"].text
    )
    text = text.replace(
        "</body>", "<div class=a-carousel><span class=a-price><i class=a-offscreen>$9.99</i></span></div></body>"
    )
    assert "9.99" in text
    read = reading(text)
    assert read["fields"]["seller"] == "Inkwell Traders"
    assert "price" not in read["fields"]


# --- broken pages -----------------------------------------------------------------------------------------------------


@st.composite
def mangled(draw: st.DrawFn) -> tuple[Page, str]:
    """A page with parts cut out of it, tags or whole stretches, or cut off."""
    page = draw(st.sampled_from(PAGES))
    text = page.text
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(text) - 1)))
        how = draw(st.sampled_from(("off", "out", "tag")))
        if how == "off":
            text = text[:start]
        elif how == "out":
            text = text[:start] + text[start + draw(st.integers(1, 200)) :]
        else:
            tags = list(re.finditer(r"<[^>]*>", text))
            if tags:
                gone = tags[start % len(tags)]
                text = text[: gone.start()] + text[gone.end() :]
    return page, text


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(mangled())
@example((PAGES[0], ""))
def test_a_broken_page_never_raises_and_invents_nothing(made: tuple[Page, str]) -> None:
    page, text = made
    read = reading(text)
    assert not [note for note in read["notes"] if "stopped" in note], text
    if page.wall is not None:
        assert "price" not in read["fields"]
    said = _plain(text)
    for name in NAMED:
        # A title whose end is missing swallows what follows: word by word it is in the page all the same.
        for word in str(read["fields"].get(name) or "").casefold().split():
            assert word in said or word in _bare(text), f"{name}: {word!r}"
    price = read["fields"].get("price")
    if price is not None:
        digits = price.replace(".", "").strip("0")
        assert any(digits in re.sub(r"[.,]", "", each) for each in (said, text)), price


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text).casefold()


def _plain(text: str) -> str:
    """Without markup, escapes and spaces, which no value keeps."""
    if text.lstrip().startswith(("{", "[")):
        text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    text = text.replace("&nbsp;", " ").replace("&amp;", "&").replace("\ufffd", "")
    return re.sub(r"<[^>]*>|\s", "", text).casefold()


ODD: tuple[Any, ...] = (
    [{"data": {"result": {"PRODUCT_TITLE": {"text": "x"}}}}],
    {"data": {"result": {"PRODUCT_TITLE": [], "PRICE": 3}}},
    {"products": [{"variants": [None, 3, {"price": []}], "handle": 1, "id": []}]},
    {"itemId": "3", "price": 1},
    {"ItemsResult": {"Items": [None, 3, {"ASIN": []}]}},
    {"results": [{"listing_id": 1, "title": None}, {"listing_id": [], "title": {}, "price": "x"}]},
    {"status": {}, "result": {"itemTitle": ["a"], "itemDiscountLowPrice": "x"}},
    {"name": None, "permalink": "", "prices": 3},
    {"store": {"goods": {"goodsId": 1, "goodsName": "x", "gallery": 3}}},
    {"offerTitle": "x", "skuRangePrices": 3},
)


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_of_another_shape_does_not_stop_the_reading(answer: Any) -> None:
    assert not [note for note in reading(json.dumps(answer))["notes"] if "stopped" in note]


# --- pages that are no product's --------------------------------------------------------------------------------------

NIB = {
    "@type": "Product",
    "name": "Brass nib, small",
    "offers": {"@type": "Offer", "price": "3.00", "priceCurrency": "EUR"},
}


def _page(*things: Any, head: str = "", body: str = "") -> str:
    data = "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in things)
    return f"<!DOCTYPE html><html lang=en><head><title>Brass nib</title>{head}{data}</head><body>{body}</body></html>"


NO_PRODUCTS = (
    _page({"@type": "CollectionPage", "name": "Brass nib"}, NIB | {"name": "Brass nib"}),
    _page(NIB, NIB | {"name": "Brass nib, large"}, body="<h1>Brass</h1>"),
    _page({"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": NIB}]}, body="<h1>Brass nib</h1>"),
    _page({"@type": "BlogPosting", "headline": "My nib"}, NIB, head='<meta property="og:type" content="article">'),
    _page(NIB, head='<link rel="canonical" href="https://inkwell.example/">'),
    _page(body="<h1>Nibs</h1>" + "<div><b class=price>3,00 €</b><button>Add to cart</button></div>" * 3),
    _page(body="<h1>About us</h1><p class=price>From 3,00 €</p>"),
)


@pytest.mark.parametrize("text", NO_PRODUCTS)
def test_a_page_that_is_no_products_is_no_listing(text: str) -> None:
    read = reading(text)
    assert (read["kind"] == "listing", "price" in read["fields"]) == (False, False)


def test_one_of_these_products_alone_is_a_listing() -> None:
    read = reading(_page(NIB, head='<link rel="canonical" href="https://inkwell.example/nib">'))
    assert (read["platform"], read["kind"], read["fields"]["price"]) == ("shop", "listing", "3.00")


def test_a_shop_that_declares_nothing_is_read_by_what_it_shows() -> None:
    body = (
        "<div><h1>Brass nib</h1><div class=product-price><del class=price>40,00 €</del>"
        "<b class=price-now>31,50 €</b></div>"
        "<table><tr><th>Marke</th><td>Quillmark</td></tr></table><button>In den Warenkorb</button></div>"
        "<div class=related><b class=price>1,00 €</b></div>"
    )
    read = reading(_page(body=body))
    wanted = {
        "title": "Brass nib",
        "price": "31.50",
        "currency": "EUR",
        "brand": "Quillmark",
        "availability": "InStock",
    }
    assert read["kind"] == "listing"
    assert {name: read["fields"].get(name) for name in wanted} == wanted
