"""Addresses of X, and the links in its posts' text as its pages and embeds draw them."""

import re
from collections.abc import Iterator

from crawlers.posting import (
    segments,
)
from crawlers.saved import Node

_ID = re.compile(r"[0-9]{1,20}")
MAX_NAME = 100
_NAME = re.compile(r"[A-Za-z0-9_]{1,20}")
_NO_NAMES = frozenset(
    ("i", "home", "explore", "search", "hashtag", "settings", "login", "signup", "intent", "share", "tos", "privacy",
     "about", "jobs", "download", "account", "messages", "notifications", "compose", "who_to_follow", "oauth")
)  # fmt: skip


def place_of(url: str) -> tuple[str | None, str | None]:
    """The name and the post's id in an address; the site itself goes by the id alone."""
    parts = segments(url)
    for n, part in enumerate(parts[:-1]):
        if part in {"status", "statuses"} and _ID.fullmatch(parts[n + 1]):
            named = parts[0] if n == 1 and parts[0] not in _NO_NAMES else None
            return named, parts[n + 1]
    if len(parts) == 1 and _NAME.fullmatch(parts[0]) and parts[0].lower() not in _NO_NAMES:
        return parts[0], None
    return None, None


def links_in(element: Node) -> Iterator[tuple[str, ...]]:
    """Links of a text: the full address where the page has it beside the short one, or shows all of it."""
    for each in element.iter("a"):
        href, classes = each.get("href") or "", (each.get("class") or "").split()
        expanded = each.get("data-expanded-url") or each.get("data-url") or ""
        if not href.startswith(("http://", "https://")) or "u-hidden" in classes:
            continue
        if re.match(r"https?://(?:[\w-]+\.)?(?:twitter|x)\.com/", href) and not expanded:
            continue  # a name, a hashtag
        words = "".join(each.itertext()).strip()
        if words.startswith(("pic.twitter.com/", "pic.x.com/")):
            continue
        shown = words if re.fullmatch(r"https?://[^\s…]+", words) and "…" not in words and words != href else ""
        yield href, "caption", expanded or shown
