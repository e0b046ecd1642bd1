"""The author's own words on a page of no platform that we know: the post's part, without what stands around it."""

import re

from crawlers.authors import declared_authors
from crawlers.markup import place
from crawlers.outline import Outline, Text
from crawlers.regions import Region, lay_out
from crawlers.saved import Saved
from findings.pointing import Pointing, pointing_of

MAX_CHARACTERS = 20_000
_ABOUT_COMMENTS = re.compile(
    r"(?:(?:view|show|see|load|read|alle|voir|ver|vedi|zobacz|tüm|все)\W+)?(?:(?:all|les|todos los|tutti i|os)\W+)?"
    r"\(?\d*[.,]?\d*\)?\s*\(?(?:comments?|replies|responses|kommentare?|antworten|commentaires?|comentarios?|comentários?|commenti"
    r"|reacties|komentarze|komentarzy|yorumlar|yorum|комментари[ийяев]+|تعليقات|التعليقات|评论|評論|コメント|댓글)\)?\s*(?:\(\d+\)|\d+)?"
    r"(?:\W*(?:anzeigen|ansehen|weergeven|göster))?\W*",
    re.IGNORECASE,
)
"""A line that says that comments begin, and nothing else."""
LEAST_CHARACTERS = 5
"""Of less, nobody says that they are somebody's words."""
SPEECH = "the post's own part of the page"
"""Where it stands, for people: it is told by the page's structure, and no selector says it."""


def pointing_in(url: str, dom_html: str) -> Pointing:
    """What a post says of where its link is: in its own part of the page, and in what it declares to be its text."""
    page = Saved.of(dom_html.encode("utf-8", "replace"), url=url, content_type="text/html; charset=utf-8")
    words = "\n".join((speech_in(page), *page.markup.declared))[:MAX_CHARACTERS]
    return pointing_of(words, is_sent=True)  # an address in it may be one of a page of links: nobody has been there yet


def speech_in(page: Saved) -> str:
    """Lines, as blocks break them. Empty where the page has no part of its own, or none that could be told."""
    outline = Outline(page.markup)
    authors = frozenset(place(url) for url in declared_authors(page.markup))
    layout = lay_out(outline, position="root", authors=authors)
    lines: list[str] = []
    block, length = -1, 0
    for event in outline.events:
        if not isinstance(event, Text) or layout.region(event) is not Region.TEXT or length > MAX_CHARACTERS:
            continue
        here = outline.nodes[event.n].block
        if here != block or not lines:
            lines.append("")
        block = here
        lines[-1] += event.text
        length += len(event.text)
    told = [line for each in lines if (line := " ".join(each.split()))]
    after = next((n for n, line in enumerate(told) if _ABOUT_COMMENTS.fullmatch(line)), len(told))
    whole = "\n".join(told[:after])
    return whole[:MAX_CHARACTERS] if len(whole) >= LEAST_CHARACTERS else ""
