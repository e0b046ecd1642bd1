"""A capture's page, its verdict computed when it is asked for, and its custody events."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.appraisal import Appraisal
from archive.log import LoggedEvent
from console.later import later_of
from console.web.captureview import view_of
from console.web.holdings import Holdings, HoldingsHere
from console.web.lanes import quick
from console.web.rendering import loose, render

router = APIRouter()
_SHOWN = ("asked", "shown", "title", "status", "origin")
"""Fields whose corrections stand beside them."""


@router.get("/captures/{capture_id}")
@quick
def capture(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    entry = holdings.entry(capture_id)
    cases = holdings.cases_of(entry.unit)
    view = view_of(holdings, entry)
    later = later_of(holdings.archive.reader, holdings.archive.catalog, entry)
    lines = [line for name in _SHOWN for line in later.beside(name)]
    lines += [*later.elsewhere(), *later.held(), *later.allowed()]
    return render(
        request,
        "capture.html",
        entry=entry,
        view=view,
        reading=loose(view.reading),
        tls=loose(view.tls),
        cases=cases,
        zone=holdings.zone(cases),
        unit=holdings.of_unit(entry.unit),
        later=lines,
        disposal=None if later.disposal is None else (later.disposal[0], loose(later.disposal[1])),
        events=[(each, _about(each)) for each in holdings.events(entry)],
    )


@router.get("/captures/{capture_id}/verdict")
def verdict(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """All of it read again now. A part of a page for htmx, a page of its own without scripts."""
    appraisal = appraise(holdings, capture_id)
    is_part = request.headers.get("hx-request") == "true"
    cases = holdings.cases_of(holdings.entry(capture_id).unit)
    return render(
        request,
        "verdict_part.html" if is_part else "verdict.html",
        capture_id=capture_id,
        appraisal=appraisal,
        zone=holdings.zone(cases),
    )


def appraise(holdings: Holdings, capture_id: str) -> Appraisal:
    entry = holdings.entry(capture_id)
    archive = holdings.archive
    return archive.appraiser.of(entry, at=archive.clock())


def _about(each: LoggedEvent) -> dict[str, str]:
    """What a leaf says beyond its type, as short texts."""
    body = {name: str(value) for name, value in each.event.body.items() if name not in {"capture", "item"}}
    anchor = each.event.anchor
    if anchor is not None:
        body["not older than"] = f"the token over {anchor.size} leaves"
    return body
