"""Reddit: three designs, the JSON behind them, and what stands in place of a post."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind
from custody.model import Outcome
from tests.crawlers.platforms.spoiling import invented, page, spoiled

NEW = """<html lang="en-US"><head>
<link rel="canonical" href="https://www.reddit.com/r/finds/comments/1abcd2e/my_find/"></head>
<body><shreddit-app><shreddit-post id="t3_1abcd2e" author="luna_f" author-id="t2_9xyz" post-title="My find: a bag"
 created-timestamp="2024-05-06T07:08:09.123000+0000" score="1234" subreddit-prefixed-name="r/finds" post-type="text"
 content-href="https://www.reddit.com/r/finds/comments/1abcd2e/my_find/">
 <div slot="text-body"><div class="md" id="t3_1abcd2e-post-rtjson-content"><p>Look at
 <a href="https://weidian.example/item?itemID=7">this</a></p></div></div></shreddit-post>
<shreddit-comment author="other" thingid="t1_zz"><div slot="comment"><a href="https://evil.example/x">x</a></div>
</shreddit-comment>
<shreddit-post id="t3_zzzzz1" author="promoted" post-title="Promoted" created-timestamp="2020-01-01T00:00:00+0000">
</shreddit-post>
</shreddit-app></body></html>"""

OLD = """<html><head><link rel="canonical" href="https://www.reddit.com/r/finds/comments/90bu6w/my_find/"></head>
<body class="single-page comments-page"><div id="siteTable">
<div class=" thing id-t3_90bu6w link " data-fullname="t3_90bu6w"
 data-author="luna_f" data-author-fullname="t2_9xyz" data-timestamp="1532051078000" data-subreddit="finds"
 data-score="12"
 data-url="https://shop.example/i/7" data-domain="shop.example"><p class="title"><a class="title may-blank outbound"
 href="https://shop.example/i/7">My find</a></p>
<p class="tagline">submitted <time title="x" datetime="2018-07-20T01:44:38+00:00">6
 years ago</time> by <a class="author" href="https://old.reddit.com/user/luna_f">luna_f</a></p></div></div>
<div class="commentarea"><div class="thing comment" data-author="other">
<div class="usertext-body">mine: evil.example</div></div></div>
</body></html>"""

MIDDLE = (
    '<html><head><link rel="canonical" href="https://www.reddit.com/r/finds/comments/degtjo/my_find/"></head><body>'
    '<script id="data">window.___r = '
    + json.dumps({
        "posts": {"models": {
            "t3_degtjo": {
                "title": "My find", "author": "luna_f", "authorId": "t2_9xyz", "created": 1570438713000, "score": 5,
                "source": {"url": "https://shop.example/i/7", "displayText": "shop.example"}, "media": None,
            },
            "t3_other1": {"title": "Another", "author": "somebody", "created": 1500000000000},
        }}
    })
    + ";</script></body></html>"
)  # fmt: skip

POST = {
    "kind": "t3",
    "data": {
        "id": "1abcd2e", "author": "luna_f", "author_fullname": "t2_9xyz", "title": "My find &amp; yours",
        "is_self": True,
        "created_utc": 1714979289.0, "subreddit": "finds", "score": 7,
        "selftext": "see [this](https://shop.example/i/7) #ad",
        "selftext_html": '&lt;div class="md"&gt;&lt;a href="https://shop.example/i/7"&gt;this&lt;/a&gt;&lt;/div&gt;',
        "url": "https://www.reddit.com/r/finds/comments/1abcd2e/my_find/",
    },
}  # fmt: skip
ANSWER = json.dumps([
    {"kind": "Listing", "data": {"children": [POST], "after": None}},
    {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {"author": "other",
        "body": "https://evil.example"}}]}},
])  # fmt: skip
OEMBED = json.dumps({
    "provider_name": "reddit", "provider_url": "https://www.reddit.com/", "version": "1.0", "type": "rich",
    "title": "My find",
    "author_name": "luna_f", "html": '<blockquote><a href="https://www.reddit.com/r/finds/comments/1abcd2e/my_find/">x</a>',
})  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number", "published", "links"),
    [
        (NEW, "1abcd2e", "2024-05-06T07:08:09Z", ["https://weidian.example/item?itemID=7"]),
        (OLD, "90bu6w", "2018-07-20T01:44:38Z", ["https://shop.example/i/7"]),
        (MIDDLE, "degtjo", "2019-10-07T08:58:33Z", ["https://shop.example/i/7"]),
        (ANSWER, "1abcd2e", "2024-05-06T07:08:09Z", ["https://shop.example/i/7"]),
    ],
    ids=["new", "old", "middle", "json"],
)
def test_a_post_in_every_design(text: str, number: str, published: str, links: list[str]) -> None:
    found = page(text)
    assert (found.platform, found.kind) == ("reddit", Kind.POST)
    assert found.fields["handle"] == "luna_f"
    assert found.fields["post_id"] == number
    assert found.fields["published"] == published
    assert found.fields["outbound_links"] == links
    assert str(found.fields["title"]).startswith("My find")
    assert found.fields["account_id"] == "t2_9xyz"


def test_oembed_says_who_and_which_and_no_more() -> None:
    assert dict(page(OEMBED).fields) == {
        "title": "My find", "author": "luna_f", "handle": "luna_f", "post_id": "1abcd2e",
    }  # fmt: skip


def test_words_that_a_moderator_removed_are_no_caption() -> None:
    post = {**POST, "data": {**POST["data"], "selftext": "[removed]", "selftext_html": None, "author": "[deleted]"}}  # type: ignore[dict-item]
    found = page(json.dumps(post))
    assert "caption" not in found.fields
    assert "author" not in found.fields
    assert len(found.notes) == 2


def test_a_community_is_no_post() -> None:
    community = NEW.replace(
        '<link rel="canonical" href="https://www.reddit.com/r/finds/comments/1abcd2e/my_find/">', ""
    )
    assert page(community, url="https://www.reddit.com/r/finds/").kind is Kind.OTHER


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('{"reason": "private", "message": "Forbidden", "error": 403}', Outcome.PRIVATE),
        ('{"reason": "quarantined", "message": "Forbidden", "error": 403}', Outcome.AGE_GATE),
        (
            "<title>Blocked</title><body><h1>whoa there, pardner!</h1><p>Your request has been blocked",
            Outcome.RATE_LIMITED,
        ),
        ("<title>Reddit - Please wait for verification</title><p>Please wait for verification", Outcome.CAPTCHA),
        (
            "<title>reddit.com: over 18?</title><body><form action='/over18?dest=x'><button name=over18 value=yes>",
            Outcome.AGE_GATE,
        ),
    ],
)
def test_what_stands_in_place_of_a_post(text: str, outcome: Outcome) -> None:
    url = None if text.startswith("{") else "https://old.reddit.com/r/finds/comments/1abcd2e/"
    found = page(text, url=url)
    assert (found.kind, found.wall) == (Kind.WALL, outcome.value)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_spoiled_page_invents_nothing(data: st.DataObject) -> None:
    for whole in (NEW, OLD, ANSWER):
        text = data.draw(spoiled(whole))
        assert invented(page(text), page(whole), text) == []


def test_the_heading_of_2019_is_of_the_second_rank() -> None:
    text = """<html><head><link rel="canonical" href="https://www.reddit.com/r/finds/comments/degtjo/my_find/"></head>
    <body><div data-test-id="post-content"><a href="/user/luna_f">u/luna_f</a><span><h2>My find</h2></span></div>
    </body></html>"""
    read = page(text)
    assert (read.fields["title"], read.fields["handle"]) == ("My find", "luna_f")
