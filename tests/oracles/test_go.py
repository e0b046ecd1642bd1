"""Go's checksum-database libraries read a log that our sequencer wrote, and refuse what is not it."""

import shutil
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.sequencer import Sequencer
from custody import keyspace, tiles
from custody.trust import Trust
from tests.archive.deployment import Deployment
from tests.archive.exporting.office import Office, shared_item
from tests.oracles.harness import oracle
from tests.test_golden import GOLDEN, VERSIONS

pytestmark = pytest.mark.go

OLD, NEW = 777, 1000


class Log:
    """The folder that holds the log's ``checkpoint``."""

    def __init__(self, folder: Path, vkey: str, deployment: Deployment | None = None) -> None:
        self.folder = folder
        self.vkey = vkey
        self.deployment = deployment

    def accepted(self, *olds: int, vkey: str | None = None) -> str | None:
        return oracle("log", vkey or self.vkey, self.folder, *map(str, olds))

    def copy(self, folder: Path) -> "Log":
        shutil.copytree(self.folder, folder)
        return Log(folder, self.vkey)

    def flip(self, path: str, at: int) -> None:
        file = self.folder / path
        data = bytearray(file.read_bytes())
        data[at] ^= 1
        file.chmod(0o600)
        file.write_bytes(data)


def grow(deployment: Deployment, sequencer: Sequencer, size: int) -> None:
    subject = deployment.scribe().detail("job.json", {})
    sequencer.append([deployment.event(subject=subject) for _ in range(size - sequencer.position.size)])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Log:
    path = tmp_path_factory.mktemp("log")
    deployment = Deployment.make(path, DirectoryStore(path / "store"))
    sequencer = deployment.open()
    for size in (100, 255, 256, 257, 512, OLD - 1, OLD, NEW):
        grow(deployment, sequencer, size)
    vkey = deployment.home.trust.log.format()
    return Log(path / "store" / keyspace.log_prefix(deployment.log), vkey, deployment)


def test_go_accepts_checkpoint_records_tiles_and_consistency(written: Log) -> None:
    assert written.accepted(OLD) == "1000 leaves, 1 older checkpoints"
    sizes = [int(each.name) for each in (written.folder / "checkpoints").iterdir()]
    assert len(sizes) > 8
    assert written.accepted(*sizes) == f"1000 leaves, {len(sizes)} older checkpoints"


@pytest.mark.parametrize("name", VERSIONS)
def test_go_accepts_every_released_version(name: str) -> None:
    vkey = Trust.parse((GOLDEN / name / "trust.json").read_bytes()).log.format()
    (folder,) = (GOLDEN / name / "archive/v1/log").iterdir()
    log = Log(folder, vkey)
    assert log.accepted(*(int(each.name) for each in (folder / "checkpoints").iterdir()))


@pytest.mark.parametrize(
    "path",
    [
        "tile/entries/000",
        "tile/entries/002",
        "tile/entries/003.p/232",
        "tile/0/000",
        "tile/0/003.p/232",
        "tile/1/000.p/3",
    ],
)
@pytest.mark.parametrize("at", [5, -1])
def test_go_refuses_a_flipped_bit_in_a_bundle_or_tile(written: Log, tmp_path: Path, path: str, at: int) -> None:
    copy = written.copy(tmp_path / "copy")
    assert copy.accepted(OLD)
    copy.flip(path, at)
    assert copy.accepted() is None


def test_go_refuses_a_flipped_checkpoint_and_another_key(written: Log, tmp_path: Path) -> None:
    size = len((written.folder / "checkpoint").read_bytes())
    copy = written.copy(tmp_path / "copy")
    for at in range(0, size, 7):
        copy.flip("checkpoint", at)
        assert copy.accepted() is None, at
        copy.flip("checkpoint", at)
    copy.flip(f"checkpoints/{OLD:020d}", -10)
    assert copy.accepted()
    assert copy.accepted(OLD) is None
    other = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store")).home.trust.log.format()
    assert written.accepted(vkey=other) is None


def test_go_refuses_a_fork(written: Log, tmp_path: Path) -> None:
    """The checkpoint of another log under the same key: signed, and no ancestor of this one."""
    assert written.deployment is not None
    twin = written.deployment.twin(tmp_path)
    twin.store = DirectoryStore(tmp_path / "store")
    sequencer = twin.open()
    grow(twin, sequencer, OLD)
    name = f"checkpoints/{OLD:020d}"
    forked = tmp_path / "store" / keyspace.log_prefix(twin.log) / name
    copy = written.copy(tmp_path / "copy")
    assert copy.vkey == twin.home.trust.log.format()
    assert copy.accepted(OLD)
    (copy.folder / name).chmod(0o600)
    shutil.copyfile(forked, copy.folder / name)
    assert copy.accepted(OLD) is None


def test_go_reads_the_tiles_that_we_say_a_tree_has(written: Log) -> None:
    for size in (OLD, NEW):
        for tile in tiles.tiles(size):
            path = keyspace.tile("a", tile.level, tile.index, tile.width).removeprefix(keyspace.log_prefix("a"))
            assert (written.folder / path).stat().st_size == 32 * tile.width


def test_go_reads_the_proofs_of_an_export(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    office.export("bag")
    custody = tmp_path / "bag/data/custody"
    proofs = sorted(custody.glob("entry-*.tlog-proof"))
    assert len(proofs) > 10
    vkey = office.trust.log.format()
    for proof in proofs:
        leaf = proof.with_suffix(".json")
        index = proof.stem.removeprefix("entry-")
        assert (oracle("proof", vkey, proof, leaf) or "").startswith(f"leaf {index} of ")
    leaf = proofs[0].with_suffix(".json")
    leaf.write_bytes(leaf.read_bytes().replace(b'"', b"'", 1))
    assert oracle("proof", vkey, proofs[0], leaf) is None
