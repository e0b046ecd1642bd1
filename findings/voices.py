"""Whose words they are: what the author says on a page, what a listing says of its goods, what else stands there."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from archive.reading import Kind
from findings.page import WORDS_OF_SHOPS, Page, Words

VISIBLE = "visible text"
BEHIND = "page source"
PAGE_TITLE = "page title"
ADDRESS = "address"
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<!--.*?(?:-->|$)|<[^<>]*>", re.DOTALL)
_NAMES = re.compile(
    r"""\b(alt|title|aria-label|content|value|placeholder)\s*=\s*["']([^"'<>]{1,500})["']""", re.IGNORECASE
)
_LEAST_SLUG = 4
"""Letters of a slug of one word: ``dp`` and ``itm`` say nothing."""


def speech_of(page: Page) -> Iterator[Words]:
    """What the author says on it: the caption, else the post's own part of the page; and what a title adds to that."""
    own = list(page.words("caption")) or list(page.words("text"))
    own += page.words("sticker_texts")
    own += page.words("bio")
    said = " ".join(" ".join(each.text for each in own).split())
    for title in page.words("title"):
        # Titles of posts begin with the caption, as far as it fits: said once, it is one passage.
        start = " ".join(title.text.split())[:40]
        if page.kind is not Kind.PROFILE and start and start not in said:
            own.append(title)
    yield from own


def own_words(listing: Page) -> Iterator[Words]:
    """What a listing says of its goods, its address among it."""
    yield from listing.words(*WORDS_OF_SHOPS)
    if listing.title:
        yield Words(name=PAGE_TITLE, text=listing.title)
    slug = slug_of(listing.url)
    if slug is not None:
        yield slug


def other_words(listing: Page) -> Iterator[Words]:
    """All that its page shows: other goods and other people's words are in it."""
    if listing.visible:
        yield Words(name=VISIBLE, text=listing.visible)
    if listing.behind:
        yield Words(name=BEHIND, text=listing.behind)


def words_behind(html: str) -> str:
    """All words of a page's source but of scripts and styles, and what its attributes say to those who see nothing."""
    names = " \n".join(match[2] for match in _NAMES.finditer(html))
    text = _TAGS.sub(" ", _UNSEEN.sub(" ", html))
    return unescape(f"{names}\n{' '.join(text.split())}")


def slug_of(url: str) -> Words | None:
    """The part of the path that is most words: ``/item/4410-screw-bracelet`` says ``screw bracelet``."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return None
    parts = [" ".join(re.findall(r"[^\W\d_]{2,}", each)) for each in re.sub(r"\.html?$", "", path).split("/")]
    best = max(parts, key=lambda each: (len(each.split()), len(each)), default="")
    return Words(name=ADDRESS, text=best) if " " in best or len(best) >= _LEAST_SLUG else None


def host_of(url: str) -> str:
    """Without ``www.``; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""
