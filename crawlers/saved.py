"""A page as it was kept: bytes -> text, tree, data. Nothing in here raises for what a page holds."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from lxml import etree, html
from w3lib.encoding import (
    html_body_declared_encoding,
    html_to_unicode,
    http_content_type_encoding,
    resolve_encoding,
)

from crawlers.address import host_of
from crawlers.markup import Markup, types_of
from crawlers.text import scalar

MAX_BYTES = 64 << 20
"""Of a page; more is not read."""
MAX_NODES = 200_000
"""Objects and lists that a search through one value visits."""
MAX_TRIES = 200
"""Places where a value that is looked for may begin; a page with more is no page that we know."""
MAX_ITEM_DEPTH = 30
MAX_ITEM_STEPS = 150_000
"""Elements of all items of microdata, each counted once for every item that it is in."""
_LOOKED_AT = 1 << 20
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MARKS = (*_WIDE, b"\xef\xbb\xbf")
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset=[\s\"']*([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)
_ARCHIVED = re.compile(r"https?://web\.archive\.org/web/\d+(?:[a-z]{2}_)?/(?=https?://)")
"""What a copy in the Wayback Machine puts in front of every address of the page."""
_OPENINGS = re.compile(rb"(?:<[a-zA-Z][^<>]{0,2000}>\s*)+")
_FIRST = re.compile(rb"(?:<[^<>]+>\s*){1,200}")
MAX_TOWER = 500
"""Elements that hold one another and nothing else: as deep as a browser nests."""
_JSON_START = re.compile(r"\s*[\[{]")
_UNSEEN = frozenset(
    ("script", "style", "template", "noscript", "head", "title", "iframe", "object", "select", "textarea")
)
_BREAKS = frozenset(
    ("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
     "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section",
     "table", "td", "th", "tr", "ul")
)  # fmt: skip

Node = Any
"""An lxml element: lxml ships no types."""


@dataclass
class Saved:
    """One page. ``url``: the address that it was asked by, where somebody says."""

    text: str = field(repr=False)
    url: str | None = None
    notes: list[str] = field(default_factory=list)
    utf8: bytes | None = field(default=None, repr=False)
    """The text's bytes, where they are at hand."""
    status: int | None = None
    """HTTP's, where it was kept with the page."""
    known: dict[str, Any] = field(default_factory=dict, repr=False)
    """What takes long to find out about the page, and was."""

    @classmethod
    def of(cls, data: bytes, *, url: str | None = None, content_type: str | None = None) -> "Saved":
        """Decoded as a browser would: byte order mark, HTTP's word, the page's own, else UTF-8 (WHATWG Encoding)."""
        notes = []
        if len(data) > MAX_BYTES:
            notes.append(f"its first {MAX_BYTES} of {len(data)} bytes were read")
            data = data[:MAX_BYTES]
        data = data.replace(b"\0", b"") if b"\0" in data[:_LOOKED_AT] and not data.startswith(_WIDE) else data
        if not data.startswith(_MARKS) and _named(data, content_type) in {None, "utf-8"}:
            try:
                return cls(text=data.decode(), url=url, notes=notes, utf8=data)
            except UnicodeDecodeError:
                pass  # it says that it is UTF-8, or says nothing, and is not
        try:
            encoding, text = html_to_unicode(content_type, data, default_encoding="utf-8", auto_detect_fun=_by_bytes)
        except (LookupError, ValueError, RecursionError):
            encoding, text = "utf-8", data.decode("utf-8", "replace")
        if "\ufffd" in text:
            notes.append(f"some of its bytes are no {encoding}")
        return cls(text=scalar(text).replace("\x00", ""), url=url, notes=notes)

    def behind(self, mark: str, most: int) -> str:
        """At most so many characters from the first place on where the page has this (ASCII); empty where it has not.

        Looked for in the bytes, which takes a tenth of the time that it takes in wide characters.
        """
        if self.utf8 is None:
            at = self.text.find(mark)
            return "" if at < 0 else self.text[at : at + most]
        at = self.utf8.find(mark.encode())
        return "" if at < 0 else self.utf8[at : at + 4 * most].decode("utf-8", "ignore")[:most]

    @cached_property
    def json(self) -> Any:
        """The whole, where it is JSON (a platform's answer to a program); None where it is not."""
        if not _JSON_START.match(self.text):
            return None
        return self._decoded(self.text.strip(), "the page")

    @cached_property
    def markup(self) -> Markup:
        """The tree, with what the page declares of itself (JSON-LD, meta elements)."""
        data = b"" if self.json is not None else self.text.encode() if self.utf8 is None else self.utf8
        root, whole = _tree(data)
        if not whole:
            # What nests without end mostly has nothing in it on the way down: below the tower is the page.
            self.known["lowered"] = _OPENINGS.sub(_lowered, data)
            root, whole = _tree(self.known["lowered"])
            self.notes.append(
                "it nests deeper than a browser shows: some levels were left out"
                if whole
                else "it nests deeper than is read: what lies below was left out"
            )
        return Markup(url=self.url or "", root=etree.Element("html") if root is None else root)

    @property
    def root(self) -> Node:
        return self.markup.root

    @cached_property
    def own_urls(self) -> tuple[str, ...]:
        """Every address that the page has for itself, the surest first."""
        if self.json is not None:
            return (self.url,) if self.url and host_of(self.url) else ()
        links = [
            str(each.get("href") or "")
            for each in self.root.iter("link")
            if "canonical" in (each.get("rel") or "").lower().split()
        ]
        named = [self.url or "", *links, self.meta("og:url"), self.meta("twitter:url"), self.meta("al:web:url")]
        archived = (_ARCHIVED.sub("", each) for each in named)
        # One with no host that can be read ("https://[") is no address, and would end whoever splits it.
        return tuple(
            dict.fromkeys(each for each in archived if each.startswith(("http://", "https://")) and host_of(each))
        )

    def meta(self, *names: str) -> str:
        """The first content of a meta element so named (``property``, ``name``), or empty."""
        return self.markup.meta(*names)

    # --- elements ---------------------------------------------------------------------------------------------------

    def all(self, xpath: str) -> list[Node]:
        """Elements, attributes or texts by XPath; none where the expression finds none."""
        try:
            found = self.root.xpath(xpath)
        except (etree.XPathError, RecursionError):
            return []
        return found if isinstance(found, list) else []

    def first(self, xpath: str) -> Node | None:
        return next(iter(self.all(xpath)), None)

    def by_id(self, name: str) -> Node | None:
        """The first element with this ``id``; quick, by the parser's own table."""
        return next(iter(self.root.xpath("id($name)", name=name)), None)

    # --- data in scripts ----------------------------------------------------------------------------------------------

    @cached_property
    def scripts(self) -> tuple[Node, ...]:
        return tuple(self.root.iter("script"))

    def script(self, name: str) -> Any:
        """The JSON in ``<script id=NAME>``, or None."""
        element = self.by_id(name)
        return None if element is None or not element.text else self._decoded(element.text, f"script#{name}")

    def assigned(self, *names: str) -> Any:
        """The JSON value that a script gives to a variable or property so named (``window.x = {…}``, ``"x": {…}``).

        Only what is JSON: a script's own code is not run. None where there is none.
        """
        found = (self.after(re.escape(name) + r"[\"']?\s*\]?\s*[=:]\s*(?=[\[{])") for name in names)
        return next((each for each in found if each is not None), None)

    def after(self, pattern: str) -> Any:
        """The first JSON value that stands right behind a match of this pattern; None where there is none."""
        for match in islice(re.finditer(pattern, self.text), MAX_TRIES):
            try:
                return _DECODER.raw_decode(self.text, match.end())[0]
            except (ValueError, RecursionError):
                continue  # code that is no JSON, or cut off
        return None

    def _decoded(self, text: str, where: str) -> Any:
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            self.notes.append(f"{where}: its JSON cannot be read ({type(error).__name__})")
            return None

    # --- JSON-LD ------------------------------------------------------------------------------------------------------

    def things(self, *types: str) -> list[tuple[str, Mapping[str, Any]]]:
        """JSON-LD objects of one of these schema.org types (lower case), each with its path for ``sources``."""
        wanted = frozenset(types)
        return [
            (f"json-ld {n}", thing)
            for n, thing in enumerate(self.markup.things)
            if not wanted or wanted.intersection(types_of(thing))
        ]

    # --- microdata ----------------------------------------------------------------------------------------------------

    @cached_property
    def _items(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        from extruct.w3cmicrodata import MicrodataExtractor  # noqa: PLC0415  # a second to load, and few pages want it

        if self.json is not None or self.first("//*[@itemscope]") is None:
            return ()
        if _nests_too_much(self.root):
            self.notes.append("its microdata is nested or repeated more than is read")
            return ()
        try:
            # It drops elements, which those of a plain tree cannot do; few pages have any, so they are parsed again.
            data = self.text.encode() if self.utf8 is None else self.utf8
            data = self.known.get("lowered", data)
            root = html.fromstring(data, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
            found = MicrodataExtractor(nested=True).extract_items(root, self.url or "")
        except Exception as error:  # noqa: BLE001  # a stranger's markup: the rest of the page is read without it
            self.notes.append(f"its microdata cannot be read ({type(error).__name__})")
            return ()
        top = [(f"microdata {n}", each) for n, each in enumerate(found)]
        nested = [
            (f"{path}{inner}", node)
            for path, each in top
            for inner, node in search(each, lambda node: "type" in node and "properties" in node)
            if inner != "."
        ]
        return (*top, *nested)

    def items(self, *types: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Microdata of one of these schema.org types (lower case): path and ``properties``, nested items in them."""
        return [
            (path, each["properties"])
            for path, each in self._items
            if isinstance(each.get("properties"), Mapping)  # an item may have none
            if not types or _names(each.get("type")).intersection(types)
        ]

    # --- what a reader sees -------------------------------------------------------------------------------------------

    @cached_property
    def shown_text(self) -> str:
        """The text of the body in document order, without what is never shown. Styles are not applied."""
        body = self.first("//body")
        return "" if body is None else text_of(body)


def _tree(data: bytes) -> tuple[Node | None, bool]:
    """The tree, and whether the parser came to the end; it stops 2,048 elements deep."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError):
        root = None
    last = parser.error_log.last_error
    return root, last is None or last.type != etree.ErrorTypes.ERR_RESOURCE_LIMIT


def _lowered(found: re.Match[bytes]) -> bytes:
    """The first levels of a tower; openings that are none as they are."""
    if found[0].count(b"<") < MAX_TOWER:
        return found[0]
    first = _FIRST.match(found[0])
    return b"" if first is None else first[0]


def _nests_too_much(root: Node) -> bool:
    """Whether microdata would take too long: each item is searched whole, and so is each item in it."""
    inside = steps = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        opens = node.get("itemscope") is not None if isinstance(node.tag, str) else False
        if event == "end":
            inside -= opens
            continue
        inside += opens
        steps += inside
        if inside > MAX_ITEM_DEPTH or steps > MAX_ITEM_STEPS:
            return True
    return False


def text_of(element: Node) -> str:
    """An element's text as lines: blocks break them. Without recursion, whatever the nesting."""
    parts: list[str] = []
    depth_unseen: Node | None = None
    for event, node in etree.iterwalk(element, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if depth_unseen is None and (tag in _UNSEEN or not tag):
                depth_unseen = node
            if depth_unseen is None:
                if tag in _BREAKS:
                    parts.append("\n")
                parts.append(node.text or "")
        else:
            if depth_unseen is node:
                depth_unseen = None
            if depth_unseen is None and node is not element:
                if tag in _BREAKS:
                    parts.append("\n")
                parts.append(node.tail or "")
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def line_of(element: Node | None) -> str:
    """The same as one line; empty where there is no element."""
    return "" if element is None else " ".join(text_of(element).split())


def dig(value: Any, *path: str | int) -> Any:
    """What lies at a path of keys and places; None where the way ends."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, Sequence) and not isinstance(value, str):
            value = value[step] if -len(value) <= step < len(value) else None
        else:
            return None
    return value


def search(
    value: Any, wanted: Callable[[Mapping[str, Any]], bool], *, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Objects anywhere in a value that are wanted, in document order, each with its path (``.a.0.b``). Bounded.

    What lies under a key of ``skip`` is not looked at: comments, other people's posts.
    """
    stack: list[tuple[str, Any]] = [("", value)]
    for _ in range(MAX_NODES):
        if not stack:
            return
        path, node = stack.pop()
        if isinstance(node, Mapping):
            if wanted(node):
                yield path or ".", node
            stack.extend(
                (f"{path}.{key}", each)
                for key, each in reversed(list(node.items()))
                if _holds(each) and key not in skip
            )
        elif isinstance(node, list):
            stack.extend((f"{path}.{n}", each) for n, each in reversed(list(enumerate(node))) if _holds(each))


def having(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    """For ``search``: objects with all of these keys."""
    return lambda node: all(key in node for key in keys)


def _names(value: Any) -> frozenset[str]:
    """Types as schema.org writes them, without their vocabulary, lower case."""
    return frozenset(
        name.rstrip("/").rpartition("/")[2].rpartition("#")[2].lower()
        for name in (value if isinstance(value, list) else [value])
        if isinstance(name, str)
    )


def _holds(value: Any) -> bool:
    return isinstance(value, (Mapping, list))


def _named(data: bytes, content_type: str | None) -> str | None:
    """The encoding that HTTP or the page itself names."""
    named = http_content_type_encoding(content_type) or html_body_declared_encoding(data[:4096])
    return None if named is None else named.lower()


def _by_bytes(data: bytes) -> str:
    """Where nothing names an encoding: UTF-8 where it is one."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A page cut off in the middle of a character is UTF-8 all the same.
        if error.start >= len(data) - 4:
            return "utf-8"
        # A page saved out of a browser has its scripts' elements in front of the one that names the encoding.
        declared = _DECLARED.search(data[:_LOOKED_AT])
        named = None if declared is None else resolve_encoding(declared[1].decode("ascii"))
        return "windows-1252" if named is None else named
    return "utf-8"


_DECODER = json.JSONDecoder(strict=False)
