"""Hosts known by name, and links that carry their destination."""

import pytest

from crawlers import hosts, wrappers
from crawlers.hosts import Kind, classify, platform_of
from crawlers.wrappers import unwrap

SHOP = "https://www.amazon.com/dp/B0ABCD1234?tag=demo-20"
QUOTED = "https%3A%2F%2Fwww.amazon.com%2Fdp%2FB0ABCD1234%3Ftag%3Ddemo-20"


@pytest.mark.parametrize(
    "wrapped",
    [
        f"https://l.instagram.com/?u={QUOTED}&e=AT0x",
        f"https://l.facebook.com/l.php?u={QUOTED}&h=AT1",
        f"https://lm.facebook.com/l.php?u={QUOTED}",
        f"https://www.facebook.com/flx/warn/?u={QUOTED}",
        f"https://www.youtube.com/redirect?event=video_description&redir_token=x&q={QUOTED}&v=dQw4w9WgXcQ",
        f"https://www.tiktok.com/link/v2?aid=1988&lang=en&scene=bio_url&target={QUOTED}",
        f"https://www.google.com/url?sa=t&q={QUOTED}",
        f"https://vk.com/away.php?to={QUOTED}",
        f"https://href.li/?{SHOP}",
        f"https://out.reddit.com/t3_x?url={QUOTED}&token=y",
        f"https://click.linksynergy.com/deeplink?id=x&mid=1&murl={QUOTED}",
        f"https://www.awin1.com/cread.php?awinmid=1&awinaffid=2&ued={QUOTED}",
        f"https://go.skimresources.com/?id=1X1&url={QUOTED}",
        f"https://rover.ebay.com/rover/1/711/1?mpre={QUOTED}",
        f"https://l.instagram.com/?u=https%3A%2F%2Fwww.tiktok.com%2Flink%2Fv2%3Ftarget%3D{QUOTED.replace('%', '%25')}",
    ],
)
def test_a_wrapper_says_where_it_leads(wrapped: str) -> None:
    assert classify(wrapped) is Kind.WRAPPER
    assert unwrap(wrapped) == SHOP


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://www.tiktok.com/link/v2?target=linktr.ee%2Fdemo", "https://linktr.ee/demo"),
        ("https://l.instagram.com/?u=%2F%2Flinktr.ee%2Fdemo", "https://linktr.ee/demo"),
        (f"https://www.instagram.com/p/CN2VQ1yI_MA/?u={QUOTED}", None),  # the host is not the wrapper's
        (f"https://l.instagram.com.evil.example/?u={QUOTED}", None),
        ("https://l.facebook.com/l.php?u=javascript:alert(1)", None),
        ("https://l.facebook.com/l.php?u=data:text/html,x", None),
        ("https://l.facebook.com/l.php", None),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2F%5Bzz%5D%2F", None),
        (f"https://www.youtube.com/watch?v=x&q={QUOTED}", None),
        (SHOP, None),
    ],
)
def test_what_is_not_said_is_not_guessed(url: str, target: str | None) -> None:
    assert unwrap(url) == target


def test_a_wrapper_of_itself_ends() -> None:
    url = "https://href.li/?" * 50 + SHOP
    assert (unwrap(url) or "").startswith("https://href.li/?")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://amzn.to/3kBJKWU", Kind.SHORTENER),
        ("http://bit.ly/198Dq96", Kind.SHORTENER),
        ("https://rstyle.me/n/c43shacfe4f", Kind.WRAPPER),
        ("https://liketk.it/4abc", Kind.WRAPPER),
        ("https://www.shopstyle.it/l/x", Kind.WRAPPER),
        ("https://linktr.ee/someone", Kind.HUB),
        ("https://someone.carrd.co/", Kind.HUB),
        ("https://www.amazon.co.uk/dp/B0ABCD1234", Kind.MARKET),
        ("https://amazon.com.evil.example/dp/B0ABCD1234", Kind.OTHER),
        ("https://www.ebay.de/itm/1", Kind.MARKET),
        ("https://brand.myshopify.com/products/x", Kind.MARKET),
        ("https://www.instagram.com/someone/", Kind.SOCIAL),
        ("https://wa.me/15551234567?text=hi", Kind.SOCIAL),
        ("https://wa.me/?text=hi", Kind.SHARE),
        ("https://api.whatsapp.com/send?text=hi", Kind.SHARE),
        ("https://api.whatsapp.com/send?phone=15551234567&text=hi", Kind.SOCIAL),
        ("https://twitter.com/intent/tweet?text=x", Kind.SHARE),
        ("https://www.facebook.com/sharer/sharer.php?u=x", Kind.SHARE),
        ("https://www.facebook.com/dialog/share?href=x", Kind.SHARE),
        ("https://pinterest.com/pin/create/button/?url=x", Kind.SHARE),
        ("https://www.linkedin.com/shareArticle?mini=true&url=x", Kind.SHARE),
        ("https://www.reddit.com/submit?url=x", Kind.SHARE),
        ("https://t.me/share/url?url=x", Kind.SHARE),
        ("https://t.me/someone", Kind.SOCIAL),
        ("https://www.instagram.com/share/reel/BAxxxx", Kind.SOCIAL),
        ("https://apps.apple.com/us/app/x/id1", Kind.APP_STORE),
        ("https://play.google.com/store/apps/details?id=x", Kind.APP_STORE),
        ("https://play.google.com/store/books/details?id=x", Kind.OTHER),
        ("https://shop.example/privacy-policy", Kind.LEGAL),
        ("https://shop.example/de/datenschutz/", Kind.LEGAL),
        ("https://shop.example/pages/terms-of-service.html", Kind.LEGAL),
        ("https://shop.example/collections/privacy", Kind.OTHER),
        ("https://bit.ly/terms", Kind.SHORTENER),
        ("https://about.instagram.com/", Kind.HOUSEHOLD),
        ("https://help.tiktok.com/x", Kind.HOUSEHOLD),
        ("https://help.shop.example/x", Kind.OTHER),
        ("https://www.blogger.com/post-edit.g?blogID=1", Kind.HOUSEHOLD),
        ("https://www.blogger.com/profile/1", Kind.OTHER),
    ],
)
def test_what_an_address_says_of_itself(url: str, kind: Kind) -> None:
    assert classify(url) is kind


def test_one_platform_under_several_names() -> None:
    assert platform_of("www.youtube.com") == platform_of("youtu.be")
    assert platform_of("twitter.com") == platform_of("x.com")
    assert platform_of("t.co") != platform_of("x.com"), "X wraps outward links in t.co"


def test_the_tables_are_well_formed() -> None:
    tables = (hosts.SHORTENERS, hosts.AFFILIATES, hosts.HUBS, hosts.MARKETS, hosts.SOCIAL, hosts.APP_STORES)
    for table in tables:
        for host in table:
            assert host == host.lower().strip(".")
            assert "." in host
            assert not set(host) & set("/:?# ")
    assert not hosts.HUBS & hosts.SHORTENERS
    assert not hosts.SOCIAL & (hosts.HUBS | hosts.SHORTENERS)
    assert all(host == host.lower() and names for host, _, names in wrappers.WRAPPERS)
