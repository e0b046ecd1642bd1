"""The official surfaces of each platform's addresses; a token is in a header, and nowhere else."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.surface import Surface
from crawlers import registry
from crawlers.surfaces import Credential, Official, Tokens, api

TOKEN = "s3cret-token|of+the/user"
EVERY = Tokens(
    {"COUNTERPROOF_YOUTUBE_KEY": TOKEN, "COUNTERPROOF_INSTAGRAM_TOKEN": TOKEN, "COUNTERPROOF_INSTAGRAM_ACCOUNT": "1784"}
)
CODE = "CabcdEFGhij"
VIDEOS = "https://www.googleapis.com/youtube/v3/videos"


def surfaces(url: str) -> list[Official]:
    return [each for platform in registry.every() if platform.knows_url(url) for each in platform.surfaces(url)]


def told(url: str) -> list[tuple[str, str]]:
    return [(each.surface.value, each.url) for each in surfaces(url)]


def asked(endpoint: str, url: str) -> tuple[str, str]:
    return "oembed", f"{endpoint}{quote(url, safe='')}"


@pytest.mark.parametrize("path", ["p", "reel", "tv", "mara/p", "mara/reel"])
def test_a_post_on_instagram_has_one_embed_whatever_it_is(path: str) -> None:
    expected = [("embed", f"https://www.instagram.com/p/{CODE}/embed/captioned/")]
    assert told(f"https://www.instagram.com/{path}/{CODE}/?igsh=x") == expected


def test_a_profile_on_instagram_has_a_card_and_business_discovery() -> None:
    card, discovery = surfaces("https://www.instagram.com/mara.loop/")
    assert (card.surface, card.url) == (Surface.EMBED, "https://www.instagram.com/mara.loop/embed/")
    filled = discovery.filled(EVERY)
    assert filled is not None
    assert filled.url.startswith("https://graph.facebook.com/v26.0/1784?fields=business_discovery.username(mara.loop)")
    assert discovery.filled(Tokens({"COUNTERPROOF_INSTAGRAM_TOKEN": TOKEN})) is None  # it has to name its own account
    assert (
        discovery.filled(Tokens({"COUNTERPROOF_INSTAGRAM_TOKEN": TOKEN, "COUNTERPROOF_INSTAGRAM_ACCOUNT": "me"}))
        is None
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.instagram.com/stories/mara/123456/", []),
        ("https://www.instagram.com/accounts/login/", []),
        ("https://www.instagram.com/explore/tags/bags/", []),
        (f"https://www.threads.net/@mara/post/{CODE}", [("embed", f"https://www.threads.com/@mara/post/{CODE}/embed")]),
        (f"https://www.threads.com/t/{CODE}", [("embed", f"https://www.threads.com/t/{CODE}/embed")]),
        ("https://www.threads.com/@mara", []),
        (
            "https://www.facebook.com/shop.of.mara/posts/1234567890",
            [("embed", "https://www.facebook.com/plugins/post.php?href="
              + quote("https://www.facebook.com/shop.of.mara/posts/1234567890", safe=""))],
        ),
        (
            "https://www.facebook.com/watch/?v=1234567890",
            [("embed", "https://www.facebook.com/plugins/video.php?href="
              + quote("https://www.facebook.com/watch/?v=1234567890", safe=""))],
        ),
        (
            "https://www.facebook.com/shop.of.mara",
            [("embed", "https://www.facebook.com/plugins/page.php?href="
              + quote("https://www.facebook.com/shop.of.mara", safe="") + "&tabs=timeline")],
        ),
        ("https://www.facebook.com/share/p/abcdef/", []),
        (
            "https://www.tiktok.com/@mara/video/7301234567890123456",
            [
                ("embed", "https://www.tiktok.com/embed/v2/7301234567890123456"),
                asked("https://www.tiktok.com/oembed?url=", "https://www.tiktok.com/@mara/video/7301234567890123456"),
            ],
        ),
        (
            "https://www.tiktok.com/@mara",
            [
                ("embed", "https://www.tiktok.com/embed/@mara"),
                asked("https://www.tiktok.com/oembed?url=", "https://www.tiktok.com/@mara"),
            ],
        ),
        (
            "https://youtu.be/abcdefghijk?t=3",
            [
                ("embed", "https://www.youtube.com/embed/abcdefghijk"),
                ("api", f"{VIDEOS}?part=snippet,statistics,status,paidProductPlacementDetails&id=abcdefghijk"),
                asked("https://www.youtube.com/oembed?format=json&url=", "https://www.youtube.com/watch?v=abcdefghijk"),
            ],
        ),
        (
            "https://www.youtube.com/@mara",
            [("api", "https://www.googleapis.com/youtube/v3/channels?part=snippet,statistics&forHandle=@mara")],
        ),
        ("https://www.youtube.com/c/mara", []),
        (
            "https://twitter.com/mara/status/1801234567890",
            [asked("https://publish.x.com/oembed?omit_script=true&url=", "https://x.com/mara/status/1801234567890")],
        ),
        ("https://x.com/mara", []),
        ("https://t.me/maraloop/17", [("embed", "https://t.me/maraloop/17?embed=1&mode=tme")]),
        ("https://t.me/maraloop", []),
        (
            "https://old.reddit.com/r/bags/comments/1abcde/a_find/?rdt=1",
            [asked("https://www.reddit.com/oembed?url=", "https://www.reddit.com/r/bags/comments/1abcde/a_find")],
        ),
        (
            "https://www.pinterest.de/pin/a-bag--998877/",
            [
                ("embed", "https://assets.pinterest.com/ext/embed.html?id=998877"),
                asked("https://www.pinterest.com/oembed.json?url=", "https://www.pinterest.com/pin/998877/"),
            ],
        ),
        ("https://www.amazon.com/dp/B000000000", []),
    ],
)  # fmt: skip
def test_the_surfaces_of_an_address_in_their_order(url: str, expected: list[tuple[str, str]]) -> None:
    assert told(url) == expected


PARTS = st.text(st.characters(codec="utf-8"), max_size=30)


@given(st.sampled_from(sorted({host for each in registry.every() for host in each.hosts})), st.lists(PARTS, max_size=5))
def test_no_address_ends_a_platform_and_every_surface_is_documented(host: str, parts: list[str]) -> None:
    for each in surfaces(f"https://{host}/{'/'.join(parts)}"):
        assert each.url.startswith("https://")
        assert each.documented.startswith("https://")
        assert (each.surface is Surface.API) == (each.credential is not None)
        filled = each.filled(EVERY)
        assert filled is not None
        assert TOKEN not in filled.url + repr(filled)


@pytest.mark.parametrize("value", ["", "  ", "short", "two words of it", "line\r\nX-Other: 1", "ключ-ключ-ключ"])
def test_what_no_header_could_carry_is_no_token(value: str) -> None:
    credential = Credential(variable="COUNTERPROOF_SOME_KEY", header="X-Key")
    assert Tokens({"COUNTERPROOF_SOME_KEY": value}).of(credential) is None
    assert api("https://a.example/", "https://a.example/docs", credential).filled(Tokens({})) is None


def test_tokens_are_not_told() -> None:
    assert TOKEN not in repr(EVERY)
