"""``receive``, ``received`` and ``witness`` as commands; a browser that is a script, and a terminal that is none."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.vault import Vault
from tests.command import ROOT, run
from tests.console.test_exporting import Place, captured, clock


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    path = tmp_path_factory.mktemp("receiving")
    store = f"file:{path / 'store'}"
    config = ArchiveConfig.load({"COUNTERPROOF_STORE_URL": store}, home=path / "home")
    with Vault.open(config, clock=clock) as vault:
        scope = vault.cases.open("Ours", vault.sequencer, vault.scribe)
        item, end = captured(vault, scope)
    return Place(path / "home", store, item, end)


@pytest.mark.slow
def test_a_test_purchase_is_taken_in_shown_verified_and_handed_over(place: Place, tmp_path: Path) -> None:
    (tmp_path / "parcel.jpg").write_bytes(b"\xff\xd8\xff a parcel")
    (tmp_path / "order.pdf").write_bytes(b"%PDF-1.7 an order")
    files = (str(tmp_path / "parcel.jpg"), str(tmp_path / "order.pdf"))
    said = ("--case", "Ours", "--from", "R. Roe", "--how", "by hand", "--about", place.item[:13])
    done = place.run("receive", *files, *said, "--kind", "parcel", "--json")
    assert done.code == 0, done.err
    document = done.document
    assert document["surface"] == "received"
    assert "custody begins at receipt" in document["custody"]
    assert [each["kind"] for each in document["files"]] == ["parcel", "parcel"]
    assert document["about"] == {"unit": place.item, "capture": place.item}
    listed = place.run("received", "--case", "Ours")
    assert "from      R. Roe, by hand" in listed.out
    assert "custody begins at receipt" in listed.out
    shown = place.run("show", place.item, "--json")
    (told,) = shown.document["received"]
    assert (told["item"], told["custody"]) == (document["item"], "from_receipt")
    verdict = place.run("verify", "--json")
    assert (verdict.code, verdict.document["facts"]["received"]) == (0, 2), verdict.out
    handed = place.run("export", "--case", "Ours", "-o", str(tmp_path / "case.zip"))
    assert handed.code == 0, handed.out + handed.err
    assert "RECEIVED: 2 files came from others" in handed.out
    assert "RECEIVED: 2 files came from others" in place.run("verify").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("receive", "no-such-file", "--case", "Ours", "--from", "a", "--how", "b"), 2),
        (("receive", "/dev/null", "--case", "Ours", "--from", "a", "--how", "b"), 2),
        (("receive", "/etc", "--case", "Ours", "--from", "a", "--how", "b"), 2),
        (("receive", "/etc/hostname", "--case", "Nobody's", "--from", "a", "--how", "b"), 2),
        (("witness", "abcdef", "--name", "Jane", "--fair-and-accurate"), 2),
    ],
)
def test_what_cannot_be_is_a_sentence(place: Place, arguments: tuple[str, ...], code: int) -> None:
    done = place.run(*arguments)
    assert done.code == code, done.err
    assert len(done.err.strip().splitlines()[-1]) > 20


@pytest.mark.slow
def test_a_witness_who_answers_by_options(place: Place) -> None:
    nobody = place.run("witness", place.item, "--name", "Jane Roe")
    assert nobody.code == 2
    assert "no terminal to ask at" in nobody.err
    both = place.run("witness", place.item, "--name", "Jane Roe", "--fair-and-accurate", "--differs", "x")
    assert both.code == 2
    agreed = place.run("witness", place.item, "--name", "Jane Roe", "--fair-and-accurate")
    assert agreed.code == 0, agreed.err
    assert "NOT signed by a key of the witness" in agreed.out
    signed = place.run("witness", place.item, "--name", "Jane Roe", "--differs", "the price", "--key", "home", "--json")
    assert signed.code == 3, signed.err
    assert signed.document["keyid"]
    shown = place.run("show", place.item)
    assert "is a fair and accurate picture of what I saw" in shown.out.replace("\n", " ")
    assert place.run("verify", "--json").document["facts"]["witnessed"] == 1


def test_a_witness_at_a_terminal_gets_the_page_in_a_browser_of_their_own(place: Place, tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>"{opened}"\n')
    browser.chmod(0o755)
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "COUNTERPROOF_HOME": str(place.home),
        "COUNTERPROOF_STORE_URL": place.store,
        "BROWSER": f"{browser} %s",
    }
    command = [sys.executable, "-m", "console", "witness", place.item, "--name", "Jane Roe"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as asking:
        os.write(ours, b"perhaps\nno\nthe price is 15 EUR\n\nFirefox\n")
        out, err = asking.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert asking.returncode == 3, err
    assert "differs from what I saw in this: the price is 15 EUR." in out.replace("\n", " ")
    page, picture = opened.read_text().splitlines()
    assert page.startswith("https://")
    assert picture.startswith("file:///")
    assert run("verify", "--json", home=place.home, env={"COUNTERPROOF_STORE_URL": place.store}).code == 0
