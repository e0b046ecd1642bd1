"""Two observers at one page: they agree where the site shows both the same, and a cloaking site is told by them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site
from tests.workers import database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(900)]

HOST = "www.first.example"
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
