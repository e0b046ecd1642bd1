"""The door of the web application: which host was meant, who asks, and what each answer forbids a browser."""

import hmac
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.web.holdings import Forbidden
from console.web.viewer import Viewer

OPEN = ("/enter", "/sign-in", "/sign-in/", "/static/", "/health")
"""Where nobody has to have signed in; a path that ends in a slash stands for all below it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing runs but our own files; nothing goes anywhere else. An answer with a policy of its own keeps that."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form would say that its origin is null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex",
}
_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~-]{16,200})")

Identify = Callable[[str | None, str | None], Viewer | None]
"""``identify(session, token)``: by the cookie, or by the bearer token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """What the guard goes by."""

    hosts: Collection[str]
    """Values of ``Host`` that are ours, lower case. Another is a page elsewhere that had its name point at us."""
    cookie: str
    identify: Identify
    is_secure: bool = False
    """Whether the way to the browser is TLS."""

    def protect(self, headers: MutableHeaders) -> None:
        """What each answer forbids a browser."""
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("Cache-Control", "no-store")
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")


class Guard:
    """ASGI middleware. Closed unless a path is in ``OPEN``: a page that somebody adds is not open by oversight."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets here
        headers = Headers(scope=scope)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._door.protect(MutableHeaders(scope=message))
            await send(message)

        answer = self._refusal(scope, headers)
        if answer is not None:
            await answer(scope, receive, sent)
            return
        await self._app(scope, receive, sent)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """None: it may go on, and ``scope["state"]["viewer"]`` says who asks."""
        if headers.get("host", "").lower() not in self._door.hosts:
            return PlainTextResponse(
                "This console was asked for by a name that is not its own. Open the address that it printed.\n", 421
            )
        if scope["method"] not in SAFE and not self._is_own(headers):
            return PlainTextResponse("This was sent by a page of another site, and is refused.\n", 403)
        bearer = _BEARER.fullmatch(headers.get("authorization", ""))
        viewer = self._door.identify(
            None if bearer else session_of(headers, self._door.cookie), bearer[1] if bearer else None
        )
        scope.setdefault("state", {})["viewer"] = viewer
        path = scope["path"]
        if viewer is not None or any(path == each or (each[-1] == "/" and path.startswith(each)) for each in OPEN):
            return None
        if path.startswith("/api/"):
            told = {"error": "sign in, or send a token: Authorization: Bearer …", "kind": "Unauthorized"}
            return JSONResponse(told, 401, headers={"WWW-Authenticate": "Bearer"})
        if headers.get("hx-request"):
            return PlainTextResponse("You are signed out: load the page again.", 401)
        return RedirectResponse("/sign-in", 303)

    def _is_own(self, headers: Headers) -> bool:
        """Browsers say where a request comes from; programs say nothing, and have no cookie either."""
        site = headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        origin = headers.get("origin")
        if origin == "null" and site == "same-origin":
            return True  # a form of ours without scripts: our own referrer policy keeps the origin back
        return origin is None or origin.partition("://")[2].lower() in self._door.hosts


def session_of(headers: Headers, cookie: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie)
    except CookieError:
        return None
    return None if found is None else found.value


async def same_form(request: Request) -> None:
    """Each request that changes something brings back the word that our own form had in it. Raises ``Forbidden``."""
    viewer: Viewer | None = request.state.viewer
    if request.method in SAFE or viewer is None or not viewer.csrf:
        return
    given = request.headers.get("x-csrf-token")
    kind = request.headers.get("content-type", "")
    if given is None and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        given = str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest((given or "").encode(), viewer.csrf.encode()):
        raise Forbidden("form")
