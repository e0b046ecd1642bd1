"""YouTube's pages and answers, in the forms that they have had."""

import json
from typing import Any

import pytest

from archive.reading import Kind, Seen
from crawlers.platforms.youtube import YouTube
from tests.crawlers.platforms.reading import reading_of, told

VIDEO, CHANNEL = "GJLlxj_dtq8", "UCVYamHliCI9rw1tHR1xbkfw"
PLAYER: dict[str, Any] = {
    "playabilityStatus": {"status": "OK"},
    "videoDetails": {
        "videoId": VIDEO, "title": "A bag", "channelId": CHANNEL, "author": "Bags", "viewCount": "1856109",
        "shortDescription": "On sale: https://amzn.to/2n3Y4sj\n\nhttps://shop.example/a. As an Amazon Associate I",
    },
    "microformat": {"playerMicroformatRenderer": {
        "ownerProfileUrl": "http://www.youtube.com/@Bags", "publishDate": "2018-08-02T06:00:08-07:00",
    }},
    "paidContentOverlay": {"paidContentOverlayRenderer": {"text": {"simpleText": "Incluye promoción pagada"}}},
}  # fmt: skip
DATA: dict[str, Any] = {
    "currentVideoEndpoint": {"watchEndpoint": {"videoId": VIDEO}},
    "contents": {"twoColumnWatchNextResults": {
        "results": {"results": {"contents": [
            {"videoPrimaryInfoRenderer": {
                "title": {"runs": [{"text": "A bag"}]}, "dateText": {"simpleText": "2 ago 2018"}}},
            {"videoSecondaryInfoRenderer": {
                "owner": {"videoOwnerRenderer": {
                    "title": {"runs": [{"text": "Bags"}]}, "subscriberCountText": {"simpleText": "3.68M subscribers"},
                    "navigationEndpoint": {"browseEndpoint": {"browseId": CHANNEL, "canonicalBaseUrl": "/@Bags"}},
                }},
                "attributedDescription": {"content": "On sale", "commandRuns": [{"onTap": {"innertubeCommand": {
                    "urlEndpoint": {"url": "https://www.youtube.com/redirect?q=https%3A%2F%2Famzn.to%2F2n3Y4sj"}}}}]},
            }},
        ]}},
        "secondaryResults": {"results": [{"compactVideoRenderer": {"videoId": "AAAAAAAAAAA"}}]},
    }},
}  # fmt: skip
HEAD = f'<html><head><link rel="canonical" href="https://www.youtube.com/watch?v={VIDEO}">'
OF_2024 = (
    f"{HEAD}</head><body><script>var ytInitialPlayerResponse = {json.dumps(PLAYER)};</script>"
    f"<script>var ytInitialData = {json.dumps(DATA)};</script></body></html>"
)
DATA_ALONE = f"{HEAD}</head><body><script>var ytInitialData = {json.dumps(DATA)};</script></body></html>"
OF_2020 = (
    f"{HEAD}</head><body><script>var ytplayer = ytplayer || {{}};ytplayer.config = "
    f"{json.dumps({'args': {'player_response': json.dumps(PLAYER)}})};</script></body></html>"
)
PHONE = (
    f"{HEAD}</head><body><script>var ytInitialPlayerResponse = '"
    + json.dumps(PLAYER).replace("\\", "\\\\").replace('"', "\\x22").replace("{", "\\x7b").replace("}", "\\x7d")
    + "';</script></body></html>"
)
OF_2013 = f"""{HEAD}<meta property="og:title" content="A bag"></head><body>
<span itemprop="author" itemscope><link itemprop="url" href="http://www.youtube.com/user/bags"></span>
<meta itemprop="channelId" content="{CHANNEL}"><div class="yt-user-info"><a href="/user/bags">Bags</a></div>
<span id="eow-date">2 Aug 2018</span><p id="eow-description">On sale -
<a href="https://amzn.to/2n3Y4sj">https://amzn.to/2n3Y4sj</a></p></body></html>"""
ABOUT = {
    "metadata": {"channelMetadataRenderer": {
        "title": "Bags", "description": "All bags", "externalId": CHANNEL, "vanityChannelUrl": "http://www.youtube.com/@Bags",
    }},
    "header": {"c4TabbedHeaderRenderer": {"headerLinks": {"channelHeaderLinksViewModel": {"firstLink": {
        "commandRuns": [{"onTap": {"innertubeCommand": {"urlEndpoint": {
            "url": "https://www.youtube.com/redirect?q=https%3A%2F%2Fshop.example%2F"}}}}]}}}}},
}  # fmt: skip
TO_SHOP = "https://www.youtube.com/redirect?q=https%3A%2F%2Fshop.example%2F"
LINK = {"commandRuns": [{"onTap": {"innertubeCommand": {"urlEndpoint": {"url": TO_SHOP}}}}]}
LINKS = {"aboutChannelViewModel": {"links": [{"channelExternalLinkViewModel": {"link": LINK}}]}}
CHANNEL_PAGE = (
    f'<html><head><link rel="canonical" href="https://www.youtube.com/channel/{CHANNEL}"></head><body>'
    f"<script>var ytInitialData = {json.dumps(ABOUT)};</script></body></html>"
)
OEMBED = {
    "version": "1.0", "type": "video", "provider_name": "YouTube", "title": "A bag", "author_name": "Bags",
    "author_url": "https://www.youtube.com/@Bags",
    "html": f'<iframe src="https://www.youtube.com/embed/{VIDEO}?feature=oembed"></iframe>',
}  # fmt: skip
DATA_API = {
    "kind": "youtube#videoListResponse",
    "items": [{"kind": "youtube#video", "id": VIDEO, "statistics": {"viewCount": "7"}, "snippet": {
        "title": "A bag", "description": "On sale", "channelId": CHANNEL, "channelTitle": "Bags",
        "publishedAt": "2018-08-02T13:00:08Z"}, "paidProductPlacementDetails": {"hasPaidProductPlacement": False}}],
}  # fmt: skip
CONSENT = """<html lang="fi"><head><title>Ennen jatkamista YouTubeen</title></head><body>
<form action="https://consent.youtube.com/save" method="POST"><button>Hylkää kaikki</button></form></body></html>"""
TOO_MANY = """<html><head><title>YouTube</title></head><body><form action="/das_captcha?fw=1" method="POST">
<div class="g-recaptcha" data-sitekey="x"></div></form></body></html>"""
PAGES = {
    "2024": OF_2024, "2020": OF_2020, "phone": PHONE, "2013": OF_2013, "data": DATA_ALONE, "channel": CHANNEL_PAGE,
    "oembed": json.dumps(OEMBED), "api": json.dumps(DATA_API), "innertube": json.dumps(PLAYER),
}  # fmt: skip


def test_every_form_names_the_same_video() -> None:
    for page in (OF_2024, DATA_ALONE, OF_2020, PHONE, OF_2013, OEMBED, DATA_API, PLAYER):
        found = reading_of(page)
        assert (found.platform, found.kind) == ("youtube", Kind.POST)
        assert told(found, "post_id", "title", "author") == {"post_id": VIDEO, "title": "A bag", "author": "Bags"}


def test_the_players_answer() -> None:
    found = reading_of(OF_2024)

    assert told(found, "handle", "channel_id", "published", "published_shown", "views", "followers_shown") == {
        "handle": "@Bags",
        "channel_id": CHANNEL,
        "published": "2018-08-02T13:00:08Z",
        "published_shown": "2 ago 2018",
        "views": 1856109,
        "followers_shown": "3.68M subscribers",
    }
    assert found.fields["outbound_links"] == ["https://amzn.to/2n3Y4sj", "https://shop.example/a"]
    assert [each["by"] for each in found.fields["disclosures"]] == ["platform", "author"]  # type: ignore[index,union-attr,call-overload]
    assert found.sources["published_shown"].seen is Seen.SHOWN


def test_links_are_unwrapped_and_kept_as_they_were() -> None:
    found = reading_of(DATA_ALONE).fields

    assert found["outbound_links"] == ["https://amzn.to/2n3Y4sj"]
    assert found["links"][0]["url"].startswith("https://www.youtube.com/redirect?")  # type: ignore[index,union-attr,call-overload]


def test_the_page_of_2013() -> None:
    found = reading_of(OF_2013).fields

    assert (found["handle"], found["published"], found["channel_id"]) == ("bags", "2018-08-02", CHANNEL)
    assert found["outbound_links"] == ["https://amzn.to/2n3Y4sj"]


def test_the_one_link_in_a_channels_header_is_not_the_list_of_them() -> None:
    found = reading_of(CHANNEL_PAGE)
    about = reading_of(CHANNEL_PAGE.replace('{"metadata"', f'{{"panel": {json.dumps(LINKS)}, "metadata"'))

    assert (found.kind, found.fields["handle"], found.fields["bio"]) == (Kind.PROFILE, "@Bags", "All bags")
    assert "outbound_links" not in found.fields
    assert found.fields["links"][0]["shown_as"] == "header"  # type: ignore[index,call-overload]
    assert about.fields["outbound_links"] == ["https://shop.example/"]


def test_what_an_answer_does_not_carry_is_absent() -> None:
    found = reading_of(OEMBED).fields

    assert {"caption", "published", "outbound_links"}.isdisjoint(found)
    assert "published" not in reading_of(PLAYER | {"microformat": {}}).fields


@pytest.mark.parametrize(
    ("status", "reason", "wall"),
    [
        ("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot", "captcha"),
        ("LOGIN_REQUIRED", "Sign in to confirm your age", "age_gate"),
        ("LOGIN_REQUIRED", "This video is private", "private"),
        ("UNPLAYABLE", "The uploader has not made this video available in your country", "geo_block"),
        ("ERROR", "Video unavailable", "unavailable"),
        ("ERROR", "This video has been removed by the uploader", "removed"),
    ],
)
def test_what_the_player_says_instead(status: str, reason: str, wall: str) -> None:
    answer = {"playabilityStatus": {"status": status, "reason": reason}}
    page = f"{HEAD}</head><body><script>var ytInitialPlayerResponse = {json.dumps(answer)};</script></body></html>"

    assert reading_of(answer).wall == wall
    assert (reading_of(page).wall, dict(reading_of(page).fields)) == (wall, {})


def test_a_video_with_a_gate_before_it_is_still_described() -> None:
    found = reading_of(
        PLAYER | {"playabilityStatus": {"status": "LOGIN_REQUIRED", "reason": "Sign in to confirm your age"}}
    )

    assert (found.wall, found.fields["title"]) == (None, "A bag")
    assert any("LOGIN_REQUIRED" in each for each in found.notes)


def test_consent_and_too_many_requests() -> None:
    assert (reading_of(CONSENT).wall, reading_of(TOO_MANY).wall) == ("consent", "captcha")


def test_a_search_is_no_video() -> None:
    found = {"contents": {"twoColumnSearchResultsRenderer": [{"videoRenderer": {"videoId": VIDEO, "title": {}}}]}}
    page = f"<html><body><script>var ytInitialData = {json.dumps(found)};</script></body></html>"

    assert (reading_of(page).platform, reading_of(page).kind) == ("youtube", Kind.OTHER)


def test_addresses_of_one_video_have_one_name() -> None:
    for url in ("https://youtu.be/dQw4w9WgXcQ?si=abc&t=43", "https://m.youtube.com/shorts/dQw4w9WgXcQ?feature=share"):
        assert YouTube().canonical(url) == "youtube:video:dQw4w9WgXcQ"
