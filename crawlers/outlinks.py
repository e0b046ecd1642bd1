"""Links of a saved page: where its anchors lead, and which of them lead to shops or out of the site."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

from crawlers.address import host_of, registrable_domain
from crawlers.hosts import SOCIAL, Kind, classify
from crawlers.mentions import written_urls
from crawlers.saved import Node, Saved, line_of
from crawlers.wrappers import destination_parameters

MAX_LINKS = 2_000
MAX_WORDS = 300
"""Characters of a link's text."""
_TO_SHOPS = frozenset((Kind.MARKET, Kind.WRAPPER, Kind.SHORTENER, Kind.HUB))
_OUTWARD = ("http://", "https://", "mailto:", "tel:")
_OF_THE_HOUSE = frozenset((Kind.SHARE, Kind.LEGAL, Kind.HOUSEHOLD))


def anchors(page: Saved, elements: Iterable[Node] | None = None) -> Iterator[tuple[str, Node]]:
    """Absolute address and element of every anchor that has one, in document order."""
    base = next(iter(page.own_urls), "")
    for element in page.root.iter("a") if elements is None else elements:
        href = (element.get("href") or "").strip()
        if not href or href.startswith(("#", "javascript:")):
            continue
        url = page.markup.join(href)
        if url is not None and base and not re.match(r"[A-Za-z][\w+.-]*:", url):
            try:
                url = urljoin(base, url)
            except ValueError:
                continue
        if url is not None and url.startswith(_OUTWARD):
            yield url, element


def unwrapped(url: str) -> str:
    """Where a platform's own wrapper says that it leads, one wrapper deep; affiliate links stay as posted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = host_of(url)
    names = destination_parameters(host, parts.path)
    if names is None or (registrable_domain(host) not in SOCIAL and host not in SOCIAL and host != "t.umblr.com"):
        return url
    values = parse_qs(parts.query)
    return next((values[name][0] for name in names if values.get(name, [""])[0].startswith("http")), url)


def written_in(text: str) -> list[str]:
    """Addresses that a text spells out."""
    return list(dict.fromkeys(unwrapped(url) for url, _ in written_urls(text, cut=True)))[:MAX_LINKS]


def to_shops(page: Saved) -> list[str]:
    """Every distinct address of a known shop, affiliate network, shortener or link hub, as it stands in the page."""
    found = dict.fromkeys(url for url, _ in anchors(page) if url.startswith("http") and classify(url) in _TO_SHOPS)
    return list(found)[:MAX_LINKS]


def outward(page: Saved, house: Iterable[str], elements: Iterable[Node] | None = None) -> list[dict[str, str]]:
    """Links that lead to none of ``house`` (registered names), nor to sharing, the law or a platform's own matters.

    Each as ``{"url": …, "text": …}``, once, in document order, with ``image`` where it has one; the text is what a
    reader sees of the link, or the name that it or its picture has for those who see nothing.
    """
    own = frozenset(house)
    found: dict[str, dict[str, str]] = {}
    for wrapped, element in anchors(page, elements):
        url = unwrapped(wrapped)
        if url.startswith("http"):
            host = host_of(url)
            if not host or host in own or registrable_domain(host) in own or classify(url) in _OF_THE_HOUSE:
                continue
        words = found.setdefault(url, {"url": url, "text": ""})
        words["text"] = words["text"] or words_of(element)
        if "image" not in words and (image := _picture_of(page, element)) is not None:
            words["image"] = image
        if len(found) >= MAX_LINKS:
            break
    return list(found.values())


def _picture_of(page: Saved, element: Node) -> str | None:
    """The address of the first picture in a link."""
    for each in element.iter("img"):
        url = page.markup.join(each.get("src") or each.get("data-src") or "")
        if url and url.startswith("http"):
            return url
    return None


def words_of(element: Node) -> str:
    """A link's text, or what names it where it has none."""
    said = line_of(element) or element.get("aria-label") or element.get("title") or ""
    said = said or next((each.get("alt") for each in element.iter("img") if each.get("alt")), "")
    return " ".join(said.split())[:MAX_WORDS]
