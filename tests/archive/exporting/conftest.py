"""One good export for many attacks, with and without trusted time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.exporting.exporter import Exported
from tests.archive.exporting.office import Office, shared_item
from tests.authority import LocalAuthority


@dataclass(frozen=True)
class HandedOver:
    office: Office
    bag: Path
    made: Exported
    trust: Path


def handed_over(path: Path, office: Office) -> HandedOver:
    trust = path / "trust.json"
    trust.write_bytes(office.trust.format())
    return HandedOver(office, path / "bag", office.export(), trust)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> HandedOver:
    """Without an authority."""
    path = tmp_path_factory.mktemp("plain")
    return handed_over(path, Office(path, shared_item()))


@pytest.fixture(scope="session")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandedOver]:
    """With one: tokens near the captures, and one over the export itself."""
    path = tmp_path_factory.mktemp("stamped")
    with LocalAuthority(path / "authority") as authority:
        yield handed_over(path, Office(path, shared_item([authority]), [authority]))
