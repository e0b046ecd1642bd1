"""An office with a case in it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from tests.archive.stewardship.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    folder = tmp_path / "store"
    folder.mkdir()
    made = Office.open(tmp_path, DirectoryStore(folder))
    with closing(made.sequencer):
        yield made
