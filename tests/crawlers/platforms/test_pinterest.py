"""Pinterest: the page's data in three generations, JSON-LD alone, oEmbed, the site's own answers, accounts."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind
from custody.model import Outcome
from tests.crawlers.platforms.spoiling import invented, page, spoiled

PINNER = {"id": "700", "username": "lunafinds", "full_name": "Luna Finds", "follower_count": 202}
PIN: dict[str, Any] = {
    "id": "1112223334445", "title": "", "grid_title": "A bag", "description": "The bag I use #ad",
    "link": "https://shop.example/i/7",
    "created_at": "Mon, 06 May 2024 07:08:09 +0000", "pinner": PINNER,
    "images": {"orig": {"url": "https://i.example/o.jpg"}},
    "aggregated_pin_data": {"aggregated_stats": {"saves": 12}},
}  # fmt: skip
OTHER = {
    **PIN,
    "id": "999",
    "title": "Another",
    "pinner": {**PINNER, "username": "else"},
    "link": "https://evil.example/",
}
HEAD = """<html lang="en"><head><meta property="og:site_name" content="Pinterest">
<meta property="og:type" content="pinterestapp:pin">
<meta property="og:url" content="https://www.pinterest.com/pin/1112223334445/">
<meta property="og:title" content="A bag | Bags, Style">
<link rel="canonical" href="https://www.pinterest.ca/pin/999/"></head><body>"""


def made(identity: str, data: object) -> str:
    return f'{HEAD}<script id="{identity}" type="application/json">{json.dumps(data)}</script></body></html>'


BY_RESOURCE = made("initial-state", {"resourceResponses": [
    {"name": "PinResource", "options": {"id": "1112223334445"}, "response": {"data": PIN}},
    {"name": "UnauthPinFeedResource", "response": {"data": [OTHER, {**OTHER, "id": "998"}]}},
]})  # fmt: skip
BY_REDUX = made("__PWS_DATA__", {"props": {"initialReduxState": {"pins": {"999": OTHER, "1112223334445": PIN}}}})
RELAY = {
    "entityId": "1112223334445", "title": "A bag", "closeupUnifiedDescription": "The bag I use #ad",
    "link": "https://shop.example/i/7",
    "createdAt": "Mon, 06 May 2024 07:08:09 +0000", "imageSpec_orig": {"url": "https://i.example/o.jpg"},
    "pinner": {"entityId": "700", "username": "lunafinds", "fullName": "Luna Finds", "followerCount": 202},
}  # fmt: skip
BY_RELAY = (
    HEAD + '<script data-relay-response="true" type="application/json">'
    + json.dumps({"response": {"data": {"v3GetPinQuery": {"data": RELAY}}}}) + "</script></body></html>"
)  # fmt: skip
ANSWER = json.dumps({"resource": {"name": "PinResource"}, "resource_response": {"status": "success", "data": PIN}})
JSON_LD = (
    HEAD + '<script type="application/ld+json">'
    + json.dumps({
        "@type": "SocialMediaPosting", "@id": "https://www.pinterest.com/pin/1112223334445/", "headline": "A bag",
        "articleBody": "The bag I use #ad", "datePublished": "2024-05-06T07:08:09.000Z",
        "author": {"@type": "Person", "name": "Luna Finds", "url": "https://www.pinterest.com/lunafinds/"},
        "sharedContent": {"@type": "WebPage", "url": "https://shop.example/i/7"},
    }) + "</script></body></html>"
)  # fmt: skip


@pytest.mark.parametrize(
    "text", [BY_RESOURCE, BY_REDUX, BY_RELAY, ANSWER, JSON_LD], ids=["resource", "redux", "relay", "answer", "json-ld"]
)
def test_a_pin_of_every_generation_and_none_of_those_around_it(text: str) -> None:
    found = page(text)
    assert (found.platform, found.kind) == ("pinterest", Kind.POST)
    assert found.fields["post_id"] == "1112223334445"
    assert found.fields["title"] == "A bag"
    assert (found.fields["author"], found.fields["handle"]) == ("Luna Finds", "lunafinds")
    assert found.fields["caption"] == "The bag I use #ad"
    assert found.fields["published"] == "2024-05-06T07:08:09Z"
    assert found.fields["outbound_links"] == ["https://shop.example/i/7"]


def test_a_savers_note_is_not_the_pins_words() -> None:
    copied = {**PIN, "is_repin": True, "closeup_user_note": "The bag I use #ad", "link": None}
    found = page(made("initial-state", {"resourceResponses": [{"name": "PinResource", "response": {"data": copied}}]}))
    assert "caption" not in found.fields
    assert found.fields["outbound_links"] == []


def test_oembed_gives_no_time_and_no_link() -> None:
    found = page(json.dumps({
        "version": "1.0", "type": "rich", "provider_name": "Pinterest", "title": "A bag", "author_name": "Luna Finds",
        "author_url": "https://www.pinterest.com/lunafinds/",
        "html": '<iframe src="https://assets.pinterest.com/ext/embed.html?id=77">',
    }))  # fmt: skip
    assert dict(found.fields) == {"title": "A bag", "author": "Luna Finds", "handle": "lunafinds", "post_id": "77"}


def test_an_account() -> None:
    user = {**PINNER, "about": "Finds", "website_url": "https://luna.example", "pin_count": 3, "board_count": 1}
    head = (
        HEAD.replace("pinterestapp:pin", "profile")
        .replace("pin/1112223334445", "lunafinds")
        .replace("pin/999", "lunafinds")
    )
    text = f'{head}<script id="__PWS_DATA__">{json.dumps({"users": {"700": user}})}</script>'
    found = page(text)
    assert (found.kind, found.fields["followers"], found.fields["bio"]) == (Kind.PROFILE, 202, "Finds")
    assert found.fields["outbound_links"] == ["https://luna.example"]


def test_a_pin_that_is_gone() -> None:
    found = page("<title>Pinterest</title><h1>We couldn't find that page</h1>", url="https://www.pinterest.de/pin/1/")
    assert (found.kind, found.wall) == (Kind.WALL, Outcome.UNAVAILABLE.value)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_spoiled_page_invents_nothing(data: st.DataObject) -> None:
    for whole in (BY_RESOURCE, JSON_LD, ANSWER):
        text = data.draw(spoiled(whole))
        assert invented(page(text), page(whole), text) == []
