"""Directories that cannot be used, and trust files of somebody else: each is a sentence that says what to do."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from tests.command import Ran


def run(*arguments: str) -> Ran:
    came = CliRunner().invoke(app, [*arguments, "--json"])
    assert came.exception is None or isinstance(came.exception, SystemExit), came.exception
    return Ran(code=came.exit_code, out=came.stdout, err=came.stderr)


def place(kind: str, path: Path) -> Path:
    """A directory that cannot be made, for every user: tests run as root as well."""
    if kind == "no right":
        return Path("/sys/counterproof")
    file = path / "file"
    file.write_text("no directory")
    return file if kind == "a file" else file / "below"


KINDS = [
    ("no right", "give this user the right to it, or name another"),
    ("a file", "it is a file, and a directory is needed"),
    ("below a file", "a part of that path is a file"),
]


@pytest.mark.parametrize(("kind", "advice"), KINDS)
def test_a_home_that_cannot_be_made(kind: str, advice: str, tmp_path: Path) -> None:
    home = place(kind, tmp_path)
    for verb in (["seal"], ["authorities", "list"]):
        ran = run(*verb, "--home", str(home))
        assert (ran.code, ran.document["kind"]) == (6, "DiskError")
        assert advice in ran.document["error"]
        assert str(home) in ran.document["error"]
    assert run("verify", "--home", str(home)).code == 2, "there is no archive, and reading makes none"


@pytest.mark.parametrize(("kind", "advice"), KINDS)
def test_a_store_that_cannot_be_made(kind: str, advice: str, tmp_path: Path) -> None:
    store = place(kind, tmp_path)
    ran = run("seal", "--home", str(tmp_path / "home"), "--store", f"file:{store}")
    assert (ran.code, ran.document["kind"]) == (6, "DiskError")
    assert advice in ran.document["error"]
    read = run("verify", "--home", str(tmp_path / "home"), "--store", f"file:{store}")
    assert read.code == 6
    assert f"there is no directory {store}" in read.document["error"]


def test_a_home_within_a_home_that_is_not_ours(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("authorities", "list", "--home", str(home)).code == 0
    (home / "keys").chmod(0o755)
    ran = run("seal", "--home", str(home), "--store", f"file:{tmp_path / 'files'}")
    assert (ran.code, ran.document["kind"]) == (6, "KeyFileError")
    assert "chmod 700" in ran.document["error"]


def test_a_home_on_a_disk_that_can_only_be_read(tmp_path: Path) -> None:
    """What the system says of such a disk is handed in: to mount one takes rights that tests need not have."""
    from archive import disk
    from archive.errors import DiskError

    with pytest.raises(DiskError, match="mount it for writing, or name another"), disk.trouble(tmp_path):
        raise OSError(30, os.strerror(30), str(tmp_path))


def test_the_trust_file_of_another_home_is_called_that(tmp_path: Path) -> None:
    ours, theirs, store = tmp_path / "ours", tmp_path / "theirs", f"file:{tmp_path / 'files'}"
    assert run("seal", "--home", str(ours), "--store", store).code == 7
    assert run("authorities", "list", "--home", str(theirs)).code == 0
    assert run("verify", "--home", str(ours), "--store", store).code == 0
    given = ["--trust", str(theirs / "trust.json")]
    for arguments in (
        ["--home", str(ours), *given],
        ["--home", str(theirs)],
        ["--home", str(ours), *given, "--case", "x"],
    ):
        ran = run("verify", *arguments, "--store", store)
        assert ran.code == 1
        (failed,) = [each for each in ran.document["findings"] if each["severity"] == "fail"]
        assert failed["code"] == "LOG_ABSENT"
        assert "as that of another home is" in failed["message"]
        assert "give the trust file of this log" in failed["message"]
    refused = run("seal", "--home", str(theirs), "--store", store)
    assert (refused.code, refused.document["kind"]) == (6, "LogForeign")
