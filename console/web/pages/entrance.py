"""The way in: by the token that the command has printed, or by name and password; and whether anybody is there."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from archive.accounts import Accounts
from console.web.holdings import Missing
from console.web.rendering import render
from console.web.sessions import Attempts, Sessions

router = APIRouter()


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


@router.get("/sign-in")
def sign_in(request: Request) -> Response:
    if request.state.viewer is not None:
        return RedirectResponse("/", 303)
    if not request.app.state.is_local:
        return render(request, "sign_in.html", trouble=None, name="")
    return render(
        request,
        "error.html",
        status=401,
        title="You are not signed in",
        what="This console lets in whoever opens the address that the command has printed, once.",
        then="Open that address. Was it used, in another browser? Stop the command (Ctrl-C) and start it again.",
    )


@router.post("/sign-in")
def try_sign_in(request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
    """A few tries by name and by address, then a wait."""
    state = request.app.state
    if state.is_local:
        raise Missing("sign-in")
    attempts: Attempts = state.attempts
    accounts: Accounts = state.accounts
    keys = (f"name {name[:100]}", f"address {request.client.host if request.client else ''}")
    if wait := attempts.wait_s(*keys):
        trouble = f"There were too many tries. The next one is looked at in {wait // 60 + 1} minutes."
        headers = {"Retry-After": str(wait)}
        return render(request, "sign_in.html", status=429, headers=headers, trouble=trouble, name=name)
    account = accounts.check(name, password)
    if account is None:
        attempts.fail(*keys)
        trouble = "Name and password do not go together. Whoever keeps the archive can set a new one."
        return render(request, "sign_in.html", status=401, trouble=trouble, name=name)
    attempts.forget(keys[0])
    sessions: Sessions = state.sessions
    return signed_in(request, sessions.begin(account.name))


def signed_in(request: Request, secret: str, to: str = "/") -> Response:
    answer = RedirectResponse(to, 303)
    state = request.app.state
    answer.set_cookie(
        state.door.cookie, secret, httponly=True, samesite="strict", secure=state.door.is_secure, path="/"
    )
    return answer


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
