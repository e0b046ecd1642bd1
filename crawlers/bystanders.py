"""Words on a page that are somebody else's: comments and other people's posts, found without help from class names."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from crawlers.address import host_of
from crawlers.hosts import platform_of
from crawlers.markup import place, squeeze
from crawlers.outline import Node, Outline

# What stands over other people's words, as a heading or a label; the languages that captions come in most.
_COMMENT_TITLES = re.compile(
    r"\b(?:comments?|replies|responses|kommentare?|antworten|commentaires?|r[ée]ponses|comentarios?|respuestas|comentários?"
    r"|commenti|reacties|komentarze|kommentarer|yorumlar|комментари[ийяев]+|komentar)\b"
    r"|评论|評論|留言|コメント|댓글|تعليقات|التعليقات|ความคิดเห็น|bình luận",
    re.IGNORECASE,
)
_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
_TITLE_CHARS = 30


def below_comment_titles(outline: Outline, held: frozenset[int]) -> list[int]:
    """What follows a heading `Comments`, up to the next heading. `held`: what holds the page's own matter."""
    found = []
    for heading in outline.nodes:
        title = outline.text_of(heading.n) if heading.tag in _HEADINGS and heading.chars <= _TITLE_CHARS else ""
        if title and _COMMENT_TITLES.search(title):
            # A heading may be wrapped alone; then what stands beside the wrapping is meant.
            top = heading
            while top.parent > 0 and outline.nodes[top.parent].chars == heading.chars:
                top = outline.nodes[top.parent]
            n = max(outline.inside(top.n)) + 1
            while n < len(outline.nodes) and outline.nodes[n].parent == top.parent:
                node = outline.nodes[n]
                if node.tag in _HEADINGS or node.n in held:
                    break
                found.append(n)
                n = max(outline.inside(n)) + 1
    return found


def signed_by_others(outline: Outline, authors: frozenset[str], *, counts: Callable[[int], bool]) -> list[int]:
    """Blocks in a row of which each begins with its writer, where the writer is not the author: comments, or the like.

    A block counts as signed when it opens with a link to a page of the same site, and has a picture, a time, or the
    name itself (`/someone` under the word `someone`) to go with it. `counts`: whether an element is in play at all.
    """
    if not authors:
        return []
    rows: dict[int, list[tuple[Node, str]]] = {}
    for node in outline.nodes:
        if node.tag in ("li", "div", "section", "article", "tr", "dd") and node.own_links and node.chars < 3000:
            signature = _signature(outline, node)
            if signature is not None and counts(node.n):
                rows.setdefault(node.parent, []).append((node, signature))
    return [
        node.n
        for row in rows.values()
        if len(row) > 1
        for node, signature in row
        if not any(signature == author or signature.startswith(f"{author}/") for author in authors)
    ]


def _signature(outline: Outline, block: Node) -> str | None:
    pictured = timed = False
    for n in outline.inside(block.n):
        node = outline.nodes[n]
        pictured = pictured or node.tag == "img"
        timed = timed or node.tag == "time"
    for n in outline.inside(block.n):
        node = outline.nodes[n]
        if node.link == n and (node.chars or pictured):
            target = outline.markup.join(node.get("href")) or ""
            segments = [segment for segment in urlsplit(target).path.split("/") if segment]
            if platform_of(host_of(target)) != outline.site or not 1 <= len(segments) <= 2:
                return None
            text = outline.text_of(n)
            named = squeeze(text) == squeeze(segments[-1]) and not text.startswith("@")
            return place(target) if named or ((pictured or timed) and node.chars <= 60) else None
        if node.link < 0 and node.chars and not node.links:
            return None  # it opens with words, not with a name
    return None


def is_titled_comments(node: Node) -> bool:
    label = node.get("aria-label")
    return 0 < len(label) <= _TITLE_CHARS and bool(_COMMENT_TITLES.search(label)) and node.chars > 2 * _TITLE_CHARS
