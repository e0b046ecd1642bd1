"""A case's graph by the catalogue: who is named on which page, which page led to which, who sells. Bounded, ranked.

Quick, and coarse: what was pointed at and what could be reached is for ``findings.graph``, which reads the pages.
"""

from collections import Counter
from dataclasses import dataclass

from archive.index.database import Database
from archive.index.sight import Sight, of_case
from custody.model import Json

MAX_CAPTURES = 20_000
MAX_NODES = 400
_SORTS = {"post": "post", "profile": "profile", "link_hub": "hub", "listing": "listing", "storefront": "listing"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    id: str
    sort: str
    """``account``, ``seller``, ``post``, ``profile``, ``hub``, ``listing`` or ``page``."""
    label: str
    captures: int
    """How many captures it is named in, or is."""
    capture: str
    """The newest of them."""

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "kind": self.sort,
            "label": self.label,
            "captures": self.captures,
            "capture": self.capture,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    source: str
    target: str
    relation: str
    """``shown_on`` (account -> page), ``led_to`` (page -> page), ``sold_by`` (listing -> seller)."""
    captures: int

    def to_json(self) -> dict[str, Json]:
        return {"source": self.source, "target": self.target, "relation": self.relation, "captures": self.captures}


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    nodes: tuple[Node, ...]
    """Most named first."""
    edges: tuple[Edge, ...]
    """Between these nodes."""
    left_out: int
    """Nodes that were too many."""
    captures: int
    """How many captures were looked at; the newest ``MAX_CAPTURES`` of a larger case."""
    whole: bool
    """Whether these are all captures of the case."""

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "nodes": [each.to_json() for each in self.nodes],
            "edges": [each.to_json() for each in self.edges],
            "left_out": self.left_out,
            "captures": self.captures,
            "whole": self.whole,
        }


def neighbours(database: Database, scope: str, sight: Sight, *, limit: int = MAX_NODES) -> Neighbours:
    """Of one case. Empty where it may not be seen."""
    if not of_case(scope, sight):
        return Neighbours(nodes=(), edges=(), left_out=0, captures=0, whole=True)
    rows = database.rows(
        "SELECT captures.started_index, capture_id, parent, url_key, coalesce(final_url, requested_url), title, kind"
        " FROM placed JOIN captures ON captures.started_index = placed.started_index"
        " WHERE placed.scope = ? AND disposed_at IS NULL AND end_index IS NOT NULL"
        " ORDER BY placed.started_index DESC LIMIT ?",
        (scope, MAX_CAPTURES + 1),
    )
    whole, rows = len(rows) <= MAX_CAPTURES, rows[:MAX_CAPTURES]
    names = database.rows(
        "SELECT names.started_index, sort, value, shown FROM names JOIN placed ON placed.started_index ="
        " names.started_index WHERE placed.scope = ? AND names.sort IN ('account', 'seller')"
        " AND names.started_index >= ?",
        (scope, rows[-1][0] if rows else 0),
    )
    named: dict[int, list[tuple[str, str, str]]] = {}
    for place, sort, value, shown in names:
        named.setdefault(place, []).append((sort, value, shown))
    kinds = _kinds(rows)
    pages = {capture: f"page:{key or url}" for _, capture, _, key, url, _, _ in rows}
    nodes: dict[str, tuple[str, str, str]] = {}
    counted: Counter[str] = Counter()
    edges: Counter[tuple[str, str, str]] = Counter()
    for place, capture, parent, _, url, title, _ in rows:
        page = pages[capture]
        nodes.setdefault(page, (kinds.get(page, "page"), " ".join((title or url or "").split())[:200], capture))
        counted[page] += 1
        for sort, value, shown in _one_of_each(named.get(place, [])):
            who = f"{sort}:{value}"
            nodes.setdefault(who, (sort, shown, capture))
            counted[who] += 1
            edges[(who, page, "shown_on") if sort == "account" else (page, who, "sold_by")] += 1
        if parent in pages and pages[parent] != page:
            edges[pages[parent], page, "led_to"] += 1
    ranked = sorted(nodes, key=lambda each: (-counted[each], each))
    kept = set(ranked[:limit])
    return Neighbours(
        nodes=tuple(
            Node(id=each, sort=nodes[each][0], label=nodes[each][1], captures=counted[each], capture=nodes[each][2])
            for each in ranked[:limit]
        ),
        edges=tuple(
            Edge(source=source, target=target, relation=relation, captures=count)
            for (source, target, relation), count in sorted(edges.items(), key=lambda each: (-each[1], each[0]))
            if source in kept and target in kept
        ),
        left_out=len(ranked) - len(kept),
        captures=len(rows),
        whole=whole,
    )


def _kinds(rows: list[tuple[int, str, str | None, str | None, str, str | None, str | None]]) -> dict[str, str]:
    """What a page is, as the newest capture that tells says: a wall in its place tells nothing."""
    found: dict[str, str] = {}
    for _, _, _, key, url, _, kind in rows:
        if kind in _SORTS:
            found.setdefault(f"page:{key or url}", _SORTS[kind])
    return found


def _one_of_each(names: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """A handle and an account's number are one account: the one that people read stands for it."""
    best: dict[str, tuple[str, str, str]] = {}
    for each in sorted(names, key=lambda name: (name[1].isdigit(), name[1])):
        best.setdefault(each[0], each)
    return list(best.values())
