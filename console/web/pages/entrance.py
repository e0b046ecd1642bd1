"""The way in: by the command's token, by name and password, or by way of a provider; and whether anybody is there."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from archive.accounts import Accounts
from console.web.guard import Door
from console.web.holdings import Missing
from console.web.provider import LIFE, NotIdentified, Provider
from console.web.rendering import render
from console.web.sessions import Attempts, Sessions

router = APIRouter()
BACK = "sign-in/back"
"""Below our own address: where a provider leads back to."""


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
        return _form(request)
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
        return _form(request, status=429, headers=headers, trouble=trouble, name=name)
    account = accounts.check(name, password)
    if account is None:
        attempts.fail(*keys)
        trouble = "Name and password do not go together. Whoever keeps the archive can set a new one."
        return _form(request, status=401, trouble=trouble, name=name)
    attempts.forget(keys[0])
    sessions: Sessions = state.sessions
    return signed_in(request, sessions.begin(account.name))


@router.get("/sign-in/elsewhere")
def elsewhere(request: Request) -> Response:
    """Off to the provider; the cookie goes with whoever began, and comes back from another site."""
    provider = _provider(request)
    try:
        address, kept = provider.begin()
    except NotIdentified as error:
        return _form(request, status=502, trouble=str(error))
    answer = RedirectResponse(address, 303)
    door: Door = request.app.state.door
    answer.set_cookie(
        f"{door.cookie}-begun", kept, httponly=True, samesite="lax", secure=door.is_secure, path="/",
        max_age=int(LIFE.total_seconds()),
    )  # fmt: skip
    return answer


@router.get(f"/{BACK}")
def back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    iss: Annotated[str | None, Query(max_length=2048)] = None,
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """From the provider. Whom it names has to have an account here; it makes none."""
    provider = _provider(request)
    door: Door = request.app.state.door
    accounts: Accounts = request.app.state.accounts
    sessions: Sessions = request.app.state.sessions
    kept = request.cookies.get(f"{door.cookie}-begun")
    account, trouble = None, f"{provider.host} did not let you in ({error})"
    if not error:
        try:
            found = provider.finish(kept, state=state, code=code, issuer=iss)
        except NotIdentified as refusal:
            trouble = str(refusal)
        else:
            account = accounts.arrive(found.name, found.subject)
            trouble = (
                f"nobody here is known as {found.name}, or that name stood for another person before. Whoever keeps "
                f"the archive can say: counterproof users link NAME {found.name}"
            )
    if account is None:
        answer = _form(request, status=401, trouble=trouble)
    else:
        # Led here by another site, a redirect of ours would not take the strict cookie along: a page of ours does.
        answer = _with_session(request, render(request, "arrived.html"), sessions.begin(account.name))
    answer.delete_cookie(f"{door.cookie}-begun", path="/", secure=door.is_secure, httponly=True, samesite="lax")
    return answer


def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None or request.app.state.is_local:
        raise Missing("provider")
    return found


def _form(
    request: Request,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    trouble: str | None = None,
    name: str = "",
) -> Response:
    provider: Provider | None = request.app.state.provider
    at = None if provider is None else provider.host
    return render(request, "sign_in.html", status=status, headers=headers, trouble=trouble, name=name, provider=at)


def signed_in(request: Request, secret: str, to: str = "/") -> Response:
    return _with_session(request, RedirectResponse(to, 303), secret)


def _with_session(request: Request, answer: Response, secret: str) -> Response:
    door: Door = request.app.state.door
    answer.set_cookie(door.cookie, secret, httponly=True, samesite="strict", secure=door.is_secure, path="/")
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
