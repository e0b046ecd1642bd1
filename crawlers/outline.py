"""A DOM laid flat: elements and texts in document order, so that everything else is one pass and no recursion."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from crawlers.address import host_of
from crawlers.hosts import platform_of
from crawlers.markup import Element, Markup
from crawlers.wrappers import unwrap

MAX_ELEMENTS = 60_000
"""A page with more is cut there; the largest real one met has under 20,000."""

# Their content is not part of the page that people see (HTML, and SVG's texts are pictures).
UNSEEN = frozenset(
    ("script", "style", "template", "noscript", "title", "iframe", "object", "select", "textarea", "math")
)
INLINE = frozenset(
    ("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "code", "del", "dfn", "em", "font", "i", "ins", "mark", "nobr",
     "s", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "wbr")
)  # fmt: skip
_HOOKS = ("data-testid", "data-test-id", "data-test", "data-e2e", "data-qa", "data-component", "data-section")
_NAME_PARTS = re.compile(r"[a-z]+|[A-Z][a-z]*|[A-Z]+")


def is_seen(element: Element) -> bool:
    """Whether what is in it can be part of the page that people see; a shadow root, written as a template, is."""
    tag = _tag(element)
    return tag not in UNSEEN or (tag == "template" and element.get("shadowrootmode") is not None)


@dataclass(slots=True)
class Node:
    """An element of the page."""

    n: int
    element: Element = field(repr=False)
    tag: str
    role: str
    parent: int
    """-1 for the root."""
    block: int
    """The nearest element, itself included, that begins on a line of its own."""
    link: int
    """The nearest link, itself included, that it lies in; -1 for none."""
    chars: int = 0
    """Letters of the text in it."""
    link_chars: int = 0
    links: int = 0
    own_links: int = 0
    """Of these, those to the page's own site."""

    def get(self, name: str) -> str:
        return (self.element.get(name) or "").strip()

    @property
    def is_article(self) -> bool:
        return self.tag == "article" or self.role == "article"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text; ``n`` is the element it stands in directly."""

    n: int
    text: str


class Outline:
    """Everything of a page's body, in document order."""

    def __init__(self, markup: Markup) -> None:
        self.markup = markup
        self.nodes: list[Node] = []
        self.events: list[Node | Text] = []
        self._walk()
        self._measure()

    def _walk(self) -> None:
        stack: list[tuple[Element, int] | Text] = [(self.markup.root, -1)]
        while stack and len(self.nodes) < MAX_ELEMENTS:
            item = stack.pop()
            if isinstance(item, Text):
                self.events.append(item)
                continue
            element, parent = item
            node = self._node(element, parent)
            children: list[tuple[Element, int] | Text] = [Text(node.n, element.text)] if element.text else []
            for child in element:
                if isinstance(child.tag, str) and is_seen(child):  # comments have no tag name
                    children.append((child, node.n))
                if child.tail:
                    children.append(Text(node.n, child.tail))
            stack.extend(reversed(children))

    def _node(self, element: Element, parent: int) -> Node:
        n, tag = len(self.nodes), _tag(element)
        above = self.nodes[parent] if parent >= 0 else None
        node = Node(
            n=n,
            element=element,
            tag=tag,
            role=(element.get("role") or "").strip().lower().partition(" ")[0],
            parent=parent,
            block=above.block if above and tag in INLINE else n,
            link=n if tag == "a" and element.get("href") else (above.link if above else -1),
        )
        self.nodes.append(node)
        self.events.append(node)
        return node

    def _measure(self) -> None:
        for event in self.events:
            if isinstance(event, Text):
                chars = len("".join(event.text.split()))
                self.nodes[event.n].chars += chars
                if self.nodes[event.n].link >= 0:
                    self.nodes[event.n].link_chars += chars
        site = self.site
        for node in reversed(self.nodes):
            if node.link == node.n:
                node.links += 1
                href = self.markup.join(node.get("href")) or ""
                node.own_links += platform_of(host_of(unwrap(href) or href)) == site
            if node.parent >= 0:
                above = self.nodes[node.parent]
                above.chars += node.chars
                above.link_chars += node.link_chars
                above.links += node.links
                above.own_links += node.own_links

    @cached_property
    def site(self) -> str:
        return platform_of(host_of(self.markup.url))

    def ancestors(self, n: int) -> list[int]:
        """From the parent upwards to the root."""
        found = []
        n = self.nodes[n].parent
        while n >= 0:
            found.append(n)
            n = self.nodes[n].parent
        return found

    def inside(self, n: int) -> range:
        """The numbers of an element and of all that it holds: they stand together in document order."""
        end = n + 1
        # The next element that is no descendant: a parent before `n` ends the run.
        while end < len(self.nodes) and self.nodes[end].parent >= n:
            end += 1
        return range(n, end)

    def text_of(self, n: int) -> str:
        """The text of an element, white space made single; what stands in blocks of its own is set apart."""
        return " ".join("".join(_pieces(self.nodes[n].element)).split())


def _pieces(element: Element) -> Iterator[str]:
    """Texts in document order, without recursion."""
    stack: list[Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        if not isinstance(item.tag, str) or not is_seen(item):  # a comment has no tag name
            continue
        edge = "" if _tag(item) in INLINE else " "
        parts: list[Element | str] = [edge, item.text or ""]
        for child in item:
            parts += [child, child.tail or ""]
        stack.extend(reversed([*parts, edge]))


def names_of(node: Node) -> frozenset[str]:
    """The words that a page's makers gave an element: `post-relatedLinks` -> post, related, links.

    Where style sheets are scrambled, the hooks that tests hang on often still speak.
    """
    said = [node.get(name) for name in ("class", "id", *_HOOKS)]
    return frozenset(part.lower() for part in _NAME_PARTS.findall(" ".join(said)))


def _tag(element: Element) -> str:
    tag = str(element.tag).lower()
    return tag.rpartition("}")[2].rpartition(":")[2]
