"""TikTok: videos, photo posts and profiles, from its pages since 2020, its embeds, and its answers to programs."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from archive.reading import Kind
from crawlers.disclosures import put_disclosures
from crawlers.moments import moment_of
from crawlers.platform import Draft, Platform
from crawlers.posting import fragment, in_text, oembed, put_links, put_moment, put_time, segments, text_at
from crawlers.saved import Saved, dig, having, search
from crawlers.social.tiktok_items import ID, fill_from_value, is_item, is_user, status_of
from crawlers.surfaces import Official, embed
from crawlers.surfaces import oembed as asked
from custody.model import Outcome

_CAPTCHA = "//div[contains(@class,'captcha_verify') or contains(@class,'captcha-verify') or @id='tiktok-verify-ele']"
_HANDLE = re.compile(r"@[\w.]{1,40}")
_VIDEOS = "https://developers.tiktok.com/doc/embed-videos"
_PROFILES = "https://developers.tiktok.com/doc/embed-creator-profiles"
_OEMBED = "https://www.tiktok.com/oembed?url="
_DETAIL = ("webapp.video-detail", "webapp.reflow.video.detail", "webapp.photo-detail")
# What the page's own ``statusCode`` says; 10204 is given for several reasons.
_STATUSES = {
    10101: Outcome.RATE_LIMITED,
    10204: Outcome.UNAVAILABLE,
    10215: Outcome.PRIVATE,
    10216: Outcome.PRIVATE,
    10221: Outcome.UNAVAILABLE,
    10202: Outcome.UNAVAILABLE,
    10222: Outcome.PRIVATE,
    10223: Outcome.UNAVAILABLE,
    10225: Outcome.AGE_GATE,
    10231: Outcome.GEO_BLOCK,
}


class TikTok(Platform):
    """The item in the page's data, in any of the forms that it has had; meta elements where there is none."""

    name = "tiktok"
    hosts = frozenset({"tiktok.com", "tiktokv.com"})
    ready = "[data-e2e='browse-video-desc'], [data-e2e='user-title'], script#__UNIVERSAL_DATA_FOR_REHYDRATION__"

    def knows(self, page: Saved) -> bool:
        value = page.json
        if value is not None:
            if oembed(page, "tiktok") is not None:
                return True
            return any(
                is_item(node) or is_user(node) or "__DEFAULT_SCOPE__" in node
                for _, node in search(value, lambda n: is_item(n) or is_user(n) or "__DEFAULT_SCOPE__" in n)
            )
        if super().knows(page):
            return True
        names = (
            "__UNIVERSAL_DATA_FOR_REHYDRATION__",
            "SIGI_STATE",
            "sigi-persisted-data",
            "__FRONTITY_CONNECT_STATE__",
        )
        if any(page.by_id(name) is not None for name in names):
            return True
        return page.first("//head/title[contains(., 'TikTok - Make Your Day')]") is not None

    def canonical(self, url: str) -> str | None:
        if not self.knows_url(url):
            return None
        post = _post_in(url)
        if post:
            return f"tiktok:post:{post}"
        parts = segments(url)
        if re.match(r"https?://v[mt]\.", url) or parts[:1] == ["t"]:
            return f"tiktok:short_unresolved:{parts[-1]}" if parts else None
        handle = _handle_in(url)
        return f"tiktok:profile:{handle.lower()}" if handle and len(parts) == 1 else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The embed and the oEmbed of a video, photo post or profile."""
        if not self.knows_url(url):
            return ()
        post, handle = _post_in(url), _handle_in(url)
        if post is not None:
            address = f"https://www.tiktok.com/@{handle or ''}/video/{post}"
            return embed(f"https://www.tiktok.com/embed/v2/{post}", _VIDEOS), asked(_OEMBED, address, _VIDEOS)
        if handle is None:
            return ()
        address = f"https://www.tiktok.com/@{handle}"
        return embed(f"https://www.tiktok.com/embed/@{handle}", _PROFILES), asked(_OEMBED, address, _PROFILES)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is None and page.by_id("cs") is not None and page.by_id("wci") is not None:
            return Outcome.CAPTCHA
        if page.json is None and page.first(_CAPTCHA) is not None:
            return Outcome.CAPTCHA
        if any(self.knows_url(url) and segments(url)[:1] == ["login"] for url in page.own_urls):
            return Outcome.LOGIN_WALL
        for _, value in _values(page):
            for _, node in search(value, lambda each: bool(status_of(each))):
                return _STATUSES.get(status_of(node), Outcome.UNAVAILABLE)
            if any(node.get("isContentClassified") is True for _, node in search(value, having("isContentClassified"))):
                return Outcome.AGE_GATE
        return None

    def fill(self, page: Saved, draft: Draft) -> None:
        if any(self.knows_url(url) and segments(url)[:1] == ["login"] for url in page.own_urls):
            return
        answer = oembed(page, "tiktok")
        if answer is not None:
            _oembed(draft, answer)
            _moment(draft)
            return
        own = [url for url in page.own_urls if self.knows_url(url)]
        post = next((found for url in own if (found := _post_in(url))), None)
        handle = next((found for url in own if (found := _handle_in(url))), None)
        refused = False
        for where, value in _values(page):
            refused |= any(True for _ in search(value, lambda each: bool(status_of(each))))
            fill_from_value(draft, value, where, post=post, handle=handle)
            if draft.kind is not Kind.OTHER:
                break
        if page.json is None and not refused:
            _from_declared(draft, page, post=post, handle=handle)
        _moment(draft)


def _moment(draft: Draft) -> None:
    post = draft.fields.get("post_id")
    if draft.kind is Kind.POST and isinstance(post, str):
        put_moment(draft, moment_of("tiktok", post), "post_id")


def _post_in(url: str) -> str | None:
    parts = segments(url)
    for n, part in enumerate(parts[:-1]):
        if part in {"video", "photo", "embed", "v2", "v", "player", "v1", "detail"}:
            found = parts[n + 1].removesuffix(".html")
            if ID.fullmatch(found):
                return found
    return None


def _handle_in(url: str) -> str | None:
    return next((part[1:] for part in segments(url)[:2] if _HANDLE.fullmatch(part)), None)


def _values(page: Saved) -> Iterator[tuple[str, Any]]:
    if page.json is not None:
        yield "json", page.json
        return
    scope = dig(page.script("__UNIVERSAL_DATA_FOR_REHYDRATION__"), "__DEFAULT_SCOPE__")
    if isinstance(scope, Mapping):
        for name in (*_DETAIL, "webapp.user-detail"):
            if name in scope:
                yield f"json script#__UNIVERSAL_DATA_FOR_REHYDRATION__ .__DEFAULT_SCOPE__['{name}']", scope[name]
    for name in ("SIGI_STATE", "sigi-persisted-data"):
        element = page.by_id(name)
        if element is not None and element.text:
            text = re.sub(r"^\s*window\[['\"]SIGI_STATE['\"]\]\s*=\s*", "", element.text)
            try:
                yield f"json script#{name}", json.JSONDecoder(strict=False).raw_decode(text)[0]
            except (ValueError, RecursionError):
                page.notes.append(f"script#{name}: its JSON cannot be read")
    properties = dig(page.script("__NEXT_DATA__"), "props", "pageProps")
    if properties is not None:
        yield "json script#__NEXT_DATA__ .props.pageProps", properties
    frontity = dig(page.script("__FRONTITY_CONNECT_STATE__"), "source", "data")
    if frontity is not None:
        yield "json script#__FRONTITY_CONNECT_STATE__ .source.data", frontity


def _from_declared(draft: Draft, page: Saved, *, post: str | None, handle: str | None) -> None:
    title, said = page.meta("og:title")[:5000], page.meta("og:description", "description")[:10_000]
    if not title or "Make Your Day" in title:
        return
    thing = next(iter(page.things("videoobject")), None)
    if post is not None:
        draft.kind = Kind.POST
        draft.put("post_id", post, "link canonical")
        draft.put("handle", handle, "link canonical")
        if thing is not None:
            where, video = thing
            draft.put("author", text_at(video, "creator", "name"), f"{where} creator.name")
            draft.put("caption", text_at(video, "description") or text_at(video, "name"), f"{where} description")
            put_time(draft, video.get("uploadDate"), f"{where} uploadDate")
        named = re.match(r"(?P<author>.+?) (?:on|en|auf|sur|su|no|в) TikTok$", title)
        draft.put("author", named["author"] if named else None, "meta og:title")
        draft.put("caption", said if named else None, "meta og:description")
        if "caption" in draft.fields:
            put_links(draft, in_text(str(draft.fields["caption"]), "caption", cut=True), "meta og:description")
            put_disclosures(draft, [], "meta og:description")
    elif handle is not None:
        draft.kind = Kind.PROFILE
        named = re.match(r"(?P<author>.+?)\s*\(@", title)
        draft.put("author", named["author"] if named else None, "meta og:title")
        draft.put("handle", handle, "link canonical")


def _oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    address = text_at(answer, "author_url")
    tree = fragment(text_at(answer, "html"))
    cited = "" if tree is None else str(next(iter(tree.xpath("//blockquote/@cite")), ""))
    post = text_at(answer, "embed_product_id") if text_at(answer, "embed_type") != "creator" else ""
    post = post or (_post_in(cited) or "")
    draft.put("author", text_at(answer, "author_name"), "json .author_name")
    draft.put("handle", text_at(answer, "author_unique_id") or _handle_in(address), "json .author_url")
    if ID.fullmatch(post):
        draft.kind = Kind.POST
        draft.put("post_id", post, "json .embed_product_id")
        caption = text_at(answer, "title")
        draft.put("caption", caption, "json .title")
        put_links(draft, in_text(caption, "caption"), "json .title")
        put_disclosures(draft, [], "json .title")
    elif draft.fields:
        draft.kind = Kind.PROFILE
