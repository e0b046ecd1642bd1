"""Pages of one person's links: Linktree, Beacons, Bio.link, LTK, ShopMy, Amazon's influencers, and any other."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind
from custody.model import Outcome
from tests.crawlers.platforms.spoiling import invented, page, spoiled

PROPS = {
    "account": {"id": 7, "username": "lunafinds", "pageTitle": "Luna", "description": "Bags & more",
    "isLogoVisible": True,
                "profilePictureUrl": "https://ugc.example/a.jpg"},
    "links": [
        {"id": 2, "type": "CLASSIC", "title": "The bag", "url": "https://amzn.to/3abc", "position": 2, "locked": False},
        {"id": 1, "type": "HEADER", "title": "Shop", "url": "", "position": 0},
        {"id": 3, "type": "CLASSIC", "title": "For adults", "url": "https://shop.example/i/8", "position": 1,
            "rules": {"gate": {"age": 18}}},
    ],
    "socialLinks": [{"type": "INSTAGRAM", "url": "https://instagram.com/lunafinds"}, {"type": "EMAIL_ADDRESS",
    "url": "mailto:a@b.example"}],
}  # fmt: skip
LINKTREE = (
    '<html><head><title>Luna | Linktree</title><link rel="canonical" href="https://linktr.ee/lunafinds"></head><body>'
    f'<script id="__NEXT_DATA__" type="application/json">{json.dumps({"props": {"pageProps": PROPS}})}</script></body>'
)
LINKTREE_SHOWN = """<html><head><title>lunafinds | Instagram | Linktree</title>
<meta property="og:title" content="@lunafinds | Linktree">
<meta property="og:description" content="Linktree. Make your link do more.">
<meta property="og:url" content="https://linktr.ee/lunafinds">
</head><body><h1>@lunafinds</h1><a data-testid="LinkButton" href="https://amzn.to/3abc"><p>The bag</p></a>
<a href="https://linktr.ee/s/about">About</a><a href="https://linktr.ee/privacy">Privacy</a></body></html>"""


def shown(site: str, name: str, extra: str = "") -> str:
    return f"""<html><head><title>{name}</title>
<meta property="og:url" content="https://{site}/lunafinds">{extra}</head><body>
    <h1>Luna</h1><a href="https://amzn.to/3abc">The bag</a>
<a href="https://www.instagram.com/lunafinds" aria-label="Instagram"></a>
    <a href="https://{site}/terms">Terms</a><a href="https://shop.example/i/8"><img alt="The shoe"></a></body></html>"""


def test_linktree_by_its_data_in_the_order_shown() -> None:
    for text in (LINKTREE, json.dumps({"props": {"pageProps": PROPS}})):
        found = page(text)
        assert (found.platform, found.kind) == ("linktree", Kind.LINK_HUB)
        assert found.fields["outbound_links"] == [
            "https://shop.example/i/8", "https://amzn.to/3abc", "https://instagram.com/lunafinds", "mailto:a@b.example",
        ]  # fmt: skip
        assert (found.fields["author"], found.fields["handle"], found.fields["bio"]) == (
            "Luna",
            "lunafinds",
            "Bags & more",
        )
        assert "gate" in found.notes[0]


def test_linktree_as_shown() -> None:
    found = page(LINKTREE_SHOWN)
    assert found.fields["outbound_links"] == ["https://amzn.to/3abc"]
    assert found.fields["links"] == [{"number": 1, "url": "https://amzn.to/3abc", "text": "The bag"}]
    assert (found.fields["author"], found.fields["handle"]) == ("@lunafinds", "lunafinds")
    assert "bio" not in found.fields


def test_a_linktree_that_is_not_there() -> None:
    text = '<title>Linktree</title><h1>The page you’re looking for doesn’t exist.</h1><a href="https://x.example">x</a>'
    found = page(text, url="https://linktr.ee/nobody")
    assert (found.kind, found.wall) == (Kind.WALL, Outcome.UNAVAILABLE.value)


@pytest.mark.parametrize(
    ("platform", "site", "title"),
    [
        ("beacons", "beacons.ai", "Luna | Beacons"),
        ("biolink", "bio.link", "Luna | Bio Link"),
        ("hub", "campsite.bio", "Luna | Campsite"),
    ],
)
def test_a_hub_as_shown(platform: str, site: str, title: str) -> None:
    found = page(shown(site, title))
    assert (found.platform, found.kind) == (platform, Kind.LINK_HUB)
    assert found.fields["outbound_links"] == [
        "https://amzn.to/3abc", "https://www.instagram.com/lunafinds", "https://shop.example/i/8",
    ]  # fmt: skip
    assert [each["text"] for each in found.fields["links"]] == ["The bag", "Instagram", "The shoe"]  # type: ignore[index, union-attr, call-overload]
    assert (found.fields["author"], found.fields["handle"]) == ("Luna", "lunafinds")


def test_beacons_that_was_not_rendered_is_read_by_its_data() -> None:
    data = {
        "props": {
            "blocks": [
                {
                    "links": [
                        {"title": "The bag", "url": "https://amzn.to/3abc", "image": {"url": "https://i.example/a"}}
                    ]
                }
            ]
        }
    }
    found = page(
        '<meta property="og:url" content="https://beacons.ai/luna">'
        f'<script id="__NEXT_DATA__">{json.dumps(data)}</script>'
    )
    assert found.fields["outbound_links"] == ["https://amzn.to/3abc"]


def test_a_page_of_buttons_on_a_site_of_its_own() -> None:
    buttons = "".join(f'<a class="btn" href="https://{each}/luna">{each}</a>' for each in (
        "www.instagram.com", "www.tiktok.com", "www.dhgate.com", "shop.example", "amzn.to"))  # fmt: skip
    head = '<link rel="canonical" href="https://luna.example/"><title>Luna</title>'
    text = f'{head}<h1>Luna</h1><p>Hi</p>{buttons}<a href="/i">i</a>'
    assert page(text).kind is Kind.LINK_HUB
    shop = text.replace("<p>Hi</p>", "<p>" + "A long story of a long shop. " * 80 + "</p>")
    assert page(shop).kind is Kind.OTHER


LTK = {
    "ltks": [{"id": "47ea1129-7bf5-11ed-a127-0242ac110004", "caption": "My bag #ad",
    "date_published": "2024-05-06T07:08:09+00:00",
              "hero_image": "https://i.example/h.jpg"}],
    "products": [{"id": "1", "hyperlink": "https://rstyle.me/+abc", "title": "Bag"}],
    "profiles": [{"id": "9", "display_name": "lunafinds", "full_name": "Luna Finds"}],
}  # fmt: skip


def test_ltk_as_an_answer_and_as_a_page() -> None:
    found = page(json.dumps(LTK))
    assert (found.platform, found.kind, found.fields["published"]) == ("ltk", Kind.POST, "2024-05-06T07:08:09Z")
    assert found.fields["outbound_links"] == ["https://rstyle.me/+abc"]
    shop = page(
        '<h1>Luna</h1><a href="https://rstyle.me/+abc">Bag</a>', url="https://www.shopltk.com/explore/lunafinds"
    )
    assert (shop.kind, shop.fields["handle"]) == (Kind.LINK_HUB, "lunafinds")
    post = page(
        '<div class="caption">My bag #ad</div><a href="https://rstyle.me/+abc">Bag</a>',
        url="https://www.shopltk.com/explore/lunafinds/posts/47ea1129-7bf5-11ed-a127-0242ac110004",
    )
    assert (post.kind, post.fields["caption"], post.fields["disclosures"]) == (
        Kind.POST,
        "My bag #ad",
        [{"by": "author", "text": "#ad"}],
    )


def test_shopmy_by_its_own_links_and_by_its_answer() -> None:
    found = page(
        '<h1>Luna</h1><a href="https://go.shopmy.us/p-123">Bag</a><a href="/about">x</a>',
        url="https://shopmy.us/lunafinds",
    )
    assert (found.kind, found.fields["outbound_links"]) == (Kind.LINK_HUB, ["https://go.shopmy.us/p-123"])
    answer = {"collection": {"name": "Bags", "pins": [{"title": "Bag", "link": "https://shop.example/i/7"}],
                             "user": {"username": "lunafinds", "name": "Luna", "description": "x"}}}  # fmt: skip
    read = page(json.dumps(answer))
    assert (read.platform, read.fields["handle"], read.fields["title"]) == ("shopmy", "lunafinds", "Bags")


def test_a_page_of_an_influencer_of_amazon() -> None:
    text = """<html><head><title>Luna's Amazon Page</title>
<link rel="canonical" href="https://www.amazon.de/shop/lunafinds/list/1ABC"></head>
    <body><div id="shop-influencer-profile-name">Luna</div><div id="shop-influencer-profile-description-text">Bags</div>
    <a href="/dp/B000000001?tag=luna-21"><img alt="The bag"></a><a href="/dp/B000000001">The bag</a>
    <a href="/gp/product/B000000002/ref=x">The shoe</a><a href="/gp/help">Help</a></body></html>"""
    found = page(text)
    assert (found.platform, found.kind, found.fields["handle"]) == ("amazon_influencer", Kind.LINK_HUB, "lunafinds")
    assert found.fields["asins"] == ["B000000001", "B000000002"]
    assert found.fields["outbound_links"] == [
        "https://www.amazon.de/dp/B000000001?tag=luna-21", "https://www.amazon.de/gp/product/B000000002/ref=x",
    ]  # fmt: skip


def test_a_page_without_buttons_gives_nothing() -> None:
    for url in (
        "https://beacons.ai/luna",
        "https://bio.link/luna",
        "https://shopmy.us/luna",
        "https://taplink.cc/luna",
    ):
        assert page("<title>x</title><h1>Luna</h1>", url=url).fields == {}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_spoiled_page_invents_nothing(data: st.DataObject) -> None:
    for whole in (LINKTREE, LINKTREE_SHOWN, shown("beacons.ai", "Luna"), json.dumps(LTK)):
        text = data.draw(spoiled(whole))
        assert invented(page(text), page(whole), text) == []
