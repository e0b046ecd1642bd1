"""Going out through the operator's proxy: it is told addresses that the policy has judged, and nothing else."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from archive.errors import UsageError
from crawlers.connection import Connection
from crawlers.egress import Egress, Policy
from crawlers.origin import judge_origin
from crawlers.resolving import Answer
from crawlers.tls import Certificate
from crawlers.upstream import Upstream
from custody.model import Origin
from tests.crawlers.looking import Looked, Looker, looker, now
from tests.crawlers.proxies import NAME, PASSWORD, proxy
from tests.crawlers.test_egress import echo, egress, names, site, tunnel
from tests.site.server import Site

PUBLIC = "93.184.215.14"


def upstream(url: str) -> Upstream:
    made = Upstream.parse(url)
    assert made is not None
    return made


async def through(
    scheme: str, *, host: str, refuses: bool = False, spoiled: bool = False
) -> tuple[bytes, Connection, int, list[tuple[str, int]]]:
    """What a tunnel to a host says first, what was recorded, what came straight to us, what the proxy was asked."""
    async with site(echo) as port, proxy(scheme, lambda _h, _p: ("127.0.0.1", port), refuses=refuses) as made:
        url = made.url.replace(PASSWORD, "wrong") if spoiled else made.url
        dns = names(shop_example=(PUBLIC,), inside_example=("10.1.2.3",))
        hole = f"named.example:443:127.0.0.1:{port}"
        async with egress(hole, dns=dns, policy=Policy(), upstream=upstream(url)) as out:
            answer, reader, writer = await tunnel(out, out.admit("v"), f"{host}:443")
            if answer.startswith(b"HTTP/1.1 200"):
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
            writer.close()
            await writer.wait_closed()
            (connection,) = out.report("v")
        return answer, connection, made.turned_away, made.asked


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_public_site_is_reached_through_it_by_its_address(scheme: str) -> None:
    answer, connection, turned_away, asked = asyncio.run(through(scheme, host="shop.example"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert asked == [(PUBLIC, 443)]  # and not by its name: what was judged is what is reached
    assert turned_away == 0
    assert (connection.address, connection.error) == (PUBLIC, None)
    assert connection.through is not None
    assert connection.through.startswith(f"{scheme}://127.0.0.1:")
    told = json.dumps(connection.to_json())
    assert NAME not in told
    assert PASSWORD not in told


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_what_the_policy_refuses_is_not_asked_of_it(scheme: str) -> None:
    answer, connection, _, asked = asyncio.run(through(scheme, host="inside.example"))
    assert answer.startswith(b"HTTP/1.1 403")
    assert (connection.error, asked) == ("policy", [])


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_what_the_operator_named_is_reached_straight(scheme: str) -> None:
    answer, connection, _, asked = asyncio.run(through(scheme, host="named.example"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert (connection.through, asked) == (None, [])


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_says_no_is_no_fault_of_the_site(scheme: str) -> None:
    answer, connection, _, asked = asyncio.run(through(scheme, host="shop.example", refuses=True))
    assert answer.startswith(b"HTTP/1.1 502")
    assert asked
    assert connection.error == "proxy"
    answer, connection, turned_away, asked = asyncio.run(through(scheme, host="shop.example", spoiled=True))
    assert (connection.error, turned_away, asked) == ("proxy", 1, [])
    assert "wrong" not in str(connection.detail)


def test_a_proxy_that_is_not_there_is_said() -> None:
    async def ask() -> Connection:
        gone = upstream("socks5://127.0.0.1:9")
        async with egress(dns=names(shop_example=(PUBLIC,)), policy=Policy(), upstream=gone) as out:
            _, _, writer = await tunnel(out, out.admit("v"), "shop.example:443")
            writer.close()
            await writer.wait_closed()
            return out.report("v")[0]

    connection = asyncio.run(ask())
    assert (connection.error, connection.connected_at) == ("proxy", None)
    assert "the proxy itself could not be reached" in str(connection.detail)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://proxy.example", "http://proxy.example:3128"),
        ("socks5://u:p%40ss@[2001:db8::1]:9050", "socks5://[2001:db8::1]:9050"),
        (" SOCKS5://proxy.example/ ", "socks5://proxy.example:1080"),
    ],
)
def test_it_is_read_and_told_without_its_secret(text: str, said: str) -> None:
    made = upstream(text)
    assert str(made) == said
    assert "ss" not in repr(made).replace("username", "").replace("password", "").replace("address", "")


@pytest.mark.parametrize(
    "text",
    ["proxy.example:3128", "https://proxy.example", "socks4://x", "http://", "http://x:99999", "http://x/a?b", ""],
)
def test_one_that_is_none_is_a_sentence_without_its_secret(text: str) -> None:
    with pytest.raises(UsageError, match="--proxy is http://") as caught:
        Upstream.parse(text.replace("://", "://me:hidden@"))
    assert "hidden" not in str(caught.value)


def test_an_option_wins_over_the_environment() -> None:
    env = {"COUNTERPROOF_PROXY": "http://env.example"}
    assert str(Upstream.chosen(None, env)) == "http://env.example:3128"
    assert str(Upstream.chosen("socks5://opt.example", env)) == "socks5://opt.example:1080"
    assert Upstream.chosen("none", env) is None
    assert Upstream.chosen(None, {}) is None


def test_a_certificate_that_does_not_hold_behind_a_proxy_may_be_the_proxys() -> None:
    connection = Connection(
        host="shop.example", port=443, kind="tunnel", asked_at=now(), address=PUBLIC, connected_at=now(),
        resolved_by="dns", through="http://proxy.example:3128",
    )  # fmt: skip
    bad = Certificate(
        host="shop.example",
        valid=False,
        reason="self-signed",
        chain_der=(),
        protocol="",
        cipher="",
        trusted_by_spki=False,
        browser_says="secure",
    )
    good = Certificate(
        host="shop.example",
        valid=True,
        reason="",
        chain_der=(),
        protocol="",
        cipher="",
        trusted_by_spki=False,
        browser_says="secure",
    )
    urls = ["https://shop.example/"]
    origin, reasons = judge_origin(urls, [connection], [bad], interventions=())
    assert origin is Origin.NOT_PUBLIC
    assert "http://proxy.example:3128" in reasons[0]
    assert judge_origin(urls, [connection], [good], interventions=())[0] is Origin.PUBLIC


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with Site() as running, looker(running, tmp_path_factory.mktemp("upstream")) as made:
        yield made


@pytest.mark.browser
def test_a_page_is_captured_through_it(eye: Looker) -> None:
    ports = {int(each.split(":")[1]): int(each.split(":")[3]) for each in eye.site.resolve}

    async def dns(_: str) -> Answer:
        return Answer(addresses=(PUBLIC,), resolved_by="dns")

    async def look() -> tuple[Looked, list[tuple[str, int]]]:
        async with proxy("socks5", lambda _, port: ("127.0.0.1", ports[port])) as made:
            straight = eye.egress
            eye.egress = Egress(clock=now, dns=dns, policy=Policy(), upstream=upstream(made.url))
            await eye.egress.start()
            try:
                return await eye.look_at(eye.site.url("listing")), made.asked
            finally:
                await eye.egress.stop()
                eye.egress = straight

    looked, asked = eye.run(look())
    assert looked.seen.trouble is None
    assert looked.seen.http_status == 200
    assert set(asked) <= {(PUBLIC, 443), (PUBLIC, 80)}
    reached = [each for each in looked.connections if each.connected_at is not None]
    assert reached
    assert all(each.through is not None and each.address == PUBLIC for each in reached)
