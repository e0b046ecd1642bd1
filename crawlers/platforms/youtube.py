"""YouTube: videos and channels, from its pages since 2014, its player's and its Data API's answers."""

import re
from urllib.parse import quote, urlsplit

from archive.reading import Kind
from crawlers.dates import day_in
from crawlers.platform import Draft, Platform
from crawlers.posting import (
    oembed,
    segments,
    text_at,
)
from crawlers.saved import Saved, dig, having, search
from crawlers.social.comments import of_markup, of_youtube, put_comment_links
from crawlers.social.youtube_addresses import channel_in, video_in
from crawlers.social.youtube_answers import fill_from_data_api, fill_from_oembed
from crawlers.social.youtube_data import (
    data_of,
    fill_from_channel,
    fill_from_embed,
    fill_from_player,
    fill_from_watch_page,
    is_map,
    player_of,
    texts_of,
)
from crawlers.social.youtube_markup import fill_from_markup, fill_from_old_channel
from crawlers.surfaces import Credential, Official, api, embed
from crawlers.surfaces import oembed as asked
from custody.model import Outcome

# In the reason's words, of the languages that were met; by the status alone where none says more.
_REASONS = tuple(
    (re.compile(words, re.IGNORECASE), outcome)
    for words, outcome in (
        (r"not a bot|no eres un bot|kein bot|pas un robot|não é um robô|non sei un bot|ボット|robot", Outcome.CAPTCHA),
        (r"your age|tu edad|dein alter|votre âge|sua idade|la tua età|年齢|возраст", Outcome.AGE_GATE),
        (r"in your country|en tu país|in deinem land|dans votre pays|no seu país|nel tuo paese|お住まいの国",
         Outcome.GEO_BLOCK),
        (r"private video|is private|vídeo privado|video privado|es privado|privat|privée", Outcome.PRIVATE),
        (r"try again later|inténtalo de nuevo", Outcome.RATE_LIMITED),
        (r"has been removed|removed by|terminated|no longer available due to|account associated", Outcome.REMOVED),
    )
)  # fmt: skip
_STATUSES = {
    "LOGIN_REQUIRED": Outcome.LOGIN_WALL,
    "AGE_CHECK_REQUIRED": Outcome.AGE_GATE,
    "AGE_VERIFICATION_REQUIRED": Outcome.AGE_GATE,
    "CONTENT_CHECK_REQUIRED": Outcome.AGE_GATE,
    "ERROR": Outcome.UNAVAILABLE,
    "UNPLAYABLE": Outcome.UNAVAILABLE,
}

_PLAYER = "https://developers.google.com/youtube/player_parameters"
_OEMBED = "https://oembed.com/providers.json"
_VIDEOS = "https://developers.google.com/youtube/v3/docs/videos/list"
_CHANNELS = "https://developers.google.com/youtube/v3/docs/channels/list"
_DATA = "https://www.googleapis.com/youtube/v3"
_KEY = Credential(variable="COUNTERPROOF_YOUTUBE_KEY", header="X-Goog-Api-Key")


class YouTube(Platform):
    """A video's facts come from its player's answer; what that lacks, from the page around it."""

    name = "youtube"
    hosts = frozenset({"youtube.com", "youtu.be", "youtube-nocookie.com"})
    rank = -1  # it may have to look through a page's whole text
    ready = "ytd-watch-metadata h1, ytd-channel-name, #c4-tabbed-header, yt-page-header-view-model"

    def knows(self, page: Saved) -> bool:
        value = page.json
        if value is not None:
            items = text_at(value, "kind").startswith("youtube#") and dig(value, "items", 0, "snippet") is not None
            player = any(key in value for key in ("videoDetails", "playabilityStatus")) if is_map(value) else False
            channel = dig(value, "metadata", "channelMetadataRenderer") is not None
            return oembed(page, "youtube") is not None or items or player or channel
        if super().knows(page):
            return True
        marks = ("ytInitialData", "ytInitialPlayerResponse", "consent.youtube.com", "/das_captcha")
        if not any(each in page.text for each in marks):
            return False  # looked at first: a search of the tree takes longer
        form = "//form[contains(@action, '.youtube.com/') or starts-with(@action, '/das_captcha')]"
        return page.first(form) is not None or "ytInitial" in page.text

    def canonical(self, url: str) -> str | None:
        video = video_in(url) if self.knows_url(url) else None
        if video:
            return f"youtube:video:{video}"
        channel, handle = channel_in(url) if self.knows_url(url) else (None, None)
        return f"youtube:channel:{channel or handle}" if channel or handle else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The player, the Data API and the oEmbed of a video; the Data API of a channel."""
        if not self.knows_url(url):
            return ()
        video = video_in(url)
        if video is not None:
            watch = f"https://www.youtube.com/watch?v={video}"
            parts = "snippet,statistics,status,paidProductPlacementDetails"
            return (
                embed(f"https://www.youtube.com/embed/{video}", _PLAYER),
                api(f"{_DATA}/videos?part={parts}&id={video}", _VIDEOS, _KEY),
                asked("https://www.youtube.com/oembed?format=json&url=", watch, _OEMBED),
            )
        channel, handle = channel_in(url)
        if channel is None and (
            handle is None or segments(url)[:1] == ["c"]
        ):  # what `/c/` names, the API does not know
            return ()
        which = "id" if channel is not None else "forHandle" if (handle or "").startswith("@") else "forUsername"
        asked_for = quote(channel or handle or "", safe="@")
        return (api(f"{_DATA}/channels?part=snippet,statistics&{which}={asked_for}", _CHANNELS, _KEY),)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is None:
            if page.first("//form[contains(@action, 'consent.youtube.com') or contains(@action, 'consent.google.')]") \
                    is not None:  # fmt: skip
                return Outcome.CONSENT
            if any((urlsplit(url).hostname or "").startswith("consent.") for url in page.own_urls):
                return Outcome.CONSENT
            if (
                page.first("//form[contains(@action, 'das_captcha')]") is not None
                or "playerCaptchaViewModel" in page.text
            ):
                return Outcome.CAPTCHA
        player = player_of(page)[1]
        status = dig(player, "playabilityStatus")
        if is_map(status) and text_at(status, "status") not in {"", "OK"}:
            said = f"{text_at(status, 'reason')} {' '.join(texts_of(dig(status, 'errorScreen')))}"
            return next((found for words, found in _REASONS if words.search(said)), None) or _STATUSES.get(
                text_at(status, "status"), Outcome.UNAVAILABLE
            )
        if is_map(page.json) and dig(page.json, "items") == []:
            return Outcome.UNAVAILABLE
        for _, alert in search(data_of(page), having("alertRenderer")):
            if text_at(alert, "alertRenderer", "type") == "ERROR":
                return Outcome.UNAVAILABLE
        return None

    def fill(self, page: Saved, draft: Draft) -> None:
        answer = oembed(page, "youtube")
        if answer is not None:
            fill_from_oembed(draft, answer)
            return
        if text_at(page.json, "kind").startswith("youtube#"):
            fill_from_data_api(draft, page.json)
            return
        where, player = player_of(page)
        data = data_of(page)
        video = text_at(player, "videoDetails", "videoId")
        if video:
            fill_from_player(draft, player, where)
        fill_from_watch_page(draft, data, video)
        if draft.kind is Kind.OTHER:
            fill_from_embed(
                draft, player, where, next((found for url in page.own_urls if (found := video_in(url))), None)
            )
        if draft.kind is Kind.OTHER:
            fill_from_channel(draft, data)
        if page.json is None and draft.kind is not Kind.PROFILE:
            fill_from_markup(draft, page, video)
        if draft.kind is Kind.POST:
            put_comment_links(draft, of_youtube(data), "script ytInitialData, comments of the channel's owner")
            _put_shown_comments(page, draft)
        if draft.kind is Kind.OTHER and page.json is None:
            fill_from_old_channel(draft, page)
        shown = draft.fields.get("published_shown")
        if isinstance(shown, str):  # a day, where nothing gives the instant
            draft.put("published", day_in(shown), draft.sources["published_shown"].where, shown=True)
        status = text_at(player, "playabilityStatus", "status")
        if draft.fields and status not in {"", "OK"}:
            draft.note(f"the player says {status}: {text_at(player, 'playabilityStatus', 'reason')}")


def _put_shown_comments(page: Saved, draft: Draft) -> None:
    """Of the comments that the page loaded, those whose writer's link is the channel's own."""
    names = {str(draft.fields.get("handle") or ""), str(draft.fields.get("channel_id") or "")} - {""}
    if page.json is None and names and "author-text" in page.text:
        comments = [
            each
            for each in page.all("//ytd-comment-view-model|//ytd-comment-renderer")
            if any(set(channel_in(str(href))) & names for href in each.xpath(".//a[@id='author-text']/@href"))
        ]
        own = of_markup(page, comments, ".//*[@id='content-text']")
        put_comment_links(draft, own, "css #content-text of the channel's own comments", shown=True)
