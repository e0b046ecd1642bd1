"""Waiting: what is served where nothing was captured yet, until something is."""

import threading
from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from archive.accounts import Accounts
from archive.config import ArchiveConfig
from archive.errors import NoArchive
from console.web.application import Entrance, bare
from console.web.rendering import render


class Waiting:
    """ASGI application: a page with the next command; with the first request after there is an archive, that."""

    def __init__(
        self,
        config: ArchiveConfig,
        entrance: Entrance,
        *,
        clock: Callable[[], datetime],
        open_full: Callable[[], FastAPI],
    ) -> None:
        """``open_full`` raises ``NoArchive`` as long as there is none. Tried at once; other errors are raised."""
        self._open_full = open_full
        self._lock = threading.Lock()
        self._full: FastAPI | None = None
        self._empty = bare(entrance, Accounts(config.home, clock), clock)
        self._empty.state.home = str(config.home)
        self._empty.state.store = config.store_url or str(config.home / "store")
        self._empty.add_api_route("/", _empty, include_in_schema=False)
        self._empty.add_api_route("/{path:path}", _elsewhere, include_in_schema=False)
        self._look()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._full is None and scope["type"] == "http":
            await run_in_threadpool(self._look)
        await (self._full or self._empty)(scope, receive, send)

    def _look(self) -> None:
        with self._lock:
            if self._full is None:
                try:
                    self._full = self._open_full()
                except NoArchive:
                    return


def _empty(request: Request) -> Response:
    state = request.app.state
    return render(request, "empty.html", home=state.home, store=state.store)


def _elsewhere(path: str) -> Response:
    if path.startswith("api/"):
        return JSONResponse({"error": "nothing was captured yet", "kind": NoArchive.__name__}, 404)
    return RedirectResponse("/", 303)
