"""TikTok's pages and answers, in the forms that they have had."""

import json
from typing import Any

import pytest

from archive.reading import Kind
from crawlers.platforms.tiktok import TikTok
from tests.crawlers.platforms.reading import reading_of, told

POST = "7571863205253778710"
ITEM: dict[str, Any] = {
    "id": POST,
    "desc": "My menu https://shop.example/m #ad",
    "createTime": "1762961788",
    "textLanguage": "es",
    "author": {"id": "6781206617314018309", "uniqueId": "the.cook", "nickname": "The Cook", "signature": "x"},
    "stats": {"diggCount": 25500, "playCount": 192100},
    "statsV2": {"diggCount": "25512", "playCount": "192144"},
    "isAd": True,
    "stickersOnItem": [{"stickerText": ["LINK IN BIO"]}],
    "textExtra": [{"hashtagName": "ad", "isCommerce": False}],
}  # fmt: skip
USER: dict[str, Any] = {
    "userInfo": {
        "user": {
            "id": "6781206617314018309", "uniqueId": "the.cook", "nickname": "The Cook", "signature": "I cook",
            "secUid": "MS4w", "bioLink": {"link": "shop.example/cook", "risk": 0}, "uniqueIdModifyTime": 1700000000,
        },
        "stats": {"followerCount": 783400}, "statsV2": {"followerCount": "783427"},
        "itemList": [],
    },
    "statusCode": 0,
}  # fmt: skip


def universal(scope: dict[str, Any], head: str = "<title>TikTok - Make Your Day</title>") -> str:
    data = json.dumps({"__DEFAULT_SCOPE__": {"webapp.app-context": {"language": "en"}, **scope}})
    return (
        f"<html><head>{head}</head><body>"
        f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{data}</script></body></html>'
    )


def detail(status: int, item: dict[str, Any] | None) -> str:
    found = {"statusCode": status, "statusMsg": "", "itemInfo": {"itemStruct": item} if item else {}}
    return universal({"webapp.video-detail": found})


OF_2024 = detail(0, ITEM)
CANONICAL = f'<link rel="canonical" href="https://www.tiktok.com/@the.cook/video/{POST}">'
OF_2020 = (
    f"<html><head>{CANONICAL}</head><body>"
    '<script id="__NEXT_DATA__" type="application/json">'
    + json.dumps({"props": {"pageProps": {"videoData": {
        "itemInfos": {"id": POST, "text": "My menu", "authorId": "6781206617314018309", "covers": [],
                      "createTime": "1762961788", "diggCount": 5, "playCount": 9},
        "authorInfos": {"uniqueId": "the.cook", "nickName": "The Cook", "userId": "6781206617314018309", "secUid": "M"},
    }}}})
    + "</script></body></html>"
)  # fmt: skip
OF_2022 = (
    f'<html><head>{CANONICAL}</head><body><script id="SIGI_STATE" type="application/json">'
    + json.dumps({
        "ItemModule": {POST: {**ITEM, "author": "the.cook", "authorId": "6781206617314018309"}},
        "UserModule": {"users": {"the.cook": ITEM["author"]}},
    })
    + "</script></body></html>"
)  # fmt: skip
PROFILE = universal({"webapp.user-detail": USER}, '<link rel="canonical" href="https://www.tiktok.com/@the.cook">')
OEMBED: dict[str, Any] = {
    "version": "1.0", "type": "video", "provider_name": "TikTok", "title": "My menu", "author_name": "The Cook",
    "author_url": "https://www.tiktok.com/@the.cook", "embed_product_id": POST, "embed_type": "video",
    "html": f'<blockquote cite="https://www.tiktok.com/@the.cook/video/{POST}"></blockquote>',
}  # fmt: skip
META = f"""<html><head>{CANONICAL}<meta property="og:title" content="The Cook on TikTok">
<meta property="og:description" content="My menu"></head></html>"""
PAGES = {
    "2020": OF_2020, "2022": OF_2022, "2024": OF_2024, "profile": PROFILE, "oembed": json.dumps(OEMBED), "meta": META,
    "api": json.dumps({"itemInfo": {"itemStruct": ITEM}, "statusCode": 0}),
}  # fmt: skip


def test_every_form_names_the_same_post_and_author() -> None:
    for page in (OF_2020, OF_2022, OF_2024, META, OEMBED, {"itemInfo": {"itemStruct": ITEM}, "statusCode": 0}):
        found = reading_of(page)
        assert (found.platform, found.kind) == ("tiktok", Kind.POST)
        assert told(found, "post_id", "handle", "author") == {
            "post_id": POST,
            "handle": "the.cook",
            "author": "The Cook",
        }


def test_the_page_without_a_word_about_itself() -> None:
    found = reading_of(OF_2024)

    assert told(found, "published", "language", "likes", "views", "outbound_links", "sticker_texts") == {
        "published": "2025-11-12T15:36:28Z",
        "language": "es",
        "likes": 25512,
        "views": 192144,
        "outbound_links": ["https://shop.example/m"],
        "sticker_texts": ["LINK IN BIO"],
    }
    assert found.fields["disclosures"] == [{"by": "platform", "text": "isAd"}, {"by": "author", "text": "#ad"}]
    assert found.fields["published_from_id"]["from"] == "2025-11-12T15:36:23.756Z"  # type: ignore[call-overload,index]


def test_a_profile_and_its_link() -> None:
    found = reading_of(PROFILE)

    assert found.kind is Kind.PROFILE
    assert told(found, "handle", "bio", "followers", "outbound_links") == {
        "handle": "the.cook",
        "bio": "I cook",
        "followers": 783427,
        "outbound_links": ["shop.example/cook"],
    }
    assert any("name was changed" in each for each in found.notes)


def test_what_the_page_does_not_carry_is_absent() -> None:
    found = reading_of(META)

    assert {"published", "likes", "account_id", "language"}.isdisjoint(found.fields)
    assert "caption" not in reading_of(detail(0, {**ITEM, "desc": ""})).fields


@pytest.mark.parametrize(
    ("status", "wall"),
    [(10204, "unavailable"), (10216, "private"), (10221, "unavailable"), (10222, "private"), (10231, "geo_block")],
)
def test_the_platforms_own_words_for_what_it_does_not_show(status: int, wall: str) -> None:
    found = reading_of(detail(status, None))

    assert (found.wall, found.kind, dict(found.fields)) == (wall, Kind.WALL, {})


def test_a_check_for_robots() -> None:
    page = f'<html><head>{CANONICAL}</head><body>Please wait...<p id="cs"></p><p id="wci"></p></body></html>'

    assert reading_of(page).wall == "captcha"


def test_a_feed_is_no_post() -> None:
    feed = {"itemList": [ITEM, {**ITEM, "id": "7571863205253778711"}], "statusCode": 0}

    assert reading_of(feed).kind is Kind.OTHER


def test_addresses_of_one_post_have_one_name() -> None:
    named = TikTok().canonical
    for url in (
        "https://www.tiktok.com/@demo/photo/7106798200794926362?is_from_webapp=1",
        "https://www.tiktok.com/embed/v2/7106798200794926362",
        "https://m.tiktok.com/v/7106798200794926362.html",
    ):
        assert named(url) == "tiktok:post:7106798200794926362"
    assert named("https://vm.tiktok.com/ZMabc1234/") == "tiktok:short_unresolved:ZMabc1234"
