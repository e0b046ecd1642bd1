"""The hosts that misbehave do, each in its own way."""

import contextlib
import http.client
import ssl
import time
from urllib.parse import urlsplit

import pytest

from tests.site.client import connect, fetch
from tests.site.server import Site


def test_faults_below_http(site: Site) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(site, site.url("refused"))
    with pytest.raises(ssl.SSLError):
        connect(site, site.url("tls_garbage"))
    with pytest.raises(TimeoutError):
        connect(site, site.url("silent"), timeout=0.5)
    assert urlsplit(site.url("unresolved")).hostname not in {rule.split(":")[0] for rule in site.resolve}


def test_connections_closed_midway(site: Site) -> None:
    with pytest.raises(http.client.IncompleteRead) as cut:
        fetch(site, site.url("cut"))
    assert b"You will not read the end" in cut.value.partial
    with pytest.raises(http.client.RemoteDisconnected):
        fetch(site, site.url("empty_answer"))


def test_a_page_that_never_finishes_sends_its_head_and_some_body_first(site: Site) -> None:
    with contextlib.closing(connect(site, site.url("never_finishing"))) as connection:
        connection.request("GET", "/never", headers={"Host": "www.misbehave.example"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"Still loading" in answer.read1(4096)
        drops = [answer.read1(16) for _ in range(4)]
    assert all(drops), "an empty read is the end"
    assert b"".join(drops).lstrip(b"<!- ").strip(b".") == b""


def test_a_slow_page_takes_its_time_and_then_answers(site: Site) -> None:
    began = time.monotonic()
    answer, _ = fetch(site, f"{site.url('slow_first_byte')}?s=0.4")
    assert answer.status == 200
    assert time.monotonic() - began >= 0.4


def test_loops_loop_and_chains_end(site: Site) -> None:
    there = fetch(site, site.url("redirect_loop"))[0].getheader("Location")
    back = fetch(site, f"https://www.misbehave.example{there}")[0].getheader("Location")
    assert urlsplit(site.url("redirect_loop")).path == back
    assert 'content="0; url=/merry/b"' in fetch(site, site.url("refresh_loop"))[1].decode()
    assert fetch(site, "https://www.misbehave.example/chain?n=0")[0].getheader("Location") == "/end"


def test_files_headers_and_sizes(site: Site) -> None:
    answer, body = fetch(site, site.url("download"))
    assert answer.getheader("Content-Disposition") == 'attachment; filename="catalogue.pdf"'
    assert body.startswith(b"%PDF-")
    assert fetch(site, site.url("refresh_header"))[0].getheader("Refresh") == f"1; url={site.url('fault_end')}"
    assert len(fetch(site, site.url("huge"))[1]) > 10_000_000
    assert fetch(site, site.url("empty"))[1] == b""
    assert fetch(site, site.url("no_content"))[1] == b""
