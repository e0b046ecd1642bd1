"""Markup as a reader sees it, near enough to ``innerText`` for pages that need no browser; and the saved real pages."""

import gzip
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parsel import Selector

from crawlers.outcome import PageFacts

PAGES = "COUNTERPROOF_PAGES"
NO_PAGES = f"{PAGES} names no folder of saved pages"

_BLOCKS = {
    "address", "article", "aside", "blockquote", "br", "button", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option",
    "p", "pre", "section", "table", "td", "tr", "ul",
}  # fmt: skip
_UNSEEN = frozenset(("head", "script", "style", "noscript", "template", "svg", "iframe", "input", "textarea"))
_HIDDEN = re.compile(r"display\s*:\s*none")


def document(body: str, *, title: str = "", head: str = "") -> str:
    return f"<!doctype html><html><head><title>{html.escape(title)}</title>{head}</head><body>{body}</body></html>"


def paragraphs(text: str) -> str:
    """One heading and a paragraph for each further line."""
    first, *rest = text.split("\n")
    return f"<main><h1>{html.escape(first)}</h1>{''.join(f'<p>{html.escape(line)}</p>' for line in rest)}</main>"


def spans(text: str) -> str:
    """The same without a heading: `div`s around `span`s, as scripts make them."""
    return "".join(f"<div><span>{html.escape(line)}</span></div>" for line in text.split("\n"))


def visible_text(markup: str) -> str:
    root: Any = Selector(text=markup or "<html></html>", type="html").root
    pieces: list[str] = []
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        named = isinstance(element.tag, str)
        gone = not named or element.tag in _UNSEEN or element.get("hidden") is not None
        gone = gone or bool(_HIDDEN.search(element.get("style") or ""))
        if named and element.tag in _BLOCKS:
            pieces.append("\n")
        if leaving or gone:
            pieces.append((element.tail or "").replace("\n", " "))
            continue
        stack.append((element, True))
        pieces.append((element.text or "").replace("\n", " "))
        stack.extend((child, False) for child in reversed(element))
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def title_of(markup: str) -> str:
    return (Selector(text=markup or "<html></html>", type="html").xpath("string(//title)").get() or "").strip()


def facts(markup: str, *, url: str, requested_url: str | None = None, status: int | None = 200) -> PageFacts:
    return PageFacts(
        url=url,
        requested_url=requested_url or url,
        http_status=status,
        title=title_of(markup),
        visible_text=visible_text(markup),
        dom_html=markup,
        media_type="text/html",
    )


@dataclass(frozen=True, slots=True)
class Saved:
    """A real page that nobody here wrote, and what a careful reader says of it."""

    name: str
    path: Path
    url: str
    gate: str | None
    """Which wall stands there: `captcha`, `consent`, `error-page`, `rate-limit`, `robot-check`; None: content."""

    def facts(self) -> PageFacts:
        raw = gzip.decompress(self.path.read_bytes())
        status = 503 if self.gate == "error-page" else 200
        if self.name.endswith(".json.gz"):
            return PageFacts(
                url=self.url,
                requested_url=self.url,
                http_status=status,
                title="",
                visible_text=raw.decode(),
                dom_html="",
                media_type="application/json",
            )
        if self.name.endswith(".har.gz"):
            answer: Mapping[str, Any] = json.loads(raw)["log"]["entries"][0]["response"]
            return facts(answer["content"].get("text", ""), url=self.url, status=answer["status"])
        return facts(_decoded(raw), url=self.url, status=status)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def saved_pages() -> Iterator[Saved]:
    """The pages, and answers for programs, of the folder that the environment names; none where it names none."""
    named = os.environ.get(PAGES)
    if not named or not (Path(named) / "index.jsonl").is_file():
        return
    for line in (Path(named) / "index.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["file"].endswith((".html.gz", ".json.gz", ".har.gz")):
            expected = entry.get("expected") or {}
            yield Saved(
                name=entry["file"],
                path=Path(named) / entry["file"],
                url=entry["url"] or "https://saved.example/",
                gate=expected.get("gate") if expected.get("gated") else None,
            )
