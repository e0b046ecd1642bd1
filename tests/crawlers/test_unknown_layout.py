"""A market whose layout its reader does not know is read by what the page declares, and says so."""

import json

import pytest

from archive.reading import Kind
from tests.crawlers.platforms.spoiling import page

PRODUCT = {
    "@context": "https://schema.org", "@type": "Product", "name": "Steel bangle", "brand": {"name": "Nobody"},
    "offers": {"@type": "Offer", "price": "12.50", "priceCurrency": "USD", "availability": "https://schema.org/InStock"},
}  # fmt: skip
DECLARES = f'<script type="application/ld+json">{json.dumps(PRODUCT)}</script>'


def at(url: str, inside: str) -> str:
    head = f'<head><link rel="canonical" href="{url}"><title>x</title>{inside}</head>'
    return f"<html>{head}<body><p>hello</p></body></html>"


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        ("dhgate", "https://www.dhgate.com/goods/1234567890"),
        ("temu", "https://www.temu.com/new-layout/steel-bangle"),
        ("aliexpress", "https://www.aliexpress.com/new/1005001234567890"),
    ],
)
def test_what_a_market_s_page_declares_is_read_where_nothing_else_is(platform: str, url: str) -> None:
    found = page(at(url, DECLARES), url=url)
    assert (found.platform, found.kind) == (platform, Kind.LISTING)
    assert (found.fields["title"], found.fields["price"], found.fields["currency"]) == ("Steel bangle", "12.50", "USD")
    assert any(f"the reader for {platform} does not know this layout" in each for each in found.notes)


def test_a_market_s_page_that_declares_nothing_is_no_listing() -> None:
    found = page(at("https://www.dhgate.com/goods/1234567890", ""), url="https://www.dhgate.com/goods/1234567890")
    assert found.kind is Kind.OTHER


def test_a_social_platform_s_page_does_not_become_a_listing() -> None:
    url = "https://www.instagram.com/explore/shopping/"
    assert page(at(url, DECLARES), url=url).kind is not Kind.LISTING
