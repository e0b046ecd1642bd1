"""Bundles that somebody made to harm whoever checks them: each is refused by a code, in bounded time and memory."""

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.errors import UsageError
from console.verbs.exporting import judge
from tests.archive.exporting.conftest import HandedOver


def _pipe(bag: Path) -> None:
    os.mkfifo(bag / "data/artifacts/pipe")


def _pipe_for_a_checkpoint(bag: Path) -> None:
    (bag / "data/custody/checkpoint").unlink()
    os.mkfifo(bag / "data/custody/checkpoint")


def _circle(bag: Path) -> None:
    (bag / "data/artifacts/circle").symlink_to("..")


def _deep_scopes(bag: Path) -> None:
    (bag / "data/custody/scopes.json").write_text("[" * 200_000 + "]" * 200_000)


def _deep_entry(bag: Path) -> None:
    entry = sorted((bag / "data/custody").glob("entry-*.json"))[3]
    entry.write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


def _endless_number(bag: Path) -> None:
    scopes = bag / "data/custody/scopes.json"
    scopes.write_text(scopes.read_text().replace('"size":', '"size":1' + "0" * 6000))


def _endless_checkpoint(bag: Path) -> None:
    (bag / "data/custody/checkpoint").write_bytes(b"a\n" * (8 << 20))


def _sparse(bag: Path) -> None:
    os.truncate(bag / "data/custody/missing.json", 100 << 20)


def _no_text(bag: Path) -> None:
    (bag / "manifest-sha256.txt").write_bytes(bytes(range(256)) * 200)


def _long_proof(bag: Path) -> None:
    proof = next((bag / "data/custody").glob("entry-*.tlog-proof"))
    proof.write_bytes(proof.read_bytes() + b"x\n" * 500_000)


def _endless_record(bag: Path) -> None:
    next((bag / "data/artifacts").rglob("record.json")).write_text('{"x":"' + "a" * (20 << 20) + '"}')


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_pipe, "PKG_UNSAFE"),
        (_pipe_for_a_checkpoint, "PKG_UNSAFE"),
        (_circle, "PKG_UNSAFE"),
        (_deep_scopes, "EXPORT_MISMATCH"),
        (_deep_entry, "ENTRY_PARSE"),
        (_endless_number, "EXPORT_MISMATCH"),
        (_endless_checkpoint, "CP_FORMAT"),
        (_sparse, "EXPORT_MISMATCH"),
        (_no_text, "PKG_MEMBER"),
        (_long_proof, "PROOF_FORMAT"),
        (_endless_record, "BLOB_DIGEST"),
    ],
)
def test_a_folder(plain: HandedOver, tmp_path: Path, spoil: Callable[[Path], None], code: str) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(plain.bag, bag)
    spoil(bag)
    verdict = judge(bag, plain.office.trust)
    assert verdict.word == "does not hold"
    assert code in {each.code for each in verdict.findings}
    assert "VERIFIER_FAULT" not in {each.code for each in verdict.findings}


def _packed(plain: HandedOver, target: Path) -> bytearray:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(plain.bag.rglob("*")):
            if each.is_file():
                archive.write(each, f"bag/{each.relative_to(plain.bag).as_posix()}")
    return bytearray(target.read_bytes())


def test_a_zip_that_says_it_is_encrypted(plain: HandedOver, tmp_path: Path) -> None:
    data = _packed(plain, tmp_path / "z.zip")
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "z.zip").write_bytes(data)
    assert "PKG_UNSAFE" in {each.code for each in judge(tmp_path / "z.zip", plain.office.trust).findings}


def test_a_zip_with_a_flipped_bit_in_a_member(plain: HandedOver, tmp_path: Path) -> None:
    data = _packed(plain, tmp_path / "z.zip")
    assert judge(tmp_path / "z.zip", plain.office.trust).holds
    data[400] ^= 1
    (tmp_path / "z.zip").write_bytes(data)
    assert judge(tmp_path / "z.zip", plain.office.trust).word == "does not hold"


@pytest.mark.parametrize("what", ["half", "noise"])
def test_what_is_no_zip_is_said_to_be_none(plain: HandedOver, tmp_path: Path, what: str) -> None:
    data = _packed(plain, tmp_path / "z.zip")
    (tmp_path / "z.zip").write_bytes(data[: len(data) // 2] if what == "half" else b"\x07" * 9000)
    with pytest.raises(UsageError, match="is no export"):
        judge(tmp_path / "z.zip", plain.office.trust)
