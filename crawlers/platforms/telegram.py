"""Telegram's public channels: the preview of their posts (``t.me/s/NAME``), posts, embeds, and the card before."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from archive.reading import Kind
from crawlers.counts import count, put_count
from crawlers.dates import instant
from crawlers.disclosures import said_in
from crawlers.outlinks import anchors, unwrapped, written_in
from crawlers.platform import Draft, Platform
from crawlers.saved import Node, Saved, line_of, text_of
from crawlers.surfaces import Official, embed
from custody.model import Outcome

_HAS = ".//*[contains(concat(' ',normalize-space(@class),' '),' {} ')]"
_MESSAGES = "//*[contains(concat(' ',normalize-space(@class),' '),' tgme_widget_message ')][@data-post]"
_PICTURE = re.compile(r"background-image:\s*url\(['\"]?([^'\")]+)")
_POST = re.compile(r"(?:https?://)?(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:s/)?(\w{4,})/(\d+)")
_CHANNEL = re.compile(r"https?://(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:s/)?(\w{4,})/?(?:[?#]|$)")
_DEEP = re.compile(r"tg://resolve\?domain=(\w+)(?:&(?:amp;)?post=(\d+))?")
_WIDGET = "https://core.telegram.org/widgets/post"
_PRESENTS = re.compile(r"^(?:you can (?:view|contact)|telegram: contact|if you have telegram)", re.IGNORECASE)


class Telegram(Platform):
    """``t.me/s/NAME``, ``t.me/NAME/N``, ``t.me/NAME``; never a private chat."""

    name = "telegram"
    hosts: ClassVar[frozenset[str]] = frozenset(("t.me", "telegram.me", "telegram.dog"))
    ready = ".tgme_widget_message, .tgme_page_title"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return super().knows(page)
        marked = "//*[contains(@class,'tgme_widget_message') or contains(@class,'tgme_page')]"
        return super().knows(page) or page.first(marked) is not None

    def canonical(self, url: str) -> str | None:
        found = _POST.match(url) or _CHANNEL.match(url)
        if found is None or found[1] == "joinchat":
            return None
        return "/".join(found.groups()).lower()

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The widget of a channel's post."""
        found = _POST.match(url)
        if found is None or found[1] in {"joinchat", "addstickers"}:
            return ()
        return (embed(f"https://t.me/{found[1]}/{found[2]}?embed=1&mode=tme", _WIDGET),)

    def fill(self, page: Saved, draft: Draft) -> None:
        messages = page.all(_MESSAGES)
        info = page.first("//*[contains(concat(' ',normalize-space(@class),' '),' tgme_channel_info ')]")
        if info is not None:
            self._fill_channel(page, info, messages, draft)
        elif messages:
            self._fill_post(page, messages, draft)
        else:
            self._fill_card(page, draft)

    def wall(self, page: Saved) -> Outcome | None:
        """No such post, no such name, or no preview to the public: the page does not say which."""
        missing = page.first("//*[contains(@class,'tgme_widget_message_error') or contains(@class,'tgme_page_icon')]")
        return None if missing is None else Outcome.UNAVAILABLE

    def _fill_channel(self, page: Saved, info: Node, messages: list[Node], draft: Draft) -> None:
        draft.kind = Kind.PROFILE
        draft.put(
            "author", _line(info, "tgme_channel_info_header_title"), "css .tgme_channel_info_header_title", shown=True
        )
        draft.put(
            "handle",
            _line(info, "tgme_channel_info_header_username").lstrip("@"),
            "css .tgme_channel_info_header_username",
            shown=True,
        )
        draft.put("bio", _text(info, "tgme_channel_info_description"), "css .tgme_channel_info_description", shown=True)
        for counter in info.xpath(_HAS.format("tgme_channel_info_counter")):
            if re.search(
                r"subscriber|member|abonn|follower|suscript|подписч|підписник|iscritt|inscrit|abone",
                line_of(counter),
                re.IGNORECASE,
            ):
                value = _line(counter, "counter_value")
                put_count(draft, "followers", value, "css .tgme_channel_info_counter", shown=True)
        described = info.xpath(_HAS.format("tgme_channel_info_description") + "//a[@href]")
        draft.put("outbound_links", _links(page, described), "css .tgme_channel_info_description a", shown=True)
        if messages:
            draft.put("posts", [_post(page, each) for each in messages], "css .tgme_widget_message", shown=True)

    def _fill_post(self, page: Saved, messages: list[Node], draft: Draft) -> None:
        wanted = next((found[2] for found in map(_POST.match, page.own_urls) if found), None)
        chosen = next((each for each in messages if each.get("data-post", "").endswith(f"/{wanted}")), messages[0])
        draft.kind = Kind.POST
        for name, value in _post(page, chosen).items():
            draft.put(name, value, f"css .tgme_widget_message[data-post='{chosen.get('data-post')}']", shown=True)

    def _fill_card(self, page: Saved, draft: Draft) -> None:
        """The card that offers the app: a channel's name and, for a post, its words in meta elements."""
        title = page.first("//*[contains(concat(' ',normalize-space(@class),' '),' tgme_page_title ')]")
        framed = page.first("//script[@data-telegram-post]")
        named = [page.meta("al:ios:url"), page.meta("al:android:url")]
        deep = next((found for found in map(_DEEP.search, named) if found), None)
        post = _POST.match("t.me/" + framed.get("data-telegram-post")) if framed is not None else None
        handle, number = (post[1], post[2]) if post else (deep[1], deep[2]) if deep else (None, None)
        if number is not None:
            draft.kind = Kind.POST
            draft.put("author", page.meta("og:title"), "meta og:title")
            draft.put("handle", handle, "meta al:ios:url")
            draft.put("post_id", number, "meta al:ios:url")
            caption = page.meta("og:description")
            draft.put("caption", caption, "meta og:description")
            if caption:
                draft.put("outbound_links", written_in(caption), "meta og:description")
                draft.put("disclosures", said_in(caption) or None, "meta og:description")
            return
        if title is None:
            return
        draft.kind = Kind.PROFILE
        draft.put("author", line_of(title), "css .tgme_page_title", shown=True)
        draft.put("handle", handle, "meta al:ios:url")
        body = page.first("//body")
        extra = "" if body is None else _line(body, "tgme_page_extra")
        if re.match(r"[\d\s.,KM]+\s*(?:subscriber|member)", extra, re.IGNORECASE):
            put_count(draft, "followers", extra, "css .tgme_page_extra", shown=True)
        elif extra.startswith("@"):
            draft.put("handle", extra.lstrip("@"), "css .tgme_page_extra", shown=True)
        bio = "" if body is None else _text(body, "tgme_page_description")
        if not _PRESENTS.match(bio) and draft.put("bio", bio, "css .tgme_page_description", shown=True):
            draft.put("outbound_links", written_in(bio), "css .tgme_page_description", shown=True)


def _post(page: Saved, message: Node) -> Mapping[str, Any]:
    """Fields of one message; what it does not carry is left out."""
    name, _, number = (message.get("data-post") or "").partition("/")
    texts = message.xpath(
        _HAS.format("tgme_widget_message_text") + "[not(ancestor::*[contains(@class,'tgme_widget_message_reply')])]"
    )
    caption = text_of(texts[-1]) if texts else ""
    times = message.xpath(_HAS.format("tgme_widget_message_date") + "//time[@datetime]") or message.xpath(
        ".//time[@datetime]"
    )
    linked = [each for text in texts[-1:] for each in text.iter("a")]
    linked += message.xpath(_HAS.format("tgme_widget_message_link_preview"))
    linked += message.xpath(_HAS.format("tgme_widget_message_inline_button") + "[@href]")
    views = _line(message, "tgme_widget_message_views")
    styles = message.xpath(".//*[contains(@class,'photo_wrap') or contains(@class,'video_thumb')]/@style")
    media = [found[1] for found in map(_PICTURE.search, styles) if found]
    media += list(message.xpath(".//video/@src"))
    forwarded = _line(message, "tgme_widget_message_forwarded_from_name")
    fields: dict[str, Any] = {
        "author": _line(message, "tgme_widget_message_owner_name"),
        "handle": name,
        "post_id": number,
        "caption": caption,
        "published": instant(times[0].get("datetime")) if times else None,
        "published_shown": line_of(times[0]) if times else None,
        "outbound_links": _links(page, linked) if caption or linked else None,
        "views": count(views),
        "views_shown": views if count(views) is None else None,
        "media": media or None,
        "forwarded_from": forwarded,
        "disclosures": said_in(caption) or None,
    }
    return {key: value for key, value in fields.items() if value not in (None, "")}


def _links(page: Saved, elements: list[Node]) -> list[str]:
    """What the author wrote or linked; not the names and tags that Telegram itself makes links of."""
    found: dict[str, None] = {}
    for url, element in anchors(page, elements):
        text = line_of(element)
        if not (text.startswith(("@", "#")) and ("t.me/" in url or "?q=" in url)):
            found[unwrapped(url)] = None
    return list(found)


def _line(element: Node, name: str) -> str:
    return line_of(next(iter(element.xpath(_HAS.format(name))), None))


def _text(element: Node, name: str) -> str:
    found = element.xpath(_HAS.format(name))
    return text_of(found[0]) if found else ""
