"""From a host name to a socket, for one visit: asked, pinned, connected, recorded."""

import asyncio
import errno
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from crawlers.connection import Connection, Fault, Kind
from crawlers.policy import Policy, Refusal
from crawlers.relaying import Stream
from crawlers.resolving import Answer, Lookup, NameUnknown, Resolve, literal
from crawlers.special import embedded, is_public, parsed
from crawlers.upstream import NotThrough, Upstream


@dataclass(kw_only=True, slots=True, eq=False)
class Account:
    """What one visit has asked for, and which address each of its hosts has for as long as it lasts."""

    resolve: tuple[Resolve, ...] = ()
    """Holes that are open to it alone; they come before those of all."""
    connections: list[Connection] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def amend(self, n: int, *, error: Fault | None, detail: str) -> None:
        self.connections[n] = replace(self.connections[n], error=error, detail=detail)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """`stream` to the site, or `fault`; `n` is the number of the record."""

    n: int
    stream: Stream | None
    fault: Fault | None


class _Failed(Exception):
    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault: Fault = fault
        self.detail = detail


class Reach:
    """Resolves and connects. Never raises for what a network can do: that goes into the record."""

    def __init__(
        self,
        *,
        resolve: tuple[Resolve, ...],
        dns: Lookup,
        policy: Policy,
        clock: Callable[[], datetime],
        lookup_s: float,
        connect_s: float,
        buffer_bytes: int,
        upstream: Upstream | None = None,
    ) -> None:
        self._resolve = resolve
        self._dns = dns
        self._policy = policy
        self._clock = clock
        self._lookup_s = lookup_s
        self._connect_s = connect_s
        self._buffer_bytes = buffer_bytes
        self._upstream = upstream
        self.own_port = 0
        """Where the egress itself listens: nobody is connected to that."""

    async def reach(self, account: Account, host: str, port: int, kind: Kind) -> Reached:
        n = len(account.connections)
        account.connections.append(Connection(host=host, port=port, kind=kind, asked_at=self._clock()))
        try:
            return Reached(n=n, stream=await self._try(account, n), fault=None)
        except _Failed as failed:
            account.amend(n, error=failed.fault, detail=failed.detail)
            return Reached(n=n, stream=None, fault=failed.fault)

    async def _try(self, account: Account, n: int) -> Stream:
        host, port = account.connections[n].host, account.connections[n].port
        given = [entry for entry in (*account.resolve, *self._resolve) if (entry.host, entry.port) == (host, port)]
        if given:
            answer = Answer(addresses=tuple(entry.address for entry in given), resolved_by="resolve")
            # Somebody said so for this very host and port: the one hole that is exempt from the policy.
            ends = [(entry.address, entry.connect_port) for entry in given]
            return await self._open(account, n, answer, ends, exempt=True)
        refusal = self._policy.port(port)
        if refusal is not None:
            raise self._refused(account, n, [refusal])
        address = literal(host)
        if address is not None:
            return await self._open(account, n, Answer(addresses=(address,), resolved_by="literal"), [(address, port)])
        async with AsyncExitStack() as stack:
            if host not in account.pins:
                # The first to ask decides for those who ask at the same time.
                await stack.enter_async_context(account.locks.setdefault(host, asyncio.Lock()))
            if host not in account.answers:
                account.answers[host] = await self._look_up(host)
            if host not in account.pins:
                answer = account.answers[host]
                stream = await self._open(account, n, answer, [(address, port) for address in answer.addresses])
                account.pins[host] = account.connections[n].address or ""
                return stream
        # One address per host for the whole visit: what was shown came from one machine, and the record says which.
        return await self._open(account, n, account.answers[host], [(account.pins[host], port)])

    async def _look_up(self, host: str) -> Answer:
        try:
            async with asyncio.timeout(self._lookup_s):
                answer = await self._dns(host)
        except NameUnknown as error:
            raise _Failed("dns", str(error)) from error
        except TimeoutError as error:
            raise _Failed("dns", f"{host}: no answer in {self._lookup_s:g} s") from error
        if not answer.addresses:
            raise _Failed("dns", f"{host}: no address")
        return answer

    def _refused(self, account: Account, n: int, refusals: list[Refusal]) -> _Failed:
        account.connections[n] = replace(account.connections[n], refused=tuple(refusals))
        return _Failed("policy", "; ".join(str(refusal) for refusal in refusals))

    async def _open(
        self, account: Account, n: int, answer: Answer, ends: list[tuple[str, int]], *, exempt: bool = False
    ) -> Stream:
        account.connections[n] = replace(
            account.connections[n], addresses=answer.addresses, resolved_by=answer.resolved_by
        )
        if not exempt:
            judged = [(end, self._policy.address(end[0])) for end in ends]
            refusals = [refusal for _, refusal in judged if refusal is not None]
            ends = [end for end, refusal in judged if refusal is None]
            if refusals:
                refused = self._refused(account, n, refusals)
                if not ends:
                    raise refused
        asked = account.connections[n]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connect_s
        faults: list[_Failed] = []
        for tried, (address, port) in enumerate(ends):
            share = max(deadline - loop.time(), 0) / (len(ends) - tried)
            # What was named by the operator, or is on a network that he opened, is near; the proxy is the way out.
            upstream = None if exempt or not is_public(address) else self._upstream
            account.connections[n] = asked = replace(asked, through=None if upstream is None else str(upstream))
            try:
                stream = await self._dial(address, port, share, upstream)
            except _Failed as failed:
                faults.append(failed)
                continue
            account.connections[n] = replace(asked, address=address, connected_port=port, connected_at=self._clock())
            return stream
        raise _Failed(faults[-1].fault, "; ".join(fault.detail for fault in faults))

    async def _dial(self, address: str, port: int, seconds: float, upstream: Upstream | None) -> Stream:
        ip = parsed(address)
        ip = embedded(ip) or ip
        if port == self.own_port and (ip.is_loopback or ip.is_unspecified):
            raise _Failed("refused", f"{address} port {port}: the egress does not connect to itself")
        if upstream is not None:
            try:
                return await upstream.dial(address, port, seconds=seconds, buffer_bytes=self._buffer_bytes)
            except NotThrough as error:
                raise _Failed("proxy", str(error)) from error
        try:
            async with asyncio.timeout(seconds):
                return Stream(*await asyncio.open_connection(address, port, limit=self._buffer_bytes))
        except TimeoutError as error:
            raise _Failed("timeout", f"{address} port {port}: no answer in {seconds:.1f} s") from error
        except OSError as error:
            raise _Failed(_fault(error), f"{address} port {port}: {error.strerror or error}") from error


def _fault(error: OSError) -> Fault:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError):
        return "reset"
    return "timeout" if error.errno == errno.ETIMEDOUT else "unreachable"
