"""The application: routers, the guard before them, and what every error becomes."""

import logging
from collections.abc import Collection, Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from archive.accounts import Accounts
from archive.errors import ArchiveError, NotStored, Refused, UsageError
from archive.reviews import Reviews
from console.web import pages
from console.web.guard import Door, Guard, same_form
from console.web.holdings import Archive, Forbidden, Missing
from console.web.jobs import Jobs
from console.web.pages.api import PROBLEMS
from console.web.player import Player
from console.web.promotions import Promotions
from console.web.rendering import STATIC, environment, render
from console.web.sessions import Attempts, Sessions
from console.web.viewer import Viewer
from custody.errors import CustodyError

logger = logging.getLogger(__name__)
_API = "/api/"


def create(
    archive: Archive,
    sessions: Sessions,
    *,
    hosts: Collection[str],
    cookie: str,
    is_secure: bool = False,
    is_local: bool = True,
    capture_options: Sequence[str] = (),
    player: Player | None = None,
) -> FastAPI:
    """For one archive that is open. ``hosts``: by which names it is asked for, with their ports.

    ``player``: where packages are replayed; None: nowhere. ``is_local``: the way in is a link that the command prints;
    else people sign in with a name.
    """
    accounts = Accounts(archive.config.home, archive.clock)

    def identify(session: str | None, token: str | None) -> Viewer | None:
        if token is not None:
            known = accounts.by_token(token)
            return None if known is None else Viewer.by(*known)
        found = sessions.find(session)
        if found is None:
            return None
        if found.is_owner:
            return Viewer.owner(found.name, found.csrf)
        account = accounts.find(found.name)
        return None if account is None else Viewer.of(account, found.csrf)

    door = Door(hosts=frozenset(hosts), cookie=cookie, identify=identify, is_secure=is_secure)
    app = FastAPI(
        title="Counterproof", dependencies=[Depends(same_form)], docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.accounts = accounts
    app.state.attempts = Attempts(archive.clock)
    app.state.is_local = is_local
    app.state.jobs = Jobs(archive.config, archive.clock, options=capture_options)
    app.state.reviews = Reviews(archive.config.home)
    app.state.archive = archive
    app.state.player = player
    app.state.sessions = sessions
    app.state.promotions = Promotions(archive)
    app.state.templates = environment()
    app.state.bar = pages.BAR
    app.state.door = door
    for router in pages.ROUTERS:
        app.include_router(router, include_in_schema=False)
    for router in pages.APIS:
        app.include_router(router, prefix="/api/v1", responses=PROBLEMS)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard, door=door)
    for error in (Missing, Forbidden, ArchiveError, CustodyError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _answer)
    return app


def _answer(request: Request, error: Exception) -> Response:
    """One sentence and what to do next, as a page or as JSON; never a traceback."""
    status, title, then = _told(error)
    if request.url.path.startswith(_API):
        told: dict[str, Any] = {"error": title, "kind": type(error).__name__}
        return JSONResponse(told, status)
    return render(request, "error.html", status=status, title=title, what="", then=then)


def _told(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, Missing):
        return (
            404,
            "There is nothing here",
            "It may be in a case that you may not see, or the address has a slip in it.",
        )
    if isinstance(error, Forbidden):
        if str(error) == "form":
            return 403, "This form is from another session", "Load the page again, and send it anew."
        return 403, f"This needs the right of {error!s} in the case", "Ask a custodian of the case for it."
    if isinstance(error, RequestValidationError):
        return 422, "Something in this request has not the form that is asked for", "Go back and look at it again."
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail), "Go back, or to the cases."
    if isinstance(error, UsageError):
        return 422, str(error), "Go back and look at it again."
    if isinstance(error, Refused):
        return 409, str(error), "Try again later."
    if isinstance(error, NotStored):
        return (
            404,
            f"What is asked for is not in the store: {error}",
            "Run counterproof verify: it says what is missing.",
        )
    logger.warning("%s: %s", type(error).__name__, error)
    return 500, str(error), "Run counterproof verify, and counterproof doctor."
