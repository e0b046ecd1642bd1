"""A page that fetches in every way there is, with a real Chromium: the WARC against the site's own account, thrice."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody.model import Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.crawlers.recording import scene
from tests.crawlers.recording.reading import Read, checked, missing, read
from tests.crawlers.recording.scene import SHOP, Account, Served
from tests.site.server import Site

pytestmark = pytest.mark.browser

START = f"https://{SHOP}/start"
CANCELLED = f"https://{SHOP}/slow"
GUESSED = f"https://{SHOP}/guessed"
UPDATED = f"https://{SHOP}/sw.js"
"""Chromium looks after a while whether a service worker has changed, and tells nobody of that request."""
REDIRECTS = 6


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture(scope="module")
def site(account: Account) -> Iterator[Site]:
    made = Site()
    made.hosts |= scene.hosts(account)
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


@pytest.fixture(scope="module", params=[1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def run(eye: Looker, account: Account, request: pytest.FixtureRequest) -> "Run":
    assert request.param in {1, 2, 3}
    account.served.clear()
    looked = eye.look(START)
    return Run(looked, list(account.served))


class Run:
    def __init__(self, looked: Looked, served: list[Served]) -> None:
        self.looked = looked
        self.served = served
        self.path = looked.kept("traffic.warc.gz").path
        self.records = read(self.path)
        self.missing = missing(self.records)
        requests = [each for each in self.records if each.kind == "request"]
        self.requests = {each.says("WARC-Record-ID"): each for each in requests}

    def answers(self, url: str | None = None) -> list[Read]:
        return [each for each in self.records if each.kind == "response" and url in {None, each.url}]

    def answer(self, path: str) -> Read:
        (found,) = self.answers(f"https://{SHOP}{path}")
        return found

    def asked(self, answer: Read) -> Read:
        return self.requests[answer.says("WARC-Concurrent-To")]


def test_the_page_did_all_that_it_can(run: Run) -> None:
    done = set(re.findall(r"data-(\w+)=\"yes\"", run.looked.data("dom.html").decode()))
    assert done == {"fetched", "aborted", "worked", "shared", "served"}


def test_every_exchange_of_the_sites_account_is_there(run: Run) -> None:
    had: Counter[tuple[str | None, str, int | None]] = Counter(
        (each.method, each.url, each.status) for each in run.served
    )
    kept = Counter(
        (run.asked(each).method, each.url, each.status) for each in run.answers() if each.says("WARC-Made-By") is None
    )
    lacking = had - kept
    assert set(lacking) <= {("GET", CANCELLED, 200), ("GET", UPDATED, 200)}
    assert kept[("GET", UPDATED, 200)] >= 1
    assert kept - had == Counter()
    assert any(each.url == CANCELLED for each in run.requests.values())


def test_bodies_are_equal_both_ways(run: Run) -> None:
    kept: dict[tuple[str | None, str, int | None], list[tuple[bytes, bytes]]] = {}
    for each in run.answers():
        asked = run.asked(each)
        kept.setdefault((asked.method, each.url, each.status), []).append((asked.body, each.body))
    for served in run.served:
        if 300 <= served.status < 400 or served.url in {CANCELLED, GUESSED}:
            continue
        body = b"" if served.method == "HEAD" else served.body
        assert (served.posted, body) in kept[(served.method, served.url, served.status)], served.url


def test_what_is_missing_are_bodies_of_redirects_and_what_the_page_cancelled(run: Run) -> None:
    assert Counter(each["reason"] for each in run.missing) == {
        "redirect_body": REDIRECTS,
        "cancelled_by_page": 1,
        "asked_ahead": 1,
    }
    assert {each["url"] for each in run.missing if each["reason"] == "cancelled_by_page"} == {CANCELLED}
    assert {each["url"] for each in run.missing if each["reason"] == "asked_ahead"} == {GUESSED}
    assert all(300 <= each["status"] < 400 for each in run.missing if each["reason"] == "redirect_body")


def test_the_capture_is_whole_and_its_record_counts(run: Run) -> None:
    visit = run.looked.visit()
    assert (visit.status, visit.missing) == (Status.COMPLETE, ())
    traffic = visit.circumstances["traffic"]
    assert isinstance(traffic, dict)
    wire = [each for each in run.answers() if each.says("WARC-Made-By") is None]
    assert traffic["exchanges"] == len(wire)
    assert traffic["body_form"] == "decoded"
    assert traffic["trouble"] is None
    assert "example" not in str(traffic)


def test_the_file_is_one_that_others_accept(run: Run) -> None:
    assert checked(run.path) == 0
    assert run.records[0].kind == "warcinfo"
    assert b"body-form: decoded" in run.records[0].body
    assert run.path.read_bytes().count(b"\x1f\x8b\x08") >= len(run.records)  # a gzip member for each
    for each in run.records:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", each.says("WARC-Date") or "")
        assert (each.says("WARC-Block-Digest") or "").startswith("sha256:")


def test_each_redirect_is_a_record_of_its_own(run: Run) -> None:
    for path, to in {"/start": "/second", "/second": "/page", "/moved-picture": "/moved-again"}.items():
        answer = run.answer(path)
        assert (answer.status, answer.header("location")) == (302, to)


def test_address_protocol_and_cipher_are_said(run: Run) -> None:
    answer = run.answer("/style.css")
    assert answer.says("WARC-IP-Address") == "127.0.0.1"
    assert [value for name, value in answer.fields if name == "WARC-Protocol"] == ["http/1.1", "tls/1.3"]
    assert answer.says("WARC-Cipher-Suite")


def test_headers_are_those_that_came_and_went(run: Run) -> None:
    answer = run.answer("/page")
    assert [value for name, value in answer.headers if name.lower() == "set-cookie"] == ["a=1; Path=/", "b=2; Path=/"]
    data = run.answer("/data.json")
    assert (data.header("content-encoding"), data.header("x-orig-content-encoding")) == (None, "br")
    assert data.header("content-length") == str(len(data.body))
    assert run.asked(data).header("cookie") == "a=1; b=2"
    assert not any(each.header("proxy-authorization") for each in run.requests.values())


def test_what_a_service_worker_made_is_told_from_what_came(run: Run) -> None:
    made = run.answer("/sw/made-up")
    assert (made.says("WARC-Made-By"), made.body) == ("service-worker", b"made up here")
    assert made.says("WARC-IP-Address") is None
    assert run.answer("/really").says("WARC-Made-By") is None


def test_picture_and_document_are_in_it(run: Run) -> None:
    made = {each.url: each for each in run.records if each.kind == "resource"}
    page = f"https://{SHOP}/page"
    names = {"urn:view:": "viewport.png", "urn:fullPage:": "screenshot.png", "urn:dom:": "dom.html"}
    for prefix, name in names.items():
        assert made[f"{prefix}{page}"].body == run.looked.data(name)
        assert made[f"{prefix}{page}"].says("WARC-Block-Digest") == str(run.looked.kept(name).digest)


def test_one_file_a_visit_and_nothing_is_left_beside_it(run: Run) -> None:
    assert [each.name for each in run.looked.looking.kept if each.role is Role.WARC] == ["traffic.warc.gz"]
    kept = {each.name for each in run.looked.looking.kept}
    assert {each.name for each in Path(run.path.parent).iterdir()} == kept
