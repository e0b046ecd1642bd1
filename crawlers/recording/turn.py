"""One turn: a request, and what came back; as much of it as the browser tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crawlers.recording.scratch import Kept
from crawlers.recording.sockets import Talk

Headers = Sequence[tuple[str, str]]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
AHEAD = "Prefetch"
"""The kind, in DevTools' word, of what speculation rules have the browser fetch."""
OURS = "proxy-authorization"
"""What the browser says to our own egress; the site never sees it."""


@dataclass(kw_only=True, slots=True, eq=False)
class Turn:
    """Filled in as the browser's events come; which of them come, and in which order, differs by what is fetched."""

    request_id: str
    url: str
    method: str
    kind: str
    """``Document``, ``Image``, ``Script``, … as DevTools names them; empty where it does not."""
    at: datetime
    """When the request was made."""
    frame: str = ""
    request_headers: Headers = field(default=(), repr=False)
    posted: bytes = field(default=b"", repr=False)
    posts: bool = False
    """The request has a body, whether or not it is in ``posted``."""
    status: int | None = None
    status_text: str = ""
    headers: Headers = field(default=(), repr=False)
    protocol: str = ""
    security: Mapping[str, Any] | None = None
    address: str = ""
    """The remote address, where the browser reached the site itself."""
    media_type: str = ""
    charset: str = ""
    answered_at: datetime | None = None
    expects_extra: bool | None = None
    """The headers as they came are told of separately; None: the browser does not say."""
    is_redirect: bool = False
    by_worker: bool = False
    """A service worker made the answer; nothing of it went over the network under this request."""
    for_worker: bool = False
    """A service worker asked; it may hand the answer on without reading it."""
    from_cache: bool = False
    talk: Talk | None = None
    """Of a web socket: the turn is its handshake, this its messages."""
    came: int = 0
    """Bytes of the body, content codings removed, as the browser counts them."""
    body: Kept = field(default_factory=Kept)
    streams: object | None = None
    """The session that hands its bytes on as they come."""
    whole: bool = False
    """``body`` has all of it."""
    recoded: bool = False
    """``body`` is the text that the browser read, in UTF-8: its bytes were not to be had."""
    finished: bool = False
    failed: str | None = None
    canceled: bool = False
    blocked: str = ""
    """Why the browser did not ask, or did not take the answer: ``csp``, ``mixed-content``…"""
    relayed: bool = False
    """We read the body and gave the page the answer: what the browser says of the connection then is not the site's."""
    is_download: bool = False
    withheld: tuple[str, ...] = ()
    """What was taken out of it, since a secret was under way by then."""

    @property
    def is_over(self) -> bool:
        """Nothing more of it will come by itself."""
        return self.finished or self.failed is not None or self.is_redirect

    @property
    def was_sent(self) -> bool:
        """An answer came, from a site and over the network or from its service worker."""
        return self.status is not None and not self.from_cache


def pairs(headers: Mapping[str, Any] | None) -> Headers:
    """DevTools puts several headers of one name into one value, a line each."""
    return tuple((name, line) for name, value in (headers or {}).items() for line in str(value).split("\n"))


def as_came(headers: Mapping[str, Any], text: str | None) -> Headers:
    """With the block's own order, spelling and repetition where DevTools gives it whole (HTTP/1.1).

    What is no UTF-8 in it may have swallowed a line's end; then the names differ.
    """
    told, block = pairs(headers), pairs_of_text(text or "")
    same = sorted(name.lower() for name, _ in told) == sorted(name.lower() for name, _ in block)
    return block if same else told


def pairs_of_text(text: str) -> Headers:
    """The header block as it came over HTTP/1.1: order, spelling and repetition kept."""
    lines = text.replace("\r\n", "\n").split("\n")[1:]
    found: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and found:  # obs-fold, RFC 9112 §5.2
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif ":" in line:
            name, _, value = line.partition(":")
            found.append((name, value.strip()))
    return tuple(found)


def header(headers: Headers, name: str) -> str:
    """The first of that name, or nothing."""
    return next((value for each, value in headers if each.lower() == name), "")


def is_plain(turn: Turn) -> bool:
    """Whether there is nothing to be unpacked."""
    return header(turn.headers, "content-encoding").lower() in {"", "identity"}


def stated_length(turn: Turn) -> int | None:
    """What the answer says that it has, in bytes as they are sent."""
    length = header(turn.headers, "content-length")
    return int(length[:15]) if length.isascii() and length.isdigit() else None


def instant(seconds: float) -> datetime:
    """Of seconds since 1970 (``Network.TimeSinceEpoch``)."""
    return datetime.fromtimestamp(seconds, UTC)
