"""A copy on disk comes from anybody: what leads elsewhere is not followed, what is no file is not there."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.directory import DirectoryStore
from archive.errors import NotStored
from custody.files import Folder, NotThere
from custody.source import Absent, Reader, Unreachable

KEYS = ["v1/a", "v1/a-b", "v1/a.b/c", "v1/a/b", "v1/b/x/y", "v2"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    for key in KEYS:
        if key != "v1/a":
            (tmp_path / "copy" / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "copy" / key).write_bytes(key.encode())
    with closing(Folder(tmp_path / "copy")) as found:
        yield found


def read(folder: Folder, key: str) -> bytes:
    with closing(folder.open(key)) as stream:
        return stream.read()


@pytest.mark.parametrize("prefix", ["", "v1/", "v1/a", "v1/a/", "v1/b/x/y", "v1/c", "v"])
def test_lists_as_a_store_does(folder: Folder, prefix: str) -> None:
    found = list(folder.keys(prefix))
    assert found == sorted(key for key in KEYS if key.startswith(prefix) and key != "v1/a")
    assert found == list(DirectoryStore(folder.path).keys(prefix))


def test_reads_often_from_the_same_folder(folder: Folder) -> None:
    for _ in range(3):
        assert [read(folder, key) for key in ("v1/a/b", "v2", "v1/b/x/y")] == [b"v1/a/b", b"v2", b"v1/b/x/y"]
    before = descriptors()
    folder.close()
    assert before - descriptors() == 3
    assert read(folder, "v2") == b"v2"


def test_a_folder_that_was_replaced_is_found_again(folder: Folder) -> None:
    assert read(folder, "v1/a/b") == b"v1/a/b"
    (folder.path / "v1/a").rename(folder.path / "v1/old")
    (folder.path / "v1/old/b").unlink()
    with pytest.raises(NotThere):
        folder.open("v1/a/b")
    (folder.path / "v1/a").mkdir()
    (folder.path / "v1/a/b").write_bytes(b"new")
    assert read(folder, "v1/a/b") == b"new"


def test_many_folders_do_not_stay_open(tmp_path: Path) -> None:
    for n in range(400):
        (tmp_path / f"{n}").mkdir()
        (tmp_path / f"{n}/x").write_bytes(b"x")
    with closing(Folder(tmp_path)) as folder:
        before = descriptors()
        for n in range(400):
            assert read(folder, f"{n}/x") == b"x"
        assert descriptors() - before == 300


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "file")


def _link_to_folder(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _loop(path: Path, _: Path) -> None:
    path.symlink_to(path)


def _pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path, _: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("plant", [_link, _link_to_folder, _loop, _pipe, _folder])
@pytest.mark.parametrize("key", ["v1/x", "v1/x/file"])
def test_nothing_is_followed(folder: Folder, tmp_path: Path, plant: Callable[[Path, Path], None], key: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"not ours")
    plant(folder.path / "v1/x", outside)
    assert os.path.lexists(folder.path / "v1/x")
    for attempt in (lambda: folder.open(key), lambda: folder.head(key)):
        with pytest.raises(NotThere):
            attempt()
    with pytest.raises(NotStored):  # as the store says
        DirectoryStore(folder.path).open(key)
    assert list(folder.keys("v1/")) == list(DirectoryStore(folder.path).keys("v1/"))
    reader = Reader(folder, absent=folder.absent, unreachable=folder.unreachable)
    with pytest.raises(Absent):
        reader.digest(key, 100)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "v1/../v2", "../copy/v2", "v1//a", "v1/a/b/", "./v2", ".h", "v\0", "é"]
)
def test_a_key_leads_nowhere_else(folder: Folder, key: str) -> None:
    with pytest.raises(NotThere):
        folder.open(key)


@pytest.mark.parametrize("name", [".hidden", "a b", "é", "x\n", b"\xff", "\x1b[31m"])
def test_what_no_archive_wrote_is_not_listed(folder: Folder, name: str | bytes) -> None:
    (folder.path / "v1" / os.fsdecode(name)).write_bytes(b"x")
    assert list(folder.keys("v1/")) == [key for key in KEYS if key.startswith("v1/") and key != "v1/a"]


def test_folders_without_end_are_left_alone(folder: Folder) -> None:
    deep = folder.path / "v1/d"
    for _ in range(80):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "f").write_bytes(b"x")
    assert len(list(folder.keys(""))) == len(KEYS) - 1


def test_a_folder_that_is_gone_says_nothing_of_what_was_in_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "nowhere")
    reader = Reader(folder, absent=folder.absent, unreachable=folder.unreachable)
    with pytest.raises(Unreachable):
        reader.read("v1/a", 10)
    with pytest.raises(Unreachable):
        list(reader.keys("v1/"))
