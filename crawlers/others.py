"""Words on a kept page that are somebody else's than its author's, and where a picture has them: to be redacted.

A suggestion and no more: what a layout hides or an engine misreads is not found, so a person looks before and after.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from archive.errors import UsageError
from archive.reading import Box
from crawlers.anchors import links_of
from crawlers.authors import authors_of, declared_authors
from crawlers.bystanders import below_comment_titles, signed_by_others
from crawlers.confined import Confined, Lost
from crawlers.markup import Markup, place
from crawlers.outline import Outline
from crawlers.pictures.findings import Line
from crawlers.regions import Region, lay_out
from custody.model import Json

SECONDS = 10.0
MEMORY_BYTES = 2 << 30
MAX_BLOCKS = 500
MAX_LINKS = 2_000
MARGIN_PX = 3
"""Around a line of text: letters reach over what an engine calls their box."""
_SHORTEST = 3
"""Letters; a shorter line is in everything."""
_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggested:
    """A line in a picture that has words of others in it."""

    box: Box
    words: str


def words_of_others(document: bytes, url: str) -> list[str]:
    """Texts of the comments on a page, and of posts of other people on it, each whole. In a process with limits.

    Empty where there are none, or none were told apart. Raises ``UsageError`` where the process came to no end.
    """
    reader = Confined[tuple[bytes, str], list[str]](
        _prepared, seconds=SECONDS, memory_bytes=MEMORY_BYTES, name="others", pack=_same, unpack=_texts
    )
    try:
        return reader.ask((document, url))
    except Lost as lost:
        raise UsageError(f"the page could not be looked through, its reader {lost}: draw the boxes by hand") from lost
    finally:
        reader.end()


def suggest(lines: Iterable[Line], blocks: Sequence[str], *, width: int, height: int) -> list[Suggested]:
    """The lines that stand in one of the blocks, in a picture of this size."""
    squeezed = [_squeeze(each) for each in blocks]
    found = []
    for line in lines:
        words = _squeeze(line.text)
        if len(words) >= _SHORTEST and any(words in each for each in squeezed):
            xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
            left, top = max(0, min(xs) - MARGIN_PX), max(0, min(ys) - MARGIN_PX)
            right, bottom = min(width, max(xs) + MARGIN_PX), min(height, max(ys) + MARGIN_PX)
            if right > left and bottom > top:
                box = Box(x=left, y=top, width=right - left, height=bottom - top)
                found.append(Suggested(box=box, words=line.text))
    return found


def _prepared() -> Callable[[tuple[bytes, str]], list[str]]:
    return _find


def _find(page: tuple[bytes, str]) -> list[str]:
    data, url = page
    outline = Outline(Markup.parse(url, data.decode("utf-8", "replace")))
    authors = frozenset(place(each) for each in declared_authors(outline.markup))
    layout = lay_out(outline, position="root", authors=authors)
    known = authors | {place(each.href) for each in authors_of(layout, list(links_of(layout))[:MAX_LINKS])}
    if known != authors:  # knowing who writes tells whose the other words are
        layout = lay_out(outline, position="root", authors=known)
    held = frozenset((layout.container, *outline.ancestors(layout.container)))
    theirs = {each.n for each in outline.nodes if layout.regions[each.n] is Region.COMMENT}
    theirs |= {*below_comment_titles(outline, held), *signed_by_others(outline, known, counts=lambda n: n not in held)}
    outer = [n for n in sorted(theirs) if not theirs & set(outline.ancestors(n))]
    found = [outline.text_of(n) for n in outer if outline.nodes[n].chars]
    return found[:MAX_BLOCKS]


def _squeeze(text: str) -> str:
    return _LETTERS.sub("", text).casefold()


def _same(texts: list[str]) -> Json:
    return list(texts)


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
