"""A store that loses, alters, delays or refuses: nothing is claimed that was not read back, nothing lost unsaid."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.embedded import BUCKET, Running
from tests.archive.conftest import seaweed
from tests.archive.faulty import AlterUpload, Cut, Delay, FaultyProxy, LoseAnswer, Refuse, SetHeader
from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]

__all__ = ["seaweed"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


@pytest.fixture
def proxy(seaweed: Running) -> Iterator[FaultyProxy]:  # pytest hands it in by its name
    with FaultyProxy(seaweed.endpoint) as running:
        yield running


def _flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:] if data else b"x"


class Capturing:
    """The command on a bucket behind the proxy, each time with a home and a prefix of its own."""

    def __init__(self, site: Site, server: Running, proxy: FaultyProxy, folder: Path) -> None:
        self.site = site
        self.home = folder / "home"
        self.environment = {
            "COUNTERPROOF_STORE_URL": f"s3://{BUCKET}/{folder.name}?endpoint={proxy.endpoint}",
            "AWS_ACCESS_KEY_ID": server.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": server.credentials.secret_key,
        }

    def __call__(self, *arguments: str) -> Ran:
        return run(
            "capture", self.site.url("listing"), "--case", "store", "--json", "--no-follow", "--progress", "none",
            *through(self.site.resolve, self.site.trust_spki), *arguments, home=self.home, env=self.environment,
        )  # fmt: skip

    def verdict(self) -> Ran:
        return run("verify", "--json", home=self.home, env=self.environment)


@pytest.fixture
def capturing(site: Site, seaweed: Running, proxy: FaultyProxy, tmp_path: Path) -> Capturing:
    return Capturing(site, seaweed, proxy, tmp_path)


@pytest.mark.slow
def test_a_bucket_elsewhere_by_url_and_the_usual_variables(capturing: Capturing) -> None:
    ran = capturing()
    assert ran.code == 0, ran.err
    assert ran.document["store"].startswith(f"s3://{BUCKET}/")
    assert capturing.environment["AWS_SECRET_ACCESS_KEY"] not in ran.out + ran.err
    assert capturing.verdict().code == 0


@pytest.mark.slow
def test_lost_answers_are_asked_for_again(capturing: Capturing, proxy: FaultyProxy) -> None:
    proxy.on("PUT", LoseAnswer(), within="/commit/", times=3)
    proxy.on("PUT", LoseAnswer(), within="/blobs/", times=3)
    ran = capturing()
    assert ran.code == 0, ran.err
    assert capturing.verdict().code == 0


@pytest.mark.slow
def test_a_store_that_is_down_is_a_sentence(site: Site, tmp_path: Path, seaweed: Running) -> None:
    with FaultyProxy(seaweed.endpoint) as gone:
        down = Capturing(site, seaweed, gone, tmp_path)
    ran = down()
    assert ran.code == 6
    assert ran.document["exit_code"] == 6
    assert down.verdict().code == 6  # could not check: says nothing against the evidence


@pytest.mark.slow
def test_refused_credentials_are_a_sentence_without_the_secret(capturing: Capturing) -> None:
    capturing.environment["AWS_SECRET_ACCESS_KEY"] = "not-the-one-0123456789"
    ran = capturing()
    assert ran.code == 6
    assert "not-the-one-0123456789" not in ran.out + ran.err


@pytest.mark.slow
def test_an_answer_with_another_checksum_takes_the_claim_away(capturing: Capturing, proxy: FaultyProxy) -> None:
    assert capturing().code == 0  # the control: without the fault it is recorded
    proxy.on("HEAD", SetHeader("x-amz-checksum-sha256", "A" * 43 + "="), within="/blobs/", times=None)
    ran = capturing()
    assert ran.code in {5, 6}, ran.err
    assert [each for each in ran.document.get("captures", []) if each["state"] in {"recorded", "sealed"}] == []


@pytest.mark.slow
def test_altered_bytes_never_become_a_record(capturing: Capturing, proxy: FaultyProxy) -> None:
    assert capturing().code == 0
    proxy.on("PUT", AlterUpload(_flipped), within="/blobs/", times=None)
    ran = capturing()
    assert ran.code in {5, 6}, ran.err
    assert ran.document.get("captures", []) == []


@pytest.mark.slow
def test_a_store_that_goes_away_in_the_middle_loses_nothing(
    capturing: Capturing, proxy: FaultyProxy, site: Site
) -> None:
    assert capturing().code == 0
    before = len(site.seen("www.bazaroo.example"))
    proxy.on("PUT", Cut(), within="/blobs/", times=None)  # from now on nothing gets in
    ran = capturing()
    assert ran.code in {5, 6}
    proxy.heal()
    again = capturing()
    assert again.code == 0, again.err
    verdict = capturing.verdict()
    assert verdict.code == 0, verdict.out
    assert verdict.document["facts"]["open"] == 0
    assert len(site.seen("www.bazaroo.example")) > before


@pytest.mark.slow
def test_a_commit_that_cannot_be_read_back_is_not_claimed(capturing: Capturing, proxy: FaultyProxy) -> None:
    assert capturing().code == 0
    proxy.on("GET", Refuse(500), within="/tile/", times=None)
    ran = capturing()
    assert ran.code in {5, 6}
    assert ran.document.get("captures", []) == []


@pytest.mark.slow
def test_a_slow_store_is_waited_for(capturing: Capturing, proxy: FaultyProxy) -> None:
    proxy.on("PUT", Delay(1.0), within="/blobs/", times=10)
    assert capturing().code == 0
