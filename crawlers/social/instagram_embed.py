"""Addresses of Instagram: the post and the account in them, and its embed, which gives little else."""

import json
import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import anchors, put_links, segments
from crawlers.saved import Saved, line_of, text_of

CODE = re.compile(r"[A-Za-z0-9_-]{5,60}")
POSTS = frozenset(("p", "reel", "reels", "tv"))
NO_NAMES = POSTS | frozenset(
    ("stories", "explore", "direct", "accounts", "developer", "about", "legal", "press", "api", "graphql", "web",
     "emails", "challenge", "oauth", "static", "lite", "share", "consent", "privacy", "session", "embed.js", "oembed")
)  # fmt: skip
_CONTEXT = re.compile(r'"contextJSON":("(?:[^"\\]|\\.)*")')
NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._]{0,28}[A-Za-z0-9_])?")


def code_in(parts: list[str]) -> str | None:
    """The shortcode in the pieces of a path."""
    for n, part in enumerate(parts[:2]):
        if part in POSTS and parts[0] not in (NO_NAMES - POSTS) and len(parts) > n + 1:
            return parts[n + 1] if CODE.fullmatch(parts[n + 1]) and parts[n + 1] != "audio" else None
    return None


def handle_in(parts: list[str]) -> str | None:
    """The account's name in the pieces of a path."""
    return parts[0] if parts and parts[0].lower() not in NO_NAMES and NAME.fullmatch(parts[0]) else None


def embed_of(page: Saved) -> Any:
    """The frame of an embed; None where the page is none."""
    found = None if page.json is not None else page.first("//*[contains(concat(' ', @class, ' '), ' EmbedFrame ')]")
    return found if found is not None and "nstagram" in page.text else None


def fill_from_embed(draft: Draft, root: Any) -> None:
    """Of a post as an embed shows it: whose it is, and its caption."""

    def first(name: str) -> Any:
        return next(iter(root.xpath(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]")), None)

    links = [*root.xpath("./@data-permalink"), *root.xpath(".//a/@href"), *root.xpath("./@data-ios-link")]
    code = next((found for each in links if (found := code_in(segments(each)))), None)
    if code is None:
        return
    draft.kind = Kind.POST
    draft.put("post_id", code, "css .Embed a", shown=True)
    handle = line_of(first("UsernameText"))
    draft.put("handle", handle if NAME.fullmatch(handle) else None, "css .UsernameText", shown=True)
    caption = first("Caption")
    if caption is not None:
        for each in caption.xpath(".//*[contains(@class, 'CaptionComments') or contains(@class, 'CaptionUsername')]"):
            _drop(each)
        draft.put("caption", text_of(caption), "css .Caption", shown=True)
        put_links(draft, anchors(caption, "caption", base="https://www.instagram.com/"), "css .Caption", shown=True)
        put_disclosures(draft, [], "css .Caption")


def fill_from_profile_embed(draft: Draft, page: Saved, handle: str) -> None:
    """Of an account as its embed shows it; the posts beside it are not what it is of, and its bio is not there."""
    draft.kind = Kind.PROFILE
    draft.put("handle", handle, "address")
    context = _context(page.text)
    if context.get("username") != handle:
        return
    where = "json contextJSON .context"
    draft.put("author", context.get("full_name"), f"{where}.full_name")
    owner = str(context.get("owner_id") or "")
    draft.put("account_id", owner if owner.isdigit() else None, f"{where}.owner_id")
    followers = context.get("followers_count")
    put_count(draft, "followers", followers, f"{where}.followers_count")


def _context(text: str) -> Mapping[str, Any]:
    """What the embed's own script is given: JSON in a string of JSON."""
    found = _CONTEXT.search(text)
    if found is None:
        return {}
    try:
        value = json.loads(json.loads(found[1]))
    except (ValueError, TypeError, RecursionError):
        return {}
    context = value.get("context") if isinstance(value, Mapping) else None
    return context if isinstance(context, Mapping) else {}


def _drop(element: Any) -> None:
    """Out of the tree, but for the text behind it."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)
