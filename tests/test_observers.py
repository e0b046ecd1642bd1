"""Two observers at one page: they agree where the site shows both the same, and a cloaking site is told by them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site

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
