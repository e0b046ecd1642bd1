"""What YouTube's pages carry for their scripts: the player's answer and the page's."""

import json
import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import flag, in_text, list_at, map_at, put_links, put_time, text_at
from crawlers.saved import Saved, dig, having, search
from crawlers.social.youtube_addresses import channel_in

_QUOTED = re.compile(r"\bytInitial(Data|PlayerResponse)\s*=\s*'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLACES = {"n": "\n", "t": "\t", "r": "\r"}
_FOLLOWERS = re.compile(
    r"subscri|suscriptor|abonn|inscrit|iscritt|abone|prenumerant|subskry|odběratel|подписчик|підписник|登録者|구독자"
    r"|订阅者|訂閱者|مشترك|สมาชิก|người đăng ký|pelanggan|tilaaja|सब्सक्राइबर",
    re.IGNORECASE,
)
"""What YouTube calls followers, in the languages that it is read in most."""


def is_map(value: Any) -> bool:
    """Whether a value is an object of JSON."""
    return isinstance(value, Mapping)


def _quoted(page: Saved, name: str) -> Any:
    """Phones get the data as a string with escapes."""
    for match in _QUOTED.finditer(page.text):
        if match[1] == name:
            plain = _ESCAPE.sub(
                lambda each: chr(int(each[1] or each[2], 16)) if each[1] or each[2] else _PLACES.get(each[3], each[3]),
                match[2],
            )
            try:
                return json.loads(plain.encode("latin-1", "ignore").decode("utf-8", "replace"), strict=False)
            except (ValueError, RecursionError):
                page.notes.append(f"ytInitial{name}: its JSON cannot be read")
    return None


def player_of(page: Saved) -> tuple[str, Any]:
    """The player's answer and where it stands; None where the page has none."""
    if page.json is not None:
        answer = page.json
        parts = answer if isinstance(answer, list) else [answer]  # ``&pbj=1`` gave a list of parts
        return "json", next((found for each in parts if (found := dig(each, "playerResponse"))), answer)
    text = page.text
    if "ytInitialPlayerResponse" in text:
        found = page.assigned("ytInitialPlayerResponse") or _quoted(page, "PlayerResponse")
        if found:
            return "script ytInitialPlayerResponse", found
    embedded = re.search(r'"embedded_player_response"\s*:\s*("(?:[^"\\]|\\.)*")', text)
    if embedded:
        try:
            return "script .embedded_player_response", json.loads(json.loads(embedded[1]), strict=False)
        except (ValueError, RecursionError):
            page.notes.append("embedded_player_response: its JSON cannot be read")
    if "ytplayer.config" in text:
        arguments = dig(page.assigned("ytplayer.config"), "args")
        try:
            return "script ytplayer.config .args.player_response", json.loads(text_at(arguments, "player_response"))
        except (ValueError, RecursionError):
            return "script ytplayer.config .args", {"arguments": arguments}
    return "", None


def data_of(page: Saved) -> Any:
    """The data of the page around the player; None where it has none."""
    if page.json is not None:
        return page.json
    if "ytInitialData" not in page.text:
        return None
    return page.assigned("ytInitialData", 'window["ytInitialData') or _quoted(page, "Data")


def texts_of(value: Any) -> list[str]:
    """What a renderer shows: ``simpleText`` and ``runs``."""
    return [
        text_at(node, "simpleText") or text_at(node, "text") or text_at(node, "content")
        for _, node in search(value, lambda node: any(key in node for key in ("simpleText", "text", "content")))
    ]


def _text(value: Any) -> str:
    runs = dig(value, "runs")
    if isinstance(runs, list):
        return "".join(text_at(each, "text") for each in runs)
    return text_at(value, "simpleText") or text_at(value, "content")


def fill_from_player(draft: Draft, player: Any, where: str) -> None:
    """The video of a player's answer (``videoDetails``, ``microformat``)."""
    details = dig(player, "videoDetails")
    micro = map_at(player, "microformat", "playerMicroformatRenderer")
    draft.kind = Kind.POST
    draft.put("post_id", text_at(details, "videoId"), f"{where}.videoDetails.videoId")
    draft.put("title", text_at(details, "title"), f"{where}.videoDetails.title")
    draft.put("author", text_at(details, "author"), f"{where}.videoDetails.author")
    draft.put("author", text_at(micro, "ownerChannelName"), f"{where}.microformat.ownerChannelName")
    draft.put("account_id", text_at(details, "channelId"), f"{where}.videoDetails.channelId")
    draft.put("channel_id", text_at(details, "channelId"), f"{where}.videoDetails.channelId")
    draft.put("handle", channel_in(text_at(micro, "ownerProfileUrl"))[1], f"{where}.microformat.ownerProfileUrl")
    put_time(draft, micro.get("publishDate") or micro.get("uploadDate"), f"{where}.microformat.publishDate")
    if "shortDescription" in details:
        said = text_at(details, "shortDescription")
        draft.put("caption", said, f"{where}.videoDetails.shortDescription")
        put_links(draft, in_text(said, "caption"), f"{where}.videoDetails.shortDescription")
    put_count(draft, "views", text_at(details, "viewCount") or None, f"{where}.videoDetails.viewCount")
    put_count(draft, "likes", text_at(micro, "likeCount") or None, f"{where}.microformat.likeCount")
    draft.put("unlisted", flag(micro.get("isUnlisted")), f"{where}.microformat.isUnlisted")
    paid = next(search(player, having("paidContentOverlayRenderer")), None)
    put_disclosures(draft, [("paidContentOverlay", True if paid else None)], where)


def fill_from_embed(draft: Draft, player: Any, where: str, video: str | None) -> None:
    """The player alone, before it plays: a title and a channel."""
    preview = dig(player, "embedPreview", "thumbnailPreviewRenderer")
    title = _text(dig(preview, "title"))
    if not title or video is None:
        return
    draft.kind = Kind.POST
    draft.put("post_id", video, "link canonical")
    draft.put("title", title, f"{where}.embedPreview.title", shown=True)
    for _, node in search(preview, having("embeddedPlayerOverlayVideoDetailsExpandedRenderer")):
        draft.put("author", _text(dig(node, "embeddedPlayerOverlayVideoDetailsExpandedRenderer", "title")), where)
    for _, node in search(preview, having("channelThumbnailEndpoint")):
        channel, handle = channel_in(text_at(node, "channelThumbnailEndpoint", "channelThumbnailEndpoint",
                                              "urlEndpoint", "url"))  # fmt: skip
        draft.put("account_id", channel, where)
        draft.put("channel_id", channel, where)
        draft.put("handle", handle, where)


def fill_from_watch_page(draft: Draft, data: Any, video: str) -> None:
    """What the page around the player has: the same facts, as they are shown."""
    results = dig(data, "contents", "twoColumnWatchNextResults", "results", "results", "contents")
    results = results or dig(data, "contents", "singleColumnWatchNextResults", "results", "results", "contents")
    if not isinstance(results, list):
        return
    current = text_at(data, "currentVideoEndpoint", "watchEndpoint", "videoId")
    if video and current and video != current:
        return
    where = "script ytInitialData"
    first = next(
        (dig(each, "videoPrimaryInfoRenderer") for each in results if dig(each, "videoPrimaryInfoRenderer")), None
    )
    second = next(
        (dig(each, "videoSecondaryInfoRenderer") for each in results if dig(each, "videoSecondaryInfoRenderer")), None
    )
    if first is None and second is None:
        return
    draft.kind = Kind.POST
    draft.put("post_id", current, f"{where} .currentVideoEndpoint")
    draft.put("title", _text(dig(first, "title")), f"{where} videoPrimaryInfoRenderer.title", shown=True)
    date = _text(dig(first, "dateText")) or _text(dig(second, "dateText"))  # the second until 2019
    draft.put("published_shown", date, f"{where} dateText", shown=True)
    owner = dig(second, "owner", "videoOwnerRenderer")
    draft.put("author", _text(dig(owner, "title")), f"{where} videoOwnerRenderer.title", shown=True)
    endpoint = dig(owner, "navigationEndpoint", "browseEndpoint")
    draft.put("account_id", text_at(endpoint, "browseId"), f"{where} videoOwnerRenderer")
    draft.put("channel_id", text_at(endpoint, "browseId"), f"{where} videoOwnerRenderer")
    draft.put("handle", channel_in(text_at(endpoint, "canonicalBaseUrl"))[1], f"{where} videoOwnerRenderer")
    followers = _text(dig(owner, "subscriberCountText"))
    put_count(draft, "followers", followers or None, f"{where} videoOwnerRenderer.subscriberCountText", shown=True)
    said = _text(dig(second, "attributedDescription")) or _text(dig(second, "description"))
    if said and "caption" not in draft.fields:
        draft.put("caption", said, f"{where} videoSecondaryInfoRenderer", shown=True)
        links = [
            (text_at(node, "urlEndpoint", "url"), "caption")
            for key in ("attributedDescription", "description")
            for _, node in search(dig(second, key), having("urlEndpoint"))
        ]
        put_links(draft, links, f"{where} videoSecondaryInfoRenderer", shown=True)


def _put_followers(draft: Draft, header: Any) -> None:
    """The header since 2024: texts in a row (handle, followers, videos), told apart by their words alone."""
    for path, row in search(header, having("metadataParts")):
        for each in list_at(row, "metadataParts"):
            said = _text(dig(each, "text"))
            if _FOLLOWERS.search(said):
                put_count(draft, "followers", said, f"script ytInitialData .header{path}", shown=True)


def fill_from_channel(draft: Draft, data: Any) -> None:
    """A channel's page."""
    about = dig(data, "metadata", "channelMetadataRenderer")
    if not is_map(about):
        return
    where = "script ytInitialData .metadata.channelMetadataRenderer"
    draft.kind = Kind.PROFILE
    draft.put("author", text_at(about, "title"), f"{where}.title")
    draft.put("account_id", text_at(about, "externalId"), f"{where}.externalId")
    draft.put("channel_id", text_at(about, "externalId"), f"{where}.externalId")
    urls = [
        text_at(about, "vanityChannelUrl"),
        *(each for each in list_at(about, "ownerUrls") if isinstance(each, str)),
    ]
    handles = [handle for url in urls if (handle := channel_in(url)[1])]
    handle = next((each for each in handles if each.startswith("@")), handles[0] if handles else None)
    draft.put("handle", handle, f"{where}.ownerUrls")
    draft.put("bio", text_at(about, "description"), f"{where}.description")
    header = map_at(data, "header", "c4TabbedHeaderRenderer")
    put_count(
        draft, "followers", _text(header.get("subscriberCountText")) or None, "script ytInitialData .header", shown=True
    )
    _put_followers(draft, map_at(data, "header", "pageHeaderRenderer"))
    places = dig(header, "headerLinks", "channelHeaderLinksRenderer")
    if is_map(places):
        links = [(text_at(node, "urlEndpoint", "url"), "header") for _, node in search(places, having("urlEndpoint"))]
        put_links(draft, links, "script ytInitialData channelHeaderLinksRenderer", shown=True)
    about_links = [
        (url, "about")
        for _, node in search(data, having("channelExternalLinkViewModel"))
        if (url := next((text_at(each, "urlEndpoint", "url") for _, each in search(node, having("urlEndpoint"))), ""))
    ]
    if about_links:
        put_links(draft, about_links, "script ytInitialData aboutChannelViewModel.links", shown=True)
    # The header shows one link of several: the list of them is not on such a page, so outbound_links stays absent.
    previews = (dig(header, "headerLinks", "channelHeaderLinksViewModel"), dig(data, "header", "pageHeaderRenderer"))
    first = [
        {"url": text_at(each, "urlEndpoint", "url"), "shown_as": "header"}
        for preview in previews
        for _, each in search(preview, having("urlEndpoint"))
    ]
    draft.put("links", first or None, "script ytInitialData .header", shown=True)
