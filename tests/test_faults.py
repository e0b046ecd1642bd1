"""Bad input and faults: each a clear sentence, a documented exit code, never a traceback; what was captured stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "home"


def capture(site: Site, home: Path, *arguments: str) -> Ran:
    return run(
        "capture", *arguments, "--case", "faults", "--json", "--progress", "none",
        *through(site.resolve, site.trust_spki), home=home,
    )  # fmt: skip


@pytest.mark.parametrize(
    "url", ["not a url", "ftp://files.example/x", "javascript:alert(1)", "https://", "http://u:p@a.example/"]
)
def test_what_is_no_public_url_is_refused_before_anything_is_begun(url: str, tmp_path: Path) -> None:
    ran = run("capture", url, "--case", "x", "--json", home=tmp_path / "home")
    assert ran.code == 2
    assert ran.document["exit_code"] == 2
    assert not (tmp_path / "home").exists()


def test_no_url_at_all_is_a_sentence(tmp_path: Path) -> None:
    ran = run("capture", "--case", "x", home=tmp_path / "home")
    assert ran.code == 2
    assert "--from" in ran.err


@pytest.mark.slow
def test_a_driver_that_does_not_start_is_a_sentence_that_says_what_to_do(site: Site, tmp_path: Path) -> None:
    broken = tmp_path / "node"
    broken.write_text("not a program")
    for node in (tmp_path / "nowhere", broken, Path("/bin/echo")):
        env = {"PLAYWRIGHT_NODEJS_PATH": str(node)}
        ran = run("capture", site.url("listing"), "--case", "x", "--json", home=tmp_path / "home", env=env)
        assert ran.code == 7, ran.err
        assert str(node) in ran.document["error"]
        assert "PLAYWRIGHT_NODEJS_PATH" in ran.document["error"]
        checked = run("doctor", home=tmp_path / "home", env=env)
        assert checked.code == 7
        assert str(node) in checked.out


EXPECTED: dict[str, tuple[str, str]] = {
    "unresolved": ("failed", "dns_error"),
    "refused": ("failed", "error"),
    "tls_garbage": ("failed", "tls_error"),
    "bad_certificate": ("complete", "ok"),
    "removed_listing_404": ("complete", "unavailable"),
    "server_error": ("complete", "http_error"),
    "empty": ("complete", "ok"),
    "redirect_loop": ("failed", "error"),
    "refresh_loop": ("partial", "error"),
    "never_finishing": ("partial", "timeout"),
    "download": ("partial", "not_a_page"),
    "no_content": ("partial", "not_a_page"),
    "private": ("complete", "private"),
    "login_wall": ("complete", "login_wall"),
    "removed_listing_200": ("complete", "unavailable"),
    "robot_check": ("complete", "captcha"),
}


@pytest.fixture(scope="module")
def many(site: Site, home: Path) -> Ran:
    return capture(site, home, *(site.url(name) for name in EXPECTED), "--no-follow", "--timeout", "20")


def test_a_page_that_could_not_be_had_is_told_by_the_exit_code(many: Ran) -> None:
    assert many.code == 4, many.err
    assert many.document["lost"] == []
    assert len(many.captures) == len(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_fault_is_an_outcome_with_a_record(many: Ran, site: Site, name: str) -> None:
    made: Any = many.capture_of(site.url(name))
    assert (made["status"], made["outcome"]) == EXPECTED[name], made["outcome_reason"]
    assert made["state"] == "recorded"
    assert made["outcome_reason"]
    if made["status"] == "complete":
        assert made["missing"] == []
    elif name != "refresh_loop":  # all of the page that was left when it was ended is there
        assert made["missing"]


def test_a_bad_certificate_is_named(many: Ran, site: Site) -> None:
    made = many.capture_of(site.url("bad_certificate"))
    assert any(each["role"] == "tls_cert" for each in made["artifacts"])


def test_a_download_keeps_the_file(many: Ran, site: Site) -> None:
    made = many.capture_of(site.url("download"))
    assert next(each for each in made["artifacts"] if each["role"] == "body")["bytes"] > 0


def test_all_of_it_verifies(many: Ran, home: Path) -> None:
    assert many.captures
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
