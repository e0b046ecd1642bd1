"""The bench of the capture by itself: does its truth hold, is a loss seen, is a daemon's time counted?"""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from bench.capturing import complete
from bench.capturing.site import Site, serving

_BURN = "import time; until = time.process_time() + 0.6\nwhile time.process_time() < until: pass"
_DAEMON = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_BURN!r}], start_new_session=True)"


@pytest.fixture(scope="module")
def site() -> Site:
    return Site.build(1)


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with serving(site) as served:
        yield served


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def asked(url: str) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(NoRedirect)
    try:
        answer = opener.open(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"}), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read()
        return answer.status, gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body


def warc(answers: dict[str, tuple[int, bytes]], address: str) -> io.BytesIO:
    out = io.BytesIO()
    for path, (status, body) in answers.items():
        block = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        head = (
            f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid4()}>\r\n"
            f"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: {address}{path}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        out.write(head.encode() + block + b"\r\n\r\n")
    out.seek(0)
    return out


def test_what_is_served_is_what_the_truth_names(address: str) -> None:
    pages = complete.truth(address)
    named = [each for page in pages.values() for each in page["resources"]]
    assert len(named) == 18 + 40
    for each in named:
        status, body = asked(f"{address}{each['path']}")
        assert (status, hashlib.sha256(body).hexdigest(), len(body)) == (each["status"], each["sha256"], each["bytes"])


def test_the_bytes_are_the_same_each_time(site: Site) -> None:
    assert Site.build(1).pages == site.pages


def test_a_lost_and_an_altered_body_are_seen(site: Site, address: str) -> None:
    pages, wanted = complete.truth(address), ["/post/0", "/s/0"]
    answers = {path: (answer.status, answer.body) for path, answer in site.answers.items()}
    whole = complete.compare(pages, wanted, complete.held([warc(answers, address)], address))
    assert whole.whole
    assert whole.named == 18 + 40
    lost = {path: answer for path, answer in answers.items() if path != "/photo/l0-29.jpg"}
    tally = complete.compare(pages, wanted, complete.held([warc(lost, address)], address))
    assert (tally.present, tally.exact, dict(tally.lacks)) == (57, 57, {"img-io": 1})
    altered = {**answers, "/photo/p0-3.jpg": (200, answers["/photo/p0-3.jpg"][1][:-1] + b"\0")}
    tally = complete.compare(pages, wanted, complete.held([warc(altered, address)], address))
    assert (tally.present, tally.exact, dict(tally.lacks)) == (58, 57, {"img": 1})


def test_the_time_of_a_daemon_that_outlives_the_command_is_counted() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.capturing.meter", sys.executable, "-c", _DAEMON],
        check=True,
        capture_output=True,
        timeout=60,
    )
    usage = json.loads(ran.stdout)
    assert usage["status"] == 0
    assert usage["cpu_s"] > (0.6 if usage["exact"] else 0.2)
    assert usage["peak_mib"] > 1
