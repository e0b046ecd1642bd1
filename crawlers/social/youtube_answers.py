"""YouTube's oEmbed, and its Data API, which a user asks with a key of their own."""

import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import flag, fragment, in_text, map_at, put_links, put_time, text_at
from crawlers.saved import dig
from crawlers.social.youtube_addresses import VIDEO, channel_in, video_in


def fill_from_oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    """Whose video it is, and its title; oEmbed has no time and no description."""
    draft.put("title", text_at(answer, "title"), "json .title")
    draft.put("author", text_at(answer, "author_name"), "json .author_name")
    channel, handle = channel_in(text_at(answer, "author_url"))
    draft.put("handle", handle, "json .author_url")
    draft.put("account_id", channel, "json .author_url")
    draft.put("channel_id", channel, "json .author_url")
    tree = fragment(text_at(answer, "html"))
    frames = [] if tree is None else tree.xpath("//iframe/@src")
    video = next((found for each in frames if (found := video_in(str(each)))), None)
    draft.put("post_id", video, "json .html iframe")
    if not any("videoseries" in str(each) for each in frames):  # a playlist shows its first video's picture
        picture = re.search(r"/vi(?:_webp)?/([\w-]{11})/", text_at(answer, "thumbnail_url"))
        draft.put("post_id", picture[1] if picture else None, "json .thumbnail_url")
    draft.kind = Kind.POST if "post_id" in draft.fields else Kind.OTHER


def fill_from_data_api(draft: Draft, answer: Any) -> None:
    """``videos`` and ``channels`` of the YouTube Data API, which a user asks with a key of their own."""
    item = dig(answer, "items", 0)
    snippet = map_at(item, "snippet")
    kind = text_at(item, "kind")
    video = text_at(item, "id") or text_at(item, "id", "videoId") or text_at(snippet, "resourceId", "videoId")
    where = "json .items.0"
    if kind == "youtube#channel":
        draft.kind = Kind.PROFILE
        draft.put("author", text_at(snippet, "title"), f"{where}.snippet.title")
        draft.put("handle", text_at(snippet, "customUrl"), f"{where}.snippet.customUrl")
        draft.put("account_id", text_at(item, "id"), f"{where}.id")
        draft.put("channel_id", text_at(item, "id"), f"{where}.id")
        draft.put("bio", text_at(snippet, "description"), f"{where}.snippet.description")
        put_count(draft, "followers", text_at(item, "statistics", "subscriberCount") or None, f"{where}.statistics")
    elif kind == "youtube#video" and VIDEO.fullmatch(video):
        draft.kind = Kind.POST
        draft.put("post_id", video, f"{where}.id")
        draft.put("title", text_at(snippet, "title"), f"{where}.snippet.title")
        draft.put("author", text_at(snippet, "channelTitle"), f"{where}.snippet.channelTitle")
        draft.put("account_id", text_at(snippet, "channelId"), f"{where}.snippet.channelId")
        draft.put("channel_id", text_at(snippet, "channelId"), f"{where}.snippet.channelId")
        draft.put("language", text_at(snippet, "defaultAudioLanguage"), f"{where}.snippet.defaultAudioLanguage")
        put_time(draft, snippet.get("publishedAt"), f"{where}.snippet.publishedAt")
        if "description" in snippet:
            draft.put("caption", text_at(snippet, "description"), f"{where}.snippet.description")
            put_links(draft, in_text(text_at(snippet, "description"), "caption"), f"{where}.snippet.description")
        put_count(draft, "views", text_at(item, "statistics", "viewCount") or None, f"{where}.statistics")
        put_count(draft, "likes", text_at(item, "statistics", "likeCount") or None, f"{where}.statistics")
        paid = flag(dig(item, "paidProductPlacementDetails", "hasPaidProductPlacement"))
        put_disclosures(draft, [("hasPaidProductPlacement", paid)], where)
