"""Where packages are replayed: a server beside the console, under another name, for an add-on that is not ours.

A replay runs what the captured page ran. So it is no part of the console: another origin, which has nothing but the
add-on's files and the packages that somebody who may see them has asked for, and from which nothing can be fetched that
does not lie there.
"""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.errors import UsageError
from console.web.listener import LOOPBACK, listening

NAME = "localhost"
"""By which it is asked for. The console is asked for by an address: cookies of the one are not sent to the other."""
FILES = ("index.html", "ui.js", "sw.js")
"""What ReplayWeb.page, as it is published on npm, has in its folder."""
MAX_OPEN = 8
"""Packages that are ready at one time; the one asked for longest ago makes room."""
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:;"
    " form-action 'none'; frame-ancestors 'self'; base-uri 'self'"
)
"""The add-on and the replayed page may run, and reach this server alone."""
_CHUNK_BYTES = 1 << 20


@dataclass(kw_only=True, slots=True)
class Player:
    """Safe for threads."""

    folder: Path
    """The add-on's own."""
    room: Path
    """For the packages while they are open."""
    base: str = ""
    """``http://localhost:PORT``, once it answers."""
    _packages: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, package: BinaryIO, *, url: str, at: str) -> str:
        """The address of a replay that begins with a page: ``url`` as it was at ``at`` (``YYYYMMDDhhmmss``).

        ``package``: a WACZ whose digest was compared. Nobody can guess the address.
        """
        ticket = secrets.token_urlsafe(32)
        path = self.room / f"{ticket}.wacz"
        with path.open("xb") as file:
            while chunk := package.read(_CHUNK_BYTES):
                file.write(chunk)
        with self._lock:
            self._packages[ticket] = path
            while len(self._packages) > MAX_OPEN:
                oldest = next(iter(self._packages))
                self._packages.pop(oldest).unlink(missing_ok=True)
        where = urlencode({"view": "pages", "url": url, "ts": at})
        return f"{self.base}/index.html?source=/package/{ticket}.wacz#{where}"

    def package(self, request: Request) -> Response:
        with self._lock:
            path = self._packages.get(request.path_params["ticket"])
        if path is None:
            return PlainTextResponse("This replay is over: ask the console for it again.\n", 404)
        return FileResponse(path, media_type="application/wacz+zip")


@contextmanager
def playing(folder: Path) -> Iterator[Player]:
    """Until the context ends. Raises ``UsageError`` where the folder has no such add-on."""
    lacking = [name for name in FILES if not (folder / name).is_file()]
    if lacking:
        raise UsageError(
            f"{folder} is no ReplayWeb.page: it has no {', '.join(lacking)}; docs/replay.md says how to get it"
        )
    with ExitStack() as stack:
        room = stack.enter_context(tempfile.TemporaryDirectory(prefix="counterproof-replay-"))
        player = Player(folder=folder, room=Path(room))
        server = uvicorn.Server(uvicorn.Config(
            application(player), log_level="error", access_log=False, ws="none",
            lifespan="off", server_header=False, date_header=False,
        ))  # fmt: skip
        listener = stack.enter_context(listening(LOOPBACK, 0))
        player.base = f"http://{NAME}:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="replay", daemon=True)
        thread.start()
        try:
            yield player
        finally:
            server.should_exit = True
            thread.join(10)


def application(player: Player) -> Starlette:
    """The add-on's files, and below ``/package/`` what was asked for."""
    routes = [
        Route("/package/{ticket}.wacz", player.package),
        Mount("/", StaticFiles(directory=player.folder, html=True)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Fence, player=player)])


class _Fence:
    """ASGI middleware: asked for by its own name alone, and each answer says what it may reach."""

    def __init__(self, app: ASGIApp, player: Player) -> None:
        self._app = app
        self._player = player

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        if headers.get(b"host", b"").decode("latin-1").lower() != self._player.base.partition("://")[2]:
            await PlainTextResponse("This was asked for by a name that is not its own.\n", 421)(scope, receive, sent)
            return
        await self._app(scope, receive, sent)
