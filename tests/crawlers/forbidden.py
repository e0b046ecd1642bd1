"""The story of the addresses: each asked of the egress in several ways, without a hole and with one."""

import asyncio
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlers.egress import Egress, Limits, Policy, Resolve
from crawlers.policy import parse_network
from crawlers.resolving import Answer, NameUnknown, SystemLookup
from tests.crawlers.anywhere import Wire, listening, reset_on_close, wire
from tests.crawlers.test_egress import Ticking, authorization

PORT = 80
EVERYWHERE = tuple(parse_network(each) for each in ("0.0.0.0/0", "::/0"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    host: str
    """As a request names it."""
    answer: tuple[str, ...] = ()
    """What DNS says; nothing: the host is an address in itself, in some spelling."""
    lands: str | None = None
    """The address where its packets would be counted; None: no connection can be made there at all (multicast)."""

    @property
    def name(self) -> str:
        return f"{self.host}={','.join(self.answer)}" if self.answer else self.host


def _named(*addresses: str) -> list[Case]:
    made = []
    for n, address in enumerate(addresses):
        ip = ipaddress.ip_address(address.partition("%")[0])
        made.append(Case(host=f"n{n}.trap.example", answer=(address,), lands=_lands(ip)))
    return made


def _literal(**spellings: str) -> list[Case]:
    return [Case(host=host, lands=lands) for lands, hosts in spellings.items() for host in hosts.split()]


def _lands(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    if ip.is_multicast or str(ip) == "255.255.255.255":
        return None
    if ip.is_unspecified:
        return "127.0.0.1" if ip.version == 4 else "::1"  # Linux takes it for the machine itself
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return str(mapped or ip)


ADDRESSES = _named(
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
    "100.127.255.254", "169.254.169.254", "169.254.170.2", "168.63.129.16", "172.16.0.1", "172.31.255.254",
    "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.254", "192.175.48.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::a9fe:a9fe", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1",
    "100:0:0:1::1", "2001::1", "2001:0:7f00:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:30::1",
    "2001:1::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2620:4f:8000::1", "3ffe::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1",
    "4000::1", "e000::1",
)  # fmt: skip
SPELLINGS = _literal(
    **{
        "127.0.0.1": "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.1 017700000001 127.0.0.1. 0 "
        "[::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:FFFF:7F00:0001]",
        "169.254.169.254": "169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 0xA9.254.0251.254 "
        "[::ffff:a9fe:a9fe]",
        "10.0.0.1": "10.1 167772161 0xa.1",
        "::1": "[::1] [0:0:0:0:0:0:0:1] [::]",
        "fd00:ec2::254": "[fd00:ec2::254] [FD00:0EC2::0254]",
        "64:ff9b::a9fe:a9fe": "[64:ff9b::a9fe:a9fe] [64:ff9b::169.254.169.254]",
    }
)
MIXED = [
    Case(host="first.trap.example", answer=("10.0.0.9", "93.184.215.14"), lands="10.0.0.9"),
    Case(host="last.trap.example", answer=("93.184.215.14", "fd00::9"), lands="fd00::9"),
]
"""One name, a public address and another: the public one may be tried, the other not."""
PUBLIC = _named("93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e")
CASES = [*ADDRESSES, *SPELLINGS, *MIXED]
VEHICLES = ("tunnel", "plain")


async def story(_: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with wire() as seen:
        server = await asyncio.start_server(_hang_up, sock=listening(PORT))
        for hole in (False, True):
            policy = Policy(allowed=EVERYWHERE if hole else (), own=lambda _: False)
            for vehicle in VEHICLES:
                for case in (*CASES, *PUBLIC):
                    found[f"{case.name} {vehicle} {hole}"] = await _asked(case, vehicle, policy, seen)
        found["own"] = await _asked(PUBLIC[0], "tunnel", Policy(), seen)
        found["rebinding"] = await _rebound(seen)
        found["ports"] = await _ports(seen)
        found["one hole"] = await _one_hole(seen)
        server.close()
    return found


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset_on_close(writer.get_extra_info("socket"))
    writer.transport.abort()


async def _asked(case: Case, vehicle: str, policy: Policy, seen: Wire, *, resolve: str | None = None) -> dict[str, Any]:
    system = SystemLookup()

    async def dns(host: str) -> Answer:
        if host == case.host and case.answer:
            return Answer(addresses=case.answer, resolved_by="dns")
        if host.endswith(".example"):
            raise NameUnknown(host)
        return await system(host)

    given = (Resolve.parse(resolve),) if resolve else ()
    proxy = Egress(given, clock=Ticking(), dns=dns, policy=policy, limits=Limits(connect_s=1))
    await proxy.start()
    seen.ours = {int(proxy.url.rpartition(":")[2])}
    seen.seen.clear()
    try:
        answer = await say(proxy, vehicle, f"{case.host}:{PORT}")
        await asyncio.sleep(0.002)
        return {
            "sent": seen.sent(case.lands) if case.lands else 0,
            "any": len(seen.seen),
            "answer": answer.split(b"\r\n")[0].decode(),
            "errors": [each.error for each in proxy.report("v")],
            "refused": [str(refusal) for each in proxy.report("v") for refusal in each.refused],
        }
    finally:
        await proxy.stop()
        system.close()


async def say(proxy: Egress, vehicle: str, end: str) -> bytes:
    """What the egress answers to a browser that asks for this end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    line = f"CONNECT {end}" if vehicle == "tunnel" else f"POST http://{end}/latest/meta-data"
    writer.write(f"{line} HTTP/1.1\r\nContent-Length: 0\r\n".encode() + authorization(proxy.admit("v")) + b"\r\n")
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def _rebound(seen: Wire) -> dict[str, Any]:
    """A name that is public when first asked, and inside from then on; another visit asks for it anew."""
    answers = [("93.184.215.14",), ("169.254.169.254",)]
    asked: list[str] = []

    async def dns(host: str) -> Answer:
        asked.append(host)
        return Answer(addresses=answers[min(len(asked), 2) - 1], resolved_by="dns")

    proxy = Egress(clock=Ticking(), dns=dns, policy=Policy(own=lambda _: False), limits=Limits(connect_s=1))
    await proxy.start()
    seen.ours = {int(proxy.url.rpartition(":")[2])}
    seen.seen.clear()
    for _ in range(3):
        await say(proxy, "tunnel", f"rebind.example:{PORT}")
    first = proxy.dismiss("v")
    await say(proxy, "tunnel", f"rebind.example:{PORT}")
    second = proxy.dismiss("v")
    await proxy.stop()
    return {
        "asked": len(asked),
        "public": seen.sent("93.184.215.14"),
        "inside": seen.sent("169.254.169.254"),
        "errors": [[each.error for each in first], [each.error for each in second]],
    }


async def _ports(seen: Wire) -> dict[str, Any]:
    """A public address at ports that are not for the web."""
    proxy = Egress(clock=Ticking(), policy=Policy(own=lambda _: False), limits=Limits(connect_s=1))
    await proxy.start()
    seen.ours = {int(proxy.url.rpartition(":")[2])}
    seen.seen.clear()
    for port in (22, 25, 110, 6667, 8080):
        await say(proxy, "tunnel", f"93.184.215.14:{port}")
    errors = {str(each.port): each.error for each in proxy.report("v")}
    await proxy.stop()
    return {"sent": [port for _, _, port in seen.seen], "errors": errors}


async def _one_hole(seen: Wire) -> dict[str, Any]:
    """`--resolve` opens one host at one port, and nothing beside it."""
    found = {}
    for end in (f"hole.example:{PORT}", "hole.example:81", f"other.example:{PORT}", f"10.7.7.7:{PORT}"):
        host, _, port = end.rpartition(":")
        names = {"hole.example": "10.7.7.7", "other.example": "10.7.7.7"}

        async def dns(asked: str, names: dict[str, str] = names) -> Answer:
            return Answer(addresses=(names[asked],), resolved_by="dns")

        given = (Resolve.parse(f"hole.example:{PORT}:10.7.7.7"),)
        proxy = Egress(given, clock=Ticking(), dns=dns, limits=Limits(connect_s=1))
        await proxy.start()
        seen.ours = {int(proxy.url.rpartition(":")[2])}
        seen.seen.clear()
        await say(proxy, "tunnel", f"{host}:{port}")
        found[end] = {"sent": seen.sent("10.7.7.7"), "error": proxy.report("v")[0].error}
        await proxy.stop()
    return found
