"""A case's graph, drawn as SVG and written out as tables. The same as JSON."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.errors import Refused
from archive.index.neighbours import neighbours
from console.web import drawing
from console.web.holdings import Holdings, HoldingsHere
from console.web.pages.searching import take_in
from console.web.promotions import MAX_LIVE, Promotions
from console.web.rendering import render
from findings.graph import to_json

router = APIRouter()
api = APIRouter(tags=["graph"])


@router.get("/cases/{scope}/graph")
def graph(request: Request, scope: str, holdings: HoldingsHere, wait: bool = False) -> Response:
    """At once; what has to be read first comes by itself, or where somebody said that he waits."""
    row = holdings.case(scope)
    known: Promotions = request.app.state.promotions
    is_ready = wait or row.captures > MAX_LIVE or known.at_hand(holdings, scope) is not None
    values = _drawn(request, holdings, scope) if is_ready else {"drawn": None}
    return render(request, "graph.html", case=row, **values)


@router.get("/cases/{scope}/graph/drawn")
def drawn(request: Request, scope: str, holdings: HoldingsHere) -> Response:
    """The part of the page that may take some seconds."""
    return render(request, "graph_part.html", case=holdings.case(scope), **_drawn(request, holdings, scope))


def _drawn(request: Request, holdings: Holdings, scope: str) -> dict[str, Any]:
    known: Promotions = request.app.state.promotions
    told = known.of(holdings, scope)
    coarse = None
    if told.graph is not None and told.graph.nodes:
        made = drawing.of_graph(told.graph)
    else:
        take_in(holdings.archive)
        coarse = neighbours(holdings.archive.catalog.database, scope, holdings.scopes)
        made = drawing.of_catalogue(coarse)
    return {
        "drawn": made,
        "coarse": coarse,
        "was_read": told.graph is not None,
        "unread": told.unread,
        "names": {each.id: each for each in made.things},
        "titles": [(at * drawing.WIDTH, title) for at, title in enumerate(drawing.TITLES)],
        "width": len(drawing.TITLES) * drawing.WIDTH,
        "box": drawing.BOX,
    }


@api.get("/cases/{scope}/graph")
def graph_api(scope: str, holdings: HoldingsHere) -> dict[str, Any]:
    """Who is named on which page, which page led to which, who sells: by the catalogue, most named first."""
    holdings.case(scope)
    take_in(holdings.archive)
    return dict(neighbours(holdings.archive.catalog.database, scope, holdings.scopes).to_json())


@api.get("/cases/{scope}/graph/read")
def graph_read_api(request: Request, scope: str, holdings: HoldingsHere) -> dict[str, Any]:
    """As `counterproof graph` writes it, of the captures read now: what is pointed at, and what is merely reachable."""
    known: Promotions = request.app.state.promotions
    told = known.of(holdings, scope)
    if told.graph is None:
        raise Refused(
            f"this case has more than {MAX_LIVE} captures, or cannot be read now: counterproof graph reads it"
        )
    return dict(to_json(told.graph))
