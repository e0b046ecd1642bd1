"""Telegram: the channel's preview, one post's embed, the card before the app."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reading import Kind
from custody.model import Outcome
from tests.crawlers.platforms.spoiling import invented, page, spoiled

CHANNEL = """<!DOCTYPE html><html><head><meta property="og:site_name" content="Telegram"></head><body>
<div class="tgme_channel_info">
 <div class="tgme_channel_info_header_title"><span dir="auto">Finds of Luna</span></div>
 <div class="tgme_channel_info_header_username"><a href="https://t.me/lunafinds">@lunafinds</a></div>
 <div class="tgme_channel_info_counters">
  <div class="tgme_channel_info_counter">
<span class="counter_value">12.4K</span> <span class="counter_type">subscribers</span></div>
  <div class="tgme_channel_info_counter">
<span class="counter_value">310</span> <span class="counter_type">photos</span></div>
 </div>
 <div class="tgme_channel_info_description">All links: <a href="https://linktr.ee/lunafinds">linktr.ee/lunafinds</a>
</div>
</div>
<div class="tgme_widget_message text_not_supported_wrap js-widget_message" data-post="lunafinds/41">
 <a class="tgme_widget_message_owner_name" href="https://t.me/lunafinds"><span dir="auto">Finds of Luna</span></a>
 <a class="tgme_widget_message_photo_wrap" style="width:800px;background-image:url('https://cdn.example/a.jpg')"></a>
 <div class="tgme_widget_message_text js-message_text" dir="auto">New bag 👜 <a href="?q=%23finds">#finds</a> by
  <a href="https://t.me/otherone">@otherone</a>
<br/>w2c <a href="https://shop.example/i/7?tag=luna-20">here</a> #ad</div>
 <span class="tgme_widget_message_views">3.1K</span>
 <a class="tgme_widget_message_date" href="https://t.me/lunafinds/41">
<time datetime="2024-05-06T07:08:09+00:00">07:08</time></a>
</div>
<div class="tgme_widget_message js-widget_message" data-post="lunafinds/42">
 <a class="tgme_widget_message_date" href="https://t.me/lunafinds/42">
<time datetime="2024-05-07T01:00:00+02:00">01:00</time></a>
</div></body></html>"""

EMBED = CHANNEL[
    CHANNEL.index('<div class="tgme_widget_message text') : CHANNEL.index('<div class="tgme_widget_message js')
]

CARD = """<html><head><title>Telegram: View @lunafinds</title><meta property="og:title" content="Finds of Luna">
<meta property="og:site_name" content="Telegram">
<meta property="og:description" content="Bag again: https://shop.example/i/8.">
<meta property="al:ios:url" content="tg://resolve?domain=lunafinds&post=43"></head><body>
<div class="tgme_page"><div class="tgme_page_title"><span dir="auto">Finds of Luna</span></div></div></body></html>"""

ABOUT = """<html><head><meta property="al:ios:url" content="tg://resolve?domain=lunafinds"></head><body>
<div class="tgme_page">
<div class="tgme_page_title"><span>Finds of Luna</span></div><div class="tgme_page_extra">12 437 subscribers</div>
<div class="tgme_page_description">Finds, daily</div></div></body></html>"""

NOBODY = """<html><head><title>Telegram: Contact @nobody12</title></head><body><div class="tgme_page">
<div class="tgme_page_icon"><i class="tgme_icon_user"></i></div>
<div class="tgme_page_description">If you have <b>Telegram</b>, you can contact <a>@nobody12</a> right away.</div>
</div></body></html>"""


def test_the_preview_of_a_channel_gives_the_channel_and_its_posts() -> None:
    found = page(CHANNEL)
    assert (found.platform, found.kind) == ("telegram", Kind.PROFILE)
    assert found.fields["author"] == "Finds of Luna"
    assert found.fields["handle"] == "lunafinds"
    assert found.fields["followers_shown"] == "12.4K"
    assert "followers" not in found.fields
    assert found.fields["outbound_links"] == ["https://linktr.ee/lunafinds"]
    posts: Any = found.fields["posts"]
    assert posts[0]["outbound_links"] == ["https://shop.example/i/7?tag=luna-20"]
    assert posts[1] == {
        "handle": "lunafinds",
        "post_id": "42",
        "published": "2024-05-06T23:00:00Z",
        "published_shown": "01:00",
    }


def test_one_post_by_its_embed() -> None:
    found = page(EMBED)
    assert found.kind is Kind.POST
    assert found.fields["post_id"] == "41"
    assert found.fields["published"] == "2024-05-06T07:08:09Z"
    assert found.fields["views_shown"] == "3.1K"
    assert "views" not in found.fields
    assert found.fields["media"] == ["https://cdn.example/a.jpg"]
    assert found.fields["disclosures"] == [{"by": "author", "text": "#ad"}]
    assert str(found.fields["caption"]).startswith("New bag 👜 #finds by")


def test_the_card_before_the_app_gives_what_its_meta_elements_say() -> None:
    found = page(CARD)
    assert (found.kind, found.fields["post_id"], found.fields["handle"]) == (Kind.POST, "43", "lunafinds")
    assert found.fields["outbound_links"] == ["https://shop.example/i/8"]
    assert "published" not in found.fields
    about = page(ABOUT)
    assert (about.kind, about.fields["followers"], about.fields["bio"]) == (Kind.PROFILE, 12_437, "Finds, daily")


def test_a_name_that_shows_nothing_to_the_public_is_unavailable() -> None:
    found = page(NOBODY)
    assert (found.kind, found.wall, found.fields) == (Kind.WALL, Outcome.UNAVAILABLE.value, {})


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_spoiled_page_invents_nothing(data: st.DataObject) -> None:
    for whole in (CHANNEL, CARD):
        text = data.draw(spoiled(whole))
        assert invented(page(text), page(whole), text) == []
