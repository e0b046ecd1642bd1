"""The first page: the cases."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from archive.index.listing import count_believed
from console.web.holdings import HoldingsHere
from console.web.rendering import render

router = APIRouter()


@router.get("/")
def start(request: Request, holdings: HoldingsHere) -> Response:
    cases = holdings.cases()
    trust = holdings.archive.reader.trust
    return render(
        request,
        "start.html",
        cases=[(each, holdings.brief(each.scope), holdings.zone([each])) for each in cases],
        log=holdings.archive.reader.log.log,
        size=holdings.log_size,
        store=holdings.archive.reader.store.name,
        believed=count_believed(holdings.archive.catalog.database),
        has_trust=trust is not None,
        has_authority=trust is not None and bool(trust.authorities),
    )
