"""The end of a run: what was recorded is told, whatever gives out then."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.acquisition import Acquisition
from archive.config import ArchiveConfig
from archive.result import Result
from archive.vault import Vault
from custody.model import Outcome, Role, Status
from tests.archive.deployment import now
from tests.authority import LocalAuthority, Mood


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow: to a program it looks as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def look(acquisition: Acquisition) -> None:
    capture_id = acquisition.new_id()
    started = acquisition.start(
        capture_id=capture_id, unit=capture_id, url="https://a.example/", parent=None, timeout_s=45, facts={}
    )
    record = acquisition.visit_spool(capture_id).write(Role.RECORD, "record.json", "application/json", b"{}")
    acquisition.end(
        capture_id=capture_id,
        unit=capture_id,
        started=started,
        record=record,
        files=(),
        status=Status.COMPLETE,
        outcome=Outcome.OK,
        http_status=200,
        started_at=now(),
        ended_at=now(),
        stage="recording",
    )


def finish(vault: Vault, acquisition: Acquisition) -> Result:
    return vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=("a notice",))


@pytest.fixture
def config(tmp_path: Path) -> ArchiveConfig:
    return ArchiveConfig(home=tmp_path / "home", store_url=f"file:{tmp_path / 'files'}")


def test_a_disk_that_is_full_at_the_very_end_is_told_beside_what_was_recorded(config: ArchiveConfig) -> None:
    with Vault.open(config, clock=now) as vault:
        acquisition = vault.begin("a case", {}, None)
        look(acquisition)
        with full_disk():
            came = finish(vault, acquisition)
    assert "the run's end could not be recorded" in came.trouble
    assert came.notices[0] == "a notice"
    assert any(came.trouble.startswith(each) for each in came.notices)
    assert came.sealing.time == "not_configured"
    with Vault.open(config, clock=now) as vault:
        assert finish(vault, vault.begin("a case", {}, None)).trouble == "", "the next command goes on"


def test_both_ends_of_a_run_say_what_was_read_of_the_clock(config: ArchiveConfig) -> None:
    with Vault.open(config, clock=now) as vault:
        assert finish(vault, vault.begin("a case", {}, None)).trouble == ""
        details = [
            vault.store.read(f"v1/blobs/sha256/{each.hex[:2]}/{each.hex}")
            for event in vault.sequencer.reader.events("run.opened", "run.closed")
            for each in [event.event.subjects[0].digest]
        ]
    assert len(details) == 2
    assert all(b'"clock":{"offset_ms":' in each for each in details)


@pytest.mark.slow
def test_a_run_goes_on_while_an_authority_hangs_and_its_end_waits_no_longer_than_it_says(
    config: ArchiveConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.timekeeping.LAST_STAMP_S", 2.0)
    with LocalAuthority(tmp_path / "authority", mood=Mood.SLOW, delay_s=60) as served:
        roots = tmp_path / "authority" / "root.pem"
        named = ArchiveConfig(
            home=config.home, store_url=config.store_url, authorities=(served.url,), authority_roots=roots
        )
        with Vault.open(named, clock=now) as vault:
            before = vault.timekeeper.sealing.covered
            acquisition = vault.begin("a case", {}, None)
            look(acquisition)
            came = finish(vault, acquisition)
        assert before == came.sealing.sealed_size == 0
        assert came.sealing.time == "unavailable"
        assert came.trouble == "", "an authority that hangs is no trouble of ours"
        assert "counterproof seal" in came.sealing.detail
        served.mood = Mood.HONEST
        with Vault.open(config, clock=now) as vault:
            assert vault.timekeeper.sealing.seal_log().sealed, "a later command makes it good"
