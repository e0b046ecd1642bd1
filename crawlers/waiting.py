"""Pages that will move by themselves: "one moment", a countdown, a refresh, nothing but a script."""

import re

from crawlers.layout import Layout, Part, read
from crawlers.wording import says, sentences, speaks_of, spoken, title_parts, weight

MAX_TEXT = 12_000
"""Visible characters, navigation and all."""
MAX_PROSE = 320
_NEARLY_EMPTY = 24
_LONGEST_REFRESH_S = 60

_SCRIPTS = (
    "//script[(not(@type) or @type='' or @type='module' or contains(@type,'javascript'))"
    " and (@src or normalize-space())]"
)
"""Scripts that run; data in a script moves nothing."""


def is_waiting(visible_text: str, dom_html: str) -> bool:
    """Whether a thin page says, or shows, that it will move by itself."""
    if len(visible_text) > MAX_TEXT:
        return False
    layout = read(dom_html, visible_text)
    if layout.prose > MAX_PROSE or layout.inputs():
        return False
    if _refresh(layout):
        return True
    said = weight(layout.folded_text)
    shows = layout.headings or layout.elements("//img|//video|//canvas|//audio|//embed") or _frames(layout)
    if said <= _NEARLY_EMPTY and not shows and layout.root.xpath(_SCRIPTS):
        return True
    if speaks_of("selling", layout.folded_text) or "download" in layout.folded_text:
        return False
    among = spoken(visible_text)
    heads = [*title_parts(layout.title), *sentences(visible_text, limit=40)]
    links = [each for each in layout.controls if not each.parts & Part.NAVIGATION]
    return len(links) <= 6 and any(says("waiting", each, among) and weight(each.folded) <= 140 for each in heads)


def _refresh(layout: Layout) -> bool:
    """A meta refresh that leads elsewhere soon (HTML §4.2.5.3)."""
    for each in layout.root.xpath("//meta[@http-equiv and @content]"):
        if each.get("http-equiv").strip().lower() != "refresh":
            continue
        found = re.match(r"\s*(\d{1,6})(?:\.\d*)?\s*(?:[;,]|$|\s)", each.get("content"))
        if found and int(found[1]) <= _LONGEST_REFRESH_S:
            return True
    return False


def _frames(layout: Layout) -> bool:
    """Frames that a reader would see something in."""
    return any(
        (each.get("width") or "1") not in ("0", "1") or not each.get("width")
        for each in layout.root.xpath("//iframe[@src]|//frame[@src]")
    )
