"""The graph of a case: accounts, posts, hubs, links, listings, sellers; and the captures that each edge was seen in."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree import ElementTree as ET

from archive.reading import Kind
from custody.model import Json
from findings.page import Page
from findings.promotion import Edge, Lead, Promotion
from findings.sharing import What, account_of, listing_key, things_of

_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 has no way to write these (section 2.2)."""


class Sort(StrEnum):
    """What a node is."""

    ACCOUNT = "account"
    POST = "post"
    PROFILE = "profile"
    HUB = "hub"
    LINK = "link"
    """An address that a page shows and that was not followed, or led to nothing of the other kinds."""
    PAGE = "page"
    LISTING = "listing"
    SELLER = "seller"
    TAG = "tag"


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    id: str
    sort: Sort
    label: str
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """An edge of the graph, and the captures in which it was seen."""

    source: str
    target: str
    relation: str
    """``posted``, ``pointed``, ``reachable``, ``author``, ``sold_by``, ``carries``."""
    captures: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Graph:
    """Grows by ``add``; what is there is not there twice."""

    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[tuple[str, str, str], Link] = field(default_factory=dict)

    def node(self, sort: Sort, key: str, label: str, url: str = "") -> str:
        name = f"{sort.value}:{key}"
        self.nodes.setdefault(name, Node(id=name, sort=sort, label=" ".join(label.split())[:300], url=url))
        return name

    def link(self, source: str, target: str, relation: str, *captures: str) -> None:
        place = (source, target, relation)
        before = self.links[place].captures if place in self.links else ()
        both = tuple(dict.fromkeys((*before, *captures)))
        self.links[place] = Link(source=source, target=target, relation=relation, captures=both)


def graph_of(promotions: Sequence[Promotion], leads: Sequence[Lead], pages: Sequence[Page]) -> Graph:
    """Of one case. ``pages``: all its captures, which the edges name."""
    graph = Graph()
    known = {each.capture: each for each in pages}
    for promotion in promotions:
        _post(graph, promotion.post)
        for edge in promotion.edges:
            _edge(graph, edge, known)
        target = _page(graph, promotion.end)
        for thing in things_of(promotion):
            if thing.what is What.SELLER:
                seller = graph.node(Sort.SELLER, thing.key, thing.shown)
                graph.link(target, seller, "sold_by", promotion.end.capture)
            elif thing.what is What.TAG:
                tag = graph.node(Sort.TAG, thing.key, thing.shown)
                graph.link(_page(graph, promotion.post), tag, "carries", promotion.post.capture, promotion.end.capture)
    for lead in leads:
        _post(graph, lead.post)
        for edge in lead.edges:
            _edge(graph, edge, known)
    return graph


def _post(graph: Graph, post: Page) -> None:
    account = account_of(post)
    name = _page(graph, post)
    if account is not None:
        shown = post.text("handle") or post.text("author") or account
        graph.link(graph.node(Sort.ACCOUNT, account, shown), name, "posted", post.capture)


def _edge(graph: Graph, edge: Edge, known: dict[str, Page]) -> None:
    source = _page(graph, known[edge.from_capture])
    if edge.to_capture is not None:
        target = _page(graph, known[edge.to_capture])
    else:
        target = graph.node(
            Sort.LINK, edge.href or f"{edge.from_capture} {edge.text}", edge.text or edge.href, edge.href
        )
    captures = [each for each in (edge.from_capture, edge.to_capture) if each is not None]
    graph.link(source, target, edge.chosen.value, *captures)


_SORTS = {
    Kind.POST: Sort.POST, Kind.PROFILE: Sort.PROFILE, Kind.LINK_HUB: Sort.HUB, Kind.LISTING: Sort.LISTING,
    Kind.STOREFRONT: Sort.LISTING,
}  # fmt: skip


def _page(graph: Graph, page: Page) -> str:
    """By what it is and where it was, so that two captures of one page are one node."""
    sort = Sort.POST if page.parent is None else _SORTS.get(page.kind, Sort.PAGE)
    if sort is Sort.PAGE and page.via is not None and page.via.where == "author":
        sort = Sort.PROFILE
    elif sort is Sort.PAGE and sum(each.follow or each.reason == "over_limit" for each in page.candidates) > 1:
        sort = Sort.HUB
    key = listing_key(page) if sort is Sort.LISTING else page.key
    label = page.text("title") or page.text("author") or page.title or page.url
    return graph.node(sort, key, label, page.url)


# --- forms ------------------------------------------------------------------------------------------------------------


def to_json(graph: Graph) -> dict[str, Json]:
    """``nodes`` and ``edges``."""
    return {
        "schema": 1,
        "nodes": [
            {"id": each.id, "kind": each.sort.value, "label": each.label, "url": each.url or None}
            for each in graph.nodes.values()
        ],
        "edges": [
            {
                "source": each.source,
                "target": each.target,
                "relation": each.relation,
                "captures": list(each.captures),
            }
            for each in graph.links.values()
        ],
    }


def to_graphml(graph: Graph) -> bytes:
    """GraphML 1.0 (graphml.graphdrawing.org), as Gephi, yEd, Cytoscape and NetworkX read it."""
    ET.register_namespace("", _GRAPHML)
    root = ET.Element(f"{{{_GRAPHML}}}graphml")
    for of, names in (("node", ("kind", "label", "url")), ("edge", ("relation", "captures"))):
        for name in names:
            ET.SubElement(root, f"{{{_GRAPHML}}}key", {"id": name, "for": of, "attr.name": name, "attr.type": "string"})
    drawn = ET.SubElement(root, f"{{{_GRAPHML}}}graph", {"id": "case", "edgedefault": "directed"})
    for node in graph.nodes.values():
        element = ET.SubElement(drawn, f"{{{_GRAPHML}}}node", {"id": _xml(node.id)})
        _data(element, kind=node.sort.value, label=node.label, url=node.url)
    for link in graph.links.values():
        places = {"source": _xml(link.source), "target": _xml(link.target)}
        element = ET.SubElement(drawn, f"{{{_GRAPHML}}}edge", places)
        _data(element, relation=link.relation, captures=" ".join(link.captures))
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def to_csv(graph: Graph) -> str:
    """One edge a line, as spreadsheets and Maltego take it. A cell that a spreadsheet would compute is quoted."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        (
            "source_kind",
            "source",
            "source_id",
            "source_url",
            "relation",
            "target_kind",
            "target",
            "target_id",
            "target_url",
            "captures",
        )
    )
    for link in graph.links.values():
        source, target = graph.nodes[link.source], graph.nodes[link.target]
        ends = [(each.sort.value, each.label, each.id, each.url) for each in (source, target)]
        cells = (*ends[0], link.relation, *ends[1], " ".join(link.captures))
        writer.writerow([_cell(each) for each in cells])
    return text.getvalue()


def _data(element: ET.Element, **values: str) -> None:
    for name, value in values.items():
        ET.SubElement(element, f"{{{_GRAPHML}}}data", {"key": name}).text = _xml(value)


def _xml(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)


def _cell(text: str) -> str:
    # OWASP, "CSV Injection"
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
