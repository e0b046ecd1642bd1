"""A host of the make-believe network: a folder of files as they lie, and answers by path where a file is not enough."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

MEDIA_TYPES = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".htm": "text/html",  # as old servers say it: the page itself must name its charset
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".txt": "text/plain; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".gif": "image/gif",
    }
)


class Door(StrEnum):
    """What stands behind a host's port."""

    HTTPS = "https"
    HTTP = "http"
    BAD_CERTIFICATE = "bad_certificate"
    """HTTPS with a certificate that is out of date, for another name, and of a key that nobody named."""
    GARBAGE = "garbage"
    """Takes the connection and answers the TLS greeting with something else."""
    SILENT = "silent"
    """Takes the connection and says nothing."""
    REFUSED = "refused"
    """A port where nothing listens."""


class Ending(StrEnum):
    """How an answer goes on after its body."""

    WHOLE = "whole"
    CUT = "cut"
    """The length promises more than comes; then the connection is closed."""
    EMPTY = "empty"
    """The connection is closed without a byte."""
    CHUNKED = "chunked"
    """In pieces, a moment between them, and no length is told before."""
    SOCKET = "socket"
    """A web socket: each line of the body is a message, and then what comes is sent back."""
    DRIP = "drip"
    """A comment byte by byte until the browser or the site goes away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    """The first value of each field, decoded."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    media_type: str | None = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0
    """Before the first byte of the head."""
    ending: Ending = Ending.WHOLE


Route = Callable[[Request], Answer]


def page(text: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status=status, body=text.encode(), headers=headers)


def redirect(status: int, location: str) -> Answer:
    body = f'<html><head><title>Moved</title></head><body><a href="{location}">Moved here</a></body></html>\n'
    return Answer(status=status, body=body.encode(), headers=(("Location", location),))


def always(answer: Answer) -> Route:
    return lambda _: answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    name: str
    door: Door = Door.HTTPS
    folder: Path | None = None
    routes: Mapping[str, Route] = field(default_factory=dict)
    """By path; they win over files. The path ``*`` answers what nothing else does."""
    headers: tuple[tuple[str, str], ...] = ()
    """On every page (not on pictures and styles)."""

    def answer(self, request: Request) -> Answer:
        found = self._find(request)
        if found.media_type and found.media_type.startswith("text/html"):
            found = replace(found, headers=(*self.headers, *found.headers))
        return found

    def _find(self, request: Request) -> Answer:
        if route := self.routes.get(request.path):
            return route(request)
        if (file := self._file(request.path)) is not None:
            return Answer(
                body=file.read_bytes(),
                media_type=MEDIA_TYPES[file.suffix],
                headers=() if file.suffix.startswith(".htm") else (("Cache-Control", "public, max-age=86400"),),
            )
        if request.path not in ("/robots.txt", "/favicon.ico") and (route := self.routes.get("*")):
            return route(request)
        return page("<!doctype html><title>Not found</title><h1>404 Not Found</h1>\n", status=404)

    def _file(self, path: str) -> Path | None:
        """``/a/`` and ``/a`` are a/index.html or a.html (or .htm); ``/a.png`` is itself. Never outside the folder."""
        if self.folder is None:
            return None
        base = (self.folder / path.strip("/")).resolve()
        if not base.is_relative_to(self.folder.resolve()):
            return None
        candidates = [base, base / "index.html", base / "index.htm", Path(f"{base}.html"), Path(f"{base}.htm")]
        return next((each for each in candidates if each.is_file() and each.suffix in MEDIA_TYPES), None)


def squeeze(answer: Answer, accepts: str) -> Answer:
    """gzip where the browser takes it and it pays, as real servers do; the same bytes each time."""
    texts = answer.media_type and answer.media_type.startswith(("text/", "image/svg", "application/json"))
    if not texts or "gzip" not in accepts or len(answer.body) < 600 or answer.ending is not Ending.WHOLE:
        return answer
    body = gzip.compress(answer.body, mtime=0)
    return replace(
        answer, body=body, headers=(*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    )
