"""The egress: real sockets, real TLS, and a real browser behind it."""

import asyncio
import base64
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archive.errors import UsageError
from crawlers.egress import Connection, Egress, Limits, Pass, Policy, Resolve
from crawlers.launching import find_browser
from crawlers.policy import Refusal, parse_network
from crawlers.resolving import Answer, Lookup, NameUnknown, SystemLookup
from crawlers.special import is_public

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HERE = Policy(allowed=tuple(parse_network(text) for text in ("127.0.0.0/8", "::1", "255.255.255.255")))
"""Everything of these tests is on loopback."""
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Ticking:
    """A clock that never stands still, so that the order of times is the order of asking."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


def names(**table: tuple[str, ...]) -> Lookup:
    """A DNS with these names (`_` for the dot) and no other."""

    async def look_up(host: str) -> Answer:
        try:
            return Answer(addresses=table[host.replace(".", "_")], resolved_by="dns")
        except KeyError:
            raise NameUnknown(f"{host}: Name or service not known") from None

    return look_up


@asynccontextmanager
async def egress(*resolve: str, limits: Limits | None = None, **options: object) -> AsyncIterator[Egress]:
    options.setdefault("policy", HERE)
    proxy = Egress(
        tuple(Resolve.parse(entry) for entry in resolve),
        clock=Ticking(),
        limits=limits or Limits(connect_s=2),
        **options,  # type: ignore[arg-type]
    )
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        left = [task for task in asyncio.all_tasks() if "crawlers" in repr(task.get_coro())]
        assert not left, f"tasks left behind: {left}"


@asynccontextmanager
async def site(handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    visits: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.add(task)
        try:
            await handler(reader, writer)
        except (OSError, EOFError):
            pass  # the visitor left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


@asynccontextmanager
async def client(proxy: Egress) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


def authorization(credential: Pass) -> bytes:
    token = base64.b64encode(f"{credential.username}:{credential.password}".encode())
    return b"Proxy-Authorization: Basic " + token + b"\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def ask(proxy: Egress, request: bytes) -> bytes:
    """All that comes back until the other side closes."""
    async with client(proxy) as (reader, writer):
        writer.write(request)
        async with asyncio.timeout(15):
            return await reader.read()


async def tunnel(proxy: Egress, credential: Pass, end: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    writer.write(f"CONNECT {end} HTTP/1.1\r\nHost: {end}\r\n".encode() + authorization(credential) + b"\r\n")
    async with asyncio.timeout(15):
        head = await reader.readuntil(b"\r\n\r\n")
    return head, reader, writer


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def certificate(folder: Path, *hosts: str) -> tuple[ssl.SSLContext, bytes]:
    """A server context with a throw-away certificate, and the certificate's DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "site.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, made.public_bytes(serialization.Encoding.DER)


# Who may use it.


def test_only_an_admitted_visit_gets_through() -> None:
    async def story() -> None:
        async with site(echo) as port, egress(f"shop.example:443:127.0.0.1:{port}") as proxy:
            connect = b"CONNECT shop.example:443 HTTP/1.1\r\n"
            credential = proxy.admit("visit-1")
            stranger = replace(credential, password=credential.password[::-1])
            nobody = replace(credential, username="visit-1")
            for header in (b"", authorization(stranger), authorization(nobody), b"Proxy-Authorization: Basic !\r\n"):
                async with client(proxy) as (reader, writer):
                    writer.write(connect + header + b"\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 407 ")
                    assert b"Content-Length: 0\r\n" in head
                    # The same connection may try again, as browsers do.
                    writer.write(connect + authorization(credential) + b"\r\n")
                    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert proxy.turned_away == 4
            assert len(proxy.dismiss("visit-1")) == 4
            head, _, writer = await tunnel(proxy, credential, "shop.example:443")
            writer.close()
            assert head.startswith(b"HTTP/1.1 407 "), "a credential outlives its visit"
            with pytest.raises(KeyError):
                proxy.report("visit-1")

    asyncio.run(story())


def test_each_visit_has_its_own_account() -> None:
    async def story() -> None:
        async with site(echo) as port, egress(f"a.example:443:127.0.0.1:{port}") as proxy:
            one, two = proxy.admit("one"), proxy.admit("two")
            assert one.password != two.password
            assert proxy.admit("one") == one
            for credential in (one, two, two):
                _, _, writer = await tunnel(proxy, credential, "a.example:443")
                writer.close()
            assert len(proxy.report("one")) == 1
            assert len(proxy.report("two")) == 2

    asyncio.run(story())


def test_a_greeting_is_answered_to_its_own_visit_alone() -> None:
    async def story() -> None:
        async with egress(dns=names()) as proxy:
            one, two = proxy.admit("one"), proxy.admit("two")
            assert one.greeting != two.greeting
            for credential, greeting, answered in (
                (b"", one.greeting, b"HTTP/1.1 407 "),
                (authorization(one), one.greeting, b"HTTP/1.1 204 "),
                (authorization(one), one.greeting, b"HTTP/1.1 204 "),
                (authorization(two), one.greeting, b""),
                (authorization(one), one.greeting + "x", b""),
            ):
                async with client(proxy) as (reader, writer):
                    writer.write(f"GET {greeting} HTTP/1.1\r\n".encode() + credential + b"\r\n")
                    assert (await reader.read(13)) == answered
            assert proxy.turned_away == 1
            assert len(proxy.report("one")) == 1, "a greeting was taken for a request of the page"
            assert {each.error for each in (*proxy.report("one"), *proxy.report("two"))} == {"dns"}
            # The connection on which it was greeted goes on to a site.
            async with site(recorder([], b"HTTP/1.1 200 OK\r\n\r\n")) as port, client(proxy) as (reader, writer):
                for target in (one.greeting, f"http://127.0.0.1:{port}/"):
                    writer.write(f"GET {target} HTTP/1.1\r\n".encode() + authorization(one) + b"\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")

    asyncio.run(story())


def test_a_page_that_finds_the_port_learns_nothing() -> None:
    async def story() -> None:
        async with egress() as proxy:
            assert await ask(proxy, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") == b""
            credential = proxy.admit("v")
            own = proxy.url.removeprefix("http://")
            head, _, writer = await tunnel(proxy, credential, own)
            writer.close()
            assert head.startswith(b"HTTP/1.1 502 ")
            assert proxy.report("v")[0].error == "refused"

    asyncio.run(story())


# Tunnels.


def test_tls_is_between_the_client_and_the_site(tmp_path: Path) -> None:
    async def story() -> None:
        tls, der = certificate(tmp_path, "shop.example")
        async with site(echo, tls=tls) as port, egress(f"shop.example:443:127.0.0.1:{port}") as proxy:
            head, reader, writer = await tunnel(proxy, proxy.admit("v"), "shop.example:443")
            assert head == b"HTTP/1.1 200 Connection Established\r\n\r\n"
            context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
            await writer.start_tls(context, server_hostname="shop.example")
            seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert hashlib.sha256(seen).digest() == hashlib.sha256(der).digest()
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            (record,) = proxy.report("v")
            assert record == Connection(
                host="shop.example",
                port=443,
                kind="tunnel",
                addresses=("127.0.0.1",),
                resolved_by="resolve",
                address="127.0.0.1",
                connected_port=port,
                asked_at=START + timedelta(milliseconds=1),
                connected_at=START + timedelta(milliseconds=2),
            )
            assert record.is_public is False
            assert record.to_json()["asked_at"] == "2026-03-04T05:06:07.001Z"

    asyncio.run(story())


def test_a_tunnel_carries_much_and_keeps_half_closed_sides_open() -> None:
    async def digest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(hashlib.sha256(await reader.read()).digest())  # answers only after the other side's end
        await writer.drain()

    async def story() -> None:
        data = bytes(range(256)) * 20_000
        async with site(digest) as port, egress(f"a.example:443:127.0.0.1:{port}") as proxy:
            _, reader, writer = await tunnel(proxy, proxy.admit("v"), "a.example:443")
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(15):
                assert await reader.read() == hashlib.sha256(data).digest()
            writer.close()

    asyncio.run(story())


def test_a_half_closed_side_that_falls_silent_is_closed() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(30)

    async def story() -> None:
        limits = Limits(half_closed_s=0.2)
        async with site(silent) as port, egress(f"a.example:443:127.0.0.1:{port}", limits=limits) as proxy:
            _, reader, writer = await tunnel(proxy, proxy.admit("v"), "a.example:443")
            writer.write_eof()
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(story())


def test_dismissing_a_visit_ends_its_connections_and_no_other() -> None:
    async def story() -> None:
        async with site(echo) as port, egress(f"a.example:443:127.0.0.1:{port}") as proxy:
            _, reader_one, writer_one = await tunnel(proxy, proxy.admit("one"), "a.example:443")
            _, reader_two, writer_two = await tunnel(proxy, proxy.admit("two"), "a.example:443")
            proxy.dismiss("one")
            async with asyncio.timeout(5):
                with pytest.raises((OSError, EOFError)):
                    await reader_one.readexactly(1)
            writer_two.write(b"x")
            assert await reader_two.readexactly(1) == b"x"
            writer_one.close()
            writer_two.close()

    asyncio.run(story())


def test_a_visit_that_was_shut_makes_no_connection_and_keeps_its_account() -> None:
    async def story() -> None:
        async with site(echo) as port, egress(f"a.example:443:127.0.0.1:{port}") as proxy:
            credential = proxy.admit("v")
            _, reader, writer = await tunnel(proxy, credential, "a.example:443")
            proxy.shut("v")
            async with asyncio.timeout(5):
                with pytest.raises((OSError, EOFError)):
                    await reader.readexactly(1)
            writer.close()
            request = b"CONNECT a.example:443 HTTP/1.1\r\n" + authorization(credential) + b"\r\n"
            assert await ask(proxy, request) == b""
            assert len(proxy.report("v")) == 1

    asyncio.run(story())


# Names and addresses.


def test_a_host_keeps_one_address_for_a_visit() -> None:
    answers = [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")]
    asked = []

    async def changing(host: str) -> Answer:
        asked.append(host)
        await asyncio.sleep(0.05)
        return Answer(addresses=answers[(len(asked) - 1) % 2], resolved_by="dns")

    async def story() -> None:
        async with site(echo, host="0.0.0.0") as port, egress(dns=changing) as proxy:
            one, two = proxy.admit("one"), proxy.admit("two")
            end = f"cdn.example:{port}"
            tunnels = await asyncio.gather(*(tunnel(proxy, one, end) for _ in range(5)))
            tunnels.append(await tunnel(proxy, two, end))
            for _, _, writer in tunnels:
                writer.close()
            assert {record.address for record in proxy.report("one")} == {"127.0.0.1"}
            assert {record.address for record in proxy.report("two")} == {"127.0.0.2"}, "visits share a pin"
            assert asked == ["cdn.example"] * 2

    asyncio.run(story())


def test_a_host_keeps_the_address_that_answered_even_when_another_would() -> None:
    async def story() -> None:
        dns = names(two_example=("127.0.0.2", "127.0.0.1"))
        async with site(echo) as one, site(echo, host="0.0.0.0") as both, egress(dns=dns) as proxy:
            credential = proxy.admit("v")
            for port in (one, both):
                head, _, writer = await tunnel(proxy, credential, f"two.example:{port}")
                writer.close()
                assert head.startswith(b"HTTP/1.1 200 ")
            assert [record.address for record in proxy.report("v")] == ["127.0.0.1", "127.0.0.1"]

    asyncio.run(story())


def test_the_next_address_is_tried_when_one_refuses() -> None:
    async def story() -> None:
        async with site(echo) as port, egress(dns=names(two_example=("127.0.0.2", "127.0.0.1"))) as proxy:
            head, _, writer = await tunnel(proxy, proxy.admit("v"), f"two.example:{port}")
            writer.close()
            assert head.startswith(b"HTTP/1.1 200 ")
            (record,) = proxy.report("v")
            assert (record.addresses, record.address) == (("127.0.0.2", "127.0.0.1"), "127.0.0.1")

    asyncio.run(story())


def test_resolve_comes_before_dns_and_only_for_its_port() -> None:
    async def story() -> None:
        async with (
            site(echo) as port,
            egress(f"shop.example:443:127.0.0.1:{port}", dns=names(shop_example=("127.0.0.3",))) as proxy,
        ):
            credential = proxy.admit("v")
            for end in ("SHOP.example.:443", "shop.example:444", f"127.0.0.1:{port}"):
                _, _, writer = await tunnel(proxy, credential, end)
                writer.close()
            given, asked, literal = proxy.report("v")
            assert (given.resolved_by, given.address, given.connected_port) == ("resolve", "127.0.0.1", port)
            assert (asked.resolved_by, asked.addresses, asked.error) == ("dns", ("127.0.0.3",), "refused")
            assert (literal.resolved_by, literal.address) == ("literal", "127.0.0.1")

    asyncio.run(story())


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 on this machine")
def test_ipv6_in_brackets() -> None:
    async def story() -> None:
        async with site(echo, host="::1") as port, egress(f"six.example:443:[::1]:{port}") as proxy:
            credential = proxy.admit("v")
            for end in ("six.example:443", f"[::1]:{port}"):
                head, _, writer = await tunnel(proxy, credential, end)
                writer.close()
                assert head.startswith(b"HTTP/1.1 200 ")
            assert [record.address for record in proxy.report("v")] == ["::1", "::1"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Shop.Example:443:127.0.0.1", ("shop.example", 443, "127.0.0.1", 443)),
        ("shop.example:443:127.0.0.1:8443", ("shop.example", 443, "127.0.0.1", 8443)),
        ("shop.example:80:[::1]", ("shop.example", 80, "::1", 80)),
        ("bücher.example:80:[0:0::1]:81", ("xn--bcher-kva.example", 80, "::1", 81)),
        ("[2001:db8::1]:80:192.0.2.1:81", ("2001:db8::1", 80, "192.0.2.1", 81)),
    ],
)
def test_resolve_is_read_as_curl_reads_it(text: str, parts: tuple[str, int, str, int]) -> None:
    entry = Resolve.parse(text)
    assert (entry.host, entry.port, entry.address, entry.connect_port) == parts
    assert Resolve.parse(str(entry)) == entry


@pytest.mark.parametrize(
    "text",
    ["", "shop.example", "shop.example:443", "shop.example:443:", "shop.example:0:127.0.0.1", "a.example:443:::1",
     "a.example:443:300.0.0.1", "a.example:70000:127.0.0.1", "a.example:443:127.0.0.1:0", "a.example:443:localhost",
     ":443:127.0.0.1", "-:443:127.0.0.1", "a.example:443:127.0.0.1:80:81", "a.example:443:[127.0.0.1"],
)  # fmt: skip
def test_a_resolve_that_is_none_says_how_one_looks(text: str) -> None:
    with pytest.raises(UsageError, match=r"HOST:PORT:ADDRESS|host name that cannot exist"):
        Resolve.parse(text)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
    ],
)
def test_what_is_a_public_address(address: str, *, public: bool) -> None:
    assert is_public(address) is public


def test_the_system_is_asked_and_the_hosts_file_noted(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# comment\n\n127.0.0.1\tShop.Example. other.example # ours\nnonsense\n::1 six.example\n")

    async def story() -> None:
        lookup = SystemLookup(hosts_file=hosts)
        answer = await lookup("localhost")
        assert answer.resolved_by == "hosts"
        assert set(answer.addresses) <= {"127.0.0.1", "::1"}
        with pytest.raises(NameUnknown, match=r"no-such-host\.invalid"):
            await lookup("no-such-host.invalid")
        lookup.close()

    asyncio.run(story())
    lookup = SystemLookup(hosts_file=hosts)
    assert lookup._who_answered("shop.example", ("127.0.0.1",)) == "hosts"
    assert lookup._who_answered("shop.example", ("127.0.0.1", "93.184.215.14")) == "dns"
    assert lookup._who_answered("other.example", ("93.184.215.14",)) == "dns"
    assert lookup._who_answered("unlisted.example", ("127.0.0.1",)) == "dns"
    assert SystemLookup(hosts_file=tmp_path / "absent")._who_answered("a.example", ("127.0.0.1",)) == "dns"


def test_a_policy_stands_before_the_connection() -> None:
    reached = []

    async def note(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        reached.append(await reader.read())

    async def story() -> None:
        dns = names(
            friend_example=("127.0.0.1",), stranger_example=("127.0.0.2",), both_example=("10.0.0.1", "127.0.0.1")
        )
        policy = Policy(allowed=(parse_network("127.0.0.1"),))
        async with site(note, host="0.0.0.0") as port, egress(dns=dns, policy=policy) as proxy:
            credential = proxy.admit("v")
            head, _, writer = await tunnel(proxy, credential, f"stranger.example:{port}")
            assert head.startswith(b"HTTP/1.1 403 ")
            writer.close()
            assert reached == []
            record = proxy.report("v")[0]
            why = "loopback, RFC 1122 §3.2.1.3"
            assert (record.error, record.detail) == ("policy", f"127.0.0.2: {why}")
            assert record.refused == (Refusal(address="127.0.0.2", reason=why),)
            for friend in ("friend", "both"):
                head, _, writer = await tunnel(proxy, credential, f"{friend}.example:{port}")
                assert head.startswith(b"HTTP/1.1 200 ")
                writer.close()
            both = proxy.report("v")[2]
            assert (both.address, both.error) == ("127.0.0.1", None)
            assert [each.address for each in both.refused] == ["10.0.0.1"], "what was passed over is not said"

    asyncio.run(story())


# What goes wrong is recorded, and shown to no page.


@asynccontextmanager
async def full_port() -> AsyncIterator[int]:
    """A port whose queue is full: further attempts get no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        end = listener.getsockname()
        waiting = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(end)
            waiting.append(filler)
        try:
            yield end[1]
        finally:
            for filler in waiting:
                filler.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("kind", ["tunnel", "plain"])
@pytest.mark.parametrize(
    ("fault", "status"), [("dns", b"502"), ("refused", b"502"), ("unreachable", b"502"), ("timeout", b"504")]
)
def test_a_failure_is_recorded_and_no_page_sees_a_word_of_ours(fault: str, status: bytes, kind: str) -> None:
    async def story() -> None:
        dns = names(
            refused_example=("127.0.0.1",),
            unreachable_example=("127.0.0.1",) if fault != "unreachable" else ("255.255.255.255",),
            timeout_example=("127.0.0.1",),
        )
        async with full_port() as full, egress(dns=dns, limits=Limits(connect_s=0.4)) as proxy:
            credential = proxy.admit("v")
            end = f"{fault}.example:{full if fault == 'timeout' else free_port()}"
            if kind == "tunnel":
                head, reader, writer = await tunnel(proxy, credential, end)
                assert head.split()[1] == status
                assert b"Content-Length: 0\r\n" in head
                assert await reader.read() == b""
                writer.close()
            else:
                request = f"GET http://{end}/ HTTP/1.1\r\nHost: {end}\r\n".encode()
                assert await ask(proxy, request + authorization(credential) + b"\r\n") == b""
            (record,) = proxy.report("v")
            assert (record.kind, record.error, record.connected_at) == (kind, fault, None)
            assert record.detail
            assert record.to_json()["error"] == fault

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["tunnel", "plain"])
def test_a_site_that_hangs_up_is_recorded(kind: str) -> None:
    async def story() -> None:
        async with site(reset) as port, egress(f"a.example:80:127.0.0.1:{port}") as proxy:
            credential = proxy.admit("v")
            if kind == "tunnel":
                _, reader, writer = await tunnel(proxy, credential, "a.example:80")
                writer.write(b"hello")
                assert await reader.read() == b""
                writer.close()
            else:
                request = b"GET http://a.example/ HTTP/1.1\r\n" + authorization(credential) + b"\r\n"
                assert await ask(proxy, request) == b""
            await asyncio.sleep(0.05)
            (record,) = proxy.report("v")
            assert record.error == "reset"
            assert record.connected_at is not None

    asyncio.run(story())


# Plain requests.


def recorder(into: list[bytes], answer: bytes, *, linger: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        into.append(head)
        writer.write(answer)
        await writer.drain()
        if linger:
            into.append(await reader.read())

    return handle


def test_a_plain_request_reaches_the_site_as_the_browser_meant_it() -> None:
    seen: list[bytes] = []
    answer = b"HTTP/1.1 200 OK\r\nX-Odd:  Case \r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    async def story() -> None:
        async with site(recorder(seen, answer)) as port, egress(f"blog.example:80:127.0.0.1:{port}") as proxy:
            request = (
                b"GET http://blog.example/a%20b?c=d&e HTTP/1.1\r\n"
                b"Host: blog.example\r\n"
                b"Proxy-Connection: keep-alive\r\n"
                + authorization(proxy.admit("v"))
                + b"UPGRADE-insecure-Requests: 1\r\n"
                b"accept:text/html\r\n"
                b"X-Twice: 1\r\n"
                b"X-Twice: 2\r\n"
                b"Cookie: a=b; c=d\r\n\r\n"
            )
            assert await ask(proxy, request) == answer, "the answer was touched"
            expected = (
                b"GET /a%20b?c=d&e HTTP/1.1\r\n"
                b"Host: blog.example\r\n"
                b"Connection: close\r\n"
                b"UPGRADE-insecure-Requests: 1\r\n"
                b"accept: text/html\r\n"
                b"X-Twice: 1\r\n"
                b"X-Twice: 2\r\n"
                b"Cookie: a=b; c=d\r\n\r\n"
            )
            assert seen == [expected]
            assert proxy.report("v")[0].kind == "plain"

    asyncio.run(story())


def test_a_second_request_on_the_connection_goes_to_nobody() -> None:
    seen: list[bytes] = []
    stubborn = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"

    async def story() -> None:
        async with (
            site(recorder(seen, stubborn, linger=True)) as port,
            egress(f"a.example:80:127.0.0.1:{port}") as proxy,
        ):
            auth = authorization(proxy.admit("v"))
            async with client(proxy) as (reader, writer):
                writer.write(b"GET http://a.example/1 HTTP/1.1\r\n" + auth + b"\r\n")
                assert await reader.readexactly(len(stubborn)) == stubborn
                assert len(seen) == 1, "the site must still hold the connection open for this test to mean anything"
                writer.write(b"GET http://b.example/2 HTTP/1.1\r\n" + auth + b"\r\n")
                async with asyncio.timeout(5):
                    assert await reader.read() == b""
            await asyncio.sleep(0.05)
            assert seen[1:] == [b""], "a request for one site, and our credential, went to another"

    asyncio.run(story())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_goes_with_its_request(framing: str) -> None:
    body = b"x" * 100_000
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:70_000], body[70_000:]))
    sent = {"length": body, "chunked": chunks + b"0\r\nTrailer: t\r\n\r\n"}[framing]
    field = {"length": b"Content-Length: 100000", "chunked": b"Transfer-Encoding: chunked"}[framing]
    seen: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        seen.append(await reader.readexactly(len(sent)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def story() -> None:
        async with site(take) as port, egress(f"a.example:80:127.0.0.1:{port}") as proxy:
            head = b"POST http://a.example HTTP/1.1\r\n" + authorization(proxy.admit("v")) + field + b"\r\n\r\n"
            assert await ask(proxy, head + sent) == b"HTTP/1.1 204 No Content\r\n\r\n"
            assert seen[0] == b"POST / HTTP/1.1\r\nHost: a.example\r\n" + field + b"\r\nConnection: close\r\n\r\n"
            assert seen[1] == sent

    asyncio.run(story())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nContent-Length: -1\r\n%s\r\n",
        b"GET http://user@a.example/ HTTP/1.1\r\n%s\r\n",
        b"GET https://a.example/ HTTP/1.1\r\n%s\r\n",
        b"GET /relative HTTP/1.1\r\nHost: a.example\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nX: a\r\n folded\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nX : a\r\n%s\r\n",
        b"GET http://a.example/ HTTP/1.1\nX: a\r\n%s\r\n",
        b"CONNECT a.example HTTP/1.1\r\n%s\r\n",
        b"CONNECT a.example:0 HTTP/1.1\r\n%s\r\n",
        b"PRI * HTTP/2.0\r\n%s\r\n",
    ],
)
def test_a_request_that_can_be_read_two_ways_is_not_answered(request_bytes: bytes) -> None:
    async def story() -> None:
        async with site(echo) as port, egress(f"a.example:80:127.0.0.1:{port}") as proxy:
            assert await ask(proxy, request_bytes % authorization(proxy.admit("v"))) == b""
            assert proxy.report("v") == ()

    asyncio.run(story())


# Limits, and the end.


def test_a_head_too_long_or_too_slow_is_dropped() -> None:
    async def story() -> None:
        async with egress(limits=Limits(head_bytes=4096, head_s=0.2)) as proxy:
            try:
                answer = await ask(proxy, b"GET http://a.example/ HTTP/1.1\r\nX: " + b"x" * 20_000)
            except ConnectionError:
                answer = b""  # dropped so fast that we were still sending
            assert answer == b""
            async with client(proxy) as (reader, writer):
                writer.write(b"CONNECT a.example:443 HT")
                async with asyncio.timeout(5):
                    assert await reader.read() == b""

    asyncio.run(story())


def test_stopping_leaves_nothing_running() -> None:
    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def never(host: str) -> Answer:
        await asyncio.sleep(30)
        raise AssertionError(host)

    async def story() -> None:
        proxy = Egress((Resolve.parse("a.example:443:127.0.0.1"),), clock=Ticking(), dns=never, policy=HERE)
        await proxy.start()
        async with site(silent) as port:
            credential = proxy.admit("v")
            _, reader, writer = await tunnel(proxy, credential, f"127.0.0.1:{port}")
            async with client(proxy) as (_, asking), client(proxy) as (_, _idle):
                asking.write(b"CONNECT slow.example:443 HTTP/1.1\r\n" + authorization(credential) + b"\r\n")
                await asyncio.sleep(0.1)
                ours = [task for task in asyncio.all_tasks() if "Egress" in repr(task.get_coro())]
                assert len(ours) == 3, "nothing was running, so nothing was shown"
                assert proxy.report("v")[1].error is None
                async with asyncio.timeout(3):
                    await proxy.stop()
                assert not [task for task in asyncio.all_tasks() if "crawlers" in repr(task.get_coro())]
            with pytest.raises((OSError, EOFError)):
                await reader.readexactly(1)
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))

    asyncio.run(story())


# The browser.


@pytest.mark.browser
def test_chromium_behind_it(tmp_path: Path) -> None:
    from playwright.async_api import Error, async_playwright

    from crawlers.browser import introduced

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        body = b"<title>" + request.split()[1] + b"</title>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async def story() -> None:
        tls, _ = certificate(tmp_path, "shop.example", "blog.example")
        async with site(page, tls=tls) as secure, site(page) as plain, async_playwright() as playwright:
            resolve = (
                f"shop.example:443:127.0.0.1:{secure}",
                f"plain.example:80:127.0.0.1:{plain}",
                f"refused.example:443:127.0.0.1:{free_port()}",
            )
            async with egress(*resolve, dns=names()) as proxy:
                browser = await playwright.chromium.launch(
                    executable_path=find_browser(os.environ, checkout=Path()), args=["--proxy-bypass-list=<-loopback>"]
                )
                for visit in ("one", "two"):
                    credential = proxy.admit(visit)
                    context = await browser.new_context(
                        ignore_https_errors=True,
                        proxy={"server": proxy.url},
                    )
                    tab = await context.new_page()
                    await introduced(tab, credential)
                    await tab.goto(f"https://shop.example/{visit}")
                    assert await tab.title() == f"/{visit}"
                    if visit == "two":
                        await tab.goto("http://plain.example/p")
                        assert await tab.title() == "/p"
                        await tab.goto(f"http://127.0.0.1:{plain}/loopback")
                        assert await tab.title() == "/loopback"
                        for url in ("https://nowhere.example/", "http://nowhere.example/", "https://refused.example/"):
                            with pytest.raises(Error, match=r"ERR_TUNNEL_CONNECTION_FAILED|ERR_EMPTY_RESPONSE"):
                                await tab.goto(url)
                    await context.close()
                await browser.close()
                assert {(record.host, record.kind) for record in proxy.report("one")} == {("shop.example", "tunnel")}
                two = {(record.host, record.kind, record.error) for record in proxy.report("two")}
                assert two >= {
                    ("shop.example", "tunnel", None),
                    ("plain.example", "plain", None),
                    ("127.0.0.1", "plain", None),
                    ("nowhere.example", "tunnel", "dns"),
                    ("nowhere.example", "plain", "dns"),
                    ("refused.example", "tunnel", "refused"),
                }

    asyncio.run(story())
