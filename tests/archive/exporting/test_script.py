"""verify.sh, in dash: it holds what the verifier holds, and names what the verifier names."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archive.exporting.exporter import SCRIPT
from custody.keys import Ed25519Signer
from custody.trust import Trust
from custody.verdict import Verdict
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.spoiling import change, copied, flip, remove_entry, repair
from tests.archive.exporting.test_tampering import ATTACKS, CUSTODY, bytes_of, last_of, lower

FAST = ("an artifact altered", "a signature altered", "a proof altered", "scopes altered")
SHELLS = [name for name in ("dash", "bash") if shutil.which(name)]


def run(
    bag: Path, *arguments: Path | str, script: Path = SCRIPT, shell: str = "dash"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shell, str(script), str(bag), *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(bag.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def faults(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r"^FAIL  ([A-Z_0-9]+)", done.stdout, re.MULTILINE))


def told_by(verdict: Verdict) -> set[str]:
    """The script asks openssl of a token, which holds or does not; the verifier says why not."""
    return {"TS_SIG" if each.code.startswith("TS_") else each.code for each in verdict.failures}


def agree(bag: Path, good: HandedOver) -> set[str]:
    """What both say is wrong with it."""
    verdict, done = judged(bag, good.office.trust), run(bag, good.trust)
    assert done.returncode == (0 if verdict.holds else 1), done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == verdict.word
    assert done.stderr == ""
    assert faults(done) == told_by(verdict), done.stdout
    return faults(done)


def test_a_good_export_holds(plain: HandedOver) -> None:
    done = run(plain.bag, plain.trust)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "holds"
    assert "NOTE  NO TRUSTED TIME for 3 of 3 captures" in done.stdout
    assert "NOTE  NOT PUBLIC: 3 records" in done.stdout


def test_the_copy_in_the_export_is_the_script_and_the_digest_is_enough(stamped: HandedOver) -> None:
    assert (stamped.bag / "verify.sh").read_bytes() == SCRIPT.read_bytes()
    done = run(stamped.bag, stamped.office.trust.digest.hex)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^OK    tsa-0.example saw \d+ entries at ", done.stdout, re.MULTILINE)
    assert "NO TRUSTED TIME" not in done.stdout


def test_without_a_trust_file_it_is_only_consistent_in_itself(plain: HandedOver) -> None:
    done = run(plain.bag)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1] == "self-consistent only"
    assert plain.office.trust.digest.hex in done.stdout


@pytest.mark.parametrize("arguments", [(), ("a", "b", "c", "d"), ("no-such-folder",), (".", "no-such-file")])
def test_what_cannot_be_run_is_no_verdict(tmp_path: Path, arguments: Sequence[str]) -> None:
    done = subprocess.run(
        ["dash", str(SCRIPT), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", "-s", "sh", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_it_evaluates_nothing() -> None:
    assert not re.search(r"\beval\b|`", re.sub(r"#.*", "", SCRIPT.read_text()))


@pytest.mark.parametrize("attack", FAST)
def test_both_verifiers_agree(plain: HandedOver, tmp_path: Path, attack: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    spoil, expected = bytes_of(plain)[attack]
    spoil(bag)
    repair(bag)
    assert agree(bag, plain) == {code for code, _ in expected}


def token(bag: Path) -> Path:
    return next(iter((bag / CUSTODY).glob("checkpoint.*.tsr")))


def drop_last(bag: Path, unit: str, *, lowered: bool) -> None:
    index, seq = last_of(bag, unit)
    remove_entry(bag, index)
    if lowered:
        lower(bag, f"item:{unit}", seq - 1)


def swap_proofs(bag: Path, unit: str) -> None:
    index = last_of(bag, unit)[0]
    one, other = (bag / CUSTODY / f"entry-{each}.tlog-proof" for each in (index, 0))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def other_trust(bag: Path, trust: Trust) -> None:
    stranger = Ed25519Signer(b"\x66" * 32).public_key
    (bag / "data/trust/trust.json").write_bytes(Trust(log=trust.log, root_keys=(*trust.root_keys, stranger)).format())


OTHERS: dict[str, Callable[[Path, HandedOver], object]] = {
    "the token": lambda bag, _: flip(token(bag), len(token(bag).read_bytes()) - 20),
    "the query": lambda bag, _: flip(token(bag).with_suffix(".tsq"), 40),
    "the checkpoint's size": lambda bag, _: change(bag / CUSTODY / "checkpoint", b"custody\n", b"custody\n1"),
    "the last leaf": lambda bag, good: drop_last(bag, good.office.made.captures[0].unit, lowered=False),
    "the last leaf and the number": lambda bag, good: drop_last(bag, good.office.made.captures[0].unit, lowered=True),
    "two proofs": lambda bag, good: swap_proofs(bag, good.office.made.captures[0].unit),
    "an extra file": lambda bag, _: (bag / "evil.txt").write_text("x"),
    "an extra artifact": lambda bag, _: (
        bag / "data/artifacts/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    ).write_text("hello"),
    "a link": lambda bag, _: (bag / "data/custody/link").symlink_to("/etc/passwd"),
    "no tag manifest": lambda bag, _: (bag / "tagmanifest-sha256.txt").unlink(),
    "the trust file": lambda bag, good: other_trust(bag, good.office.trust),
    "the page": lambda bag, _: flip(bag / "README.txt", 3),
    "the log's first entry": lambda bag, _: remove_entry(bag, 2),
}


@pytest.mark.parametrize("attack", ["the token", "the last leaf", "the last leaf and the number"])
def test_both_agree_on_time_and_completeness(stamped: HandedOver, tmp_path: Path, attack: str) -> None:
    bag = copied(stamped.bag, tmp_path / "bag")
    OTHERS[attack](bag, stamped)
    repair(bag)
    assert agree(bag, stamped)


@pytest.mark.slow
@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("attack", [*ATTACKS, *OTHERS])
def test_both_agree_on_every_attack(stamped: HandedOver, tmp_path: Path, attack: str, *, repaired: bool) -> None:
    bag = copied(stamped.bag, tmp_path / "bag")
    spoil: Callable[[Path], None] | None = bytes_of(stamped).get(attack, (None, []))[0]
    if spoil is not None:
        spoil(bag)
    else:
        OTHERS[attack](bag, stamped)
    if repaired and attack not in {"no tag manifest", "a link"}:
        repair(bag)
    found = agree(bag, stamped)
    assert found or (repaired and attack == "the page")


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_any_posix_shell_will_do(stamped: HandedOver, shell: str) -> None:
    assert run(stamped.bag, stamped.trust, shell=shell).returncode == 0


def test_a_name_with_a_command_in_it_is_only_a_name(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    for name in ("$(touch pwned)", "; touch pwned", "-rf", "a\nOK    all is well", "`touch pwned`"):
        (bag / name).write_text("x")
    done = run(bag, plain.trust)
    assert done.returncode == 1
    assert not list(tmp_path.rglob("pwned"))
    assert faults(done) == {"PKG_UNSAFE"}


@pytest.mark.parametrize("name", ["data\n.", "bagit.txt\nREADME.txt", "a\tb", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_name_of_two_lines_does_not_pass_for_two_names(plain: HandedOver, tmp_path: Path, name: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    (bag / name).mkdir()
    assert agree(bag, plain) == {"PKG_UNSAFE"}


def test_the_log_goes_on_from_a_kept_checkpoint(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    kept = office.checkpoint()
    (tmp_path / "kept").write_bytes(office.ledger.checkpoint()[1])
    (tmp_path / "trust.json").write_bytes(office.trust.format())
    office.export(since=(kept,))
    done = run(tmp_path / "bag", tmp_path / "trust.json", tmp_path / "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"OK    the log goes on from your checkpoint of {kept.size} entries" in done.stdout
