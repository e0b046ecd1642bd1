"""Threads: posts and profiles, from its pages, its embed, and its answers to programs. Ids are Instagram's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.moments import moment_of
from crawlers.platform import Draft, Platform
from crawlers.posting import (
    anchors,
    blocks,
    flag,
    fragment,
    in_text,
    list_at,
    map_at,
    oembed,
    put_links,
    put_moment,
    put_time,
    segments,
    text_at,
)
from crawlers.saved import Saved, line_of, search, text_of
from crawlers.social.candidates import media_candidates
from crawlers.social.comments import of_threads, put_comment_links
from crawlers.surfaces import Official, embed
from custody.model import Outcome

_CODE = re.compile(r"[A-Za-z0-9_-]{5,60}")
_NAME = re.compile(r"@[A-Za-z0-9._]{1,30}")
_OTHERS = frozenset(("quoted_post", "reposted_post", "relatedPosts", "related_posts", "reply_threads"))
_BASE = "https://www.threads.com/"
_EMBEDS = "https://developers.facebook.com/docs/threads/tools-and-resources/embed-a-threads-post"
_TITLES = re.compile(r"^(?P<author>.+?) \(@(?P<handle>[\w.]+)\) ")


class Threads(Platform):
    """The post that the address names, or the first of a thread in an answer; a profile's posts are not read."""

    name = "threads"
    hosts = frozenset({"threads.net", "threads.com"})
    ready = "[data-pressable-container], .SingleInnerContainer"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return oembed(page, "threads") is not None or next(search(page.json, _is_post), None) is not None
        return super().knows(page) or page.meta("og:site_name") == "Threads" or _embed(page) is not None

    def canonical(self, url: str) -> str | None:
        parts = segments(url) if self.knows_url(url) else []
        code = _code_in(parts)
        if code:
            return f"threads:post:{code}"
        if parts[:1] == ["share"] and len(parts) > 1:
            return f"threads:share_unresolved:{parts[1]}"
        return f"threads:profile:{parts[0][1:].lower()}" if len(parts) == 1 and _NAME.fullmatch(parts[0]) else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The embed of a post."""
        parts = segments(url) if self.knows_url(url) else []
        code = _code_in(parts)
        if code is None:
            return ()
        name = f"{parts[0]}/post" if _NAME.fullmatch(parts[0]) else "t"
        return (embed(f"{_BASE}{name}/{code}/embed", _EMBEDS),)

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            return None
        if page.first("//*[contains(@class,'ErrorText')]") is not None:
            return Outcome.UNAVAILABLE
        for url in page.own_urls:
            parts = segments(url) if self.knows_url(url) else []
            if parts[:1] in (["login"], ["@"]):  # an address without the author's name stands for a post behind a login
                return Outcome.LOGIN_WALL
        return None

    def fill(self, page: Saved, draft: Draft) -> None:
        own = [segments(url) for url in page.own_urls if self.knows_url(url)]
        if any(parts[:1] in (["login"], ["@"]) for parts in own):
            return
        answer = oembed(page, "threads")
        if answer is not None:
            _oembed(draft, answer)
        code = next((found for parts in own if (found := _code_in(parts))), None)
        handle = next((parts[0][1:] for parts in own if parts and _NAME.fullmatch(parts[0])), None)
        for where, value in _values(page):
            _from_value(draft, value, where, code=code, handle=handle, answer=page.json is not None)
        embed = None if page.json is not None else _embed(page)
        if embed is not None:
            _from_embed(draft, page, embed)
        if page.json is None:
            _from_meta(draft, page, code=code, handle=handle)
        post = draft.fields.get("post_id")
        if isinstance(post, str):
            put_moment(draft, moment_of("threads", post), "post_id")


def _code_in(parts: list[str]) -> str | None:
    if len(parts) > 2 and _NAME.fullmatch(parts[0]) and parts[1] == "post":
        found = parts[2]
    elif len(parts) > 1 and parts[0] in {"t", "post"}:
        found = parts[1]
    else:
        return None
    return found if _CODE.fullmatch(found) else None


def _is_post(node: Mapping[str, Any]) -> bool:
    return "text_post_app_info" in node and "code" in node and isinstance(node.get("user"), Mapping)


def _is_user(node: Mapping[str, Any]) -> bool:
    return "username" in node and "biography" in node


def _values(page: Saved) -> Iterator[tuple[str, Any]]:
    if page.json is not None:
        yield "json", page.json
    else:
        yield from blocks(page, "text_post_app_info", '"biography"')


def _from_value(draft: Draft, value: Any, where: str, *, code: str | None, handle: str | None, answer: bool) -> None:
    if draft.kind is not Kind.OTHER:
        return
    if code is None:
        for path, node in search(value, _is_user, skip=_OTHERS):
            if handle is None or text_at(node, "username").lower() == handle.lower():
                _user(draft, node, f"{where} {path}")
                return
    if code is not None or (answer and handle is None):
        for path, node in search(value, _is_post, skip=_OTHERS):
            if code is None or text_at(node, "code") == code:
                _post(draft, node, f"{where} {path}")
                own = of_threads(value, account=str(draft.fields.get("account_id") or ""))
                put_comment_links(draft, own, f"{where} replies of the author to the author")
                return


def _post(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.POST
    user, info = map_at(node, "user"), map_at(node, "text_post_app_info")
    draft.put("post_id", text_at(node, "code"), f"{where}.code")
    draft.put("media_id", text_at(node, "pk") or text_at(node, "id").partition("_")[0], f"{where}.pk")
    draft.put("author", text_at(user, "full_name"), f"{where}.user.full_name")
    draft.put("handle", text_at(user, "username"), f"{where}.user.username")
    draft.put("account_id", text_at(user, "pk") or text_at(user, "id"), f"{where}.user.pk")
    caption = text_at(node, "caption", "text")
    draft.put("caption", caption, f"{where}.caption.text")
    put_time(draft, node.get("taken_at"), f"{where}.taken_at")
    links = [
        (text_at(each, "link_fragment", "uri"), "caption")
        for each in list_at(info, "text_fragments", "fragments")
        if text_at(each, "link_fragment", "uri")
    ]
    card = text_at(info, "link_preview_attachment", "url")
    put_links(draft, [*(links or in_text(caption, "caption")), *([(card, "card")] if card else [])], f"{where}.caption")
    put_count(draft, "likes", node.get("like_count"), f"{where}.like_count")
    draft.put("media", media_candidates(node) or None, where)
    put_disclosures(draft, [("is_paid_partnership", flag(node.get("is_paid_partnership")))], where)


def _user(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.PROFILE
    draft.put("author", text_at(node, "full_name"), f"{where}.full_name")
    draft.put("handle", text_at(node, "username"), f"{where}.username")
    draft.put("account_id", text_at(node, "pk") or text_at(node, "id"), f"{where}.pk")
    bio = text_at(node, "biography")
    draft.put("bio", bio, f"{where}.biography")
    links = [(text_at(each, "url"), "bio") for each in list_at(node, "bio_links") if text_at(each, "url")]
    put_links(draft, [*links, *in_text(bio, "bio")], f"{where}.bio_links")
    put_count(draft, "followers", node.get("follower_count"), f"{where}.follower_count")


def _oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    tree = fragment(text_at(answer, "html"))
    links = [] if tree is None else [*tree.xpath("//@data-text-post-permalink"), *tree.xpath("//a/@href")]
    for each in links:
        parts = segments(str(each))
        if _code_in(parts):
            draft.kind = Kind.POST
            draft.put("post_id", _code_in(parts), "json .html data-text-post-permalink")
            draft.put(
                "handle", parts[0][1:] if parts[0].startswith("@") else None, "json .html data-text-post-permalink"
            )


def _embed(page: Saved) -> Any:
    if "BodyTextContainer" not in page.text or page.first("//*[contains(@class,'BodyTextContainer')]") is None:
        return None
    return page.first("//*[contains(@class,'OuterContainer') or contains(@class,'SingleInnerContainer')] | //body")


def _from_embed(draft: Draft, page: Saved, root: Any) -> None:
    code = next((found for each in root.xpath(".//a/@href") if (found := _code_in(segments(str(each))))), None)
    draft.kind = Kind.POST
    draft.put("post_id", code, "css a[href*='/post/']")
    names = [
        parts[0] for each in root.xpath(".//a/@href") if (parts := segments(str(each))) and _NAME.fullmatch(parts[0])
    ]
    shown = line_of(page.first("//*[contains(@class,'AuthorIdentity') or contains(@class,'NameContainer')]"))
    handle = names[0] if names else f"@{shown.lstrip('@')}"
    draft.put("handle", handle[1:] if _NAME.fullmatch(handle) else None, "css .AuthorIdentity", shown=True)
    said = page.first("//*[contains(@class,'BodyTextContainer')]")
    draft.put("caption", text_of(said), "css .BodyTextContainer", shown=True)
    put_links(draft, anchors(said, "caption", base=_BASE), "css .BodyTextContainer a", shown=True)
    # In the platform's own zone (US Pacific), which the page does not name: kept as shown.
    draft.put("published_shown", line_of(page.first("//*[contains(@class,'Timestamp')]")), "css .Timestamp", shown=True)
    put_disclosures(draft, [], "css .BodyTextContainer")


def _from_meta(draft: Draft, page: Saved, *, code: str | None, handle: str | None) -> None:
    title, said = page.meta("og:title")[:2000], page.meta("og:description")[:3000]
    named = _TITLES.match(title)
    if not title or named is None or (handle is not None and named["handle"].lower() != handle.lower()):
        return
    if code is not None:
        draft.kind = Kind.POST
        draft.put("post_id", code, "meta og:url")
        draft.put("author", named["author"], "meta og:title")
        draft.put("handle", named["handle"], "meta og:title")
        draft.put("caption", said, "meta og:description")
        if said and "outbound_links" not in draft.fields:
            put_links(draft, in_text(said, "caption", cut=said.endswith(("…", "..."))), "meta og:description")
        put_disclosures(draft, [], "meta og:description")
    elif handle is not None:
        draft.kind = Kind.PROFILE
        draft.put("author", named["author"], "meta og:title")
        draft.put("handle", named["handle"], "meta og:title")
        counted = re.match(r"(?P<n>[\d.,]+\s?[KMB]?) Followers", said)
        put_count(draft, "followers", counted["n"] if counted else None, "meta og:description")
        bio = re.search(r" Threads?(?: • [^.•]*)?\. (?P<bio>.*?)(?: See the latest conversations.*)?$", said, re.DOTALL)
        draft.put("bio", bio["bio"] if bio else None, "meta og:description")
