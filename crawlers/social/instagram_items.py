"""Posts and profiles of Instagram as data, in every form that its pages and answers have."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import blocks, flag, in_text, list_at, put_links, put_time, target_of, text_at
from crawlers.saved import Saved, dig, search
from crawlers.social.candidates import media_candidates
from crawlers.social.comments import of_instagram, put_comment_links

_OTHERS = frozenset(
    ("comments", "preview_comments", "edge_media_to_parent_comment", "edge_media_preview_comment",
     "comments_connection", "edge_web_media_to_related_media", "edge_related_profiles",
     "edge_mutual_followed_by", "viewer", "suggested_users", "edge_media_to_hoisted_comment",
     "edge_sidecar_to_children", "facepile_top_likers", "top_likers", "chaining_results", "usertags")
)  # fmt: skip
_MORE_FROM_AUTHOR = frozenset(("edge_owner_to_timeline_media", "edge_felix_video_timeline", "carousel_media"))


def is_media(node: Mapping[str, Any]) -> bool:
    """Whether an object is a post: GraphQL's form, or the API's."""
    if "shortcode" in node:
        return "owner" in node or "taken_at_timestamp" in node or "display_url" in node
    return "code" in node and isinstance(node.get("code"), str) and "taken_at" in node and "user" in node


def is_user(node: Mapping[str, Any]) -> bool:
    """A whole profile: the small form that stands beside comments has no biography."""
    return "biography" in node and "username" in node and not isinstance(node["username"], Mapping)


def is_gated(node: Mapping[str, Any]) -> bool:
    """Whether the page's data says that the post is not for visitors without an account."""
    return "if_not_gated_logged_out" in node and not node["if_not_gated_logged_out"]


def values_of(page: Saved) -> Iterator[tuple[str, Any]]:
    """What may hold the item, the surest first."""
    if page.json is not None:
        yield "json", page.json
        return
    text = page.text
    if "__additionalDataLoaded" in text:
        for match in re.finditer(r"__additionalDataLoaded\(\s*['\"][^'\"]*['\"]\s*,\s*(?=\{)", text):
            try:
                yield "script __additionalDataLoaded", json.JSONDecoder(strict=False).raw_decode(text, match.end())[0]
            except (ValueError, RecursionError):
                continue
    if "_sharedData" in text:
        yield "script _sharedData", dig(page.assigned("window._sharedData", "_sharedData"), "entry_data")
    for match in re.finditer(r'\\?"contextJSON\\?"\s*:\s*(\\*"(?:[^"\\]|\\.)*")', text):
        try:
            inner = json.loads(match[1].replace('\\"', '"', 1) if match[1].startswith("\\") else match[1], strict=False)
            yield "script contextJSON", json.loads(inner, strict=False)
        except (ValueError, RecursionError, TypeError):
            continue
    yield from blocks(page, "xig_polaris_media", "shortcode_media", "taken_at", "xdt_", '"biography"')


def fill_from_value(draft: Draft, value: Any, where: str, *, code: str | None, handle: str | None) -> None:
    """The post of this shortcode, the profile of this name; without either, what the value has one of."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for path, node in search(value, is_media, skip=_OTHERS | _MORE_FROM_AUTHOR):
        found.setdefault(str(node.get("shortcode") or node.get("code")), (path, node))
    users = [
        (path, node)
        for path, node in search(value, is_user, skip=_OTHERS)
        if code is None and (handle is None or str(node["username"]).lower() == handle.lower())
    ]
    wanted = next((each for each in found if code is not None and each[:11] == code[:11]), None)
    if code is None and handle is None and not users and len(found) == 1:
        wanted = next(iter(found))
    if wanted is not None:
        path, node = found[wanted]
        _media(draft, node, f"{where} {path}")
    elif users:
        path, node = users[0]
        _user(draft, node, f"{where} {path}")


def _media(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.POST
    owner = node.get("owner") if isinstance(node.get("owner"), Mapping) else node.get("user")
    draft.put("post_id", text_at(node, "shortcode") or text_at(node, "code"), f"{where}.code")
    draft.put("media_id", text_at(node, "pk") or text_at(node, "id").partition("_")[0], f"{where}.id")
    draft.put("author", text_at(owner, "full_name"), f"{where}.owner.full_name")
    draft.put("handle", text_at(owner, "username"), f"{where}.owner.username")
    draft.put("account_id", text_at(owner, "pk") or text_at(owner, "id"), f"{where}.owner.id")
    caption = text_at(node, "caption", "text") or text_at(node, "edge_media_to_caption", "edges", 0, "node", "text")
    caption = caption or text_at(node, "caption")
    draft.put("caption", caption, f"{where}.caption")
    put_time(draft, node.get("taken_at_timestamp") or node.get("taken_at"), f"{where}.taken_at")
    put_links(draft, in_text(caption, "caption"), f"{where}.caption")
    own = of_instagram(node, handle=text_at(owner, "username"), account=text_at(owner, "pk") or text_at(owner, "id"))
    put_comment_links(draft, own, f"{where}.comments by the owner")
    put_count(draft, "likes", node.get("like_count") or dig(node, "edge_media_preview_like", "count"), f"{where}.likes")
    put_count(draft, "views", node.get("play_count") or node.get("video_view_count"), f"{where}.views")
    put_count(draft, "comments", node.get("comment_count") or dig(node, "edge_media_to_parent_comment", "count"), where)
    draft.put("media", media_candidates(node) or None, where)
    sponsors = dig(node, "edge_media_to_sponsor_user", "edges") or node.get("sponsor_tags")
    labels = [(name, flag(node.get(name))) for name in ("is_paid_partnership", "is_affiliate", "is_ad")]
    put_disclosures(draft, [*labels, ("sponsor_users", True if sponsors else None)], where)
    others = [text_at(each, "username") for each in list_at(node, "coauthor_producers")]
    draft.put("coauthors", [each for each in others if each] or None, f"{where}.coauthor_producers")


def _user(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.PROFILE
    draft.put("author", text_at(node, "full_name"), f"{where}.full_name")
    draft.put("handle", text_at(node, "username"), f"{where}.username")
    draft.put("account_id", text_at(node, "pk") or text_at(node, "id"), f"{where}.id")
    bio = text_at(node, "biography")
    draft.put("bio", bio, f"{where}.biography")
    links = [(text_at(each, "url"), "bio") for each in list_at(node, "bio_links") if isinstance(each, Mapping)]
    external = text_at(node, "external_url")
    if external and target_of(external).rstrip("/") not in {target_of(url).rstrip("/") for url, _ in links}:
        links.insert(0, (external, "website"))
    put_links(draft, [*links, *in_text(bio, "bio")], f"{where}.external_url")
    followers = node.get("follower_count") or dig(node, "edge_followed_by", "count")
    put_count(draft, "followers", followers, f"{where}.followers")


def fill_from_business(draft: Draft, node: Mapping[str, Any]) -> None:
    """The Graph API's Business Discovery, which a user asks with a token of their own."""
    draft.kind = Kind.PROFILE
    where = "json .business_discovery"
    draft.put("author", text_at(node, "name"), f"{where}.name")
    draft.put("handle", text_at(node, "username"), f"{where}.username")
    draft.put("account_id", text_at(node, "ig_id") or text_at(node, "id"), f"{where}.id")
    draft.put("bio", text_at(node, "biography"), f"{where}.biography")
    website = text_at(node, "website")
    if website or "biography" in node:
        links = [(website, "website")] if website else []
        put_links(draft, [*links, *in_text(text_at(node, "biography"), "bio")], where)
    put_count(draft, "followers", node.get("followers_count"), f"{where}.followers_count")
