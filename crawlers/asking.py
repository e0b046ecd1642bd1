"""An answer for programs, asked for as such: through the egress, under our name, without a browser."""

import asyncio
import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

import certifi
from scrapy import Request
from scrapy.http import Response

from crawlers import tls
from crawlers.blotting import Blotter
from crawlers.exchange import Exchange
from crawlers.robots import TOKEN
from crawlers.session import Looking, Session
from crawlers.sight import Seen
from crawlers.surfaces import Credential, Official
from crawlers.tls import Certificate
from custody.model import Hop, HopKind, Json, Role

MAX_BYTES = 4 << 20
TIMEOUT_S = 20.0
MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENDINGS = {"application/json": "json", "text/html": "html", "application/xml": "xml", "text/xml": "xml"}
_WITHHELD = "withheld"


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


async def answered(request: Request, session: Session, looking: Looking, official: Official) -> Response:
    """In place of a download by the browser: what it brings home is where a look's is."""
    request.meta["seen"] = await ask(session, looking, official)
    return Response(request.url, status=200, request=request, flags=["asked"])


async def ask(session: Session, looking: Looking, official: Official) -> Seen:
    """Never raises for what a site does; a disk that is full is no doing of a site's."""
    seen, answer = Seen(), Answer()
    seen.times["requested_at"] = session.clock()
    admitted = session.egress.admit(looking.name)
    token = None if official.credential is None else session.tokens.of(official.credential)
    asked = Ask(
        url=looking.url,
        what=official.surface.value,
        proxy=session.egress.url.removeprefix("http://"),
        pass_=base64.b64encode(f"{admitted.username}:{admitted.password}".encode()).decode(),
        credential=official.credential,
        token=token,
        trust_spki=session.job.trust_spki,
        clock=session.clock,
        is_cut=session.cut.is_set,
        until=time.monotonic() + min(TIMEOUT_S, session.job.timeout_s),
    )
    try:
        await asyncio.to_thread(_follow, asked, answer)
    except Unanswered as error:
        seen.fail(error.trouble, str(error))
    except OSError as error:  # what it was, the egress knows better
        seen.fail("no_answer", f"no answer was had ({type(error).__name__})")
    except http.client.HTTPException as error:
        seen.fail("error", f"its answer broke off, or is no HTTP ({type(error).__name__})")
    await asyncio.to_thread(_keep, answer, seen, looking, Blotter(token), official)
    seen.times["closed_at"] = session.clock()
    return seen


def _follow(asked: Ask, answer: Answer) -> None:
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
        connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
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
        raise Unanswered("interrupted", "the person running the program interrupted it")
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


def _keep(answer: Answer, seen: Seen, looking: Looking, blotter: Blotter, official: Official) -> None:
    """What repeats the token is kept with it blotted out, and said to be so: a record is for others' eyes."""
    seen.asked = {
        "method": "GET",
        "credential": None if official.credential is None else official.credential.variable,
        "blotted": 0,
    }
    for each in answer.certificates:
        looking.keep(Role.TLS_CERT, f"tls-{each.host[:100]}.pem", "application/x-pem-file", tls.pem(each.chain_der))
    seen.certificates = tuple(answer.certificates)
    if not answer.exchanges:
        return
    seen.exchanges = exchanges = tuple(_blotted(each, blotter) for each in answer.exchanges)
    body = blotter.blot(answer.body)
    told = json.dumps([each.to_json() for each in exchanges], ensure_ascii=False, indent=1)
    looking.keep(Role.HEADERS, "headers.json", "application/json", told.encode("utf-8", "replace"))
    last = exchanges[-1]
    seen.http_status, seen.media_type = last.status, last.mime_type
    seen.times["first_response_at"] = exchanges[0].at
    seen.hops = tuple(
        Hop(n=n, from_url=one.url, to_url=other.url, kind=HopKind.HTTP, status=one.status, at=one.at)
        for n, (one, other) in enumerate(pairwise(exchanges), 1)
    )
    seen.reached = seen.trouble is None
    if not seen.reached:
        return
    seen.final_url = last.url
    seen.text = body.decode(last.charset if _is_known(last.charset) else "utf-8", "replace")
    ending = _ENDINGS.get(last.mime_type, "json" if "json" in last.mime_type else "txt")
    is_whole = body == answer.body
    looking.keep(Role.BODY, f"{'body' if is_whole else 'blotted'}.{ending}", last.mime_type, body)
    if not is_whole:
        seen.lacks(Role.BODY, "the answer repeats the token that it was asked with; it is kept with that blotted out")
    blotted: dict[str, Json] = {"blotted": blotter.times}
    seen.asked = {**seen.asked, **blotted}


def _blotted(exchange: Exchange, blotter: Blotter) -> Exchange:
    headers = {blotter.blot_text(name): blotter.blot_text(value) for name, value in exchange.headers.items()}
    return replace(
        exchange,
        headers=headers,
        status_text=blotter.blot_text(exchange.status_text),
        mime_type=blotter.blot_text(exchange.mime_type),
        charset=blotter.blot_text(exchange.charset),
    )


def _is_known(charset: str) -> bool:
    try:
        "".encode(charset)
    except (LookupError, ValueError):
        return False
    return bool(charset)
