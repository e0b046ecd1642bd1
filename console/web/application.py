"""The application: routers, the guard before them, and what every error becomes."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from archive.accounts import Accounts
from archive.errors import ArchiveError, NotStored, Refused, UsageError
from archive.reviews import Reviews
from console.web import pages
from console.web.guard import Door, Guard, same_form
from console.web.holdings import Archive, Forbidden, Missing
from console.web.jobs import Jobs
from console.web.pages import entrance as entrance_page
from console.web.pages.api import PROBLEMS
from console.web.pages.witnessing import Asked
from console.web.player import Player
from console.web.promotions import Promotions
from console.web.provider import Provider
from console.web.rendering import STATIC, environment, render
from console.web.sessions import Attempts, Sessions
from console.web.viewer import Viewer
from custody.errors import CustodyError


@dataclass(frozen=True, kw_only=True, slots=True)
class Entrance:
    """How somebody gets in."""

    sessions: Sessions
    hosts: Collection[str]
    """By which names it is asked for, with their ports."""
    cookie: str
    is_secure: bool = False
    is_local: bool = True
    """The way in is a link that the command prints; else people sign in with a name."""
    provider: Provider | None = None
    """At which people may sign in instead."""


logger = logging.getLogger(__name__)
_API = "/api/"


def create(
    archive: Archive, entrance: Entrance, *, capture_options: Sequence[str] = (), player: Player | None = None
) -> FastAPI:
    """For one archive that is open. ``player``: where packages are replayed; None: nowhere."""
    app = bare(entrance, Accounts(archive.config.home, archive.clock), archive.clock)
    app.state.jobs = Jobs(
        archive.config,
        archive.clock,
        key=lambda url: str(archive.run().dedupe_key(url)),
        of_unit=archive.of_unit,
        options=capture_options,
    )
    app.state.reviews = Reviews(archive.config.home)
    app.state.witnesses = Asked()
    app.state.archive = archive
    app.state.player = player
    app.state.promotions = Promotions(archive)
    app.state.bar = pages.BAR
    for router in pages.ROUTERS:
        app.include_router(router, include_in_schema=False)
    for router in pages.APIS:
        app.include_router(router, prefix="/api/v1", responses=PROBLEMS)
    return app


def bare(entrance: Entrance, accounts: Accounts, clock: Callable[[], datetime]) -> FastAPI:
    """The door, the way in through it, and what every error becomes; nothing behind it yet."""
    sessions = entrance.sessions

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

    door = Door(
        hosts=frozenset(entrance.hosts), cookie=entrance.cookie, identify=identify, is_secure=entrance.is_secure
    )
    app = FastAPI(
        title="Counterproof", dependencies=[Depends(same_form)], docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.accounts = accounts
    app.state.attempts = Attempts(clock)
    app.state.is_local = entrance.is_local
    app.state.sessions = sessions
    app.state.provider = entrance.provider
    app.state.templates = environment()
    app.state.bar = ()
    app.state.door = door
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(entrance_page.router, include_in_schema=False)
    app.add_middleware(Guard, door=door)
    for error in (Missing, Forbidden, ArchiveError, CustodyError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _answer)
    app.add_exception_handler(Exception, _fault)
    return app


def _fault(request: Request, error: Exception) -> Response:
    """Of the program itself. Whoever called us logs it; it is answered outside of the guard."""
    answer = _answer(request, error)
    door: Door = request.app.state.door
    door.protect(MutableHeaders(raw=answer.raw_headers))
    return answer


def _answer(request: Request, error: Exception) -> Response:
    """One sentence and what to do next, as a page or as JSON; never a traceback."""
    status, title, then = _told(error)
    if request.url.path.startswith(_API):
        told: dict[str, Any] = {"error": title, "kind": type(error).__name__}
        return JSONResponse(told, status)
    return render(request, "error.html", status=status, title=title, what="", then=then)


def _told(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, Missing) or (isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND):
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
    if not isinstance(error, (ArchiveError, CustodyError)):
        return 500, "Something went wrong in the console itself", "Its command has written down what: please report it."
    logger.warning("%s: %s", type(error).__name__, error)
    return 500, str(error), "Run counterproof verify, and counterproof doctor."
