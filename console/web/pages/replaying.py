"""The way to a replay: of the newest package of a capture's unit, in the add-on where that is installed."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from archive.packaging.packer import MADE
from console.web.holdings import HoldingsHere
from console.web.player import Player
from console.web.rendering import render
from custody.instant import format_utc

router = APIRouter()


@router.get("/captures/{capture_id}/replay")
def replay(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """Says what is lacking, and the command that makes it."""
    entry = holdings.entry(capture_id)
    player: Player | None = request.app.state.player
    made = [each for each in holdings.archive.catalog.events_of(entry.unit) if each.type == MADE]
    if player is None or not made or entry.disposed_at is not None:
        cases = holdings.cases_of(entry.unit)
        return render(
            request, "replay.html", entry=entry, cases=cases, has_player=player is not None, has_package=bool(made)
        )
    package = holdings.leaf(made[-1].index).event.subjects[0]
    holdings.package_taken(entry, package.name)
    with holdings.archive.kept.file(package.digest) as stream:
        address = player.open(
            stream,
            url=entry.final_url or entry.requested_url,
            at=re.sub(r"\D", "", format_utc(entry.started_at))[:14],
        )
    return RedirectResponse(address, 303)
