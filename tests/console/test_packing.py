"""``capture --package``, after a run without a browser: what can be packed is, and what cannot is told of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archive.config import ArchiveConfig
from archive.packaging import packer
from archive.result import Result
from archive.vault import Vault
from console.packing import pack
from tests.archive.deployment import now
from tests.archive.runs import captured
from tests.console.test_packaging import CASE, exchanged


@dataclass(frozen=True)
class Ended:
    vault: Vault
    result: Result
    first: str
    second: str
    bare: str
    """A unit without traffic."""


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Ended]:
    config = ArchiveConfig.load({}, home=tmp_path / "home", store_url=f"file:{tmp_path / 'store'}")
    with Vault.open(config, clock=now) as vault:
        acquisition = vault.begin(CASE, {}, None)
        first, second = exchanged(acquisition), exchanged(acquisition)
        captured(acquisition)
        bare = acquisition.captured[-1].capture_id
        result = vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
        yield Ended(vault, result, first, second, bare)


def types(ended: Ended) -> list[str]:
    return [each.event.type for each in ended.vault.sequencer.reader.events()]


def test_what_can_be_packed_is_and_the_rest_is_told_of(ended: Ended, capsys: pytest.CaptureFixture[str]) -> None:
    result, packing = pack(ended.vault, ended.result)
    assert set(packing.made) == {ended.first, ended.second}
    assert set(packing.refused) == {ended.bare}
    assert "has its traffic" in packing.refused[ended.bare]
    assert f"unit {ended.bare} was not packed" in capsys.readouterr().err
    assert types(ended).count("package.made") == 2
    assert result.captures == ended.result.captures
    _, again = pack(ended.vault, result)
    assert [each.index for each in again.made.values()] == [None, None], "the log has them already"


def test_what_waits_in_the_inbox_is_packed_later(ended: Ended) -> None:
    elsewhere = replace(ended.result.captures[0], capture_id="x", unit="x")
    _, packing = pack(ended.vault, replace(ended.result, captures=(elsewhere,)))
    assert packing.made == {}
    assert "wait in the inbox" in packing.refused["x"]


def test_an_interruption_loses_no_word_of_the_run(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    _, packing = pack(ended.vault, replace(ended.result, interrupted=True))
    assert set(packing.refused.values()) == {"the run was interrupted before"}
    assert types(ended).count("package.made") == 0
    real, begun = packer.pack, list[str]()

    def interrupted(desk: Any, survey: Any, unit: str, folder: Path) -> packer.Packed:
        begun.append(unit)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(desk, survey, unit, folder)

    monkeypatch.setattr(packer, "pack", interrupted)
    _, packing = pack(ended.vault, ended.result)
    assert list(packing.made) == [begun[0]]
    assert begun[1] in packing.refused
    assert types(ended).count("package.made") == 1
