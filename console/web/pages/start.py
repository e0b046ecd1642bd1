"""The first page: the cases."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.index.listing import count_believed
from console.web.holdings import HoldingsHere, zone_of
from console.web.lanes import quick
from console.web.rendering import render

router = APIRouter()


@router.get("/")
@quick
def start(request: Request, holdings: HoldingsHere) -> Response:
    cases = holdings.cases()
    trust = holdings.archive.reader.trust
    described = holdings.described(cases)
    return render(
        request,
        "start.html",
        cases=[(each, described.get(each.scope), zone_of(described.get(each.scope))) for each in cases],
        log=holdings.archive.reader.log.log,
        size=holdings.log_size,
        store=holdings.archive.reader.store.name,
        believed=count_believed(holdings.archive.catalog.database),
        has_trust=trust is not None,
        has_authority=trust is not None and bool(trust.authorities),
    )
