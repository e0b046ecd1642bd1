"""A case's graph, drawn here as SVG and written out as a table. The same as JSON."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.index.neighbours import Edge, Neighbours, Node, neighbours
from console.web.holdings import HoldingsHere
from console.web.pages.searching import take_in
from console.web.rendering import render

router = APIRouter()
api = APIRouter(tags=["graph"])
DRAWN = 60
"""Nodes that are drawn; more are in the table."""
_COLUMNS = (("account",), ("post", "profile"), ("hub", "page"), ("listing",), ("seller",))
_TITLES = ("accounts", "posts and profiles", "hubs and pages", "listings", "sellers")
_WIDTH, _ROW, _TOP, _BOX = 230, 46, 40, 200
_LABEL = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A node where it is drawn."""

    node: Node
    x: int
    y: int
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    edge: Edge
    path: str
    """SVG path data."""


@router.get("/cases/{scope}/graph")
def graph(request: Request, scope: str, holdings: HoldingsHere) -> Response:
    row = holdings.case(scope)
    take_in(holdings.archive)
    drawn = neighbours(holdings.archive.catalog.database, scope, holdings.scopes)
    places, lines, height = _laid(drawn)
    nodes = {each.id: each for each in drawn.nodes}
    return render(
        request,
        "graph.html",
        case=row,
        drawn=drawn,
        places=places,
        lines=lines,
        titles=[(at * _WIDTH, title) for at, title in enumerate(_TITLES)],
        width=len(_COLUMNS) * _WIDTH,
        height=height,
        box=_BOX,
        nodes=nodes,
        left_undrawn=len(drawn.nodes) - len(places),
    )


@api.get("/cases/{scope}/graph")
def graph_api(scope: str, holdings: HoldingsHere) -> dict[str, Any]:
    """Who is named on which page, which page led to which, who sells: by the catalogue, most named first."""
    holdings.case(scope)
    take_in(holdings.archive)
    return dict(neighbours(holdings.archive.catalog.database, scope, holdings.scopes).to_json())


def _laid(drawn: Neighbours) -> tuple[list[Placed], list[Line], int]:
    """Columns by what things are, in the order of the way from a post to a seller."""
    placed: dict[str, Placed] = {}
    rows = [0] * len(_COLUMNS)
    for node in drawn.nodes[:DRAWN]:
        column = next((at for at, sorts in enumerate(_COLUMNS) if node.sort in sorts), 2)
        label = node.label if len(node.label) <= _LABEL else f"{node.label[: _LABEL - 1]}…"
        placed[node.id] = Placed(node=node, x=column * _WIDTH, y=_TOP + rows[column] * _ROW, label=label or "no title")
        rows[column] += 1
    lines = []
    for edge in drawn.edges:
        source, target = placed.get(edge.source), placed.get(edge.target)
        if source is None or target is None:
            continue
        begin, end = (source.x + _BOX, source.y + 17), (target.x, target.y + 17)
        if target.x <= source.x:  # back, or within a column: round its side
            begin, end = (source.x + _BOX, source.y + 17), (target.x + _BOX, target.y + 17)
        bend = 24 if target.x <= source.x else (end[0] - begin[0]) // 2
        across = end[0] + bend if target.x <= source.x else end[0] - bend
        path = f"M{begin[0]} {begin[1]} C{begin[0] + bend} {begin[1]} {across} {end[1]} {end[0]} {end[1]}"
        lines.append(Line(edge=edge, path=path))
    return list(placed.values()), lines, _TOP + max(rows, default=0) * _ROW + 10
