"""The command and the egress policy: what it refuses, how that is told, and what opens it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]


DISK = Path(__file__).as_uri()
"""Where a robots.txt has no business to lead."""


class Trap:
    """Where no page may lead: counts who comes."""

    def __init__(self) -> None:
        self.came = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                visitor, _ = self.listener.accept()
                self.came += 1
                visitor.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()


@pytest.fixture
def page(trap: Trap) -> Iterator[list[str]]:
    """The --resolve of a public page that has a picture, and a robots.txt, at the trap."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in {"/robots.txt", "/leads-there"}:
                self.send_response(302)
                on_disk = self.headers["Host"] == "disk.example"
                self.send_header("Location", DISK if on_disk else f"http://127.0.0.1:{trap.port}/robots")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = f"<title>A page</title><p>Words.<img src='http://127.0.0.1:{trap.port}/x'>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"80:127.0.0.1:{server.server_port}"
    yield ["--resolve", f"page.example:{at}", "--resolve", f"disk.example:{at}"]
    server.shutdown()
    server.server_close()


def capture(home: Path, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    common = ("--case", "x", "--no-follow", "--json", "--progress", "none")
    return run("capture", *arguments, *common, home=home, env=env)


def record_of(home: Path, made: Any) -> Any:
    return run("show", made["id"], "--json", home=home).document["record"]


def test_a_page_on_an_address_of_ours_is_refused(trap: Trap, page: list[str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    hosts = ("127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]")
    urls = [*(f"http://{host}:{trap.port}/" for host in hosts), f"https://127.0.0.1:{trap.port}/"]
    urls += ["http://page.example/leads-there", "http://page.example:22/"]
    ours = f"http://127.0.0.1:{trap.port}"
    proxies = {name: ours for word in ("http_proxy", "https_proxy", "all_proxy") for name in (word, word.upper())}
    ran = capture(home, *urls, *page, env=proxies)
    assert ran.code == 8, ran.err
    assert trap.came == 0, "a connection was made"
    told = {each["requested_url"]: (each["status"], each["outcome"]) for each in ran.captures}
    assert told == dict.fromkeys(urls, ("failed", "refused_by_policy"))
    made = ran.capture_of(urls[0])
    assert "127.0.0.1: loopback, RFC 1122" in made["outcome_reason"]
    record = record_of(home, made)
    assert record["robots"]["error"] == "refused_by_policy"
    assert record["network"]["refusals"] >= 1
    first = record["network"]["refused"][0]
    assert (first["host"], first["port"], first["address"]) == ("127.0.0.1", trap.port, "127.0.0.1")


@pytest.mark.slow
def test_what_a_page_may_not_fetch_is_counted_and_opened_by_name_only(
    trap: Trap, page: list[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shut = capture(home, "http://page.example/", "http://disk.example/", *page)
    assert (shut.code, trap.came) == (0, 0), shut.err
    disk = record_of(home, shut.capture_of("http://disk.example/"))
    assert (disk["robots"]["status"], disk["robots"]["reason"]) == (302, "no_file"), "a file of our disk was read"
    made = shut.capture_of("http://page.example/")
    assert (made["status"], made["outcome"]) == ("complete", "ok")
    record = record_of(home, made)
    assert record["robots"]["error"] == "refused_by_policy"
    (refused,) = record["network"]["refused"]
    assert record["network"]["refusals"] == refused.pop("times")
    assert refused == {
        "host": "127.0.0.1",
        "port": trap.port,
        "address": "127.0.0.1",
        "reason": "loopback, RFC 1122 §3.2.1.3",
    }
    opened = capture(home, "http://page.example/", *page, "--allow-network", "127.0.0.0/8")
    assert opened.code == 0, opened.err
    assert trap.came >= 2, "neither the picture nor robots.txt led there: the first half shows nothing"
    (made,) = opened.captures
    assert made["origin"] == "not_public"
    record = record_of(home, made)
    assert record["network"]["refusals"] == 0
    assert "--allow-network 127.0.0.0/8 was in use" in record["origin_reasons"]


def test_a_page_that_its_robots_txt_forbids_is_refused_to_whoever_asks_for_that(tmp_path: Path) -> None:
    with Site() as site:
        told = run(
            "capture", "https://www.softlinenstories.example/wp-admin/", "--case", "robots", "--robots", "obey",
            "--json", "--progress", "none", *through(site.resolve, site.trust_spki), home=tmp_path / "home",
        )  # fmt: skip
        asked = [each.path for each in site.seen("www.softlinenstories.example")]
    (capture,) = told.captures
    assert (told.code, capture["outcome"], capture["status"]) == (8, "refused_by_policy", "failed")
    assert "robots.txt" in capture["outcome_reason"]
    assert asked == ["/robots.txt"]


def test_a_network_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    ran = capture(tmp_path / "home", "https://page.example/", "--allow-network", "10.0.0.1/8")
    assert ran.code == 2
    assert "10.20.0.0/16" in ran.document["error"]
