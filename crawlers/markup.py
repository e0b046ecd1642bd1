"""A page's DOM, and what the page declares about itself: addresses, kinds, its author's words (JSON-LD, Open Graph)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from parsel import Selector

from crawlers.address import dedupe_key
from crawlers.text import scalar

Element = Any
"""An lxml element: lxml ships no types."""

MAX_THINGS = 2_000
"""JSON-LD nodes looked at; a page with more has a catalogue in it, not a description of itself."""

_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True)
class Markup:
    """A parsed page. Reading it never raises, whatever the page holds."""

    url: str
    root: Element = field(repr=False)
    _joined: dict[str, str | None] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str, html: str) -> "Markup":
        # A half character that a script left in the page must not hide all links: the parser takes UTF-8 alone.
        clean = scalar(html).replace("\x00", "")
        return cls(url=url, root=Selector(text=clean or "<html></html>", type="html").root)

    @cached_property
    def base(self) -> str:
        """What relative links are relative to (HTML, the base element)."""
        href = next((element.get("href") for element in self.root.iter("base") if element.get("href")), "")
        return self.join(href, self.url) or self.url

    def join(self, href: str, base: str | None = None) -> str | None:
        """An absolute URL as a browser makes one of an href; an absolute one keeps its every byte. None: it is none."""
        if base is None:
            if href not in self._joined:
                self._joined[href] = self.join(href, self.base)
            return self._joined[href]
        # HTML: strip ASCII whitespace; WHATWG URL: tabs and line breaks inside are dropped, a space is %20.
        clean = re.sub(r"[\t\n\r]", "", href.strip(" \t\n\r\f\x00")).replace(" ", "%20")
        try:
            if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?[^/]", clean):
                clean = urljoin(base, clean)
            urlsplit(clean)
        except ValueError:
            return None
        return clean

    @cached_property
    def metas(self) -> Mapping[str, tuple[str, ...]]:
        """`property`, `name` or `itemprop` of meta elements, lower case, to their contents."""
        found: dict[str, list[str]] = {}
        for element in self.root.iter("meta"):
            content = (element.get("content") or "").strip()
            for key in (element.get("property"), element.get("name")):
                if key and content:
                    found.setdefault(key.lower(), []).append(content)
        return {key: tuple(contents) for key, contents in found.items()}

    def meta(self, *names: str) -> str:
        return next((self.metas[name][0] for name in names if name in self.metas), "")

    @cached_property
    def things(self) -> tuple[Mapping[str, Any], ...]:
        """Every JSON-LD object of the page, nested ones too, in document order. A broken block spoils no other."""
        things: list[Mapping[str, Any]] = []
        for element in self.root.iter("script"):
            if "ld+json" not in (element.get("type") or "").lower():
                continue
            text = re.sub(
                r"^\s*(?:<!--|//<!\[CDATA\[|/\*<!\[CDATA\[\*/)|(?:-->|//\]\]>)\s*;?\s*$", "", element.text or ""
            )
            try:
                things.extend(_objects(json.loads(text, strict=False)))
            except (ValueError, RecursionError):
                continue  # nothing is read from what is not JSON
        return tuple(things[:MAX_THINGS])

    @cached_property
    def types(self) -> frozenset[str]:
        """Kinds that the page says it is or holds: schema.org types of JSON-LD and microdata, lower case."""
        names = {name for thing in self.things for name in types_of(thing)}
        for element in self.root.iter():
            if isinstance(element.tag, str) and element.get("itemtype"):
                names.update(_type_name(item) for item in element.get("itemtype").split())
        return frozenset(names)

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """Host and path of this page under each of the names it gives itself."""
        links = [
            element.get("href") or ""
            for element in self.root.iter("link")
            if "canonical" in (element.get("rel") or "").lower().split()
        ]
        urls = [self.url, *links, self.meta("og:url"), self.meta("twitter:url")]
        return frozenset(place(self.join(url) or "") for url in urls if url)

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """What the page offers to machines as its author's words."""
        texts = [self.meta("og:description"), self.meta("twitter:description"), self.meta("description")]
        for thing in self.things:
            texts += [
                thing[key]
                for key in ("articleBody", "text", "caption", "description", "headline")
                if isinstance(thing.get(key), str)
            ]
        return tuple(dict.fromkeys(text for text in texts if text))


def place(url: str) -> str:
    """What two spellings of a page's own address share: no scheme, no `www.`, no final slash, no tracking."""
    return dedupe_key(url).partition("://")[2].removeprefix("www.").partition("#")[0].rstrip("/")


def squeeze(text: str) -> str:
    """Letters and digits only, lower case: equal for two renderings of the same words."""
    return "".join(_WORDS.findall(text.lower()))


def types_of(thing: Mapping[str, Any]) -> tuple[str, ...]:
    kind = thing.get("@type")
    names = kind if isinstance(kind, list) else [kind]
    return tuple(_type_name(name) for name in names if isinstance(name, str))


def _type_name(name: str) -> str:
    return re.split(r"[/#:]", name.strip())[-1].lower()


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Depth first, without recursion: a page may nest as deep as it likes."""
    stack, found = [value], 0
    while stack and found < MAX_THINGS:
        node = stack.pop()
        if isinstance(node, dict):
            found += 1
            yield node
            stack.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            stack.extend(reversed(node))
