"""Threads' pages and answers."""

import json
from typing import Any

from archive.reading import Kind
from crawlers.platforms.threads import Threads
from tests.crawlers.platforms.reading import reading_of, told

ITEM: dict[str, Any] = {
    "pk": "3435311686544693883",
    "code": "C-srcchPpp7",
    "taken_at": 1723741087,
    "caption": {"text": "New bags"},
    "user": {"pk": "63055343223", "username": "bags.shop", "full_name": "Bags Shop"},
    "like_count": 12,
    "text_post_app_info": {
        "link_preview_attachment": {"url": "https://l.threads.com/?u=https%3A%2F%2Fshop.example%2Fsale&e=AT0"},
        "share_info": {"quoted_post": {"code": "Cother", "user": {"username": "x"}, "text_post_app_info": {}}},
    },
}
REPLY = {**ITEM, "code": "C-reply00000", "user": {"username": "fan", "pk": "1"}, "caption": {"text": "nice"}}
HEAD = '<html><head><link rel="canonical" href="https://www.threads.net/@bags.shop/post/C-srcchPpp7">'
THREAD = {
    "data": {"edges": [{"node": {"thread_items": [{"post": REPLY}]}}, {"node": {"thread_items": [{"post": ITEM}]}}]}
}
PAGE = f"{HEAD}</head><body><script type='application/json' data-sjs>{json.dumps(THREAD)}</script></body></html>"
META = f"""{HEAD}<meta property="og:title" content="Bags Shop (&#064;bags.shop) on Threads">
<meta property="og:description" content="New bags"></head><body></body></html>"""
EMBED = """<html><body><div class="OuterContainer"><div class="AuthorIdentity">bags.shop</div>
<a href="https://www.threads.net/@bags.shop/post/C-srcchPpp7"></a><span class="BodyTextContainer">New bags
<a href="https://l.threads.net/?u=https%3A%2F%2Fshop.example%2Fsale">shop</a></span>
<div class="Timestamp">9:58 AM · Aug 15, 2024</div></div></body></html>"""
GONE = """<html><head><link rel="canonical" href="https://www.threads.net/t/Cx/embed"></head><body>\
<span class="ErrorText">Thread not available</span></body></html>"""
LOGIN = """<html><head><meta property="og:url" content="https://www.threads.net/@/post/C-srcchPpp7">\
<meta property="og:title" content="Threads"></head><body>Log in</body></html>"""
PROFILE = HEAD.replace("/post/C-srcchPpp7", "") + (
    "</head><body><script type='application/json' data-sjs>"
    + json.dumps({"user": {"username": "bags.shop", "full_name": "Bags Shop", "biography": "All bags", "pk": "6",
                           "bio_links": [{"url": "https://shop.example/"}], "follower_count": 99},
                  "posts": [ITEM]})
    + "</script></body></html>"
)  # fmt: skip
PAGES = {"page": PAGE, "meta": META, "embed": EMBED, "profile": PROFILE, "answer": json.dumps({"post": ITEM})}


def test_every_form_names_the_same_post_and_author() -> None:
    for page in (PAGE, META, EMBED, {"post": ITEM}):
        found = reading_of(page)
        assert (found.platform, found.kind) == ("threads", Kind.POST)
        assert told(found, "post_id", "handle") == {"post_id": "C-srcchPpp7", "handle": "bags.shop"}
        assert str(found.fields["caption"]).startswith("New bags")
        assert found.fields["published_from_id"]["from"] == "2024-08-15T16:58:07.259Z"  # type: ignore[call-overload,index]


def test_the_post_and_not_its_reply() -> None:
    found = reading_of(PAGE)

    assert told(found, "published", "outbound_links", "likes", "account_id") == {
        "published": "2024-08-15T16:58:07Z",
        "outbound_links": ["https://shop.example/sale"],
        "likes": 12,
        "account_id": "63055343223",
    }


def test_a_time_without_its_zone_is_kept_as_shown() -> None:
    found = reading_of(EMBED).fields

    assert found["published_shown"] == "9:58 AM · Aug 15, 2024"
    assert "published" not in found
    assert found["outbound_links"] == ["https://shop.example/sale"]


def test_a_profile() -> None:
    found = reading_of(PROFILE)

    assert (found.kind, found.fields["bio"], found.fields["followers"]) == (Kind.PROFILE, "All bags", 99)
    assert found.fields["outbound_links"] == ["https://shop.example/"]


def test_walls() -> None:
    assert (reading_of(GONE).wall, reading_of(LOGIN).wall) == ("unavailable", "login_wall")


def test_addresses_of_one_post_have_one_name() -> None:
    for url in ("https://www.threads.com/@demo/post/C-srcchPpp7?xmt=1", "https://www.threads.net/t/C-srcchPpp7"):
        assert Threads().canonical(url) == "threads:post:C-srcchPpp7"
    assert Threads().canonical("https://www.threads.com/@Demo") == "threads:profile:demo"
