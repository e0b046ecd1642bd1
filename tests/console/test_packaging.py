"""``package`` as a command of its own, on a store in a directory; the captures without a browser."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.acquisition import Acquisition
from archive.config import ArchiveConfig
from archive.vault import Vault
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from tests.archive.deployment import now
from tests.archive.packaging.traffic import page, unzipped
from tests.archive.runs import began, captured, recorded, stored
from tests.command import Ran, run

CASE = "Matter 12"


@dataclass(frozen=True)
class Place:
    home: Path
    packable: str
    bare: str
    """A unit without traffic."""

    @property
    def store(self) -> Path:
        return self.home.parent / "store"

    def run(self, *arguments: str) -> Ran:
        return run(*arguments, home=self.home, env={"COUNTERPROOF_STORE_URL": f"file:{self.store}"})


def exchanged(acquisition: Acquisition) -> str:
    """A capture that has its traffic."""
    unit = acquisition.new_id()
    started = began(acquisition, unit)
    spool = acquisition.visit_spool(unit)
    file = spool.write(Role.WARC, "traffic.warc.gz", "application/warc", page())
    recorded(acquisition, unit, started, stored(acquisition, file))
    return unit


@pytest.fixture
def place(tmp_path: Path) -> Place:
    config = ArchiveConfig.load({}, home=tmp_path / "home", store_url=f"file:{tmp_path / 'store'}")
    with Vault.open(config, clock=now) as vault:
        acquisition = vault.begin(CASE, {}, None)
        packable = exchanged(acquisition)
        captured(acquisition)
        bare = acquisition.captured[-1].capture_id
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
    return Place(tmp_path / "home", packable, bare)


def test_a_package_is_made_once_stored_and_copied(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = place.run("package", place.packable[-8:], "-o", str(out), "--json")
    assert first.code == 0, first.err
    (told,) = first.document["packages"]
    (file,) = out.iterdir()
    assert file.name == f"{place.packable}.wacz"
    unzipped(file).check()
    assert told["sha256"] == Digest.of(file.read_bytes()).hex
    assert (place.store / keyspace.blob(Digest(told["sha256"]))).read_bytes() == file.read_bytes()
    assert told["index"] is not None
    assert first.document["time"] == "not_configured"
    second = place.run("package", place.packable, "-o", str(out))
    assert second.code == 0
    assert "the log has it already: nothing new" in second.out
    assert place.run("verify").code == 0


def test_a_unit_without_traffic_leaves_the_others_packed_and_exits_3(place: Place, tmp_path: Path) -> None:
    done = place.run("package", "--case", CASE, "-o", str(tmp_path / "out"), "--json")
    assert done.code == done.document["exit_code"] == 3
    assert [each["unit"] for each in done.document["packages"]] == [place.packable]
    ((refused,),) = [done.document["refused"]]
    assert refused["unit"] == place.bare
    assert "capture the page again" in done.err


def test_what_was_asked_for_makes_no_sense(place: Place, tmp_path: Path) -> None:
    for arguments in ((), ("ffffffff",), ("--case", "another"), (place.packable, "--case", CASE)):
        assert place.run("package", *arguments).code == 2
    (tmp_path / f"{place.packable}.wacz").write_bytes(b"another file")
    taken = place.run("package", place.packable, "-o", str(tmp_path))
    assert taken.code == 2
    assert "is there already and is another file" in taken.err


def test_altered_traffic_exits_6_and_nothing_is_recorded(place: Place) -> None:
    (warc,) = [each for each in place.store.rglob("*") if each.is_file() and each.read_bytes()[:2] == b"\x1f\x8b"]
    warc.chmod(0o600)
    warc.write_bytes(page(b"another"))
    refused = place.run("package", place.packable, "--json")
    assert refused.code == refused.document["exit_code"] == 6
    assert "is not what was recorded" in refused.document["error"]
    assert "package.made" not in place.run("verify", "--json").document["facts"]["events"]
