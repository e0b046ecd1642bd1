"""A proxy to put before the real store: it loses, delays, alters and refuses answers, and remembers what went through.

with FaultyProxy(seaweed.endpoint) as proxy:
    proxy.on("PUT", LoseAnswer())                 # the next PUT is carried out, and its answer is lost
    proxy.on("HEAD", SetHeader("x-amz-checksum-sha256", "…"), times=None)      # each HEAD from now on
    store = make_s3(endpoint=proxy.endpoint)
"""

import http.client
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "expect", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the real store, or one that is made up."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    method: str
    path: str
    status: int | None
    """What the real store said; None: it was not asked."""


class Fault:
    """What happens to one exchange. A fault overrides the half that it spoils."""

    times = 1
    """How often the store gets the request; the client gets its last answer."""

    def before(self, upload: bytes) -> bytes | None:
        """The upload as the store gets it; None: the connection is cut, and the store not asked."""
        return upload

    def instead(self) -> Answered | None:
        """An answer that is made up, and the store not asked."""
        return None

    def after(self, answered: Answered) -> Answered | None:
        """The answer as the client gets it; None: the connection is cut."""
        return answered

    def sent(self, body: bytes) -> bytes:
        """As much of the body as is sent before the connection is cut."""
        return body


class LoseAnswer(Fault):
    def after(self, answered: Answered) -> None:
        return None


class Repeat(Fault):
    """The store gets the request twice, as from a network that does not know whether the first one arrived."""

    times = 2


class Cut(Fault):
    def before(self, upload: bytes) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Delay(Fault):
    seconds: float

    def before(self, upload: bytes) -> bytes:
        time.sleep(self.seconds)
        return upload


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    status: int
    code: str = "Refused"

    def instead(self) -> Answered:
        body = f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>no</Message></Error>".encode()
        return Answered(self.status, (("Content-Type", "application/xml"),), body)


@dataclass(frozen=True, slots=True)
class Accept(Fault):
    """A yes that nobody meant."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def instead(self) -> Answered:
        return Answered(self.status, self.headers, b"")


@dataclass(frozen=True, slots=True)
class SetHeader(Fault):
    """``value`` None takes it away."""

    name: str
    value: str | None

    def after(self, answered: Answered) -> Answered:
        others = tuple(each for each in answered.headers if each[0].lower() != self.name.lower())
        return replace(answered, headers=others if self.value is None else (*others, (self.name, self.value)))


@dataclass(frozen=True, slots=True)
class AlterUpload(Fault):
    change: Callable[[bytes], bytes]

    def before(self, upload: bytes) -> bytes:
        return self.change(upload)


@dataclass(frozen=True, slots=True)
class AlterAnswer(Fault):
    change: Callable[[bytes], bytes]

    def after(self, answered: Answered) -> Answered:
        return replace(answered, body=self.change(answered.body))


@dataclass(frozen=True, slots=True)
class BreakOff(Fault):
    """The answer stops after this many bytes of its body, though its header promised all."""

    after_bytes: int

    def sent(self, body: bytes) -> bytes:
        return body[: self.after_bytes]


@dataclass(slots=True)
class _Planned:
    method: str
    within: str
    fault: Fault
    left: int | None


@dataclass(slots=True)
class FaultyProxy:
    """Between a client and ``target``, an endpoint such as ``http://127.0.0.1:8333``."""

    target: str
    seen: list[Seen] = field(default_factory=list)
    _plan: list[_Planned] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, method: str, fault: Fault, *, within: str = "", times: int | None = 1) -> None:
        """The next ``times`` requests of this method (``*``: any) with ``within`` in their path meet the fault."""
        with self._lock:
            self._plan.append(_Planned(method, within, fault, times))

    def heal(self) -> None:
        """From now on everything goes through as it is."""
        with self._lock:
            self._plan.clear()

    def statuses(self, method: str) -> list[int | None]:
        """What the real store said to each request of this method."""
        with self._lock:
            return [each.status for each in self.seen if each.method == method]

    def fault_for(self, method: str, path: str) -> Fault:
        with self._lock:
            for planned in self._plan:
                if planned.method in {"*", method} and planned.within in path and planned.left != 0:
                    if planned.left is not None:
                        planned.left -= 1
                    return planned.fault
        return Fault()

    def note(self, method: str, path: str, status: int | None) -> None:
        with self._lock:
            self.seen.append(Seen(method=method, path=path, status=status))

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has hung up is what some faults are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: FaultyProxy

    def log_message(self, *arguments: object) -> None:
        """The proxy's owner asks ``seen``."""

    def _handle(self) -> None:
        upload = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.owner.fault_for(self.command, self.path)
        answered: Answered | None = fault.instead()
        status = None
        if answered is None:
            altered = fault.before(upload)
            if altered is not None:
                for _ in range(fault.times):
                    answered = self._forward(altered)
                assert answered is not None
                status = answered.status
                answered = fault.after(answered)
        self.owner.note(self.command, self.path, status)
        if answered is None:
            self.close_connection = True
            return
        self._answer(answered, fault)

    def _forward(self, upload: bytes) -> Answered:
        target = urlsplit(self.owner.target)
        with closing(http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)) as connection:
            # The signature covers Host, so the store must see the name that the client has called.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            if upload or self.command in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(upload)))
            connection.endheaders(upload or None)
            response = connection.getresponse()
            return Answered(response.status, tuple(response.getheaders()), response.read())

    def _answer(self, answered: Answered, fault: Fault) -> None:
        self.send_response_only(answered.status)
        given = {name.lower(): value for name, value in answered.headers}
        for name, value in answered.headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        length = given.get("content-length", "0") if self.command == "HEAD" else str(len(answered.body))
        if answered.status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = fault.sent(answered.body)
        self.wfile.write(sent)
        if len(sent) < len(answered.body):
            self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815  # the names that http.server looks for
