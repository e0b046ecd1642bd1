"""Site: the make-believe network on loopback ports, in this process, while the ``with`` lasts."""

import contextlib
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.site import certificate, faults, pages, sockets
from tests.site.certificate import Certificate
from tests.site.host import Answer, Door, Ending, Host, Request, page, redirect, squeeze
from tests.site.others import blog, spa, table

LOOPBACK = "127.0.0.1"
GARBAGE = b"220 mail.example ESMTP ready\r\n"
_TLS_DOORS = (Door.HTTPS, Door.BAD_CERTIFICATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One request, as it arrived."""

    host: str
    path: str
    """With its query."""
    at: datetime
    status: int
    user_agent: str
    method: str = "GET"
    secure: bool = True


class Site:
    """``with Site() as site:``; the command gets ``resolve`` and ``trust_spki``, and asks for ``url(name)``."""

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.closing = threading.Event()
        self.log: list[Seen] = []
        """Every request, oldest first; in it before the answer's first byte goes out."""
        self.hosts: dict[str, Host] = {}
        self.urls: dict[str, str] = {}
        for part in (pages, faults, blog, spa, table):
            self.hosts |= {host.name: host for host in part.hosts()}
            self.urls |= part.URLS
        self._ports: dict[Door, int] = {}
        self._open = contextlib.ExitStack()
        self._good: Certificate | None = None

    def __enter__(self) -> Self:
        now = self.clock()
        self._good = certificate.good([host.name for host in self.hosts.values() if host.door is Door.HTTPS], at=now)
        with contextlib.ExitStack() as opening:
            self._serve(opening, Door.HTTPS, self._good.context())
            self._serve(opening, Door.BAD_CERTIFICATE, certificate.bad(at=now).context())
            self._serve(opening, Door.HTTP, None)
            self._serve(opening, Door.GARBAGE, None)
            # Bound and, for one of them, never listening: the kernel takes or refuses the connection by itself.
            for door in (Door.SILENT, Door.REFUSED):
                held = opening.enter_context(socket.socket())
                held.bind((LOOPBACK, 0))
                if door is Door.SILENT:
                    held.listen(64)
                self._ports[door] = held.getsockname()[1]
            self._open = opening.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self._open.close()

    @property
    def resolve(self) -> list[str]:
        """``HOST:PORT:ADDRESS:PORT2`` for every host; good ones answer on port 80 too, with the way to 443."""
        rules = []
        for host in self.hosts.values():
            if host.door is Door.HTTP:
                rules.append(f"{host.name}:80:{LOOPBACK}:{self._ports[Door.HTTP]}")
                continue
            rules.append(f"{host.name}:443:{LOOPBACK}:{self._ports[host.door]}")
            if host.door is Door.HTTPS:
                rules.append(f"{host.name}:80:{LOOPBACK}:{self._ports[Door.HTTP]}")
        return rules

    @property
    def trust_spki(self) -> list[str]:
        assert self._good is not None, "the site is not open"
        return [self._good.spki]

    def url(self, name: str) -> str:
        return self.urls[name]

    def seen(self, host: str) -> list[Seen]:
        return [each for each in self.log if each.host == host]

    def answer(self, request: Request, *, secure: bool) -> Answer:
        host = self.hosts.get(request.host)
        if host is None or host.door not in (*_TLS_DOORS, Door.HTTP):
            return page(
                "<!doctype html><title>Misdirected</title>No such host here.\n", status=421
            )  # RFC 9110 §15.5.20
        if not secure and host.door is not Door.HTTP:
            return redirect(301, f"https://{request.host}{request.path}")
        return host.answer(request)

    def _serve(self, opening: contextlib.ExitStack, door: Door, context: ssl.SSLContext | None) -> None:
        handler: type[socketserver.BaseRequestHandler] = _Garbage if door is Door.GARBAGE else _Exchange
        server = _Server(self, context, handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=f"site {door}")
        thread.start()
        opening.callback(thread.join)
        opening.callback(server.server_close)
        opening.callback(server.hang_up)
        opening.callback(server.shutdown)
        self._ports[door] = server.server_address[1]


class _Server(socketserver.ThreadingTCPServer):
    """A thread a connection; at the end every connection is hung up, so that keep-alive holds nothing back."""

    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = False
    block_on_close = True

    def __init__(
        self, site: Site, context: ssl.SSLContext | None, handler: type[socketserver.BaseRequestHandler]
    ) -> None:
        self.site = site
        self.context = context
        self._live: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((LOOPBACK, 0), handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a client slow to greet holds up nobody."""
        with contextlib.suppress(
            OSError
        ):  # the client refuses our certificate or goes away: its right, and daily bread
            self._keep(request)
            if self.context is not None:
                self._drop(request)
                request = self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                self._keep(request)
                request.settimeout(20)
                request.do_handshake()
                request.settimeout(None)
            super().finish_request(request, client_address)
        self._drop(request)
        request.close()

    def hang_up(self) -> None:
        with self._guard:
            for each in self._live:
                _hang_up(each)

    def _keep(self, each: socket.socket) -> None:
        with self._guard:
            self._live.add(each)
            if self.site.closing.is_set():  # accepted just before the end: hang_up has been and gone
                _hang_up(each)

    def _drop(self, each: socket.socket) -> None:
        with self._guard:
            self._live.discard(each)


def _hang_up(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # The plain socket's method: SSLSocket's own would pull the TLS state from under a reading thread.
        socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Garbage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(GARBAGE)


class _Exchange(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        site, secure = self.server.site, self.server.context is not None
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        form = body.decode("latin-1")
        request = Request(
            method=self.command,
            host=(self.headers.get("Host") or "").partition(":")[0].lower(),
            path=parts.path,
            query=dict(reversed(parse_qsl(f"{parts.query}&{form}"))),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        answer = squeeze(site.answer(request, secure=secure), self.headers.get("Accept-Encoding", ""))
        site.log.append(
            Seen(
                host=request.host,
                path=self.path,
                at=site.clock(),
                status=answer.status,
                user_agent=self.headers.get("User-Agent", ""),
                method=self.command,
                secure=secure,
            )
        )
        site.closing.wait(answer.delay_s)
        self._send(answer)

    do_HEAD = do_GET  # noqa: N815 - the base class looks for these names
    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815

    def _send(self, answer: Answer) -> None:
        if answer.ending is Ending.SOCKET:
            self.close_connection = True
            sockets.speak(self.rfile, self.wfile, self.headers.get("Sec-WebSocket-Key", ""), answer.body.splitlines())
            return
        if answer.ending is Ending.EMPTY:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.media_type and answer.status not in (204, 304):
            self.send_header("Content-Type", answer.media_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        match answer.ending:
            case Ending.WHOLE if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            case Ending.CUT:
                self.send_header("Content-Length", str(len(answer.body) + 100_000))
            case Ending.DRIP | Ending.CHUNKED:
                self.send_header("Transfer-Encoding", "chunked")
        if answer.ending not in {Ending.WHOLE, Ending.CHUNKED}:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD" or answer.status == 204:
            return
        if answer.ending is Ending.CHUNKED:
            for at in range(0, len(answer.body), 1000):
                self._chunk(answer.body[at : at + 1000])
                self.server.site.closing.wait(0.05)
            self.wfile.write(b"0\r\n\r\n")
            return
        if answer.ending is not Ending.DRIP:
            self.wfile.write(answer.body)
            return
        self._chunk(answer.body)
        self._chunk(b"<!-- ")
        while not self.server.site.closing.wait(0.5):
            self._chunk(b".")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """``Site.log`` is the log."""
