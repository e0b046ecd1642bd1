"""The rows of the tamper matrix that are about exports, and every kind of file: exact code, exact place, nothing else.

Each attack is made twice: as a vandal does, and as a liar who then makes the bag's own lists again. What is named is
what was changed; it must not depend on lists that anybody can make.
"""

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

from archive.exporting.proofs import Prover
from archive.exporting.selection import select
from custody import canonical, merkle, tiles
from custody.bundle.package import Gone, open_package
from custody.event import Subject
from custody.keys import Ed25519Signer
from custody.proof import ConsistencyProof
from custody.trust import Trust
from custody.verdict import Verdict
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.spoiling import artifact_in, change, copied, flip, remove_entry, repair
from tests.custody.archive_builder import ArchiveBuilder

CUSTODY = "data/custody"


def told(verdict: Verdict) -> list[tuple[str, dict[str, Any]]]:
    assert verdict.word in {"holds", "does not hold"}, verdict.findings
    return [(each.code, dict(each.locator)) for each in verdict.failures]


def accepted_by_bagit(bag: Path) -> bool:
    try:
        return bool(bagit.Bag(str(bag)).is_valid())
    except bagit.BagError:
        return False


def last_of(bag: Path, unit: str) -> tuple[int, int]:
    """Index and number of the last leaf of an item."""
    found = []
    for path in (bag / CUSTODY).glob("entry-*.json"):
        leaf = json.loads(path.read_bytes())
        if leaf["chains"][0]["scope"] == f"item:{unit}":
            found.append((leaf["index"], leaf["chains"][0]["seq"]))
    return max(found)


def lower(bag: Path, scope: str, through: int) -> None:
    path = bag / CUSTODY / "scopes.json"
    value = json.loads(path.read_bytes())
    (chain,) = [each for each in value["chains"] if each["scope"] == scope]
    chain["through"] = through
    path.write_bytes(canonical.dumps(value))


def an_artifact(good: HandedOver) -> Any:
    record = good.office.made.captures[0].record
    assert record is not None
    return record.artifacts[0]


# Rows 20, 21, 62, 63, 70, and 42


def test_20_the_last_leaf_of_an_item_is_dropped(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    unit = plain.office.items(plain.office.cases[0])[0]
    index, seq = last_of(bag, unit)
    remove_entry(bag, index)
    assert not accepted_by_bagit(bag)
    expected = [("CHAIN_SHORT", {"scope": f"item:{unit}", "seq": seq})]
    assert told(judged(bag, plain.office.trust)) == expected
    repair(bag)
    assert accepted_by_bagit(bag)
    assert told(judged(bag, plain.office.trust)) == expected


def test_21_and_the_number_in_scopes_json_is_lowered_too(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    unit = plain.office.items(plain.office.cases[0])[0]
    index, seq = last_of(bag, unit)
    remove_entry(bag, index)
    lower(bag, f"item:{unit}", seq - 1)
    expected = [("EXPORT_MISMATCH", {"file": f"{CUSTODY}/scopes.json"})]
    assert told(judged(bag, plain.office.trust)) == expected
    repair(bag)
    assert accepted_by_bagit(bag)
    assert told(judged(bag, plain.office.trust)) == expected


def test_42_the_log_was_made_again_since_the_reader_kept_a_checkpoint(tmp_path: Path) -> None:
    """The operator signs another history with his own keys; whoever kept a checkpoint of the first has him."""
    first, second = shared_item(), shared_item()
    second.commits.insert(-1, [second.draft(second.event("case.opened", *second_case(second)))])
    office, liar = Office(tmp_path / "first", first), Office(tmp_path / "second", second)
    kept = office.checkpoint()
    bag = tmp_path / "second/bag"
    liar.export()
    assert judged(bag, office.trust).holds
    # The export has no proof from there: nothing can be said, and that is not "holds".
    assert judged(bag, office.trust, kept=(kept,)).word == "could not check"
    # The best proof that can be made for it does not lead there.
    checkpoint, reader = (bag / CUSTODY / "checkpoint").read_bytes(), liar.ledger.reader
    signed = Prover(reader, office.trust.log, checkpoint).signed
    assert signed.size > kept.size
    path = merkle.consistency_proof(kept.size, signed.size, tiles.TileReader(signed.size, reader.tile))
    (bag / CUSTODY / f"consistency-{kept.size}.txt").write_bytes(
        ConsistencyProof(kept.size, tuple(path), checkpoint).format()
    )
    repair(bag)
    verdict = judged(bag, office.trust, kept=(kept,))
    assert told(verdict) == [("LOG_INCONSISTENT", {"kept": kept.size, "signed": signed.size})]


def second_case(made: ArchiveBuilder) -> tuple[str, Subject, dict[str, Any]]:
    scope = made.new_id()
    return f"scope:{scope}", made.detail("case.json", {"scope": scope, "name": "Slipped in"}), {}


def test_62_tag_manifest_removed_and_bag_info_edited(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    (bag / "tagmanifest-sha256.txt").unlink()
    change(bag / "bag-info.txt", b"Bagging-Date: 2", b"Bagging-Date: 1")
    assert accepted_by_bagit(bag), "bagit is expected to miss this"
    assert told(judged(bag, plain.office.trust)) == [("PKG_MEMBER", {"file": "tagmanifest-sha256.txt"})]


@pytest.mark.parametrize("name", ["evil.txt", "data.txt", "fetch.txt", "tagmanifest-md5.txt", "data/extra.png"])
def test_a_file_that_no_list_names(plain: HandedOver, tmp_path: Path, name: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    (bag / name).write_text("hello")
    assert told(judged(bag, plain.office.trust)) == [("PKG_EXTRA", {"file": name})]
    (bag / "tagmanifest-sha256.txt").unlink()
    assert ("PKG_EXTRA", {"file": name}) in told(judged(bag, plain.office.trust))
    repair(bag)
    assert told(judged(bag, plain.office.trust)) == [("PKG_EXTRA", {"file": name})]


def test_bagit_itself_misses_an_extra_file(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    (bag / "evil.txt").write_text("hello")
    assert accepted_by_bagit(bag)


def test_an_artifact_that_was_not_handed_over_is_slipped_in(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    name = "data/artifacts/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    (bag / name).write_text("hello")
    repair(bag)
    assert accepted_by_bagit(bag)
    assert told(judged(bag, plain.office.trust)) == [("PKG_EXTRA", {"file": name})]


def zipped(bag: Path, target: Path, spoil: Callable[[zipfile.ZipFile], None]) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for each in sorted(bag.rglob("*")):
            if each.is_file():
                archive.write(each, f"bag/{each.relative_to(bag).as_posix()}")
        spoil(archive)
    return target


def linked(archive: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("bag/data/custody/link")
    member.external_attr = 0o120777 << 16
    archive.writestr(member, "/etc/passwd")


UNSAFE: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "bag/../../evil.sh": lambda archive: archive.writestr("bag/../../evil.sh", "x"),
    "/etc/evil": lambda archive: archive.writestr("/etc/evil", "x"),
    "bag/data/custody/scopes.json": lambda archive: archive.writestr("bag/data/custody/scopes.json", "{}"),
    "bag/data/custody/Scopes.json": lambda archive: archive.writestr("bag/data/custody/Scopes.json", "{}"),
    "bag/data/custody/link": linked,
    "other/README.txt": lambda archive: archive.writestr("other/README.txt", "x"),
    "C:\\evil": lambda archive: archive.writestr("C:\\evil", "x"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("member", UNSAFE)
def test_63_a_zip_that_harms_or_misleads_whoever_unpacks_it(plain: HandedOver, tmp_path: Path, member: str) -> None:
    path = zipped(plain.bag, tmp_path / "bag.zip", UNSAFE[member])
    verdict = judged(path, plain.office.trust)
    assert told(verdict) == [("PKG_UNSAFE", {"member": member})]
    assert [each.n for each in verdict.checks if each.passed is False] == [13]
    assert all(each.passed is None for each in verdict.checks if each.n != 13)


@pytest.mark.parametrize("place", ["both headers", "the header before it", "the list at the end"])
def test_63_a_zip_that_unpacks_under_other_names(plain: HandedOver, tmp_path: Path, place: str) -> None:
    """Info-ZIP believes a member's Unicode Path (APPNOTE 4.6.9) in place of its name, and others do not."""
    name, other = b"bag/README.txt", b"bag/EVIL.txt"
    field = struct.pack("<HHBL", 0x7075, 5 + len(other), 1, zlib.crc32(name)) + other
    harmless = struct.pack("<HH", 0x6375, len(field) - 4) + field[4:]
    path = tmp_path / "bag.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(file for file in plain.bag.rglob("*") if file.is_file()):
            member = zipfile.ZipInfo(f"bag/{each.relative_to(plain.bag).as_posix()}")
            member.extra = field if member.filename.encode() == name else b""
            archive.writestr(member, each.read_bytes())
    data = path.read_bytes()
    assert data.count(field) == 2
    if place != "both headers":
        at = data.index(field) if place == "the list at the end" else data.rindex(field)
        path.write_bytes(data[:at] + harmless + data[at + len(field) :])
    assert told(judged(path, plain.office.trust)) == [("PKG_UNSAFE", {"member": name.decode()})]


def test_63_a_bomb(plain: HandedOver, tmp_path: Path) -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        archive.writestr("bag/data/artifacts/" + "0" * 64, b"\0" * 200_000_000, zipfile.ZIP_DEFLATED)

    verdict = judged(zipped(plain.bag, tmp_path / "bag.zip", bomb), plain.office.trust)
    assert [code for code, _ in told(verdict)] == ["PKG_UNSAFE"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_63_a_zip_with_a_damaged_member(plain: HandedOver, tmp_path: Path, method: int) -> None:
    """As written, and as packed anew by another program: it names the file, and is no fault of the verifier's."""
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    plain.office.export(str(good), as_zip=True)
    if method != zipfile.ZIP_STORED:
        with (
            zipfile.ZipFile(good.rename(tmp_path / "written.zip")) as written,
            zipfile.ZipFile(good, "w", method) as packed,
        ):
            for each in written.infolist():
                packed.writestr(each.filename, written.read(each))
    assert judged(good, plain.office.trust).holds
    data = good.read_bytes()
    with zipfile.ZipFile(good) as archive:
        members = [each for each in archive.infolist() if each.compress_size > 64]
    assert len(members) > 20
    inflated = 0
    for n, each in enumerate(members):
        start = each.header_offset + 30 + sum(struct.unpack_from("<HH", data, each.header_offset + 26))
        at = start + (each.compress_size // 2 if n % 2 else 0)
        bad.write_bytes(data[:at] + bytes([data[at] ^ 2 << n % 7]) + data[at + 1 :])
        with zipfile.ZipFile(bad) as archive:
            try:
                archive.read(each)
            except zipfile.BadZipFile:
                pass
            except zlib.error:
                inflated += 1
        name = each.filename.partition("/")[2]
        verdict = judged(bad, plain.office.trust)
        assert verdict.word == "does not hold", name
        assert told(verdict), name
    assert (inflated > 3) is (method == zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe", "capitals", "odd name"])
def test_63_a_folder_with_what_is_no_file(plain: HandedOver, tmp_path: Path, kind: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    name = {"capitals": "readme.txt", "odd name": "data/custody/a\nb"}.get(kind, "data/custody/odd")
    path = bag / name
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder link":
        path.symlink_to(tmp_path)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("x")
    assert told(judged(bag, plain.office.trust)) == [("PKG_UNSAFE", {"member": name})]


def test_63_a_pipe_is_not_waited_for_and_a_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(Gone, match="it is no plain file"):
            open_package(path)


def test_70_the_trust_file_is_replaced(plain: HandedOver, tmp_path: Path) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    own = plain.office.trust
    stranger = Ed25519Signer(b"\x66" * 32)
    other = Trust(log=own.log, root_keys=(*own.root_keys, stranger.public_key))
    (bag / "data/trust/trust.json").write_bytes(other.format())
    repair(bag)
    assert accepted_by_bagit(bag)
    assert told(judged(bag, own)) == [("TRUST_DIGEST", {"file": "data/trust/trust.json"})]


# Every kind of file


def bytes_of(good: HandedOver) -> dict[str, tuple[Callable[[Path], None], list[tuple[str, dict[str, Any]]]]]:
    artifact, unit = an_artifact(good), good.office.made.captures[0].unit
    index = last_of(good.bag, unit)[0]
    capture = good.office.made.captures[0]
    first = min(
        json.loads(each.read_bytes())["index"]
        for each in (good.bag / CUSTODY).glob("entry-*.json")
        if json.loads(each.read_bytes())["chains"][0]["scope"] == f"item:{unit}"
    )
    ended = next(
        json.loads(each.read_bytes())["index"]
        for each in (good.bag / CUSTODY).glob("entry-*.json")
        if capture.ended is not None
        and json.loads(each.read_bytes())["event"]["payload"] == capture.ended.make().to_json()["payload"]
    )
    where = {
        "item": unit, "capture": capture.id, "role": artifact.role, "name": artifact.name, "key": artifact.key,
        "index": ended,
    }  # fmt: skip
    entry, proof = f"{CUSTODY}/entry-{index}.json", f"{CUSTODY}/entry-{index}.tlog-proof"
    return {
        "an artifact altered": (
            lambda bag: flip(artifact_in(bag, artifact.digest.hex)), [("BLOB_DIGEST", where)],
        ),
        "an artifact removed": (
            lambda bag: artifact_in(bag, artifact.digest.hex).unlink(), [("BLOB_MISSING", where)],
        ),
        "a signature altered": (
            lambda bag: sign_again(bag / entry),
            [("PROOF_ROOT", {"index": index}), ("EVENT_SIG", {"index": index})],
        ),
        "a time altered": (
            lambda bag: change(bag / entry, b'"logged_at":"2026', b'"logged_at":"2025'),
            [("PROOF_ROOT", {"index": index})],
        ),
        "another index": (
            lambda bag: change(bag / entry, f'"index":{index}'.encode(), f'"index":{index + 100}'.encode()),
            [("PROOF_ROOT", {"index": index}), ("ENTRY_INDEX", {"index": index, "says": index + 100})],
        ),
        "an entry that is no JSON": (
            lambda bag: change(bag / entry, b'{"chains"', b'["chains"'),
            [("PROOF_ROOT", {"index": index}), ("ENTRY_PARSE", {"index": index, "part": "leaf"})],
        ),
        "a proof altered": (lambda bag: flip_hash(bag / proof), [("PROOF_ROOT", {"index": index})]),
        "a proof of another index": (
            lambda bag: change(bag / proof, f"index {index}".encode(), f"index {index + 1}".encode()),
            [("PROOF_FORMAT", {"index": index})],
        ),
        "a proof removed": (lambda bag: (bag / proof).unlink(), [("PROOF_MISSING", {"index": index})]),
        "a middle entry removed": (
            lambda bag: remove_entry(bag, first), [("CHAIN_GAP", {"scope": f"item:{unit}", "seq": 0})],
        ),
        "scopes altered": (
            lambda bag: lower(bag, f"item:{unit}", 0), [("EXPORT_MISMATCH", {"file": f"{CUSTODY}/scopes.json"})],
        ),
        "contents altered": (
            lambda bag: flip(bag / CUSTODY / "contents.txt", 3),
            [("EXPORT_MISMATCH", {"file": f"{CUSTODY}/contents.txt"})],
        ),
        "the script altered": (
            lambda bag: change(bag / "verify.sh", b"set -eu", b"exit 0 "), [("PKG_MEMBER", {"file": "verify.sh"})],
        ),
    }  # fmt: skip


def sign_again(path: Path) -> None:
    value = json.loads(path.read_bytes())
    sig = value["event"]["signatures"][0]["sig"]
    value["event"]["signatures"][0]["sig"] = ("B" if sig[0] == "A" else "A") + sig[1:]
    path.write_bytes(canonical.dumps(value))


def flip_hash(path: Path) -> None:
    lines = path.read_text().split("\n")
    lines[2] = ("B" if lines[2][0] == "A" else "A") + lines[2][1:]
    path.write_text("\n".join(lines))


ATTACKS = [
    "an artifact altered", "an artifact removed", "a signature altered", "a time altered", "another index",
    "an entry that is no JSON", "a proof altered", "a proof of another index", "a proof removed",
    "a middle entry removed", "scopes altered", "contents altered", "the script altered",
]  # fmt: skip


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("attack", ATTACKS)
def test_every_kind_of_file(plain: HandedOver, tmp_path: Path, attack: str, *, repaired: bool) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    spoil, expected = bytes_of(plain)[attack]
    spoil(bag)
    if repaired:
        repair(bag)
        assert accepted_by_bagit(bag)
    assert told(judged(bag, plain.office.trust)) == expected


@pytest.mark.parametrize("name", ["bag-info.txt", "bagit.txt", "README.txt", "manifest-sha256.txt"])
def test_a_tag_file_altered(plain: HandedOver, tmp_path: Path, name: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    flip(bag / name, 5)
    found = told(judged(bag, plain.office.trust))
    assert found == [("PKG_MEMBER", {"file": name})]


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize(
    ("attack", "code"),
    [("size", "CP_SIG"), ("root", "CP_SIG"), ("extension", "CP_SIG"), ("gone", "CP_MISSING")],
)
def test_the_checkpoint(plain: HandedOver, tmp_path: Path, attack: str, code: str, *, repaired: bool) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    path = bag / CUSTODY / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    if attack == "gone":
        path.unlink()
    else:
        lines[1] = b"9" + lines[1] if attack == "size" else lines[1]
        lines[2] = b"A" * 43 + b"=" if attack == "root" else lines[2]
        lines[3:3] = [b"more"] if attack == "extension" else []
        path.write_bytes(b"\n".join(lines))
    if repaired:
        repair(bag)
    verdict = judged(bag, plain.office.trust)
    assert told(verdict) == [(code, {"file": f"{CUSTODY}/checkpoint"})]
    tree = next(each for each in verdict.checks if each.n == 4)
    assert tree.passed is None
    assert tree.detail.startswith("skipped (depends on 2 checkpoint)")


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_token_altered(stamped: HandedOver, tmp_path: Path, *, earlier: bool, repaired: bool) -> None:
    bag = copied(stamped.bag, tmp_path / "bag")
    pattern = "checkpoint-*.tsr" if earlier else "checkpoint.*.tsr"
    path = next(iter(sorted((bag / CUSTODY).glob(pattern))))
    flip(path, len(path.read_bytes()) - 20)
    size = int(path.name.split("-")[1].split(".")[0]) if earlier else stamped.made.size
    if repaired:
        repair(bag)
    assert told(judged(bag, stamped.office.trust)) == [("TS_SIG", {"size": size, "authority": "tsa-0.example"})]


@pytest.mark.parametrize("repaired", [False, True])
def test_an_earlier_checkpoint_altered(stamped: HandedOver, tmp_path: Path, *, repaired: bool) -> None:
    bag = copied(stamped.bag, tmp_path / "bag")
    path = next(each for each in (bag / CUSTODY).glob("checkpoint-*") if each.suffix == "")
    flip(path, 30)
    if repaired:
        repair(bag)
    (found,) = told(judged(bag, stamped.office.trust))
    assert found[1] == {"file": f"{CUSTODY}/{path.name}"}


def test_a_chain_that_the_evidence_needs_was_never_promised(tmp_path: Path) -> None:
    """A dishonest exporter says less from the start, and logs that: what is needed follows from the evidence itself."""
    office = Office(tmp_path, shared_item())

    def less(*arguments: Any, **named: Any) -> Any:
        chosen = select(*arguments, **named)
        dropped = f"item:{chosen.items[1]}"
        chosen.events = [each for each in chosen.events if each.event.chain != dropped]
        del chosen.through[dropped]
        return chosen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archive.exporting.exporter.select", less)
        office.export()
    dropped = office.items(office.cases[0])[1]
    assert told(judged(tmp_path / "bag", office.trust)) == [("CHAIN_SHORT", {"scope": f"item:{dropped}", "seq": 0})]
