"""Offices on a directory, and on a real S3 server whose locks hold."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.store import Keeper
from tests.archive.conftest import MakeS3
from tests.archive.stewardship.office import Office


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.s3)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    store: Keeper
    if request.param == "directory":
        store = DirectoryStore(tmp_path / "archive")
    else:
        store = request.getfixturevalue("make_s3")()
    made = Office.open(tmp_path, store)
    with closing(made.sequencer):
        yield made


@pytest.fixture
def vault(tmp_path: Path, make_s3: MakeS3) -> Iterator[Office]:
    """On a store that keeps locks."""
    made = Office.open(tmp_path, make_s3())
    with closing(made.sequencer):
        yield made


@pytest.fixture
def shed(tmp_path: Path) -> Iterator[Office]:
    """On a directory, which keeps none."""
    made = Office.open(tmp_path, DirectoryStore(tmp_path / "archive"))
    with closing(made.sequencer):
        yield made
