"""An export made by a released version verifies for ever: by today's verifiers, by its own, and at a date far ahead."""

import json
import re
from pathlib import Path

import pytest

from archive.exporting.exporter import SCRIPT
from custody.checkpoint import open_checkpoint
from custody.trust import Trust
from tests.archive.exporting.office import judged
from tests.archive.exporting.spoiling import copied, flip
from tests.archive.exporting.test_script import run

FIXTURES = Path(__file__).parents[2] / "fixtures" / "golden"
RELEASED = sorted(each.parent for each in FIXTURES.glob("*/export/bag"))


def trust_of(folder: Path) -> Trust:
    return Trust.parse((folder / "trust.json").read_bytes())


def test_there_is_one() -> None:
    assert RELEASED


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("years", [0, 15])
def test_it_holds_today_and_in_fifteen_years(folder: Path, years: int) -> None:
    trust, expected = trust_of(folder), json.loads((folder / "expected.json").read_bytes())
    kept = open_checkpoint((folder / "kept-checkpoint").read_bytes(), trust.log)
    verdict = judged(folder / "bag", trust, years=years, kept=(kept,))
    assert verdict.holds, [each.to_json() for each in verdict.findings]
    assert verdict.facts["time"] == "trusted"
    assert verdict.facts["captures"] == len(expected["captures"])
    assert (verdict.facts["leaves"], verdict.size) == (expected["entries"], expected["size"])


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.parent.name)
def test_its_own_script_and_todays_hold_it(folder: Path) -> None:
    for script in (folder / "bag/verify.sh", SCRIPT):
        done = run(folder / "bag", folder / "trust.json", folder / "kept-checkpoint", script=script)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^OK    tsa-0.example saw \d+ entries", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.parent.name)
def test_one_flipped_bit_in_it_is_found(folder: Path, tmp_path: Path) -> None:
    bag = copied(folder / "bag", tmp_path / "bag")
    flip(next(iter(sorted((bag / "data/artifacts").iterdir()))))
    assert not judged(bag, trust_of(folder)).holds
