"""A zip in one pass: what other programs read in it, when files are fetched in any order and some never come."""

import random
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.errors import DiskError
from archive.exporting import zipping
from archive.exporting.zipping import TooLong, Zip

AT = datetime(2026, 3, 5, 14, 30, 8, tzinfo=UTC)
SIZES = {f"data/{n:02d}.bin": 3_000 * n + 1 for n in range(20)} | {"data/empty.bin": 0}


def content(path: str, size: int) -> bytes:
    return random.Random(path).randbytes(size)


def make(target: Path, *, lost: tuple[str, ...] = (), seed: int = 0) -> None:
    with closing(Zip(target, "bag", AT)) as made:
        made.write("first.txt", b"first")
        made.reserve(list(SIZES.items()))
        shuffled = list(SIZES)
        random.Random(seed).shuffle(shuffled)

        def fill(path: str) -> None:
            with suppress(LookupError), made.filling(path) as put:
                data = memoryview(content(path, SIZES[path]))
                for at in range(0, len(data), 1_000):
                    put(data[at : at + 1_000])
                if path in lost:
                    raise LookupError(path)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(fill, shuffled))
        made.settle()
        made.write("last.txt", b"last")
        assert made.read("data/19.bin", 10) == content("data/19.bin", SIZES["data/19.bin"])[:10]
        made.finish()


def wanted(*lost: str) -> dict[str, bytes]:
    found = {path: content(path, size) for path, size in SIZES.items() if path not in lost}
    return {f"bag/{path}": data for path, data in {"first.txt": b"first", **found, "last.txt": b"last"}.items()}


def gaps(path: Path) -> Iterator[int]:
    """Between members, read as APPNOTE has it."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        end = 0
        for each in sorted(archive.infolist(), key=lambda one: one.header_offset):
            yield each.header_offset - end
            file.seek(each.header_offset + 26)
            lengths = int.from_bytes(file.read(2), "little") + int.from_bytes(file.read(2), "little")
            end = each.header_offset + 30 + lengths + each.compress_size
        yield archive.start_dir - end


@pytest.mark.parametrize("lost", [(), ("data/00.bin",), ("data/03.bin", "data/04.bin", "data/18.bin"), tuple(SIZES)])
def test_what_came_is_there_without_a_gap(tmp_path: Path, lost: tuple[str, ...]) -> None:
    if lost == tuple(SIZES):
        lost = lost[:19] + lost[20:]
    make(tmp_path / "a.zip", lost=lost)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {each: archive.read(each) for each in archive.namelist()} == wanted(*lost)
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {each.date_time for each in archive.infolist()} == {(2026, 3, 5, 14, 30, 8)}
    assert set(gaps(tmp_path / "a.zip")) == {0}


def test_the_order_in_which_they_come_is_not_seen(tmp_path: Path) -> None:
    for seed in range(3):
        make(tmp_path / f"{seed}.zip", lost=("data/05.bin",), seed=seed)
    assert len({(tmp_path / f"{seed}.zip").read_bytes() for seed in range(3)}) == 1


@pytest.mark.parametrize(("bits_32", "bits_16"), [(30_000, 0xFFFF), (1, 3), (0xFFFFFFFF, 3)])
def test_what_does_not_fit_into_32_bits_is_said_in_64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits_32: int, bits_16: int
) -> None:
    """The limits lowered: what is over them is written as what is over four gigabytes."""
    monkeypatch.setattr(zipping, "LIMIT_32", bits_32)
    monkeypatch.setattr(zipping, "LIMIT_16", bits_16)
    make(tmp_path / "a.zip", lost=("data/07.bin",))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {each: archive.read(each) for each in archive.namelist()} == wanted("data/07.bin")
    assert set(gaps(tmp_path / "a.zip")) == {0}
    if shutil.which("unzip"):
        done = subprocess.run(["unzip", "-tqq", tmp_path / "a.zip"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
@pytest.mark.parametrize("lost", [(), ("data/03.bin",)])
def test_unzip_has_nothing_to_say(tmp_path: Path, lost: tuple[str, ...]) -> None:
    make(tmp_path / "a.zip", lost=lost)
    done = subprocess.run(["unzip", "-tqq", tmp_path / "a.zip"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("data", [b"four", b"sixsix"])
def test_what_is_not_as_long_as_was_said_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    with closing(Zip(tmp_path / "a.zip", "bag", AT)) as made:
        made.reserve([("one", 5), ("two", 3)])
        with pytest.raises(TooLong), made.filling("one") as put:
            put(memoryview(data))
        with made.filling("two") as put:
            put(memoryview(b"two"))
        made.settle()
        made.finish()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["bag/two"]
        assert archive.read("bag/two") == b"two"


def test_a_zip_that_was_given_up_takes_no_byte_any_more(tmp_path: Path) -> None:
    """Else a thread that is late would write into whatever file has the number next."""
    made = Zip(tmp_path / "a.zip", "bag", AT)
    made.reserve([("one", 4)])
    made.close()
    other = (tmp_path / "other").open("wb")
    with other, pytest.raises(DiskError, match="given up"), made.filling("one") as put:
        put(memoryview(b"late"))
    assert (tmp_path / "other").read_bytes() == b""
