"""One request for an answer for programs: through the egress, over TLS that was judged first, without a browser."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

import certifi

from archive import breakoff
from crawlers import tls
from crawlers.exchange import Exchange
from crawlers.robots import TOKEN
from crawlers.surfaces import Credential
from crawlers.tls import Certificate

MAX_BYTES = 4 << 20
MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WITHHELD = "withheld"
_AS_IT_IS = "%/?:@!$&'()*+,;=-._~"
"""Of an address: what a request line may have (RFC 3986 §3.3, §3.4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One request and whatever it is sent on to."""

    url: str
    what: str
    proxy: str
    """Host and port of the egress."""
    pass_: str = field(repr=False)
    """What the egress knows this visit by."""
    credential: Credential | None
    token: str | None = field(repr=False)
    trust_spki: tuple[str, ...]
    clock: Callable[[], datetime]
    is_cut: Callable[[], bool]
    until: float
    """By ``time.monotonic``."""


class Unanswered(Exception):
    """``trouble``: in the words of ``Seen.trouble``. What is said never has a header in it."""

    def __init__(self, trouble: str, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


@dataclass(kw_only=True, slots=True)
class Answer:
    """What came, in the order of coming."""

    exchanges: list[Exchange] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    body: bytes = field(default=b"", repr=False)


def follow(asked: Ask, answer: Answer) -> None:
    """Blocking. With a token there is one request: where it is sent on to is no business of the token's."""
    url = asked.url
    for _ in range(MAX_REDIRECTS + 1):
        try:
            onward = _one(asked, url, answer)
        except (OSError, http.client.HTTPException):
            _left(asked)  # where time is over, that is why
            raise
        if onward is None or asked.token is not None:
            return
        url = onward
    raise Unanswered("redirect_loop", f"more than {MAX_REDIRECTS} redirects")


def _one(asked: Ask, url: str, answer: Answer) -> str | None:
    """One request; where it is sent on to. Nothing goes out before the certificate was judged."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise Unanswered("left_the_web", "it was sent on to an address that is not https")
    connection, certificate = _connect(asked, parts.hostname, parts.port or 443)
    # A site that sends a byte now and then never lets a socket's own timeout pass.
    end = threading.Timer(_left(asked), _hang_up, [connection.sock])
    end.start()
    try:
        if all(each.host != certificate.host for each in answer.certificates):
            answer.certificates.append(certificate)
        shown = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": f"{TOKEN} ({asked.what})"}
        shown |= {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
        secret: dict[str, str] = {}
        if asked.credential is not None and asked.token is not None:
            secret[asked.credential.header] = f"{asked.credential.prefix}{asked.token}"
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.putrequest("GET", quote(target, safe=_AS_IT_IS), skip_host=True, skip_accept_encoding=True)
        for name, value in {**shown, **secret}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        exchange = _exchange(url, response, {**shown, **dict.fromkeys(secret, _WITHHELD)}, asked.clock())
        answer.exchanges.append(exchange)
        answer.body = b""
        location = response.getheader("Location")
        exchange.is_redirect = response.status in _REDIRECTS and location is not None
        answer.body = _body(asked, response)
    finally:
        end.cancel()
        connection.close()
    return urljoin(url, location) if exchange.is_redirect and location is not None else None


def _connect(asked: Ask, host: str, port: int) -> tuple[http.client.HTTPSConnection, Certificate]:
    """One whose certificate does not hold is asked nothing, unless the person named its key by ``--trust-spki``."""
    verified = ssl.create_default_context(cafile=certifi.where())
    try:
        connection = _open(asked, host, port, verified)
        named, reason = False, "chain leads to public roots and names the host"
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message or "it does not hold"
        if not asked.trust_spki:
            raise Unanswered("tls", f"{host}: its certificate does not hold ({reason}), so nothing was asked") from None
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        connection, named = _open(asked, host, port, unverified), True
    except ssl.SSLError as error:
        raise Unanswered("tls", f"{host}: no TLS could be had ({error.reason})") from None
    leaf = connection.sock.getpeercert(binary_form=True) or b""
    if named and (not leaf or tls.spki_sha256(leaf) not in asked.trust_spki):
        connection.close()
        raise Unanswered("tls", f"{host}: its certificate does not hold ({reason}), so nothing was asked")
    cipher = connection.sock.cipher()
    return connection, Certificate(
        host=host,
        chain_der=(leaf,),
        browser_says="no browser looked",
        trusted_by_spki=named,
        valid=not named,
        reason=f"{reason}; of its chain the first is kept",
        protocol=connection.sock.version() or "",
        cipher=cipher[0] if cipher else "",
    )


def _open(asked: Ask, host: str, port: int, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    egress, _, egress_port = asked.proxy.partition(":")
    connection = http.client.HTTPSConnection(egress, int(egress_port), timeout=_left(asked), context=context)
    connection.set_tunnel(host, port, headers={"Proxy-Authorization": f"Basic {asked.pass_}"})
    try:
        connection.connect()
    except TimeoutError:
        connection.close()
        raise Unanswered("timeout", f"{host}: no answer in time") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        sock.shutdown(socket.SHUT_RDWR)


def _body(asked: Ask, response: http.client.HTTPResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(_CHUNK_BYTES):
        _left(asked)
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise Unanswered("too_large", f"its answer is longer than {MAX_BYTES} bytes")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _left(asked: Ask) -> float:
    if asked.is_cut():
        raise Unanswered("interrupted", breakoff.INTERRUPTED)
    left = asked.until - time.monotonic()
    if left <= 0:
        raise Unanswered("timeout", "no answer in time")
    return left


def _exchange(url: str, response: http.client.HTTPResponse, sent: Mapping[str, str], at: datetime) -> Exchange:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    return Exchange(
        request_id="asked",
        url=url,
        status=response.status,
        status_text=response.reason,
        protocol="http/1.1",
        mime_type=response.headers.get_content_type(),
        charset=response.headers.get_content_charset() or "",
        headers=headers,
        request_headers=sent,
        security_state="unknown",
        security=None,
        from_service_worker=False,
        expects_extra=False,
        is_redirect=False,
        at=at,
    )
