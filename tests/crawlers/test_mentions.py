"""Addresses that stand in a text without a link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.address import parse_target
from crawlers.mentions import written_urls


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("link in bio: linktr.ee/x.", ["https://linktr.ee/x"]),
        ("shop.example/x, luna.shop, luna.shop/bags?a=1", ["https://shop.example/x", "https://luna.shop/bags?a=1"]),
        ("www.shop-luna.com or me.carrd.co", ["https://www.shop-luna.com", "https://me.carrd.co"]),
        ("(see https://en.wikipedia.org/wiki/A_(b)) [amzn.to/3abc]",
         ["https://en.wikipedia.org/wiki/A_(b)", "https://amzn.to/3abc"]),
        ("链接在linktr.ee/luna哦 https://a.example/x这里 https://amzn.to/3x，好",
         ["https://linktr.ee/luna", "https://a.example/x", "https://amzn.to/3x"]),
        ("سوار: bit.ly/abc، شكرا", ["https://bit.ly/abc"]),
        ("https://l.example/x에서 bit.ly/3xY🔥🔥", ["https://l.example/x", "https://bit.ly/3xY"]),
        ("https://例え.jp/x です", ["https://例え.jp/x"]),
        ("https://shop.example/schöne-tasche und", ["https://shop.example/schöne-tasche"]),
        ("https://ja.wikipedia.org/wiki/日本 です", ["https://ja.wikipedia.org/wiki/日本"]),
        ("HTTPS://Amzn.to/X!!", ["HTTPS://Amzn.to/X"]),
        ("http://shop.example:8080/a#b", ["http://shop.example:8080/a#b"]),
        ("me@shop.com/x, @user.name/foo, v1.0/2, image.jpg/x, e.g/x, and/or, 3.5/5", []),
        ("This is the end.So/then what", []),
        ("example.com, notes.md and index.html", []),
        ("ftp://shop.example/x javascript:alert(1) http://", []),
        ("https://someone:secret@shop.example/", []),
    ],
)  # fmt: skip
def test_what_is_an_address_and_where_it_ends(text: str, urls: list[str]) -> None:
    assert [url for url, _ in written_urls(text)] == urls


@pytest.mark.parametrize("dots", ["...", "…", " ...", "…."])
def test_a_summary_may_cut_an_address(dots: str) -> None:
    text = f"On sale: https://amzn.to/2n3Y{dots}"
    assert [url for url, _ in written_urls(text)] == ["https://amzn.to/2n3Y"]
    assert list(written_urls(text, cut=True)) == []
    assert [url for url, _ in written_urls("linktr.ee/a. More", cut=True)] == ["https://linktr.ee/a"]


@given(st.text(alphabet=st.sampled_from("abz.:/?#@()[]…, \n\u200bhttps日عé🔥-_%"), max_size=80))
def test_whatever_is_found_can_be_asked_for_and_stands_in_the_text(text: str) -> None:
    for url, written in written_urls(text):
        assert parse_target(url) == url
        assert written in text
        assert url.endswith(written)
