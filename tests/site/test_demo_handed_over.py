"""The demo's case as its recipient has it: our verifier, the script in it, and programs of others, on one export."""

import csv
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from custody.digest import Digest
from tests.command import ROOT, Ran, environment, run
from tests.replaying import oracle
from tests.site import demo

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.s3]

_DEMO_S = 400.0


@dataclass(frozen=True, kw_only=True)
class Walked:
    """The demo, ended; its site is gone, its home and its export are there."""

    state: Path
    code: int
    told: str

    @property
    def export(self) -> Path:
        return self.state / "export"

    @property
    def home(self) -> Path:
        return self.state / "home"

    @property
    def trust(self) -> Path:
        return self.home / "trust.json"

    def command(self, *arguments: str) -> Ran:
        return run(*arguments, home=self.home)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    state = tmp_path_factory.mktemp("demo") / "state"
    done = subprocess.run(
        [sys.executable, "-m", "tests.site.demo", "--state", str(state)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=_DEMO_S,
    )  # fmt: skip
    return Walked(state=state, code=done.returncode, told=done.stdout + done.stderr)


def test_the_demo_ends_with_its_verdict(walked: Walked) -> None:
    assert walked.code == 0, walked.told
    verdict = walked.told.partition("THE DEMO'S VERDICT")[2]
    lacking = demo.lacking()
    assert verdict.count("  yes  ") == (16 if lacking is None else 15)
    assert ("not tried" in verdict) == (lacking is not None)
    assert "  NO   " not in verdict
    assert "not_public" in verdict
    assert "counterproof browse --home" in verdict, "and where all of it can be looked at"


# Programs, each with what it says of an export: holds, or not.


def ours(walked: Walked, bag: Path) -> bool:
    done = run("verify", str(bag), "--trust", str(walked.trust), home=bag.parent / "nothing-of-ours")
    assert done.code in {0, 1}, done.out + done.err
    return done.code == 0


def script(walked: Walked, bag: Path) -> bool:
    done = subprocess.run(
        ["sh", str(walked.export / "verify.sh"), str(bag), str(walked.trust)],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == {0: "holds", 1: "does not hold"}[done.returncode]
    return done.returncode == 0


def bagit(walked: Walked, bag: Path) -> bool:  # noqa: ARG001
    command = [str(Path(sys.executable).with_name("bagit.py")), "--validate", str(bag)]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


JUDGES = (ours, script, bagit)


@pytest.fixture
def spoilable(walked: Walked, tmp_path: Path) -> Path:
    return shutil.copytree(walked.export, tmp_path / "bag")


def kept(bag: Path, ending: str) -> list[Path]:
    with (bag / "data/index.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return sorted({bag / each["path"] for each in rows if each["path"].endswith(ending)})


@pytest.mark.skipif(demo.lacking() is not None, reason="jq or openssl is not installed")
def test_everybody_holds_it_and_nobody_does_with_a_flipped_bit(walked: Walked, spoilable: Path) -> None:
    assert [each.__name__ for each in JUDGES if not each(walked, spoilable)] == []
    for ending in ("screenshot.png", "traffic.warc.gz", "record.json", ".wacz"):
        file = kept(spoilable, ending)[0]
        demo.flip(file)
        assert [each.__name__ for each in JUDGES if each(walked, spoilable)] == [], file
        demo.flip(file)
    assert ours(walked, spoilable), "put back, it is what it was"


def test_validators_of_others_take_packages_and_graph(walked: Walked) -> None:
    packages = kept(walked.export, ".wacz")
    assert packages, "the demo's item is packed"
    for each in packages:
        command = [str(oracle("wacz") / "bin/wacz"), "validate", "-f", str(each)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, "is valid" in done.stdout) == (0, True), done.stdout + done.stderr
    graph = [str(oracle("case-utils") / "bin/case_validate"), str(walked.export / "data/tables/case.jsonld")]
    done = subprocess.run(graph, capture_output=True, text=True, check=False, timeout=280)
    assert (done.returncode, "Conforms: True" in done.stdout) == (0, True), done.stdout + done.stderr


def test_as_a_zip_it_holds_by_file_or_digest_and_without_either_only_in_itself(walked: Walked, tmp_path: Path) -> None:
    path = tmp_path / "demo.zip"
    made = walked.command("export", "--case", demo.CASE, "-o", str(path), "--json")
    assert made.code == 0, made.err
    elsewhere = tmp_path / "nothing-of-ours"
    digest = Digest.of(walked.trust.read_bytes()).hex
    assert run("verify", str(path), "--trust", str(walked.trust), home=elsewhere).code == 0
    assert run("verify", str(path), "--trust-digest", f"sha256:{digest}", home=elsewhere).code == 0
    alone = run("verify", str(path), "--json", home=elsewhere)
    assert (alone.code, alone.document["verdict"]) == (1, "self-consistent only")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    assert script(walked, tmp_path / "out/demo")
    assert bagit(walked, tmp_path / "out/demo")


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
def test_qpdf_finds_nothing_wrong_with_its_papers(walked: Walked, tmp_path: Path) -> None:
    for arguments in (
        ("report", "-o", str(tmp_path / "report")),
        ("exhibits", "freeze"),
        ("certificates", "--specimen", "-o", str(tmp_path / "drafts")),
    ):
        done = walked.command(*arguments, "--case", demo.CASE)
        assert done.code == 0, done.out + done.err
    papers = sorted(tmp_path.rglob("*.pdf"))
    assert {each.parent.name for each in papers} == {"report", "drafts"}
    for each in papers:
        checked = subprocess.run(
            ["qpdf", "--check", str(each)], capture_output=True, text=True, check=False, timeout=60
        )
        assert checked.returncode == 0, f"{each.name}: {checked.stdout}{checked.stderr}"
