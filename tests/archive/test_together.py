"""An end may wait for the next start and be one commit with it. What it rests on does not wait; nor does the last."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.acquisition import Acquisition
from archive.config import ArchiveConfig
from archive.journal import read_journal
from archive.sequencer import Sequencer
from archive.spool import JOURNAL
from archive.vault import Vault
from custody.model import Started
from pipelines.stages import Artifact, Recorded
from tests.archive.deployment import now
from tests.archive.runs import began, recorded, spooled, stored


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """Patience does not run out here: whoever is not taken along keeps the test from ending."""
    monkeypatch.setattr("archive.acquisition.TOGETHER_S", 600.0)
    config = ArchiveConfig(home=tmp_path / "home", store_url=f"file:{tmp_path / 'files'}")
    with Vault.open(config, clock=now) as opened:
        yield opened


class Look:
    """A capture whose files are in the store, and which has no end yet."""

    def __init__(self, acquisition: Acquisition) -> None:
        self.acquisition = acquisition
        self.unit = acquisition.new_id()
        self.started: Started = began(acquisition, self.unit)
        self.artifact: Artifact = stored(acquisition, spooled(acquisition, self.unit))

    def end(self) -> Recorded:
        return recorded(self.acquisition, self.unit, self.started, self.artifact)


def waits(vault: Vault, end: "Future[Recorded]") -> None:
    """Until it lies where others find it."""
    assert isinstance(vault.sequencer, Sequencer)
    until = time.monotonic() + 60
    while not vault.sequencer._combiner._waiting:
        assert time.monotonic() < until
        assert not end.done()


def test_an_end_is_one_commit_with_the_start_that_comes_next(vault: Vault) -> None:
    acquisition = vault.begin("a case", {}, None)
    first, _ = Look(acquisition), Look(acquisition)
    with ThreadPoolExecutor(1) as threads:
        end = threads.submit(first.end)
        waits(vault, end)
        journal = read_journal(acquisition.spool.path / JOURNAL)
        (signed,) = [each for each in journal.ends.values() if not each.submitted]
        assert signed.started_sha256 == first.started.payload_sha256
        for blob in signed.blobs:
            assert vault.store.head(f"v1/blobs/sha256/{blob.digest.hex[:2]}/{blob.digest.hex}")
        third = Look(acquisition)
        ended = end.result()
    assert third.started.index is not None
    assert ended.tree_size == third.started.index + 2 == vault.sequencer.position.size, "start, its case, and the end"


def test_the_last_end_goes_at_once_and_takes_along_those_that_wait(vault: Vault) -> None:
    acquisition = vault.begin("a case", {}, None)
    first, second = Look(acquisition), Look(acquisition)
    with ThreadPoolExecutor(1) as threads:
        end = threads.submit(first.end)
        waits(vault, end)
        last = second.end()
        assert end.result().tree_size == last.tree_size
    Look(acquisition).end()


def test_an_end_that_nothing_else_is_under_way_with_waits_for_nobody(vault: Vault) -> None:
    acquisition = vault.begin("a case", {}, None)
    assert Look(acquisition).end().index == vault.sequencer.position.size - 1
