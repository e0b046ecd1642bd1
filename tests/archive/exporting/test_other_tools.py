"""Programs of others on a good export: bagit-python, and CASE's own validator in an environment of its own."""

import subprocess
from pathlib import Path

import bagit
import pytest

from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.spoiling import change, copied
from tests.replaying import oracle


def test_bagit_validates_it(stamped: HandedOver) -> None:
    assert bagit.Bag(str(stamped.bag)).validate()


def case_validate(graph: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(oracle("case-utils") / "bin/case_validate"), str(graph)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


@pytest.mark.slow
def test_case_validate_takes_the_graph_and_refuses_a_spoilt_one(stamped: HandedOver, tmp_path: Path) -> None:
    bag = copied(stamped.bag, tmp_path / "bag")
    graph = bag / "data/tables/case.jsonld"
    done = case_validate(graph)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms: True" in done.stdout
    assert done.stderr == ""
    change(graph, b'"xsd:dateTime"', b'"xsd:string"')
    assert case_validate(graph).returncode != 0
