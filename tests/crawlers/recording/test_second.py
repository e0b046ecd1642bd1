"""The same page over HTTP/2, and without a length told before: the WARC against the site's own account, thrice."""

import base64
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
from playwright._impl._driver import compute_driver_executable

from custody.model import Status
from tests.crawlers.looking import Looker, looker
from tests.crawlers.recording import scene
from tests.crawlers.recording.reading import checked, missing, read
from tests.crawlers.recording.scene import COUSIN, SHOP, STRANGER
from tests.site import certificate
from tests.site.host import Answer

pytestmark = pytest.mark.browser

LEFT = ("/sound.wav", "/slow")
"""A player wants ranges, and the other takes time."""
MADE = ("/sw/made-up", "/sw/passed-on")
"""By the service worker."""
BODIES = {"/post": b"took something", "/upload": b"took something", "/put": b"put"}


def answers() -> dict[str, dict[str, dict[str, Any]]]:
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for host, routes in scene.routes().items():
        for path, route in routes.items():
            answer = (
                route if isinstance(route, Answer) else scene.kind("text/plain", BODIES.get(path, b""), *scene.ALLOWED)
            )
            if path in LEFT:
                continue
            headers: dict[str, Any] = {}
            if answer.media_type and answer.status != 204:
                headers["content-type"] = answer.media_type
            for name, value in answer.headers:
                lower, plain = name.lower(), value.encode("ascii", "ignore").decode()
                headers[lower] = [*headers.get(lower, []), plain] if lower == "set-cookie" else plain
            body = base64.b64encode(answer.body).decode()
            table.setdefault(host, {})[path] = {"status": answer.status, "headers": headers, "body": body}
    return table


class Second:
    """As ``Site``, as far as a look needs it."""

    def __init__(self) -> None:
        made = certificate.good([SHOP, COUSIN, STRANGER], at=datetime.now(UTC))
        self.table = answers()
        self.trust_spki = [made.spki]
        self.urls: Mapping[str, str] = {}
        self.told: list[dict[str, Any]] = []
        node, _ = compute_driver_executable()
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name("second.js"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wanted = {"key": made.key_pem.decode(), "cert": made.certificate_pem.decode(), "table": self.table}
        self._process.stdin.write(json.dumps(wanted))
        self._process.stdin.close()
        port = json.loads(self._process.stdout.readline())["port"]
        self.resolve = [f"{host}:443:127.0.0.1:{port}" for host in self.table]
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def body(self, told: Mapping[str, Any]) -> bytes:
        answer = self.table.get(told["host"], {}).get(told["path"])
        if answer is None or told["method"] == "HEAD" or told["status"] == 204:
            return b""
        data = base64.b64decode(answer["body"])
        return brotli.decompress(data) if answer["headers"].get("content-encoding") == "br" else data

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line))


@pytest.fixture(scope="module")
def second() -> Iterator[Second]:
    made = Second()
    yield made
    made.close()


@pytest.fixture(scope="module")
def eye(second: Second, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(second, tmp_path_factory.mktemp("looks")) as made:  # type: ignore[arg-type]  # what a look needs of one
        yield made


@pytest.mark.parametrize("_n", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_every_exchange_over_http_2_is_there(eye: Looker, second: Second, _n: int) -> None:
    second.told.clear()
    looked = eye.look(f"https://{SHOP}/start")
    path = looked.kept("traffic.warc.gz").path
    assert checked(path) == 0
    records = read(path)
    requests = {each.says("WARC-Record-ID"): each for each in records if each.kind == "request"}
    second_ones: list[str] = []
    kept: dict[tuple[str | None, str, int | None], list[tuple[bytes, bytes]]] = {}
    for each in records:
        if each.kind == "response":
            asked = requests[each.says("WARC-Concurrent-To")]
            kept.setdefault((asked.method, each.url, each.status), []).append((asked.body, each.body))
            protocols = [value for name, value in each.fields if name == "WARC-Protocol"]
            assert set(protocols[:1]) <= {"h2"}, each.url
            second_ones += protocols[:1]
            assert not any(name.startswith(":") for name, _ in (*each.headers, *asked.headers))
    served = [each for each in second.told if each["path"] not in LEFT]
    assert len(served) > 30
    assert len(second_ones) > 30
    once = {each["url"]: each for each in served if each["path"] == "/sw.js"}  # a later look for changes is not told
    served = [each for each in served if each["path"] != "/sw.js"] + list(once.values())
    assert Counter((each["method"], each["url"], each["status"]) for each in served) == Counter(
        {key: len(bodies) for key, bodies in kept.items() if not key[1].endswith((*LEFT, *MADE))}
    )
    for one in served:
        if one["path"] == "/really":  # of no length told: the service worker hands it on, and the page has it
            assert (b"", second.body(one)) in kept[("GET", f"https://{SHOP}/sw/passed-on", 200)]
        elif not 300 <= one["status"] < 400 and one["path"] != "/guessed":
            mine = kept[(one["method"], one["url"], one["status"])]
            assert (base64.b64decode(one["posted"]), second.body(one)) in mine, one["url"]
    lacks = [lack for lack in missing(records) if not lack["url"].endswith(LEFT)]
    assert {lack["reason"] for lack in lacks} == {"redirect_body", "passed_on", "asked_ahead"}
    assert (looked.visit().status, looked.missing()) == (Status.COMPLETE, {})
