"""The verifier as a wheel of its own: three dependencies, no network, nothing of the rest of the program."""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.archive.exporting.office import Office, shared_item
from tests.command import ROOT, run
from tests.test_golden import GOLDEN, VERSIONS

NAMES = {"cryptography", "rfc3161-client", "rfc8785"}
# -I and -S: no site-packages, no folder of ours. What goes out, or starts another program, is an error.
ALONE = """
import sys
sys.path.append(sys.argv.pop(1))
def forbid(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "sqlite3.")):
        raise RuntimeError(f"the verifier did {event}")
sys.addaudithook(forbid)
from custody.__main__ import main
code = main()
# (cryptography itself loads `socket`, for an address parser; it is not used.)
loaded = {"archive", "boto3", "console", "http.client", "rich", "scrapy", "sqlite3", "ssl", "typer"}
if found := loaded & sys.modules.keys():
    raise RuntimeError(f"the verifier loaded {found}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Alone:
    """The wheel and what it asks for, unpacked where nothing else is."""

    site: Path

    def run(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", "-S", "-c", ALONE, self.site, *arguments]
        return subprocess.run(command, cwd=self.site, check=False, capture_output=True, text=True, timeout=60)

    def verify(self, *arguments: str | Path) -> tuple[int, Any]:
        ran = self.run("verify", *arguments, "--json")
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, json.loads(ran.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "custody", folder / "tree/custody", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", folder / "tree")
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    subprocess.run([*command, folder, folder / "tree/custody"], check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    for name in needed("cryptography", "rfc3161-client", "rfc8785"):
        found = distribution(name)
        for top in {each.parts[0] for each in found.files or () if not each.parts[0].startswith(("..", "__pycache__"))}:
            (site / top).symlink_to(found.locate_file(top))  # type: ignore[arg-type]  # a path, here
    return Alone(site)


def needed(*names: str) -> set[str]:
    """With what they need themselves."""
    found = set(names)
    for name in names:
        wanted = [Requirement(line) for line in distribution(name).requires or ()]
        found |= needed(*(each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})))
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN / VERSIONS[-1], tmp_path / "golden")
    for each in (tmp_path / "golden").rglob("*"):
        each.chmod(0o700 if each.is_dir() else 0o600)
    return tmp_path / "golden"


def blob(copy: Path) -> Path:
    record = json.loads((copy / "expected.json").read_text(encoding="utf-8"))["captures"][0]["record_sha256"]
    return copy / f"archive/v1/blobs/sha256/{record[:2]}/{record}"


def test_the_wheel_holds_custody_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    sources = {each.relative_to(ROOT).as_posix() for each in (ROOT / "custody").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources
    assert {name.split("/")[0] for name in names} == {"custody", wheel.name.rsplit("-", 3)[0] + ".dist-info"}
    assert "custody/LICENSE" in names


def test_it_follows_the_program() -> None:
    own = tomllib.loads((ROOT / "custody/pyproject.toml").read_text(encoding="utf-8"))["project"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {Requirement(line).name for line in own["dependencies"]} == NAMES
    assert set(own["dependencies"]) <= set(whole["dependencies"])
    assert [own[name] for name in ("version", "license", "requires-python")] == [
        whole[name] for name in ("version", "license", "requires-python")
    ]


@pytest.mark.parametrize("name", VERSIONS)
def test_it_says_of_a_released_archive_what_the_program_says(alone: Alone, name: str, tmp_path: Path) -> None:
    folder = GOLDEN / name
    code, said = alone.verify(folder / "archive", "--trust", folder / "trust.json")
    assert (code, said["verdict"]) == (0, "holds")
    program = run(
        "verify", "--store", f"file:{folder / 'archive'}", "--trust", str(folder / "trust.json"), "--json",
        home=tmp_path / "home",
    )  # fmt: skip
    assert program.code == 0
    told = program.document
    for each in (said, told):
        del each["facts"]["verified_at"], each["store"]
    assert said == told


def test_it_names_what_was_altered(alone: Alone, copy: Path) -> None:
    path = blob(copy)
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    code, said = alone.verify(copy / "archive", "--trust", copy / "trust.json")
    assert (code, said["verdict"]) == (1, "does not hold")
    assert {each["code"] for each in said["findings"] if each["severity"] == "fail"} == {"BLOB_DIGEST"}
    ran = alone.run("verify", copy / "archive", "--trust", copy / "trust.json")
    assert ran.returncode == 1
    assert "FAIL  10 blobs" in ran.stdout
    assert f"key v1/blobs/sha256/{path.name[:2]}/{path.name}" in ran.stdout
    assert ran.stdout.endswith("VERDICT: does not hold\n")
    assert ran.stderr == ""


def test_it_says_in_words_what_the_program_says(alone: Alone, copy: Path, tmp_path: Path) -> None:
    blob(copy).unlink()
    ran = alone.run("verify", copy / "archive", "--trust", copy / "trust.json")
    program = run(
        "verify", "--store", f"file:{copy / 'archive'}", "--trust", str(copy / "trust.json"), home=tmp_path / "home"
    )
    assert (ran.returncode, program.code) == (1, 1)
    assert ran.stdout.splitlines()[1:] == program.out.splitlines()[1:]


def test_without_a_trust_file_nothing_is_proved(alone: Alone, copy: Path) -> None:
    code, said = alone.verify(copy / "archive")
    assert (code, said["verdict"]) == (1, "self-consistent only")


def test_a_checkpoint_from_an_earlier_day(alone: Alone, copy: Path, tmp_path: Path) -> None:
    (log,) = (copy / "archive/v1/log").iterdir()
    earlier = min((log / "checkpoints").iterdir())
    asked = (copy / "archive", "--trust", copy / "trust.json", "--checkpoint")
    assert alone.verify(*asked, earlier)[0] == 0
    other = tmp_path / "other"
    other.write_bytes(earlier.read_bytes()[:-5] + b"AAA=\n")
    code, said = alone.verify(*asked, other)
    assert (code, said["exit_code"]) == (2, 2)
    assert str(other) in said["error"]
    code, said = alone.verify(copy / "archive", "--checkpoint", earlier)
    assert code == 2
    assert "--trust" in said["error"]


@pytest.mark.parametrize(("what", "exits"), [("no directory", 6), ("no trust", 2), ("bad trust", 2), ("no export", 2)])
def test_what_cannot_be_checked_is_neither_good_nor_bad(
    alone: Alone, copy: Path, tmp_path: Path, what: str, exits: int
) -> None:
    asked: list[str | Path] = [copy / "archive", "--trust", copy / "trust.json"]
    if what == "no directory":
        asked[0] = copy / "elsewhere"
    elif what == "no trust":
        asked[2] = copy / "elsewhere.json"
    elif what == "bad trust":
        (copy / "trust.json").write_bytes(b"{}")
    else:
        asked = ["--export", copy / "trust.json", *asked[1:]]
    code, said = alone.verify(*asked)
    assert (code, said["exit_code"]) == (exits, exits)
    assert said["error"]
    spelled = (
        [str(each) for each in asked]
        if what == "no export"
        else ["--store", f"file:{asked[0]}", "--trust", str(asked[2])]
    )
    assert run("verify", *spelled, home=tmp_path / "home").code == exits


def test_a_link_in_place_of_a_file_is_no_file(alone: Alone, copy: Path) -> None:
    path = blob(copy)
    path.rename(copy / "aside")
    path.symlink_to(copy / "aside")  # what it leads to is the very file: it is still no part of an archive
    code, said = alone.verify(copy / "archive", "--trust", copy / "trust.json")
    assert (code, said["verdict"]) == (1, "does not hold")
    assert {each["code"] for each in said["findings"] if each["severity"] == "fail"} == {"BLOB_MISSING"}


@pytest.mark.parametrize(
    "arguments", [(), ("verify",), ("verify", ".", "--wrong"), ("verify", ".", "--export", "."), ("capture", "x")]
)
def test_wrong_usage(alone: Alone, arguments: tuple[str, ...]) -> None:
    ran = alone.run(*arguments)
    assert ran.returncode == 2
    assert "usage:" in ran.stderr


def test_help_teaches(alone: Alone) -> None:
    ran = alone.run("verify", "--help")
    assert ran.returncode == 0
    for word in ("v1/", "--trust FILE", "another way", "exit codes"):
        assert word in ran.stdout


def inside_a_member(path: Path) -> int:
    """A place in what is packed: much of what a zip says around it is of no account."""
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda each: each.compress_size)
    return largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2


@pytest.mark.parametrize("as_zip", [False, True])
def test_an_export(alone: Alone, tmp_path: Path, *, as_zip: bool) -> None:
    office = Office(tmp_path, shared_item())
    made = office.export("bag.zip" if as_zip else "bag", as_zip=as_zip)
    trust = tmp_path / "trust.json"
    trust.write_bytes(office.trust.format())
    bag = tmp_path / ("bag.zip" if as_zip else "bag")
    code, said = alone.verify("--export", bag, "--trust", trust)
    assert (code, said["verdict"]) == (0, "holds")
    assert said["size"] == made.size
    path = bag if as_zip else next(each for each in (bag / "data/artifacts").rglob("*") if each.is_file())
    data = bytearray(path.read_bytes())
    data[inside_a_member(bag) if as_zip else len(data) // 2] ^= 1
    path.write_bytes(data)
    code, said = alone.verify("--export", bag, "--trust", trust)
    assert (code, said["verdict"]) == (1, "does not hold")
