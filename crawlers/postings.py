"""The posts that a profile shows: addresses of its own site under which platforms keep posts. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from crawlers.address import dedupe_key, same_site
from crawlers.markup import Markup

_POSTS = frozenset(
    ("p", "post", "posts", "status", "statuses", "reel", "reels", "video", "videos", "photo", "photos", "tv", "note",
     "notes", "article", "articles", "pin", "live", "clip", "clips", "watch", "shorts", "s", "t", "comments")
)  # fmt: skip
"""Path segments that stand before the id of a post."""
_AN_ID = re.compile(r"(?=.*[0-9A-Z_-])[\w.-]{4,}|[0-9]{3,}")
"""Words of a site's own menu (``/video/popular``) have no digit, capital or dash in them."""
MAX_POSTS = 500
"""Of one profile, among which new ones are looked for."""
MAX_LINKS = 5_000


def posts_on(documents: Sequence[tuple[str, str]], *, limit: int) -> list[str]:
    """In the order of the page, each once. ``documents``: the page and what is framed in it, each with its address.

    What stands among them but is another account's, such as a suggested post, cannot be told apart on every platform.
    """
    found: dict[str, str] = {}
    for url, html in documents:
        for href in _links(url, html):
            if len(found) == limit:
                return list(found.values())
            if is_post(href, of=url):
                found.setdefault(dedupe_key(href), href)
    return list(found.values())


def is_post(href: str, *, of: str) -> bool:
    """Whether an address looks like that of a post on the profile's site, and not like the profile's own."""
    if not same_site(href, of) or dedupe_key(href) == dedupe_key(of):
        return False
    parts = urlsplit(href)
    segments = [each for each in unquote(parts.path).split("/") if each]
    for before, after in pairwise(segments):
        if before.lower() in _POSTS and _AN_ID.fullmatch(after):
            return True
    return segments[:1] == ["watch"] and bool(re.search(r"(?:^|&)v=[\w-]{4,}", parts.query))


def _links(url: str, html: str) -> Iterator[str]:
    markup = Markup.parse(url, html)
    for n, element in enumerate(markup.root.iter("a")):
        if n >= MAX_LINKS:
            return
        href = markup.join(element.get("href") or "")
        if href is not None and href.startswith(("http:", "https:")):
            yield href
