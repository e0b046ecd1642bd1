"""Blog posts by what publishing systems have in common, the pages that are none, and what stands in their place."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind
from custody.model import Outcome
from tests.crawlers.platforms.spoiling import invented, page, spoiled

GRAPH = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "Article", "@id": "https://luna.example/bag/#article",
            "isPartOf": {"@id": "https://luna.example/bag/"},
         "author": {"name": "Luna Finds", "@id": "https://luna.example/#/person/1"}, "headline": "My bag &amp; I",
         "datePublished": "2024-05-06T07:08:09+00:00"},
        {"@type": "WebPage", "@id": "https://luna.example/bag/", "url": "https://luna.example/bag/"},
        {"@type": "Person", "@id": "https://luna.example/#/person/1", "name": "Luna Finds"},
        {"@type": "Recipe", "name": "Cake", "author": {"@type": "Person", "name": "Somebody Else"},
            "datePublished": "2019-02-21"},
    ],
}  # fmt: skip
WORDPRESS = f"""<html lang="en-US"><head><title>My bag - Luna</title>
<link rel="canonical" href="https://luna.example/bag/">
<meta property="og:type" content="article"><meta property="article:published_time" content="2024-05-06T07:08:09+00:00">
<script type="application/ld+json">{json.dumps(GRAPH)}</script>
<script type="application/ld+json">{{"@type": "Article", broken</script>
</head><body class="post-template-default single single-post postid-41"><article>
<h1 class="entry-title">My bag &amp; I</h1>
<time class="entry-date published" datetime="2024-05-06T09:08:09+02:00">May 6, 2024</time>
<p>As an Amazon Associate I earn from qualifying purchases. <a href="https://amzn.to/3abc">bag</a> <a
 href="https://amzn.to/3abc">again</a>
<a href="https://rstyle.me/n/x">shoe</a> <a href="https://shop.example/x">own</a> <a href="/about">me</a></p></article>
<ol class="comment-list"><li class="comment"><cite class="fn">Mallory</cite>
<time datetime="2024-05-07T00:00:00+00:00">x</time>
<a href="https://www.dhgate.com/product/1.html">see</a></li></ol></body></html>"""
BLOGGER = """<html><head><title>Luna: a bag</title><meta name="generator" content="blogger">
<link rel="canonical" href="http://luna.blogspot.com/2013/04/a-bag.html"></head><body><div class="date-outer">
<h2 class="date-header"><span>4.3.2013</span></h2><div class="post hentry"><h3 class="post-title entry-title">a bag</h3>
<div class="post-body entry-content"><a href="http://bit.ly/198D">x</a></div></div></div>
<div id="comments"><dt class="comment-author">Mallory said</dt><dd>on May 9, 2013</dd></div></body></html>"""
OLD = """<html lang="de"><head><title>Die Tasche | Luna</title></head><body><div class="post hentry">
<h2 class="entry-title">Die Tasche</h2>
<div class="entry-meta">Geschrieben am <span class="entry-date">6. Mai 2014</span> von <span class="author vcard">
<a class="url fn">Luna F.</a>
</span></div><p><a href="https://www.ebay.de/itm/1">x</a></p></div></body></html>"""
MICRODATA = """<html><head><title>A bag</title></head><body><div itemscope itemtype="https://schema.org/BlogPosting">
<h1 itemprop="headline">
A bag</h1><span itemprop="author" itemscope itemtype="https://schema.org/Person">
<span itemprop="name">Luna Finds</span></span>
<meta itemprop="datePublished" content="2024-05-06T07:08:09Z"></div></body></html>"""
TUMBLR = """<html><head><title>Photos of Luna</title><meta property="og:title" content="Photos of Luna">
<meta property="og:type"
 content="article"><link rel="canonical" href="https://www.tumblr.com/lunaphotos/165326273724">
<script type="application/ld+json">
{"@type":"SocialMediaPosting","url":"https://www.tumblr.com/lunaphotos/165326273724","author":"lunaphotos",
"datePublished":"2017-09-14T10:20:35+00:00"}</script></head><body></body></html>"""


def test_a_wordpress_post() -> None:
    found = page(WORDPRESS)
    assert (found.platform, found.kind) == ("blog", Kind.POST)
    assert found.fields["title"] == "My bag & I"
    assert found.fields["author"] == "Luna Finds"
    assert found.fields["published"] == "2024-05-06T07:08:09Z"
    assert found.fields["published_shown"] == "May 6, 2024"
    assert found.fields["outbound_links"] == [
        "https://amzn.to/3abc",
        "https://rstyle.me/n/x",
        "https://www.dhgate.com/product/1.html",
    ]
    assert found.fields["post_id"] == "41"
    assert found.fields["disclosures"] == [
        {"by": "page", "text": "As an Amazon Associate I earn from qualifying purchases"}
    ]
    assert found.sources["author"].where.startswith("json-ld")


def test_a_post_without_any_data_for_machines() -> None:
    blogger, old = page(BLOGGER), page(OLD)
    assert (blogger.fields["title"], blogger.fields["published"]) == ("a bag", "2013-04-03")
    assert "author" not in blogger.fields
    assert blogger.fields["outbound_links"] == ["http://bit.ly/198D"]
    assert (old.fields["title"], old.fields["author"], old.fields["published"]) == (
        "Die Tasche",
        "Luna F.",
        "2014-05-06",
    )
    assert old.fields["published_shown"] == "6. Mai 2014"


def test_microdata_and_tumblr() -> None:
    found = page(MICRODATA)
    assert (found.fields["author"], found.fields["published"]) == ("Luna Finds", "2024-05-06T07:08:09Z")
    tumblr = page(TUMBLR)
    assert (tumblr.fields["handle"], tumblr.fields["post_id"]) == ("lunaphotos", "165326273724")
    assert "title" not in tumblr.fields


def test_sources_that_disagree_on_the_hour_leave_the_day() -> None:
    text = WORDPRESS.replace('content="2024-05-06T07:08:09+00:00"', 'content="2024-05-06T01:08:09+00:00"')
    assert page(text).fields["published"] == "2024-05-06"


def test_an_answer_of_the_rest_api() -> None:
    post = {"id": 41, "date_gmt": "2024-05-06T07:08:09", "link": "https://luna.example/bag/",
        "title": {"rendered": "My bag &#038; I"},
            "content": {"rendered": '<p><a href="https://amzn.to/3abc">bag</a> #ad</p>'},
            "_embedded": {"author": [{"name": "Luna Finds"}]}}  # fmt: skip
    for value in (post, [post]):
        found = page(json.dumps(value))
        assert dict(found.fields) == {
            "title": "My bag & I", "author": "Luna Finds", "published": "2024-05-06T07:08:09Z", "post_id": "41",
            "outbound_links": ["https://amzn.to/3abc"], "disclosures": [{"by": "author", "text": "#ad"}],
        }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '<link rel="canonical" href="https://a.example/"><meta property="og:type" content="article"><title>a</title>',
        '<title>Luna</title><body class="archive category"><article><h2>a</h2></article><article><h2>b</h2></article>',
        '<title>A bag</title><meta property="og:type" content="og:product"><h1>A bag</h1><p>EUR 20</p>',
        (
            '<title>A bag</title><meta property="og:type" content="article"><div itemscope itemtype="http://schema.org/Product">'
            '<b itemprop="offers" itemscope itemtype="http://schema.org/Offer"><i itemprop="price">20</i></b></div>'
        ),
    ],
    ids=["front page", "archive", "product", "product that says article"],
)
def test_a_page_that_is_no_post(text: str) -> None:
    assert page(text).kind is not Kind.POST


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("<title>503 Service Unavailable</title><h1>503 Service Unavailable</h1>", Outcome.HTTP_ERROR),
        ("<title>Access denied</title><h1>Access denied</h1><p>You do not have permission.</p>", Outcome.HTTP_ERROR),
        ('{"error": {"code": 429, "message": "slow down"}}', Outcome.RATE_LIMITED),
        ('{"detail": "Not found."}', Outcome.HTTP_ERROR),
        ("<title>Just a moment...</title><form id=challenge-form action=/x><p>Checking your browser", Outcome.CAPTCHA),
    ],
)
def test_what_stands_in_place_of_a_page(text: str, outcome: Outcome) -> None:
    found = page(text)
    assert (found.kind, found.wall, found.fields) == (Kind.WALL, outcome.value, {})


def test_a_page_about_errors_is_none() -> None:
    assert page("<title>500 days of bags</title><h1>500 days of bags</h1><p>All of them.</p>").wall is None
    long = "<title>Access denied: a novel</title><p>" + "It was a dark and stormy night. " * 80
    assert page(long).wall is None


def logged(status: int, text: str, *, url: str = "https://luna.example/bag/", encoded: bool = False) -> str:
    content = {"mimeType": "text/html", "text": base64.b64encode(text.encode()).decode() if encoded else text}
    entries = [
        {"request": {"url": "https://luna.example/b"}, "response": {"status": 301, "content": {}}},
        {
            "request": {"url": url},
            "response": {"status": status, "content": content | ({"encoding": "base64"} if encoded else {})},
        },
        {
            "request": {"url": "https://luna.example/x.css"},
            "response": {"status": 200, "content": {"mimeType": "text/css", "text": "a"}},
        },
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def test_a_log_of_traffic_is_read_by_its_main_document() -> None:
    for encoded in (False, True):
        found = page(logged(200, WORDPRESS, encoded=encoded))
        assert (found.kind, found.fields["title"]) == (Kind.POST, "My bag & I")
        assert "HAR" in found.notes[0]
    assert page(logged(429, "")).wall == Outcome.RATE_LIMITED.value
    assert page(logged(403, "<p>no</p>")).wall == Outcome.HTTP_ERROR.value
    gone = page(logged(429, "", url="https://www.reddit.com/r/a/comments/1sr2f0w/x/"))
    assert (gone.platform, gone.wall) == ("reddit", Outcome.RATE_LIMITED.value)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_spoiled_page_invents_nothing(data: st.DataObject) -> None:
    for whole in (WORDPRESS, OLD):
        text = data.draw(spoiled(whole))
        assert invented(page(text), page(whole), text) == []
