"""A store that is away while looks are due, an authority that is silent: later, once, and nothing claimed before."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.embedded import BUCKET, Running
from tests.archive.conftest import seaweed
from tests.archive.faulty import FaultyProxy, Refuse
from tests.command import run
from tests.site.server import Site
from tests.workers import database_of, rows, until, worker

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

__all__ = ["seaweed"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


@pytest.mark.timeout(900)
def test_a_look_that_the_store_would_not_take_is_archived_when_it_is_back_and_not_made_again(
    site: Site, seaweed: Running, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with FaultyProxy(seaweed.endpoint) as proxy:
        env = {
            "COUNTERPROOF_STORE_URL": f"s3://{BUCKET}/watching?endpoint={proxy.endpoint}",
            "AWS_ACCESS_KEY_ID": seaweed.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": seaweed.credentials.secret_key,
        }
        page = site.url("slow_first_byte")
        run("watch", "add", page, "--case", "b", "--every", "30d", "--no-follow", home=home, env=env)
        with database_of(home) as database, worker(site, home, "--silent", "4", env=env) as working:
            until(
                lambda: [each for each in site.seen("www.misbehave.example") if each.path == "/slow"], 240, working.told
            )
            proxy.on("*", Refuse(503), times=None)  # the start is in the log; from here on the store is away
            working.wait_for("look put off", times=2, within_s=240)
            assert rows(database, "SELECT state, outcome FROM counterproof.looks") == [("queued", None)]
            assert list((home / "spool").glob("run-*"))  # what was seen is here, and nothing is claimed
            proxy.heal()
            until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), 300, working.told)
            assert working.stop() == 0
            assert rows(database, "SELECT outcome FROM counterproof.looks") == [("recorded before",)]
        assert len([each for each in site.seen("www.misbehave.example") if each.path == "/slow"]) == 1
        verdict = run("verify", "--json", home=home, env=env)
    assert verdict.code == 0, verdict.out
    facts = verdict.document["facts"]
    assert (facts["open"], facts["events"]["capture.started"]) == (0, 1)


@pytest.mark.timeout(600)
def test_an_authority_that_does_not_answer_holds_up_no_look_and_is_told_of(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run("watch", "add", site.url("post_unlinked"), "--case", "b", "--every", "30d", "--no-follow", home=home)
    with database_of(home) as database, worker(site, home, "--authority", "http://127.0.0.1:9/tsa") as working:
        until(lambda: rows(database, "SELECT FROM counterproof.looks WHERE state = 'done'"), 240, working.told)
        time.sleep(6)  # until it has said once more how it is
        status = run("status", "--json", home=home)
        assert status.document["unsealed_since"] is not None
        assert working.stop() == 0
    assert run("verify", home=home).code == 0
