"""What a post's author wrote among the comments is the author's; what others write there never is."""

import json
from typing import Any

import pytest

from archive.reading import Kind
from crawlers.links import LinkPage, choose
from custody.model import Candidate
from tests.crawlers.platforms.spoiling import page

POST = """<html><head><meta property="og:type" content="article"><link rel="author" href="/people/mara"></head><body>
<main><article><h1>My gold stack</h1><p>By <a rel="author" href="/people/mara">Mara</a></p>
<p>Five bracelets that I wear every day, and what I think of each of them after a year. The link is in the comments.</p>
</article><section><h2>Comments</h2>{}</section></main></body></html>"""

FACE = '<a href="/people/{0}"><img src="/{0}.jpg" alt=""></a>'
MARA, ANN = FACE.format("mara"), FACE.format("ann")
LINK = '<a href="https://bags-outlet.example/9">here</a>'


def candidates(comments: str) -> dict[str, Candidate]:
    found = choose(
        LinkPage(url="https://mara.example/gold", dom_html=POST.format(comments), depth=1, position="root"),
        limit=20,
        seen=set(),
    )
    return {each.via.href: each for each in found}


def aim(comments: str) -> Candidate:
    return candidates(comments)["https://bags-outlet.example/9"]


@pytest.mark.parametrize(
    "comments",
    [
        f"<div>{MARA} <p>mine is {LINK}</p></div>",
        f"<ul><li>{ANN} <p>where?</p></li><li>{MARA} <p>{LINK}</p></li></ul>",
        f'<ul><li><a href="/people/mara">mara</a> <time datetime="2026-01-01">1 Jan</time> <p>{LINK}</p></li></ul>',
        # a reply of the author in somebody else's thread
        f"<ul><li>{ANN} <p>where?</p><ul><li>{MARA} <p>{LINK}</p></li></ul></li></ul>",
        # WordPress says it, where the name has no link
        f'<ol><li class="comment bypostauthor"><article><cite>Mara</cite><div>{LINK}</div></article></li></ol>',
        # a mention in the author's own words changes nothing
        f'<div>{MARA} <div><a href="/people/ann">ann</a> got hers {LINK}</div></div>',
    ],
)
def test_a_link_in_the_authors_own_comment_is_followed_as_such(comments: str) -> None:
    found = aim(comments)
    assert (found.follow, found.reason, found.via.where) == (True, "own_comment", "comment")


@pytest.mark.parametrize(
    "comments",
    [
        f"<div>{ANN} <p>mine is {LINK}</p></div>",
        f"<ul><li>{MARA} <p>thanks all</p></li><li>{ANN} <p>{LINK}</p></li></ul>",
        # the author is named at the head of somebody else's words
        f'<div>{ANN} <div><a href="/people/mara">mara</a> get it {LINK}</div></div>',
        f'<div>{ANN} <div><a href="/people/mara">mara</a> <img src="/smile.png"> get it {LINK}</div></div>',
        # a reply to the author's comment
        f"<ul><li>{MARA} <p>see my bio</p><ul><li>{ANN} <p>{LINK}</p></li></ul></li></ul>",
        f"<div>{MARA} <p>see my bio</p><div>{ANN} <p>{LINK}</p></div></div>",
        (
            f'<ol><li class="comment bypostauthor"><article><cite>Mara</cite><p>see my bio</p></article><ol>'
            f'<li class="comment"><article><cite>Ann</cite><p>{LINK}</p></article></li></ol></li></ol>'
        ),
        # a name that only begins like the author's
        f'<ul><li><a href="/people/mara2"><img src="/m.jpg"></a><p>{LINK}</p></li></ul>',
    ],
)
def test_a_link_in_anybody_elses_comment_is_not(comments: str) -> None:
    found = aim(comments)
    assert (found.follow, found.reason) == (False, "comment")


def own_links(reading: Any) -> list[str]:
    links = reading.fields.get("links") or []
    return [str(each["url"]) for each in links if each["shown_as"] == "comment"]


INSTAGRAM = {
    "shortcode": "CabcdefGHIJ", "taken_at_timestamp": 1_700_000_000, "display_url": "https://cdn.example/1.jpg",
    "owner": {"id": "77", "username": "mara"},
    "edge_media_to_caption": {"edges": [{"node": {"text": "link below https://caption.example/1"}}]},
    "edge_media_to_parent_comment": {"count": 2, "edges": [
        {"node": {"text": "fake! https://other.example/x", "owner": {"id": "9", "username": "ann"},
                  "edge_threaded_comments": {"edges": [
                      {"node": {"text": "@ann https://own.example/2", "owner": {"id": "77", "username": "mara"}}}]}}},
        {"node": {"text": "here: https://own.example/1", "owner": {"id": "77", "username": "mara"}}},
    ]},
}  # fmt: skip


def test_instagram_s_data() -> None:
    url = "https://www.instagram.com/p/CabcdefGHIJ/"
    found = page(json.dumps({"graphql": {"shortcode_media": INSTAGRAM}}), url=url)
    assert own_links(found) == ["https://own.example/2", "https://own.example/1"]
    assert found.fields["outbound_links"] == ("https://caption.example/1",) or found.fields["outbound_links"] == [
        "https://caption.example/1"
    ], "what the post itself says is apart"
    assert "comments by the owner" in found.sources["links"].where
    assert "other.example" not in json.dumps(found.to_json())


def youtube(contents: str, comments: Any = None) -> Any:
    data = {
        "currentVideoEndpoint": {"watchEndpoint": {"videoId": "abcdefghijk"}},
        "contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": [
            {"videoPrimaryInfoRenderer": {"title": {"runs": [{"text": "Haul"}]}}},
            {"videoSecondaryInfoRenderer": {"owner": {"videoOwnerRenderer": {
                "title": {"runs": [{"text": "Mara"}]},
                "navigationEndpoint": {"browseEndpoint": {"canonicalBaseUrl": "/@mara"}}}}}},
            *(comments or []),
        ]}}}},
    }  # fmt: skip
    return page(
        '<html><head><link rel="canonical" href="https://www.youtube.com/watch?v=abcdefghijk"></head><body>'
        f"<script>var ytInitialData = {json.dumps(data)};</script>{contents}</body></html>"
    )


def test_youtube_s_data_and_shown_comments() -> None:
    def said(owner: bool, url: str) -> Any:
        run = {"text": url, "navigationEndpoint": {"urlEndpoint": {"url": url}}}
        return {"commentRenderer": {"authorIsChannelOwner": owner, "contentText": {"runs": [run]}}}

    found = youtube("", [said(False, "https://other.example/1"), said(True, "https://own.example/1")])
    assert own_links(found) == ["https://own.example/1"]
    comment = (
        '<ytd-comment-view-model><a id="author-text" href="/@{}">@{}</a><div id="content-text">'
        '<a href="https://www.youtube.com/redirect?q=https%3A%2F%2F{}.example%2F">x</a><a href="https://{}.example/">y</a>'
        "</div></ytd-comment-view-model>"
    )
    shown = youtube(comment.format("ann", "ann", "other", "other") + comment.format("mara", "mara", "own", "own"))
    assert "https://own.example/" in own_links(shown)
    assert not any("other" in each for each in own_links(shown))


def test_reddit_in_two_designs_and_as_data() -> None:
    head = '<html><head><link rel="canonical" href="https://www.reddit.com/r/f/comments/1abcd2e/x/"></head><body>'
    new = page(
        head + '<shreddit-app><shreddit-post id="t3_1abcd2e" author="mara" post-title="A bag"></shreddit-post>'
        '<shreddit-comment author="mara"><div slot="comment"><a href="https://own.example/1">x</a></div>'
        '<shreddit-comment author="ann"><div slot="comment"><a href="https://other.example/1">x</a></div>'
        "</shreddit-comment></shreddit-comment></shreddit-app></body></html>"
    )
    assert own_links(new) == ["https://own.example/1"]
    entry = (
        '<div class="thing comment"><div class="entry"><p class="tagline"><a class="author {}">n</a></p>'
        '<div class="usertext-body"><a href="https://{}.example/1">x</a></div></div><div class="child">{}</div></div>'
    )
    old = page(
        head.replace("<body>", '<body class="comments-page">') + '<div id="siteTable"><div class="thing link" '
        'data-fullname="t3_1abcd2e" data-author="mara"><a class="title">A bag</a></div></div>'
        + entry.format("submitter", "own", entry.format("", "other", ""))
        + "</body></html>"
    )
    assert own_links(old) == ["https://own.example/1"]
    comments = [
        {"kind": "t1", "data": {"body": f"https://{who}.example/1", "is_submitter": own, "author": "n"}}
        for who, own in (("own", True), ("other", False))
    ]
    post = {"kind": "t3", "data": {"id": "1abcd2e", "author": "mara", "title": "A bag", "is_self": True}}
    listing = [{"kind": "Listing", "data": {"children": each}} for each in ([post], comments)]
    data = page(json.dumps(listing), url="https://www.reddit.com/r/f/comments/1abcd2e/x.json")
    assert own_links(data) == ["https://own.example/1"]


def test_a_deleted_author_has_no_comments() -> None:
    found = page(
        '<html><head><link rel="canonical" href="https://www.reddit.com/r/f/comments/1abcd2e/x/"></head><body>'
        '<shreddit-app><shreddit-post id="t3_1abcd2e" author="[deleted]" post-title="A bag"></shreddit-post>'
        '<shreddit-comment author="[deleted]"><div slot="comment"><a href="https://other.example/1">x</a></div>'
        "</shreddit-comment></shreddit-app></body></html>"
    )
    assert found.kind is Kind.POST
    assert own_links(found) == []


def test_facebook_s_data() -> None:
    def comment(who: str, url: str) -> Any:
        entity = {"__typename": "ExternalUrl", "url": url}
        return {"node": {"author": {"id": who}, "body": {"text": "x", "ranges": [{"entity": entity}]}}}

    story = {
        "post_id": "10158000000000001", "comet_sections": {"content": {"story": {
            "actors": [{"name": "Mara", "id": "77", "url": "https://www.facebook.com/mara"}],
            "message": {"text": "my find"}, "creation_time": 1_700_000_000}}},
        "feedback": {"comments": {"edges": [comment("9", "https://other.example/1"), comment("77", "https://own.example/1")]}},
    }  # fmt: skip
    markup = f'<html><body><script type="application/json">{json.dumps({"node": story})}</script></body></html>'
    assert own_links(page(markup, url="https://www.facebook.com/mara/posts/10158000000000001")) == [
        "https://own.example/1"
    ]


def test_threads_data() -> None:
    def item(code: str, who: str, to: str | None, url: str) -> Any:
        fragment = {"link_fragment": {"uri": url}}
        info = {"text_fragments": {"fragments": [fragment]}, "reply_to_author": to and {"pk": to}}
        return {
            "code": code, "pk": code, "user": {"pk": who, "username": f"u{who}"}, "taken_at": 1_700_000_000,
            "caption": {"text": "look"}, "text_post_app_info": info,
        }  # fmt: skip

    items = [
        item("CabcdefGHIJ", "77", None, "https://caption.example/1"),
        item("CbbbbbbGHIJ", "77", "77", "https://own.example/1"),
        item("CccccccGHIJ", "9", "77", "https://other.example/1"),
        item("CddddddGHIJ", "77", None, "https://another-post.example/1"),
        item("CeeeeeeGHIJ", "77", "9", "https://to-another.example/1"),
    ]
    data = {"edges": [{"node": {"thread_items": [{"post": each}]}} for each in items]}
    markup = f'<html><body><script type="application/json">{json.dumps(data)}</script></body></html>'
    found = page(markup, url="https://www.threads.net/@u77/post/CabcdefGHIJ")
    assert own_links(found) == ["https://own.example/1"]
    assert list(found.fields["outbound_links"]) == ["https://caption.example/1"]  # type: ignore[arg-type]


def test_a_blog_s_data_of_whoever_wrote_it() -> None:
    found = page(
        '<html><head><meta property="og:type" content="article"></head><body class="single-post">'
        '<article class="hentry"><h1 class="entry-title">My stack</h1></article><ol>'
        '<li class="comment bypostauthor"><div class="comment-content"><a href="https://own.example/1">x</a></div></li>'
        '<li class="comment"><div class="comment-content"><a href="https://other.example/1">x</a></div></li></ol>'
        "</body></html>",
        url="https://mara.example/stack",
    )
    assert own_links(found) == ["https://own.example/1"]
