"""Layouts that differ in one thing from those of the fixtures: each with what it alone decides."""

import json
from typing import Any

import pytest

from tests.crawlers.platforms.fixtures import reading


def page(address: str, body: str, *, head: str = "", classes: str = "") -> str:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>A page</title>"
        f'<link rel=canonical href="{address}">{head}</head><body class="{classes}">{body}</body></html>'
    )


def amazon(body: str, host: str = "www.amazon.com") -> str:
    body = f'<div id=navbar></div><span id="productTitle">Brass Pen</span>{body}<input id=ASIN value=B0BRASS001>'
    return page(f"https://{host}/dp/B0BRASS001", body)


def ebay(body: str, host: str = "www.ebay.com") -> str:
    return page(f"https://{host}/itm/123456789012", f'<h1 class="x-item-title__mainTitle">Brass Pen</h1>{body}')


def walmart(product: dict[str, Any]) -> str:
    data = {"props": {"pageProps": {"initialData": {"data": {"product": {"name": "Brass Pen", **product}}}}}}
    script = f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(data)}</script>'
    return page("https://www.walmart.com/ip/Pen/123456789", f'<h1 id="main-title">Brass Pen</h1>{script}')


def aliexpress(body: str) -> str:
    return page(
        "https://es.aliexpress.com/item/1005001234567890.html", f'<h1 data-pl="product-title">Brass Pen</h1>{body}'
    )


def shopify(body: str) -> str:
    meta = {
        "product": {"id": 77, "vendor": "Quillmark", "variants": [{"id": 1, "price": 1999}, {"id": 2, "price": 2999}]},
        "page": {"pageType": "product"},
    }
    scripts = (
        '<script>Shopify.shop = "quill.myshopify.com";Shopify.currency = {"active":"GBP"};</script>'
        f"<script>var meta = {json.dumps(meta)};</script>"
    )
    return page("https://quill.example/products/pen", f"<h1>Brass Pen</h1>{scripts}{body}")


def woocommerce(body: str) -> str:
    return page(
        "https://quill.example/product/pen/", body, classes="single single-product woocommerce woocommerce-page"
    )


def channel(*parts: str) -> str:
    rows = [{"metadataParts": [{"text": {"content": each}} for each in parts]}]
    data = {
        "metadata": {"channelMetadataRenderer": {"title": "Quill", "externalId": "UC" + "a" * 22, "ownerUrls": []}},
        "header": {
            "pageHeaderRenderer": {"content": {"metadata": {"contentMetadataViewModel": {"metadataRows": rows}}}}
        },
    }
    return page(
        f"https://www.youtube.com/channel/UC{'a' * 22}", f"<script>var ytInitialData = {json.dumps(data)};</script>"
    )


RAISED = (
    '<span id="priceblock_ourprice">$<span class="price-large">15</span>'
    '<span class="a-size-small price-info-superscript">99</span></span>'
)
SWATCH = (
    '<div id="tmmSwatches"><ul><li class="swatchElement selected"><span>Hardcover</span>'
    '<span class="a-color-base"><span class="a-color-price">{}</span></span></li>'
    '<li class="swatchElement"><span class="a-color-price">$3.99</span></li></ul></div>'
)
PERCENT = (
    '<div id="corePriceDisplay_desktop_feature_div"><span class="savingsPercentage">-17&nbsp;%</span>'
    '<span class="a-price priceToPay"><span class="a-offscreen"></span><span aria-hidden="true">'
    '<span class="a-price-whole">1.024<span class="a-price-decimal">,</span></span>'
    '<span class="a-price-fraction">99</span>'
    '<span class="a-price-symbol">€</span></span></span></div>'
)
LAYOUTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Amazon, cents raised", amazon(RAISED), {"price": "15.99", "currency": "USD"}),
    ("Amazon, a book's chosen format", amazon(SWATCH.format("$18.99")), {"price": "18.99", "currency": "USD"}),
    ("Amazon, a book from other sellers", amazon(SWATCH.format("from $2.10")), {"price": None, "currency": None}),
    ("Amazon, saving in front", amazon(PERCENT, "www.amazon.de"), {"price": "1024.99", "currency": "EUR"}),
    (
        "Amazon, a book to download on a telephone",
        amazon(
            '<div id="bylineInfo"><a href="/kindle-dbs/author/ref=x?author=Ada">Ada Quill</a></div>'
            '<div id="ebooksPrice_feature_div"><span class="a-text-strike">$34.95</span>'
            '<span class="a-size-medium a-color-price">$25.00</span></div>'
        ).replace("productTitle", "ebooksTitle"),
        {"title": "Brass Pen", "author": "Ada Quill", "brand": None, "price": "25.00"},
    ),
    (
        "Amazon, asked where to",
        amazon('<span id="glow-ingress-line2">Actualizar ubicación</span>', "www.amazon.es"),
        {"ships_to": None},
    ),
    (
        "Amazon, rounded count",
        amazon('<span id="acrCustomerReviewText">(1.2K)</span>'),
        {"rating_count": None},
    ),
    (
        "eBay, Canadian on the American site",
        ebay(
            '<div class="x-price-primary"><span>C $25.00</span></div>'
            '<div class="x-price-approx"><span>Approximately US $18.00</span></div>'
        ),
        {"price": "25.00", "currency": "CAD"},
    ),
    (
        "eBay, Australian",
        ebay('<div class="x-price-primary"><span>AU $1,025.00</span></div>', "www.ebay.com.au"),
        {"price": "1025.00", "currency": "AUD"},
    ),
    (
        "eBay, sold",
        ebay(
            '<div class="x-price-primary"><span>US $12.99</span></div>'
            '<div class="d-top-panel-message"><span>This listing sold on Tue, Nov 5 at 3:00 PM.</span></div>'
        ),
        {"price": "12.99", "availability": "OutOfStock"},
    ),
    (
        "eBay, ended",
        ebay('<div class="ux-layout-section__textual-display--statusMessage">This listing ended on Mon</div>'),
        {"availability": "OutOfStock"},
    ),
    (
        "eBay, stock and sold",
        ebay('<div class="d-quantity__availability"><span>More than 10 available</span> <span>1,234 sold</span></div>'),
        {"availability": "InStock", "bought_count": 1234},
    ),
    (
        "Walmart, a range",
        walmart({"priceInfo": {"priceRange": {"minPrice": 10, "maxPrice": 20.5, "currencyUnit": "USD"}}}),
        {"price": "10", "price_max": "20.5", "currency": "USD"},
    ),
    (
        "Walmart, a range of nothing",
        walmart({"priceInfo": {"currentPrice": None, "priceRange": {"minPrice": 0, "maxPrice": 0}}}),
        {"price": None, "price_max": None},
    ),
    (
        "AliExpress, a price in pieces",
        aliexpress(
            '<div class="price--current--H7sGzqb product-price-current"><div><span>€</span><span>1</span><span>2</span>'
            "<span>,</span><span>3</span><span>4</span></div></div>"
        ),
        {"price": "12.34", "currency": "EUR"},
    ),
    ("Shopify, prices of variations", shopify(""), {"price": "19.99", "price_max": "29.99", "currency": "GBP"}),
    (
        "Shopify, sold out",
        shopify('<form action="/cart/add"><button name="add" disabled>Sold out</button></form>'),
        {"availability": "SoldOut"},
    ),
    (
        "Shopify, another product is sold out",
        shopify(
            '<form action="/cart/add"><button name="add">Add to cart</button></form><button disabled>Sold out</button>'
        ),
        {"availability": "InStock"},
    ),
    (
        "WooCommerce, a theme of blocks",
        woocommerce(
            '<h1 class="wp-block-post-title">Brass Pen</h1><div class="wp-block-woocommerce-product-price">'
            '<span class="woocommerce-Price-amount amount">25,00&nbsp;€</span></div>'
        ),
        {"title": "Brass Pen", "price": "25.00", "currency": "EUR"},
    ),
    (
        "YouTube, the header of 2024",
        channel("@quill", "1.2M subscribers", "345 videos"),
        {"author": "Quill", "followers": None, "followers_shown": "1.2M subscribers"},
    ),
    ("YouTube, exact", channel("@quill", "345 Abonnenten", "9 Videos"), {"followers": 345}),
    ("YouTube, followers hidden", channel("@quill", "345 videos"), {"followers": None, "followers_shown": None}),
)


@pytest.mark.parametrize(("text", "says"), [each[1:] for each in LAYOUTS], ids=[each[0] for each in LAYOUTS])
def test_a_layout_gives_what_it_says(text: str, says: dict[str, Any]) -> None:
    fields = reading(text)["fields"]
    assert {name: fields.get(name) for name in says} == says


UNDECLARED = (
    '<main><h1>Brass Pen</h1><div class="bold-box"><s class="price">30,00 €</s> <span class="price">25,00 €</span>'
    '<span class="unit-price">5,00 €</span></div><button>In den Warenkorb</button></main>'
)
OTHERS = '<section><h2>More</h2><p class="price">9,00 €</p><button>In den Warenkorb</button></section>'


@pytest.mark.parametrize(
    ("body", "price"),
    [
        (UNDECLARED, "25.00"),
        (f"{UNDECLARED}{OTHERS}{OTHERS}", "25.00"),
        (f"<header><h1></h1><b class=price>0</b><button>Buy now</button></header>{UNDECLARED}", "25.00"),
        (UNDECLARED.replace("In den Warenkorb", "Dodaj v košarico"), "25.00"),
        (UNDECLARED.replace('class="price"', ""), "25.00"),
    ],
    ids=["alone", "others below", "a cart in the head", "Slovenian", "no class says price"],
)
def test_a_shop_that_declares_nothing_shows_its_offer(body: str, price: str) -> None:
    read = reading(page("https://shop.example/brass-pen", body))
    assert (read["kind"], read["fields"]["price"], read["fields"]["currency"]) == ("listing", price, "EUR")
    assert read["fields"]["title"] == "Brass Pen"


def test_a_list_of_products_is_no_listing() -> None:
    cards = "".join(
        f'<div><h2>Pen {n}</h2><p class="price">{n},00 €</p><button>In den Warenkorb</button></div>' for n in (5, 6, 7)
    )
    read = reading(page("https://shop.example/pens", f"<main><h1>Pens</h1>{cards}</main>"))
    assert read["kind"] != "listing"
    assert "price" not in read["fields"]


def test_what_a_template_was_not_given_is_no_brand() -> None:
    product = {
        "@type": "Product",
        "name": "Brass Pen",
        "brand": "$metabrand",
        "offers": {"price": 5, "priceCurrency": "EUR"},
    }
    data = f'<script type="application/ld+json">{json.dumps(product)}</script>'
    fields = reading(page("https://shop.example/pen", "<h1>Brass Pen</h1>", head=data))["fields"]
    assert "brand" not in fields
    assert fields["price"] == "5"


@pytest.mark.parametrize(
    ("said", "author"), [("Ada Quill @ The Inkwell", "Ada Quill @ The Inkwell"), ("ada@inkwell.example", None)]
)
def test_an_author_is_no_address(said: str, author: str | None) -> None:
    post = {"@type": "BlogPosting", "headline": "On nibs", "author": {"@type": "Person", "name": said}}
    data = f'<script type="application/ld+json">{json.dumps(post)}</script>'
    fields = reading(page("https://inkwell.example/on-nibs", "<article><h1>On nibs</h1><p>x</p></article>", head=data))[
        "fields"
    ]
    assert fields.get("author") == author


def test_a_shop_with_much_to_show_is_no_wall_for_what_is_only_in_its_app() -> None:
    shown = "".join(f"<li>상품 {n}번 무료배송 특가</li>" for n in range(400))
    read = reading(page("https://shop.example/deal/1", f"<ul>{shown}</ul><p>알림 수신은 앱에서만 가능합니다.</p>"))
    assert read["wall"] is None


MUSIC = (
    '<div id=navbar></div><div id="dmusicProductTitle_feature_div"><h1>Songs of Brass</h1></div>'
    '<div id="dmusic_buy_box_group"><a role="button">Listen Now</a>'
    '<a role="button">Buy MP3 Album <span class="a-text-bold">$9.49</span></a></div>'
    '<span id="dmusic_tracklist_footer_soldby">Sold by Amazon.com Services LLC. Additional taxes may apply.</span>'
)


def test_an_album_to_download_is_a_listing() -> None:
    read = reading(page("https://www.amazon.com/dp/B0BRASS001", MUSIC))
    assert read["kind"] == "listing"
    wanted = {"title": "Songs of Brass", "asin": "B0BRASS001", "price": "9.49", "currency": "USD"}
    assert {name: read["fields"].get(name) for name in wanted} == wanted
    assert read["fields"]["seller"] == "Amazon.com Services LLC"


BYLINES = (
    ("Visit the Quill Store", "com"),
    ("Visit Quill's Store", "com"),
    ("Visit the Quill Storefront", "com"),
    ("Besuche den Quill-Store", "de"),
    ("Découvrez la boutique Quill", "fr"),
    ("Visita lo Store di Quill", "it"),
    ("Visita la Store di Quill", "it"),
    ("Visita la tienda de Quill", "es"),
    ("Visita el Store de Quill", "com.mx"),
    ("Visite a loja Quill", "com.br"),
    ("Bezoek de Quill-winkel", "nl"),
    ("Besök Quill Store", "se"),
    ("Besök Quill-butiken", "se"),
    ("Odwiedź sklep Quill", "pl"),
    ("Quill Store’u ziyaret edin", "com.tr"),
    ("Quill Mağazasını ziyaret edin", "com.tr"),
    ("Quillのストアを表示", "co.jp"),
    ("访问 Quill 店铺", "cn"),
    ("قم بزيارة متجر Quill", "ae"),
    ("Marque : Quill", "fr"),
    ("Quill", "com"),
)


@pytest.mark.parametrize(("line", "marketplace"), BYLINES)
def test_the_brand_below_the_title(line: str, marketplace: str) -> None:
    text = amazon(f'<a id="bylineInfo" href="/stores/x">{line}</a>', f"www.amazon.{marketplace}")
    assert reading(text)["fields"]["brand"] == "Quill"


@pytest.mark.parametrize("line", ["Zum Quill-Shop", "Discover the Quill shop today", "par Quill", "by Quill"])
def test_a_sentence_that_is_not_known_gives_no_brand(line: str) -> None:
    assert "brand" not in reading(amazon(f'<a id="bylineInfo" href="/x">{line}</a>'))["fields"]
