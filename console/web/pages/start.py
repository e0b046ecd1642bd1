"""The first page: the cases; and the way in by the token that the command has printed."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from console.web.holdings import HoldingsHere
from console.web.rendering import render
from console.web.sessions import Sessions

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
        has_trust=trust is not None,
        has_authority=trust is not None and bool(trust.authorities),
    )


@router.get("/enter")
def enter(request: Request, token: str = "") -> Response:
    """Once. Whoever is in already goes on."""
    state = request.app.state
    if request.state.viewer is not None:
        return RedirectResponse("/", 303)
    sessions: Sessions = state.sessions
    secret = sessions.enter(token)
    if secret is None:
        return render(
            request,
            "error.html",
            status=403,
            title="This link was used, or is not from this console",
            what="A link lets one browser in, once. Where it was opened, the console is open.",
            then="Stop the command (Ctrl-C), start it again, and open the address that it prints.",
        )
    return signed_in(request, secret)


def signed_in(request: Request, secret: str, to: str = "/") -> Response:
    answer = RedirectResponse(to, 303)
    state = request.app.state
    answer.set_cookie(
        state.door.cookie, secret, httponly=True, samesite="strict", secure=state.door.is_secure, path="/"
    )
    return answer


@router.get("/sign-in")
def sign_in(request: Request) -> Response:
    return render(
        request,
        "error.html",
        status=401,
        title="You are not signed in",
        what="This console lets in whoever opens the address that the command has printed, once.",
        then="Open that address. Was it used, in another browser? Stop the command (Ctrl-C) and start it again.",
    )


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    state = request.app.state
    sessions: Sessions = state.sessions
    sessions.end(request.cookies.get(state.door.cookie))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(state.door.cookie, path="/")
    return answer


@router.get("/health")
def health() -> Response:
    """Whether the process answers; says nothing of what is in it."""
    return JSONResponse({"schema": 1, "ok": True})
