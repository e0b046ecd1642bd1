"""What a page is made of, for a reader: its own words, its author's words, links, buttons, forms, dialogs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Flag, auto
from itertools import islice
from typing import Any

from parsel import Selector

from crawlers.wording import fold, weight

MAX_HTML = 6_000_000
"""Characters of markup that are parsed; walls and leaving pages are small."""
MAX_ELEMENTS = 300_000
MAX_TEXT = 120_000
"""Characters of visible text that are looked at."""

_UNSEEN = {"head", "script", "style", "noscript", "template", "svg", "datalist", "object", "iframe", "title", "meta"}
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "label", "mark", "q",
    "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
_TYPED = {"text", "email", "tel", "password", "number", "date", "url", "month", ""}
_AUTHORED_PROPS = {"articlebody", "reviewbody", "description", "text", "comment", "caption"}
_AUTHORED_CLASS = re.compile(
    r"(^|[-_\s])(comments?|reviews?|captions?|testimonials?|quotes?|quoted|repl(y|ies))($|[-_\s])"
)
_SIGNS = "//time|//*[@rel='author']|//*[contains(@class,'byline') or contains(@itemprop,'author')]"
"""Many sites wrap any page in an ``article``: it is an author's only with a date or a name to it."""
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")


class Part(Flag):
    """What a piece of text belongs to."""

    NONE = 0
    LINK = auto()
    BUTTON = auto()
    LABEL = auto()
    NAVIGATION = auto()
    DIALOG = auto()
    HEADING = auto()
    ALERT = auto()
    AUTHORED = auto()
    """An author's or a visitor's words, not the site's: an article, a comment, a quotation."""
    UNSEEN = auto()


_CHROME = Part.LINK | Part.BUTTON | Part.LABEL | Part.NAVIGATION


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text between two line breaks, as far as the DOM tells."""

    text: str
    folded: str
    own: float
    """The weight of what is said in it outside links, buttons, labels and navigation."""
    parts: Part
    """What all of it belongs to."""
    element: Any = field(repr=False)
    """The element in which it begins."""

    @property
    def weight(self) -> float:
        return weight(self.folded)


@dataclass(frozen=True, slots=True)
class Control:
    """Something to press: an anchor, a button, a submit field, or an element that plays one."""

    tag: str
    text: str
    href: str | None
    """The attribute as it stands in the DOM; None where there is none."""
    element: Any = field(repr=False)
    parts: Part


@dataclass(slots=True)
class Layout:
    """A parsed page, cut down to what is in its visible text."""

    root: Any
    folded_text: str
    """The whole visible text, folded."""
    blocks: list[Block]
    controls: list[Control]
    parts: dict[Any, Part]

    @property
    def prose(self) -> float:
        """How much is said outside links, buttons, labels and navigation."""
        return self.prose_outside(Part.NONE)

    def prose_outside(self, unwanted: Part) -> float:
        return sum(block.own for block in self.blocks if not block.parts & unwanted)

    @property
    def title(self) -> str:
        """As the markup has it; a script may have given the document another since."""
        return " ".join("".join(self.root.xpath("//head/title[1]//text()")).split())

    @property
    def headings(self) -> list[Block]:
        return [block for block in self.blocks if block.parts & Part.HEADING]

    def elements(self, xpath: str) -> list[Any]:
        """Elements that are not hidden by markup, by XPath."""
        return [each for each in self.root.xpath(xpath) if not self.parts.get(each, Part.NONE) & Part.UNSEEN]

    def inputs(self) -> list[Any]:
        """Fields that a person would type in; a site's search field does not count."""
        found = []
        for each in self.elements("//input|//textarea"):
            kind = (each.get("type") or "").lower() if each.tag == "input" else "text"
            names = " ".join(each.get(name) or "" for name in ("name", "id", "class", "role")).lower()
            hidden = each.get("hidden") is not None or "response" in names or _HIDING.search(each.get("style") or "")
            searching = (
                kind == "search" or "search" in names or each.get("name") in ("q", "query", "s", "keyword", "keywords")
            )
            if kind in _TYPED and not hidden and not searching and not _in_search(each):
                found.append(each)
        return found

    def passwords(self) -> list[Any]:
        return [each for each in self.inputs() if (each.get("type") or "").lower() == "password"]

    def is_shown(self, text: str) -> bool:
        return fold(text)[:80] in self.folded_text


def read(dom_html: str, visible_text: str) -> Layout:
    """Parse a rendered DOM and keep what a reader saw of it. Never raises: broken markup is what the web is made of."""
    clean = dom_html[:MAX_HTML].encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    root = Selector(text=clean or "<html></html>", type="html").root
    shown = fold(visible_text[:MAX_TEXT])
    parts: dict[Any, Part] = {}
    blocks: list[Block] = []
    controls: list[Control] = []
    signed = {article for mark in root.xpath(_SIGNS)[:2_000] for article in mark.iterancestors("article")}
    for element in islice(root.iter(), MAX_ELEMENTS):
        if not isinstance(element.tag, str):
            parts[element] = Part.UNSEEN
            continue
        part = _part(element) | (Part.AUTHORED if element in signed or _is_authored(element) else Part.NONE)
        parts[element] = parts.get(element.getparent(), Part.NONE) | part
    for run in _runs(root, parts):
        text = " ".join("".join(run.pieces).split())
        folded = fold(text)
        if folded and folded[:80] in shown:
            own = weight(fold("".join(run.own)))
            blocks.append(Block(text=text, folded=folded, own=own, parts=run.parts, element=run.holder))
    for element, part in parts.items():
        if not part & Part.UNSEEN and part & (Part.LINK | Part.BUTTON) and _presses(element):
            controls.append(_control(element, parts))
    return Layout(root=root, folded_text=shown, blocks=blocks, controls=controls, parts=parts)


def _part(element: Any) -> Part:
    tag = element.tag
    role = (element.get("role") or "").lower()
    shadow = tag == "template" and element.get("shadowrootmode") is not None  # shown, and kept as a template
    if (
        (tag in _UNSEEN and not shadow)
        or element.get("hidden") is not None
        or _HIDING.search((element.get("style") or "").lower())
    ):
        return Part.UNSEEN
    part = Part.NONE
    if tag == "a" or role == "link":
        part |= Part.LINK
    if tag in ("button", "summary") or role in ("button", "menuitem", "tab"):
        part |= Part.BUTTON
    if tag == "input" and (element.get("type") or "").lower() in ("submit", "button", "image"):
        part |= Part.BUTTON
    if tag in ("label", "option", "select", "legend"):
        part |= Part.LABEL
    if tag in ("nav", "footer") or role in ("navigation", "contentinfo", "banner", "search", "menu"):
        part |= Part.NAVIGATION
    if tag == "dialog" or role in ("dialog", "alertdialog") or element.get("aria-modal") == "true":
        part |= Part.DIALOG
    if role == "heading" or re.fullmatch(r"h[1-6]", tag):
        part |= Part.HEADING
    if role in ("alert", "status") or element.get("aria-live") == "assertive":
        part |= Part.ALERT
    return part


def _is_authored(element: Any) -> bool:
    tag = element.tag
    if tag in ("blockquote", "q", "figcaption", "pre", "code"):
        return True
    if (element.get("itemprop") or "").lower() in _AUTHORED_PROPS:
        return True
    if tag in ("html", "body", "main", "form", "article"):
        return False
    named = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
    return bool(_AUTHORED_CLASS.search(named))


@dataclass(slots=True)
class _Run:
    """A run of text as it is being gathered."""

    holder: Any
    pieces: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    shared: Part | None = None

    @property
    def parts(self) -> Part:
        return self.shared or Part.NONE

    def take(self, text: str | None, owner: Any, part: Part) -> None:
        if not text or part & Part.UNSEEN:
            return
        if text.strip() and not self.pieces:
            self.holder = owner
        if any(map(str.isalnum, text)):  # "Home | Shop": what stands between two links is no word of its own
            self.shared = part if self.shared is None else self.shared & part
        if self.pieces or text.strip():
            self.pieces.append(text)
            self.own.append(" " if part & _CHROME else text)


def _runs(root: Any, parts: dict[Any, Part]) -> Iterator[_Run]:
    """The texts between line breaks, in document order, with what all of each belongs to."""
    run = _Run(root)
    # Iterative, since markup may be nested deeper than Python recurses.
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        named = isinstance(element.tag, str)
        breaks = named and element.tag not in _INLINE
        if breaks:
            if run.pieces:
                yield run
            run = _Run(element)
        if leaving:
            above = element.getparent()
            run.take(element.tail, above, parts.get(above, Part.NONE))
            continue
        stack.append((element, True))
        part = parts.get(element, Part.UNSEEN)
        if named and not part & Part.UNSEEN:
            run.take(element.text, element, part)
            stack.extend((child, False) for child in reversed(element))
    if run.pieces:
        yield run


def _presses(element: Any) -> bool:
    tag, role = element.tag, (element.get("role") or "").lower()
    if tag in ("a", "button") or role in ("button", "link"):
        return True
    return tag == "input" and (element.get("type") or "").lower() in ("submit", "button", "image")


def _control(element: Any, parts: dict[Any, Part]) -> Control:
    said = ""
    if element.tag != "input":
        texts = (text for text in element.xpath(".//text()") if not parts.get(_owner(text), Part.NONE) & Part.UNSEEN)
        said = " ".join(" ".join(texts).split())
    said = said or element.get("value") or element.get("aria-label") or element.get("title") or element.get("alt") or ""
    said = said or next((image.get("alt") for image in element.iter("img") if image.get("alt")), "")
    return Control(
        tag=element.tag,
        text=" ".join(said.split()),
        href=element.get("href"),
        element=element,
        parts=parts.get(element, Part.NONE),
    )


def _owner(text: Any) -> Any:
    """The element whose content a text node is part of."""
    parent = text.getparent()
    return parent.getparent() if text.is_tail else parent


def _in_search(element: Any) -> bool:
    form = next(element.iterancestors("form"), None)
    return form is not None and ((form.get("role") or "") == "search" or "search" in (form.get("action") or "").lower())
