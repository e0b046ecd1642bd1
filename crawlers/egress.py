"""The proxy that all target traffic goes through: it resolves, refuses, connects and records; it never ends TLS."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from crawlers.connection import Connection
from crawlers.forwarding import BadRequest, Head, forward, tunnel_target
from crawlers.policy import Policy
from crawlers.reaching import Account, Reach
from crawlers.relaying import Relay, Stream
from crawlers.resolving import Lookup, Resolve, SystemLookup
from crawlers.upstream import Upstream

__all__ = ["Connection", "Egress", "Limits", "Pass", "Policy", "Resolve"]

REALM = "Counterproof egress"
_GREETED = b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """What a browser context shows, so that its connections are counted to its visit and to no other."""

    username: str
    password: str = field(repr=False)
    greeting: str = field(repr=False)
    """An address that the egress itself answers, to this visit alone: see ``crawlers.introduction``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long we wait, and for how much."""

    head_bytes: int = 64 * 1024
    head_s: float = 30
    lookup_s: float = 10
    connect_s: float = 10
    """For all addresses of a host together."""
    half_closed_s: float = 30
    """Without a byte, once one side has said that it will send no more."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Visit:
    credential: Pass
    account: Account = field(default_factory=Account)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    is_over: bool = False


class Egress:
    """Listens on loopback; each visit has a credential of its own and an account of its own."""

    def __init__(
        self,
        resolve: tuple[Resolve, ...] = (),
        *,
        clock: Callable[[], datetime],
        dns: Lookup | None = None,
        policy: Policy | None = None,
        limits: Limits | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._system = SystemLookup()
        self._reach = Reach(
            resolve=resolve,
            dns=dns or self._system,
            policy=policy or Policy(),
            clock=clock,
            lookup_s=self._limits.lookup_s,
            connect_s=self._limits.connect_s,
            buffer_bytes=self._limits.head_bytes,
            upstream=upstream,
        )
        self._server: asyncio.Server | None = None
        self._visits: dict[str, _Visit] = {}
        self._by_username: dict[str, _Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.turned_away = 0
        """Requests without a valid credential: each context's first one, the browser's own errands, strangers."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._reach.own_port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=self._limits.head_bytes)
        self._reach.own_port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends every connection; nothing of ours runs afterwards."""
        if self._server is not None:
            self._server.close()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
        self._system.close()

    def admit(self, visit_id: str, *, resolve: tuple[Resolve, ...] = ()) -> Pass:
        """The credential of a visit; the same one when asked again.

        ``resolve``: holes for this visit alone, given as it is first admitted.
        """
        if visit_id not in self._visits:
            credential = Pass(
                username=secrets.token_hex(8),
                password=secrets.token_urlsafe(32),
                greeting=f"http://{secrets.token_hex(16)}.invalid/",  # nobody's: RFC 6761 §6.4
            )
            self._visits[visit_id] = _Visit(credential=credential, account=Account(resolve=resolve))
            self._by_username[credential.username] = self._visits[visit_id]
        return self._visits[visit_id].credential

    def report(self, visit_id: str) -> tuple[Connection, ...]:
        """The connections of a visit so far, in the order they were asked for; KeyError after `dismiss`."""
        return tuple(self._visits[visit_id].account.connections)

    def shut(self, visit_id: str) -> None:
        """Ends the visit's connections and lets it make no more; its account stays, until it is dismissed."""
        visit = self._visits.get(visit_id)
        if visit is None:
            return
        visit.is_over = True
        for task in visit.tasks:
            task.cancel()

    def dismiss(self, visit_id: str) -> tuple[Connection, ...]:
        """Ends the visit's connections, forgets its credential, and returns its last report."""
        visit = self._visits.pop(visit_id, None)
        if visit is None:
            return ()
        del self._by_username[visit.credential.username]
        for task in visit.tasks:
            task.cancel()
        return tuple(visit.account.connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(Stream(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Stream) -> None:
        try:
            # Only a request that is turned away, or a greeting, leaves the connection open for another one.
            while await self._answer(client):
                continue
        except (OSError, EOFError, asyncio.LimitOverrunError, BadRequest):
            # No request, or none that can be answered. A close is all we say: a page must never show words of ours.
            client.abort()
        except asyncio.CancelledError:
            client.abort()
            raise
        finally:
            await client.close()

    async def _answer(self, client: Stream) -> bool:
        """Serves one request; True when the client may send another one on the same connection."""
        async with asyncio.timeout(self._limits.head_s):
            head = Head.parse(await client.reader.readuntil(b"\r\n\r\n"))
        visit = self._admitted(head)
        if visit is None:
            return await self._turn_away(head, client)
        if visit.is_over:
            raise BadRequest("its visit is over")
        if head.method == "GET" and head.target == visit.credential.greeting and head.framing() == 0:
            await client.send(_GREETED)
            return True
        task = asyncio.current_task()
        assert task is not None
        visit.tasks.add(task)
        try:
            if head.method == "CONNECT":
                await self._tunnel(visit.account, head, client)
            else:
                await self._request(visit.account, head, client)
        finally:
            visit.tasks.discard(task)
        return False

    def _admitted(self, head: Head) -> _Visit | None:
        credentials = head.credentials()
        if credentials is None:
            return None
        name, password = credentials
        visit = self._by_username.get(name)
        expected = visit.credential.password if visit else secrets.token_urlsafe(32)
        return visit if hmac.compare_digest(expected.encode(), password.encode()) else None

    async def _turn_away(self, head: Head, client: Stream) -> bool:
        if head.method != "CONNECT" and not head.target.lower().startswith("http://"):
            raise BadRequest("not a request to a proxy: somebody took us for a site")
        self.turned_away += 1
        again = head.method == "CONNECT" or head.framing() == 0  # a body that is not read would look like a request
        await client.send(
            b"HTTP/1.1 407 Proxy Authentication Required\r\n"
            b'Proxy-Authenticate: Basic realm="' + REALM.encode() + b'"\r\nContent-Length: 0\r\n'
            b"Connection: " + (b"keep-alive" if again else b"close") + b"\r\n\r\n"
        )
        return again

    async def _tunnel(self, account: Account, head: Head, client: Stream) -> None:
        host, port = tunnel_target(head)
        reached = await self._reach.reach(account, host, port, "tunnel")
        if reached.stream is None:
            words = {"timeout": b"504 Gateway Timeout", "policy": b"403 Forbidden"}
            status = words.get(reached.fault or "", b"502 Bad Gateway")
            await client.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        relay = Relay(client, reached.stream, half_closed_s=self._limits.half_closed_s)
        try:
            await client.send(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            await relay.both_ways()
        finally:
            _note_end(account, reached.n, relay)
            await reached.stream.close()

    async def _request(self, account: Account, head: Head, client: Stream) -> None:
        out = forward(head)
        reached = await self._reach.reach(account, out.host, out.port, "plain")
        if reached.stream is None:
            # Closed without an answer: any words of ours would be taken for the site's.
            return
        relay = Relay(client, reached.stream, half_closed_s=self._limits.half_closed_s)
        try:
            await relay.one_request(out.head, out.framing)
        finally:
            _note_end(account, reached.n, relay)
            await reached.stream.close()


def _note_end(account: Account, n: int, relay: Relay) -> None:
    if relay.received:
        return  # an answer was had; how the connection ended says nothing about the page
    if relay.reset_by_site is not None:
        account.amend(n, error="reset", detail=relay.reset_by_site)
    elif relay.closed_by_site:
        account.amend(n, error=None, detail="closed by the site without a byte")
