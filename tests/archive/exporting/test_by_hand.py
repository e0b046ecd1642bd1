"""VERIFY.md, followed to the letter: it holds a good export, and stops at what somebody changed."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive.exporting.exporter import BY_HAND
from custody.digest import Digest
from custody.model import Json
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import Office, shared_item
from tests.archive.exporting.spoiling import copied, flip, remove_entry, repair
from tests.archive.exporting.test_tampering import ATTACKS, CUSTODY, bytes_of
from tests.custody.archive_builder import ArchiveBuilder

# What VERIFY.md promises that it needs, and no more.
TOOLS = (
    "openssl", "sha256sum", "sh", "awk", "base64", "cat", "cmp", "comm", "cut", "date", "echo", "find", "grep", "head",
    "ls", "mkdir", "mktemp", "mv", "od", "printf", "rm", "sed", "sort", "tail", "tr", "wc",
)  # fmt: skip
FAST = ("an artifact altered", "a signature altered", "scopes altered")


def by_hand(bag: Path, digest: str, room: Path) -> subprocess.CompletedProcess[str]:
    """Its blocks in one shell, with nothing else on the path than it says."""
    tools = room / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        found = shutil.which(name)
        if found is not None and not (tools / name).exists():
            (tools / name).symlink_to(found)
    blocks = re.findall(r"^```sh\n(.*?)^```$", BY_HAND.read_text(), re.MULTILINE | re.DOTALL)
    shell = shutil.which("dash") or "/bin/sh"
    return subprocess.run(
        [shell, "-c", "".join(blocks)],
        cwd=bag,
        env={"PATH": str(tools), "TRUST_DIGEST": digest, "TMPDIR": str(room)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_a_good_export_holds_and_says_that_an_authority_saw_it(stamped: HandedOver, tmp_path: Path) -> None:
    done = by_hand(stamped.bag, f"sha256:{stamped.office.trust.digest.hex}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "holds, as far as this goes"
    assert re.search(r"^OK    tsa-0.example saw \d+ entries at", done.stdout, re.MULTILINE)
    assert "NO TRUSTED TIME" not in done.stdout


def test_another_trust_file_stops_it(plain: HandedOver, tmp_path: Path) -> None:
    done = by_hand(plain.bag, Digest.of(b"another").hex, tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAIL  this is another trust file than you were given"


def spoilt(good: HandedOver, tmp_path: Path, spoil: Callable[[Path], object], *, repaired: bool) -> str:
    bag = copied(good.bag, tmp_path / "bag")
    spoil(bag)
    if repaired:
        repair(bag)
    done = by_hand(bag, good.office.trust.digest.hex, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("attack", FAST)
def test_it_stops_at_what_was_changed(plain: HandedOver, tmp_path: Path, attack: str) -> None:
    assert spoilt(plain, tmp_path, bytes_of(plain)[attack][0], repaired=True).startswith("FAIL  ")


@pytest.mark.slow
@pytest.mark.parametrize("attack", [each for each in ATTACKS if each not in FAST and each != "the script altered"])
def test_it_stops_at_every_attack(plain: HandedOver, tmp_path: Path, attack: str) -> None:
    assert spoilt(plain, tmp_path, bytes_of(plain)[attack][0], repaired=True).startswith("FAIL  ")


def test_a_missing_entry_and_a_spoilt_token_stop_it(stamped: HandedOver, tmp_path: Path) -> None:
    index = stamped.made.index - 1
    while not (stamped.bag / CUSTODY / f"entry-{index}.json").exists():
        index -= 1
    for name in ("entry", "token"):
        folder = tmp_path / name
        folder.mkdir()

        def spoil(bag: Path, name: str = name) -> None:
            if name == "entry":
                remove_entry(bag, index)
            else:
                token = next(iter((bag / CUSTODY).glob("checkpoint.*.tsr")))
                flip(token, len(token.read_bytes()) - 20)

        assert spoilt(stamped, folder, spoil, repaired=True).startswith("FAIL  ")


def test_a_digest_in_a_record_that_is_of_no_file_is_not_looked_for(tmp_path: Path) -> None:
    """Real records have more of them: the browser's own file, the fonts."""
    made = ArchiveBuilder(locked=False).open_log()
    scope, run = made.open_case(), made.open_run()
    more: dict[str, Json] = {"environment": {"browser_file": {"bytes": 1, "name": "chromium", "sha256": "0" * 64}}}
    made.capture(run, scope=scope, change=lambda one: replace(one, circumstances={**one.circumstances, **more}))
    made.close_run(run, 1)
    office = Office(tmp_path, made)
    office.export()
    done = by_hand(tmp_path / "bag", office.trust.digest.hex, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_store_lost_is_a_fault_that_it_points_at(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    record = office.made.captures[0].record
    assert record is not None
    del office.store._objects[record.artifacts[0].key]
    office.export()
    done = by_hand(tmp_path / "bag", office.trust.digest.hex, tmp_path)
    assert "1 are stated to be missing" in done.stdout
    assert "NOTE  read data/custody/missing.json" in done.stdout
