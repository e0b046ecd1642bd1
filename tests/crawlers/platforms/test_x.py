"""X's pages and answers, in the forms that they have had."""

import json
from typing import Any

import pytest

from archive.reading import Kind, Seen
from crawlers.platforms.x import X
from tests.crawlers.platforms.reading import reading_of, told

POST = "1222907250383245320"
LEGACY: dict[str, Any] = {
    "created_at": "Thu Jan 30 15:39:43 +0000 2020",
    "full_text": "New shoes #ad https://t.co/abc https://t.co/pic",
    "lang": "en",
    "favorite_count": 12,
    "entities": {
        "urls": [{"url": "https://t.co/abc", "expanded_url": "https://shop.example/shoes"}],
        "media": [{"url": "https://t.co/pic", "expanded_url": f"https://x.com/shoes/status/{POST}/photo/1"}],
    },
}
PERSON: dict[str, Any] = {
    "__typename": "User",
    "rest_id": "25073877",
    "core": {"name": "Shoes 👟", "screen_name": "shoes"},
    "legacy": {"followers_count": 695695},
}


def tweet(number: str = POST, **changed: Any) -> dict[str, Any]:
    return {
        "__typename": "Tweet",
        "rest_id": number,
        "core": {"user_results": {"result": PERSON}},
        "legacy": {**LEGACY, **changed},
        "views": {"count": "1543491"},
    }


GRAPHQL = {"data": {"tweetResult": {"result": tweet()}}}
FIRST_API = {**LEGACY, "id_str": POST, "user": {"id_str": "25073877", "name": "Shoes 👟", "screen_name": "shoes"}}
SECOND_API = {
    "data": {
        "id": POST, "text": "New shoes", "author_id": "25073877", "created_at": "2020-01-30T15:39:43.000Z",
        "entities": {"urls": [{"url": "https://t.co/abc", "expanded_url": "https://shop.example/shoes"}]},
    },
    "includes": {"users": [{"id": "25073877", "name": "Shoes 👟", "username": "shoes"}]},
}  # fmt: skip
OEMBED = {
    "version": "1.0", "type": "rich", "provider_name": "Twitter", "author_name": "Shoes 👟",
    "author_url": "https://twitter.com/shoes", "url": f"https://twitter.com/shoes/status/{POST}",
    "html": '<blockquote class="twitter-tweet"><p lang="en" dir="ltr">New shoes <a href="https://t.co/abc">'
    f'https://t.co/abc</a></p>&mdash; Shoes (@shoes) <a href="https://twitter.com/shoes/status/{POST}">'
    "January 30, 2020</a></blockquote>",
}  # fmt: skip


def article(number: str, words: str) -> str:
    return f"""<article role="article" data-testid="tweet"><div data-testid="User-Name"><a href="/shoes" role="link">
    <span>Shoes</span><img alt="👟" src="x.svg"></a><a href="/shoes">@shoes</a></div>
    <div data-testid="tweetText" lang="en"><span>{words} by </span><div class="r"><a href="/maker">@maker</a></div>
    <span> <img alt="🔥" src="y.svg"> </span><a href="https://t.co/abc" role="link"><span>https://</span>shop.example/shoes</a>
    <a href="https://t.co/long"><span>https://</span>shop.example/a/very/long<span>…</span></a></div>
    <a href="/shoes/status/{number}"><time datetime="2020-01-30T15:39:43.000Z">4:39 PM · Jan 30, 2020</time></a>
    </article>"""


CANONICAL = f'<link rel="canonical" href="https://x.com/shoes/status/{POST}">'
OF_2025 = (
    f"<html><head>{CANONICAL}</head><body>{article('1222000000000000000', 'A reply to')}"
    f"{article(POST, 'New shoes')}</body></html>"
)
OF_2016 = f"""<html><head><link rel="canonical" href="https://twitter.com/shoes/status/{POST}"></head><body>
<div class="tweet permalink-tweet" data-tweet-id="{POST}" data-screen-name="shoes" data-name="Shoes" data-user-id="25">
<p class="tweet-text" lang="en">New shoes <a href="/hashtag/shoes" class="twitter-hashtag">#shoes</a>
<a href="http://t.co/abc" data-expanded-url="http://shop.example/shoes" class="twitter-timeline-link">shop…</a>
<a href="http://t.co/pic" class="twitter-timeline-link u-hidden">pic.twitter.com/pic</a></p>
<span class="_timestamp" data-time="1580398783">30 Jan 2020</span></div>
<div class="tweet" data-tweet-id="1"><p class="tweet-text">a reply <a href="http://t.co/x"
 data-expanded-url="http://bad.example/">x</a></p></div></body></html>"""
META = f"""<html><head><meta property="og:site_name" content="X (formerly Twitter)">
<meta property="og:url" content="https://twitter.com/shoes/status/{POST}">
<meta property="og:title" content="Shoes (@shoes) on X"><meta property="og:description" content="New shoes">
</head></html>"""
SHELL = f"""<html><head>{CANONICAL}</head><body><noscript>JavaScript is not available.</noscript>
<div id="react-root"></div></body></html>"""
PROFILE = """<html><head><link rel="canonical" href="https://x.com/shoes"><script type="application/ld+json">
{"@type":"ProfilePage","mainEntity":{"@type":"Person","additionalName":"shoes","givenName":"Shoes","identifier":"25",
"description":"All shoes"},"relatedLink":["https://t.co/web","https://shop.example/"]}</script></head><body>ARTICLE</body></html>""".replace(
    "ARTICLE", article(POST, "New shoes")
)
USER = {
    "data": {"user": {"result": {**PERSON, "profile_bio": {"description": "All shoes", "entities": {}},
                                 "website": {"url": "https://t.co/web"}}}}
}  # fmt: skip
PAGES = {
    "graphql": json.dumps(GRAPHQL), "first": json.dumps(FIRST_API), "second": json.dumps(SECOND_API), "2025": OF_2025,
    "oembed": json.dumps(OEMBED), "2016": OF_2016, "meta": META, "profile": PROFILE, "user": json.dumps(USER),
}  # fmt: skip


def test_every_form_names_the_same_post_and_author() -> None:
    for page in (GRAPHQL, FIRST_API, SECOND_API, OEMBED, OF_2025, OF_2016, META):
        found = reading_of(page)
        assert (found.platform, found.kind) == ("x", Kind.POST)
        assert told(found, "post_id", "handle") == {"post_id": POST, "handle": "shoes"}
        assert str(found.fields["caption"]).startswith("New shoes")
        assert "published_from_id" in found.fields
        assert not found.notes


def test_the_post_on_a_page_of_its_replies() -> None:
    found = reading_of(OF_2025)

    assert found.fields["author"] == "Shoes👟"
    assert "by @maker 🔥" in " ".join(str(found.fields["caption"]).split())
    assert found.fields["published"] == "2020-01-30T15:39:43Z"
    # The page shows all of the one address, and the beginning of the other.
    assert found.fields["outbound_links"] == ["https://shop.example/shoes", "https://t.co/long"]
    assert found.sources["caption"].seen is Seen.SHOWN


def test_links_of_others_and_pictures_are_not_the_authors() -> None:
    assert reading_of(OF_2016).fields["outbound_links"] == ["http://shop.example/shoes"]
    assert reading_of(GRAPHQL).fields["outbound_links"] == ["https://shop.example/shoes"]
    assert reading_of(GRAPHQL).fields["links"] == [
        {"url": "https://t.co/abc", "shown_as": "caption", "leads_to": "https://shop.example/shoes"}
    ]


def test_a_profile_is_not_its_first_post() -> None:
    found = reading_of(PROFILE)

    assert (found.kind, found.fields["handle"], found.fields["bio"]) == (Kind.PROFILE, "shoes", "All shoes")
    assert found.fields["outbound_links"] == ["https://shop.example/"]
    assert reading_of(USER).fields["outbound_links"] == ["https://t.co/web"]
    assert reading_of(USER).fields["followers"] == 695695


def test_a_shell_has_what_its_address_says() -> None:
    found = reading_of(SHELL)

    assert (found.wall, told(found, "handle", "post_id")) == (None, {"handle": "shoes", "post_id": POST})
    assert {"author", "caption", "published", "outbound_links"}.isdisjoint(found.fields)


def test_a_list_of_posts_is_no_post_and_one_that_is_gone_no_wall() -> None:
    gone = {"__typename": "TweetUnavailable", "reason": "Suspended"}

    found = reading_of({"data": {"list": [tweet(), tweet("1222907250383245321"), gone]}})

    assert (found.platform, found.kind, found.wall) == ("x", Kind.OTHER, None)


def test_the_post_that_a_conversation_is_about() -> None:
    entries = [
        {"entryId": "tweet-1222000000000000000", "content": tweet("1222000000000000000", full_text="asked")},
        {"entryId": f"tweet-{POST}", "content": tweet()},
        {"entryId": "conversationthread-9", "content": tweet("1222999999999999999", full_text="a reply")},
    ]

    found = reading_of({"data": {"threaded_conversation_with_injections_v2": {"instructions": [{"entries": entries}]}}})

    assert found.fields["post_id"] == POST


@pytest.mark.parametrize(
    ("answer", "wall"),
    [
        ({"data": {"tweetResult": {"result": {"__typename": "TweetUnavailable", "reason": "Protected"}}}}, "private"),
        ({"data": {"result": {"__typename": "TweetUnavailable", "reason": "NsfwLoggedOut"}}}, "age_gate"),
        ({"__typename": "TweetTombstone", "tombstone": {"text": {"text": "This Post was deleted by the Post author."}}},
         "removed"),
        ({"errors": [{"code": 34, "message": "Sorry, that page does not exist"}]}, "unavailable"),
        ({"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, "rate_limited"),
        ({"error": "Sorry, you are not authorized to see this status."}, "private"),
    ],
)  # fmt: skip
def test_walls_in_answers(answer: dict[str, Any], wall: str) -> None:
    assert reading_of(answer).wall == wall


def test_addresses_of_one_post_have_one_name() -> None:
    named = X().canonical
    assert named(f"https://mobile.twitter.com/demo/status/{POST}?s=20&t=x") == f"x:post:{POST}"
    assert named(f"https://x.com/i/web/status/{POST}") == f"x:post:{POST}"
    assert named("https://x.com/home") is None
