"""Whose the words below a post are: comments and other people's posts, nearly always without help from class names."""

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
_POST_AUTHOR = "bypostauthor"
"""WordPress, `get_comment_class`: on each comment by whoever wrote the post."""
_BLOCKS = frozenset(("li", "div", "section", "article", "tr", "dd"))


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
        if node.tag in _BLOCKS and node.own_links and node.chars < 3000:
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


def signed_by_author(outline: Outline, authors: frozenset[str], *, counts: Callable[[int], bool]) -> list[int]:
    """Of what stands among comments (`counts`), the elements of those that the author wrote.

    A block is the author's when the signature at its head is, and comes with a face or a time of its own: a mention of
    the author at the head of somebody else's words has neither. Or where WordPress says so: it writes `bypostauthor` on
    the comments of whoever wrote the post, and lets no visitor write a class. What belongs to a comment inside another
    belongs to the inner one.
    """
    found: list[int] = []
    roots: dict[int, Node | None] = {}
    """Of each element among the comments: where the comment begins that it is in, if the author wrote that."""
    for node in outline.nodes:
        if not counts(node.n):
            continue
        root = roots.get(node.parent)
        signature = _signature(outline, node) if node.tag in _BLOCKS and node.own_links else None
        by_author = signature is not None and any(
            signature == author or signature.startswith(f"{author}/") for author in authors
        )
        if _POST_AUTHOR in node.get("class").split():
            root = node
        elif root is not None and (
            _begins_another(node, root) or (not by_author and _is_signed(outline, node, signature))
        ):
            root = None
        elif by_author and root is None and _is_signed(outline, node, signature):
            root = node
        roots[node.n] = root
        if root is not None:
            found.append(node.n)
    return found


def _begins_another(node: Node, root: Node) -> bool:
    """Whether an element inside a comment is a comment of its own, by what lists of comments are made of."""
    return (
        node.tag == "li" or (node.tag == "article" and root.tag == "article") or "comment" in node.get("class").split()
    )


def _is_signed(outline: Outline, block: Node, signature: str | None) -> bool:
    """Whether a block that opens with a name has a face in that link, or a time."""
    if signature is None:
        return False
    for n in outline.inside(block.n):
        node = outline.nodes[n]
        if node.link == n:
            if any(outline.nodes[inner].tag == "img" for inner in outline.inside(n)):
                return True
            break
    return any(outline.nodes[n].tag == "time" for n in outline.inside(block.n))


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
