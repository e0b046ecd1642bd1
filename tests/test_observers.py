"""Two observers at one page: they agree where the site shows both the same, and a cloaking site is told by them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, Ran, run, through
from tests.crawlers.proxies import PASSWORD, Proxy, proxy_beside
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site
from tests.workers import Process, database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(900)]

HOST = "www.first.example"
PUBLIC = "93.184.215.14"
"""Where the host is said to be: what is public is reached through a proxy, and what is here never is."""
WORDS = "<p>It has words on it, so that it is a page as others are.</p>"


CLOAK = (
    "<script>const by = screen.width < 600 ? 'Rainy' : 'Sunny'; document.title = `Bracelet by ${by}`;"
    "document.querySelector('h1').textContent = document.title</script>"
)


def cloaked(_: Request) -> Answer:
    """Phones are shown another seller's page."""
    return page(f"<!doctype html><meta charset=utf-8><title>A bracelet</title><h1>A bracelet</h1>{WORDS}{CLOAK}")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    plain = page(f"<!doctype html><meta charset=utf-8><title>A page</title><h1>A page</h1>{WORDS}")
    made.hosts[HOST] = Host(name=HOST, routes={"/same": lambda _: plain, "/cloaked": cloaked})
    with made as running:
        yield running


def twice(site: Site, home: Path, path: str, *options: str, code: int = 0) -> Ran:
    ran = run(
        "capture", f"https://{HOST}{path}", "--case", "O-1", "--authority", "none", "--json", "--no-control",
        "--no-follow", "--observers", "2", *through(site.resolve, site.trust_spki), *options, home=home,
    )  # fmt: skip
    assert ran.code == code, ran.err[-3000:]
    return ran


def test_two_agree_and_a_cloaking_site_is_told(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (same,) = twice(site, home, "/same").document["observers"]
    assert same["agrees"] is True
    assert same["operator"] == "same"
    assert same["other"]["capture"] != same["capture"]
    assert (home / "observers" / "second" / "keys" / "worker.key").read_bytes() != (
        home / "keys" / "worker.key"
    ).read_bytes()

    (cloaked_,) = twice(site, home, "/cloaked", "--observer-device", "phone").document["observers"]
    assert cloaked_["agrees"] is False
    assert "title_changed" in cloaked_["kinds"] or "words_changed" in cloaked_["kinds"]
    said = " ".join(cloaked_["sentences"])
    assert "To the first observer" in said
    assert "Sunny" in said
    assert "Rainy" in said

    assert run("verify", home=home).code == 0
    assert run("verify", home=home / "observers" / "second").code == 0


@pytest.fixture
def abroad() -> Iterator[Site]:
    """The same network as it is seen from another country: another seller's page at the same address."""
    made = Site()
    other = page(f"<!doctype html><meta charset=utf-8><title>A page by Rainy</title><h1>A page by Rainy</h1>{WORDS}")
    made.hosts[HOST] = Host(name=HOST, routes={"/same": lambda _: other})
    with made as running:
        yield running


NAMES = f"""
import socket
ask = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: ask({PUBLIC!r} if host == {HOST!r} else host, *rest, **more)
"""
"""A name server that knows the host, in the place of one that a machine without a network cannot ask."""


@dataclass(frozen=True)
class Ways:
    """Two ways out, each a proxy that wants a name and a password, and what lies behind each."""

    home: Proxy
    abroad: Proxy
    options: tuple[str, ...]
    env: Mapping[str, str]
    """Of commands, the second observer's too."""


@pytest.fixture
def ways(site: Site, abroad: Site, tmp_path: Path) -> Iterator[Ways]:
    names = tmp_path / "names"
    names.mkdir()
    (names / "sitecustomize.py").write_text(NAMES)
    with proxy_beside("http", to(site)) as first, proxy_beside("socks5", to(abroad)) as second:
        options = ["--no-control"]
        for each in (*site.trust_spki, *abroad.trust_spki):
            options += ["--trust-spki", each]
        env = {"COUNTERPROOF_PROXY": first.url, "PYTHONPATH": f"{names}:{ROOT}"}
        yield Ways(first, second, tuple(options), env)


def to(town: Site) -> Callable[[str, int], tuple[str, int]]:
    """A tunnel to a port of the host ends where that network has it."""
    rules = [each.split(":") for each in town.resolve if each.startswith(f"{HOST}:")]
    ports = {int(port): int(here) for _, port, _, here in rules}
    return lambda _, port: ("127.0.0.1", ports[port])


@contextmanager
def worker_with(ways: Ways, home: Path, env: Mapping[str, str]) -> Iterator[Process]:
    process = Process("work", *ways.options, "--silent", "10", home=home, env=env)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.kill()


def test_two_ways_out_show_what_is_shown_by_country_and_no_record_has_the_password(ways: Ways, tmp_path: Path) -> None:
    home = tmp_path / "home"
    asked = (
        "capture", f"https://{HOST}/same", "--case", "O-1", "--authority", "none", "--json", "--no-follow",
        "--observers", "2", *ways.options,
    )  # fmt: skip
    ran = run(*asked, "--observer-proxy", ways.abroad.url, home=home, env=ways.env)
    assert ran.code == 0, ran.err[-3000:]
    (differ,) = ran.document["observers"]
    assert differ["agrees"] is False
    assert "Rainy" in " ".join(differ["sentences"])
    assert set(ways.home.asked) | set(ways.abroad.asked) <= {(PUBLIC, 443), (PUBLIC, 80)}
    assert (ways.home.turned_away, ways.abroad.turned_away) == (0, 0)
    for each, way in ((home, ways.home), (home / "observers" / "second", ways.abroad)):
        (kept,) = run("captures", "--json", home=each).document["captures"]
        shown = run("show", kept["capture_id"], "--json", home=each).out
        assert f"{way.scheme}://127.0.0.1:{way.port}" in shown
        assert PASSWORD not in shown
    unread = run(*asked, "--observer-proxy", "ftp://a.example", home=home, env=ways.env)
    assert (unread.code, "cannot be read" in unread.err) == (2, True)


def test_a_watch_whose_second_observer_has_another_way_out_tells_where_they_differ(ways: Ways, tmp_path: Path) -> None:
    home = tmp_path / "home"
    watch = ("watch", "add", f"https://{HOST}/same", "--case", "O-1", "--every", "1d", "--no-follow")
    assert run(*watch, "--observers", "2", home=home).code == 0
    env = {**ways.env, "COUNTERPROOF_OBSERVER_PROXY": ways.abroad.url}
    with worker_with(ways, home, env) as working, database_of(home) as database:
        done = "SELECT detail FROM counterproof.looks WHERE state = 'done'"
        until(lambda: rows(database, done), 300, working.told)
        assert working.stop() == 0
        assert rows(database, done)[0][0].startswith("two observers differ: ")
        assert PASSWORD not in working.told()
    assert ways.abroad.asked


def test_a_home_with_our_own_key_is_no_second_observer(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first: Any = run(
        "capture", f"https://{HOST}/same", "--case", "O-1", "--authority", "none", "--json", "--no-control",
        "--no-follow", *through(site.resolve, site.trust_spki), home=home,
    )  # fmt: skip
    assert first.code == 0, first.err
    refused = twice(site, home, "/same", "--observer-home", str(home), code=2)
    assert "key of its own" in refused.err
    nowhere = twice(site, home, "/same", "--observer-home", str(tmp_path / "none"), code=2)
    assert "there is no home" in nowhere.err


def test_another_operator_is_called_so_where_their_trust_file_says_it(site: Site, tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other" / "home"
    other.parent.mkdir()
    first = run(
        "capture", f"https://{HOST}/same", "--case", "theirs", "--authority", "none", "--no-control", "--no-follow",
        *through(site.resolve, site.trust_spki), home=other,
    )  # fmt: skip
    assert first.code == 0, first.err
    (same,) = twice(site, home, "/same", "--observer-home", str(other)).document["observers"]
    assert same["operator"] == "same", "whose home it is, nobody has said"
    trust = ("--observer-home", str(other), "--observer-trust", str(other / "trust.json"))
    (seen,) = twice(site, home, "/same", *trust).document["observers"]
    assert (seen["operator"], seen["agrees"]) == ("other", True)
    listed = run("captures", "--json", home=other).document["captures"]
    assert seen["other"]["capture"] in {each["capture_id"] for each in listed}, "it lies in the other operator's log"
    ours = twice(site, home, "/same", *trust[:3], str(home / "trust.json"), code=2)
    assert "does not run under the trust file" in ours.err
    assert run("verify", home=home).code == 0
    assert run("verify", home=other).code == 0


def test_a_watch_with_two_observers_tells_where_they_differ(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    added = run(
        "watch", "add", f"https://{HOST}/cloaked", f"https://{HOST}/same", "--case", "O-1", "--every", "1d",
        "--no-follow", "--observers", "2", "--observer-device", "phone", home=home,
    )  # fmt: skip
    assert added.code == 0, added.err
    with worker(site, home, "--silent", "10") as working, database_of(home) as database:
        query = "SELECT w.url, l.detail FROM counterproof.looks l JOIN counterproof.watches w ON w.id = l.watch"
        until(lambda: len(rows(database, f"{query} WHERE l.state = 'done'")) == 2, 300, working.told)
        found = dict(rows(database, query))
        assert working.stop() == 0
    assert found[f"https://{HOST}/cloaked"].startswith("two observers differ: ")
    alerts = run("alerts", "list", "--json", home=home).document["alerts"]
    assert [each["kind"] for each in alerts] == ["observers_differ"]
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["events"]["looks.compared"] == 2
    assert run("verify", home=home / "observers" / "second").code == 0
