"""Facebook's pages and answers, in the forms that they have had."""

import json
import time
from typing import Any

import pytest

from archive.reading import Kind
from crawlers.platforms.facebook import Facebook
from tests.crawlers.platforms.reading import reading_of, told

POST = "4188053201279101"
OTHER = "4188053201270000"
WRAPPED = "https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2Fsale&amp;h=AT1"


def desk(post: str, words: str) -> str:
    return f"""<div class="_5pcr userContentWrapper" data-ft="x"><h5><span class="fwb"><a
    href="https://www.facebook.com/bags.shop/?ref=nf">Bags Shop</a></span></h5>
    <a href="/bags.shop/posts/{post}"><abbr title="Wednesday, 2 June 2021" data-utime="1622656831">2 June</abbr></a>
    <div data-testid="post_message" class="userContent"><p>{words} <a href="{WRAPPED}">shop.example</a>
    <span class="text_exposed_hide">...</span></p></div>
    <form class="commentable_item"><input value="{post}"><a href="https://l.facebook.com/l.php?u=https%3A%2F%2Fbad.example">
    a comment</a></form></div>"""


def hidden(markup: str) -> str:
    return f'<div class="hidden_elem"><code id="u_0_1"><!-- {markup} --></code></div>'


HEAD = f"""<html id="facebook"><head><title>Bags Shop - New bags | Facebook</title>
<meta property="og:title" content="Bags Shop"><meta property="og:description" content="New bags">
<meta property="og:url" content="https://www.facebook.com/bags.shop/posts/{POST}">"""
OF_2019 = f"{HEAD}</head><body>{hidden(desk(OTHER, 'Old bags') + desk(POST, 'New bags'))}</body></html>"
PHONE = f"""{HEAD}<script type="application/ld+json">{{"@type":"SocialMediaPosting","identifier":"1;{POST};;9",
"dateCreated":"2021-06-02T11:00:31-0700","articleBody":"New bags","author":{{"@type":"Organization","name":"Bags Shop",
"identifier":119240841493711,"url":"https:\\/\\/www.facebook.com\\/bags.shop\\/"}},
"comment":[{{"@type":"Comment","text":"hi","author":{{"name":"Fan"}}}}]}}</script></head><body>
<div data-ft='{{"top_level_post_id":"{POST}"}}'><div class="story_body_container"><header><h3><strong>
<a href="/bags.shop/?refid=52">Bags Shop</a></strong></h3><abbr>2 June 2021 at 18:00</abbr></header>
<div data-ft='{{"tn":"*s"}}'><p>New bags</p><a href="https://lm.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2Fsale&amp;h=A">
shop</a></div></div><div data-sigil="comment"><a href="https://lm.facebook.com/l.php?u=https%3A%2F%2Fbad.example">x</a>
</div></div></body></html>"""
STORY: dict[str, Any] = {
    "post_id": POST,
    "comet_sections": {"content": {"story": {
        "actors": [{"name": "Bags Shop", "id": "119240841493711", "url": "https://www.facebook.com/bags.shop"}],
        "message": {"text": "New bags https://shop.example/sale", "ranges": [{"entity": {
            "__typename": "ExternalUrl", "url": "https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2Fsale&h=AT1"}}]},
        "feedback": {"message": {"text": "a comment"}, "actors": [{"name": "Fan"}]},
        "attached_story": {"message": {"text": "of another"}},
    }}, "timestamp": {"story": {"creation_time": 1622656831}}},
}  # fmt: skip
OF_2023 = (
    f'<html><head><link rel="canonical" href="https://www.facebook.com/bags.shop/posts/{POST}"></head><body>'
    '<script type="application/json" data-sjs>'
    f"{json.dumps({'require': [{'__bbox': {'result': {'data': {'node': STORY}}}}]})}</script></body></html>"
)
OEMBED = {
    "version": "1.0", "type": "rich", "provider_name": "Facebook", "author_name": "Bags Shop",
    "author_url": "https://www.facebook.com/bags.shop/", "url": f"https://www.facebook.com/bags.shop/posts/{POST}",
    "html": f'<div class="fb-post" data-href="https://www.facebook.com/bags.shop/posts/{POST}">'
    "<blockquote><p>New bags</p>"
    f'Posted by <a href="https://www.facebook.com/bags.shop/">Bags Shop</a> on <a href='
    f'"https://www.facebook.com/bags.shop/posts/{POST}">Wednesday, June 2, 2021</a></blockquote></div>',
}  # fmt: skip
GRAPH = {
    "id": f"119240841493711_{POST}", "message": "New bags", "created_time": "2021-06-02T18:00:31+0000",
    "from": {"name": "Bags Shop", "id": "119240841493711"},
    "permalink_url": f"https://www.facebook.com/bags.shop/posts/{POST}",
    "attachments": {"data": [{"type": "share", "unshimmed_url": "https://shop.example/sale"}]},
}  # fmt: skip
META = f"{HEAD}</head><body></body></html>"
PROFILE = (
    """<html><head><title>Bags Shop - Posts | Facebook</title><meta property="og:title" content="Bags Shop">
<meta property="og:url" content="https://www.facebook.com/bags.shop/"><meta property="og:description"
 content="Bags Shop. 5.411.563 Me gusta · 25.177 personas están hablando de esto. All bags. All year."></head>
<body>"""
    f"{hidden(desk(OTHER, 'Old bags'))}</body></html>"
)
LOGIN = """<html id="facebook"><head><title>Log in to Facebook</title></head><body>
<form id="login_form" action="/login/device-based/"><input name="email"><input name="pass" type="password">
</form></body></html>"""
PAGES = {
    "2019": OF_2019, "phone": PHONE, "2023": OF_2023, "oembed": json.dumps(OEMBED), "graph": json.dumps(GRAPH),
    "meta": META, "profile": PROFILE,
}  # fmt: skip


def test_every_form_names_the_same_post_and_author() -> None:
    for page in (OF_2019, PHONE, OF_2023, OEMBED, GRAPH, META):
        found = reading_of(page)
        assert (found.platform, found.kind) == ("facebook", Kind.POST)
        assert told(found, "post_id", "handle", "author") == {
            "post_id": POST,
            "handle": "bags.shop",
            "author": "Bags Shop",
        }
        assert str(found.fields["caption"]).startswith("New bags")


def test_the_time_is_the_posts_own() -> None:
    for page in (OF_2019, OF_2023, PHONE, GRAPH):
        assert reading_of(page).fields["published"] == "2021-06-02T18:00:31Z"
    assert reading_of(OEMBED).fields["published"] == "2021-06-02"


def test_links_in_comments_and_other_posts_are_not_the_authors() -> None:
    for page in (OF_2019, PHONE, OF_2023, GRAPH):
        assert reading_of(page).fields["outbound_links"] == ["https://shop.example/sale"]


def test_a_surface_that_makes_words_of_links_does_not_say_that_there_are_none() -> None:
    assert "outbound_links" not in reading_of(OEMBED).fields


def test_a_profile_is_not_its_first_post() -> None:
    found = reading_of(PROFILE)

    assert (found.kind, found.fields["handle"], found.fields["bio"]) == (
        Kind.PROFILE, "bags.shop", "All bags. All year.",
    )  # fmt: skip
    assert {"caption", "post_id", "published", "outbound_links"}.isdisjoint(found.fields)


def test_the_platforms_sentence_is_no_caption() -> None:
    page = META.replace('content="New bags"', 'content="Bags Shop added a new photo."')

    assert "caption" not in reading_of(page).fields


def test_walls() -> None:
    assert reading_of(LOGIN).wall == "login_wall"
    assert reading_of({"error": {"type": "OAuthException", "code": 4, "fbtrace_id": "x"}}).wall == "rate_limited"
    assert reading_of(OF_2019.replace("</body>", '<form id="login_form"></form></body>')).wall is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"https://www.facebook.com/bags.shop/posts/new-bags/{POST}/", f"facebook:post:{POST}"),
        (f"https://m.facebook.com/story.php?story_fbid={POST}&id=1192", f"facebook:post:{POST}"),
        (f"https://www.facebook.com/photo/?fbid={POST}&set=a.1", f"facebook:post:{POST}"),
        (f"https://www.facebook.com/watch/?v={POST}", f"facebook:post:{POST}"),
        (f"https://www.facebook.com/reel/{POST}", f"facebook:post:{POST}"),
        (f"https://www.facebook.com/groups/bags/permalink/{POST}/", f"facebook:post:{POST}"),
        ("https://www.facebook.com/share/p/1AbCdEf/", "facebook:share_unresolved:1AbCdEf"),
        ("https://www.facebook.com/profile.php?id=100001", "facebook:account:100001"),
        ("https://www.facebook.com/Bags.Shop", "facebook:profile:bags.shop"),
        ("https://www.facebook.com/groups/bags/", None),
        ("https://www.facebook.com/login/", None),
        ("https://facebook.com.evil.example/bags", None),
    ],
)
def test_addresses_of_one_post_have_one_name(url: str, name: str | None) -> None:
    assert Facebook().canonical(url) == name


def test_a_hostile_description_costs_little() -> None:
    for text in ("1 abc · " * 3000, "1. " * 7000, "1 " * 9000, "1,111 " * 3000):
        page = PROFILE.replace("5.411.563 Me gusta", text)
        begun = time.process_time()
        reading_of(page)
        assert time.process_time() - begun < 1.0


def test_a_button_called_facebook_makes_no_page_of_facebook() -> None:
    shop = '<html id="shop"><title>A bag</title><body><button id="facebook">Share</button><h1>A bag</h1></body></html>'
    assert reading_of(shop).platform != "facebook"


def test_a_photo_whose_page_says_no_more_than_what_was_written() -> None:
    page = """<html id="facebook"><head><title>Facebook</title>
    <link rel="canonical" href="https://www.facebook.com/bags.shop/photos/new-bags-today/1248889333937000/">
    <meta name="description" content="New bags today https://shop.example/sale #ad"></head><body><script>
    {"rsrcMap":{},"CometErrorRoot.react":{"r":["a"]},"require":[["cr:12338",["CometErrorRoot.react"]]]}</script></body></html>"""
    read = reading_of(page)
    wanted = {"post_id": "1248889333937000", "handle": "bags.shop", "author": None, "published": None}
    assert (read.kind, read.wall) == (Kind.POST, None)
    assert told(read, *wanted) == wanted
    assert read.fields["caption"] == "New bags today https://shop.example/sale #ad"


def test_a_page_that_starts_at_the_error_route_asks_for_patience() -> None:
    page = """<html id="facebook"><head><title>Facebook</title></head><body><script>{"initialRouteInfo":{"route":
    {"actorID":"0","rootView":{"allResources":[{"__dr":"CometErrorRoot.react"}]}}}}</script></body></html>"""
    assert reading_of(page).wall == "rate_limited"
