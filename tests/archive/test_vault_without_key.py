"""A whole run in a home without the log key: no page waits for anybody, and nothing is called recorded too soon."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.home import Home
from archive.result import Result
from archive.vault import Vault
from console import summary
from console.exits import Exit, of_result
from tests.archive import runs
from tests.archive.deployment import Deployment, audit, now
from tests.archive.workers import enrol, sequencing_of, waiting


@pytest.fixture
def office(tmp_path: Path) -> Deployment:
    """The home that has the log key."""
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    deployment.open()
    return deployment


@pytest.fixture
def config(office: Deployment, tmp_path: Path) -> ArchiveConfig:
    """A worker's, whose key was introduced."""
    worker = enrol(office, tmp_path / "worker")
    return ArchiveConfig(home=worker.home.path, store_url=f"file:{tmp_path / 'store'}", authorities=(), inbox_wait_s=0)


@pytest.fixture
def said() -> list[str]:
    return []


def ran(config: ArchiveConfig, said: list[str], *, case: str = "a case", captures: int = 2) -> Result:
    with Vault.open(config, clock=now, notify=said.append) as vault:
        acquisition = vault.begin(case, {}, None)
        for _ in range(captures):
            runs.captured(acquisition)
        return vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())


def states(result: Result) -> list[str]:
    return [result.state(each) for each in result.captures]


def test_without_a_sequencer_it_is_submitted_and_never_recorded(
    office: Deployment, config: ArchiveConfig, said: list[str]
) -> None:
    result = ran(config, said)
    assert states(result) == ["submitted", "submitted"]
    assert result.submitted == 2
    assert of_result(result) is Exit.PARTIAL
    document: Any = summary.document(result, Exit.PARTIAL)
    assert [each["state"] for each in document["captures"]] == ["submitted", "submitted"]
    assert document["captures"][0]["manifest"]["index"] is None
    told = "\n".join(str(each) for each in summary.lines(result, Exit.PARTIAL))
    assert "not yet in the manifest" in told
    assert "0 recorded, 2 submitted" in told
    assert "run `counterproof sequence` where the log key is" in " ".join(result.notices)
    assert not any(each.event.chain.startswith("item:") for each in audit(office))
    assert len(waiting(office)) == 9  # run, case, two starts, assignments and ends, and the run's end


def test_the_next_command_finds_that_they_were_taken(
    office: Deployment, config: ArchiveConfig, said: list[str]
) -> None:
    ran(config, said)
    ran(config, said, captures=1)
    assert "2 captures of earlier runs wait in the inbox" in " ".join(said)
    done = sequencing_of(office).empty()
    assert (done.rejected, done.waiting) == (0, 0)
    said.clear()
    with Vault.open(config, clock=now, notify=said.append) as vault:
        assert "the ends of 3 captures that earlier runs left are in the log now" in " ".join(said)
        assert list(vault.home.spool.iterdir()) == []
        assert len(vault.cases.all()) == 1, "the second run used the case that the first had submitted"
        assert len(vault.cases.items(vault.cases.resolve("a case"))) == 3
    events = audit(office)
    assert [each.event.type for each in events if each.event.chain.startswith("item:")].count("capture.completed") == 3


@contextmanager
def sequencing(office: Deployment) -> Iterator[None]:
    made = sequencing_of(office)
    over = threading.Event()

    def take() -> None:
        while not over.wait(0.05):
            made.empty()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_with_a_sequencer_it_is_recorded_before_the_command_ends(
    office: Deployment, config: ArchiveConfig, said: list[str]
) -> None:
    with sequencing(office):
        result = ran(replace(config, inbox_wait_s=60), said)
    assert states(result) == ["recorded", "recorded"]
    assert of_result(result) is Exit.OK
    logged = {each.index: each.event for each in audit(office)}
    for each in result.captures:
        assert each.index is not None
        assert each.started_index is not None
        assert each.tree_size is not None
        assert logged[each.index].body["capture"] == each.capture_id
        assert logged[each.started_index].type == "capture.started"
        assert each.index < each.tree_size
    assert list((config.home / "spool").iterdir()) == []


def test_a_worker_probes_nothing_and_stamps_nothing(config: ArchiveConfig, said: list[str], tmp_path: Path) -> None:
    before = {path for path in (tmp_path / "store").rglob("*") if path.is_file()}
    ran(config, said)
    after = {path for path in (tmp_path / "store").rglob("*") if path.is_file()} - before
    assert {path.relative_to(tmp_path / "store").parts[:2] for path in after} == {("v1", "inbox"), ("v1", "blobs")}


def test_an_interrupted_run_does_not_wait_long(config: ArchiveConfig, said: list[str]) -> None:
    patient = replace(config, inbox_wait_s=600)
    with Vault.open(patient, clock=now, notify=said.append) as vault:
        acquisition = vault.begin("a case", {}, None)
        runs.captured(acquisition)
        result = vault.finish(acquisition, lost=(), unfinished=(), interrupted=True, notices=())
    assert states(result) == ["submitted"]


def test_the_home_has_no_key_but_the_workers(config: ArchiveConfig) -> None:
    signers = Home.open(config.home, clock=now).signers
    assert (signers.log, signers.root) == (None, None)
