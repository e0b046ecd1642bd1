"""What a page lets a reader go to: links, buttons that act as links, and addresses written as words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.mentions import written_urls
from crawlers.outline import Node, Outline
from crawlers.regions import Layout, Region

MAX_TEXT = 200

_GOES_TO = re.compile(
    r"(?:location(?:\.href)?\s*=|location\.(?:assign|replace)\s*\(|(?:window\.)?open\s*\()\s*['\"`]((?:https?:)?//[^'\"`\s]+)",
    re.IGNORECASE,
)
_BUTTON_ATTRIBUTES = ("data-href", "data-url", "data-link", "data-target-url", "data-destination", "formaction")
_BUTTON_ROLES = ("link", "button")


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go, absolute, and the words that say so."""

    href: str
    text: str
    region: Region
    n: int
    """Of the element that carries it: document order."""
    rel: frozenset[str] = frozenset()
    written: bool = False
    """Written as words, with no link under it."""


def links_of(layout: Layout) -> Iterator[Link]:
    """All links of a page in document order. Hrefs that lead nowhere (`#`, empty, `javascript:void(0)`) are none."""
    block, written = -1, ""
    for event in layout.outline.events:
        node = layout.outline.nodes[event.n]
        ends_line = node.block != block or (isinstance(event, Node) and node.tag in ("br", "img"))
        if ends_line:
            yield from _written(layout, block, written)
            block, written = node.block, ""
        if isinstance(event, Node):
            yield from _carried(layout, event)
            if event.link == event.n:
                written += " \u2063 "  # a link's own words are no part of the address beside it
        elif node.link < 0:
            written += event.text
    yield from _written(layout, block, written)


def declared_links(layout: Layout) -> Iterator[Link]:
    """For pages that are a script's empty shell: what they tell machines about their text still names addresses."""
    markup = layout.outline.markup
    for text in markup.declared:
        for url, words in written_urls(text, cut=True):
            yield Link(href=url, text=words[:MAX_TEXT], region=Region.TEXT, n=0, written=True)
    for url in markup.metas.get("og:see_also", ()):  # ogp.me: what the object is about, elsewhere
        if re.match(r"https?://", url):
            yield Link(href=url, text="", region=Region.TEXT, n=0)


def _written(layout: Layout, block: int, text: str) -> Iterator[Link]:
    if block >= 0 and "." in text:
        for url, words in written_urls(text):
            yield Link(href=url, text=words[:MAX_TEXT], region=layout.regions[block], n=block, written=True)


def _carried(layout: Layout, node: Node) -> Iterator[Link]:
    outline = layout.outline
    targets: list[str] = []
    href = node.get("href") or node.get("{http://www.w3.org/1999/xlink}href") or node.get("xlink:href")
    if node.tag in ("a", "area") and href and not re.match(r"#|javascript:", href, re.IGNORECASE):
        targets.append(href)
    elif node.tag in ("a", "button", "area") or node.role in _BUTTON_ROLES or node.get("onclick"):
        targets += _of_button(node, href)
    elif node.tag == "form" and _is_a_button(outline, node):
        targets.append(node.get("action"))
    for target in targets[:1]:
        absolute = outline.markup.join(target)
        if absolute:
            yield Link(
                href=absolute,
                text=words_of(outline, node),
                region=layout.regions[node.n],
                n=node.n,
                rel=frozenset(node.get("rel").lower().split()),
            )


def _of_button(node: Node, href: str) -> Iterator[str]:
    for script in (node.get("onclick"), href):
        match = _GOES_TO.search(script)
        if match:
            yield match[1]
    for name in _BUTTON_ATTRIBUTES:
        if re.match(r"(?:https?:)?//", node.get(name)):
            yield node.get(name)


def _is_a_button(outline: Outline, form: Node) -> bool:
    """A form that asks nothing and only goes somewhere."""
    if form.get("method").lower() not in ("", "get") or not form.get("action"):
        return False
    inside = [outline.nodes[n] for n in outline.inside(form.n)]
    asks = any(node.tag == "input" and node.get("type").lower() not in ("hidden", "submit", "image") for node in inside)
    return not asks and any(node.tag in ("button", "input") for node in inside)


def words_of(outline: Outline, node: Node) -> str:
    """What a reader takes a link or a button for."""
    text = outline.text_of(node.n) or node.get("aria-label") or node.get("title") or node.get("value")
    if not text:
        for n in outline.inside(node.n):
            inner = outline.nodes[n]
            text = inner.get("alt") or inner.get("aria-label") or inner.get("title") or inner.get("value")
            if text:
                break
    return " ".join(text.split())[:MAX_TEXT]
