"""Buttons that stand among links and lead somewhere by a script alone: where to is not written in the page."""

from collections.abc import Collection, Iterator

from crawlers.anchors import words_of
from crawlers.outline import Node, Outline
from crawlers.regions import Layout, Region

_ROLES = ("button", "link")
_OPENS = ("aria-expanded", "aria-haspopup", "aria-pressed", "aria-checked", "aria-selected", "disabled")
"""What says that a control opens, holds or switches something on this page (WAI-ARIA 1.2 §6.6)."""
_IDLE = ("reset", "submit")


def controls_among(layout: Layout, *, out: Collection[int], known: Collection[int], beside: int) -> Iterator[str]:
    """The words on each control that stands in a row with at least ``beside`` links out, in document order.

    ``out``: elements with a link that leaves; ``known``: elements whose target can be read. Without a row of such
    links a button is taken for what most buttons are: something that is done here.
    """
    outline = layout.outline
    for node in outline.nodes:
        if node.n in known or layout.regions[node.n] is not Region.TEXT or not _is_control(outline, node):
            continue
        words = words_of(outline, node)
        if words and _beside(outline, node, out) >= beside:
            yield words


def _is_control(outline: Outline, node: Node) -> bool:
    plays = node.tag == "button" or node.role in _ROLES or bool(node.get("onclick"))
    anchor = node.tag == "a" and (not node.get("href") or node.get("href").lower().startswith(("#", "javascript:")))
    if not (plays or anchor) or node.links > (node.link == node.n) or (node.link >= 0 and node.link != node.n):
        return False
    if node.tag == "a" and node.get("href") and not anchor:
        return False
    if any(node.element.get(name) is not None for name in _OPENS) or node.get("type").lower() in _IDLE:
        return False
    above = (outline.nodes[n] for n in outline.ancestors(node.n))
    return not any(each.tag in ("form", "button") or each.role in _ROLES or each.get("onclick") for each in above)


def _beside(outline: Outline, node: Node, out: Collection[int]) -> int:
    """How many rows like the control's, in the list that it stands in, hold a link out."""
    row = node
    while row.parent > 0 and outline.nodes[row.parent].chars == node.chars and not _holds_more(outline, row):
        row = outline.nodes[row.parent]
    inside = set(outline.inside(row.n))
    rows = {_row_in(outline, n, row.parent) for n in out if n not in inside}
    return sum(n >= 0 and outline.nodes[n].tag == row.tag and outline.nodes[n].links == 1 for n in rows)


def _holds_more(outline: Outline, row: Node) -> bool:
    """Whether what is around this row holds a link or a picture of another row: then the list begins there."""
    return outline.nodes[row.parent].links > row.links


def _row_in(outline: Outline, n: int, parent: int) -> int:
    """The child of ``parent`` that an element lies in; -1 where it lies elsewhere."""
    while n >= 0 and outline.nodes[n].parent != parent:
        n = outline.nodes[n].parent
    return n
