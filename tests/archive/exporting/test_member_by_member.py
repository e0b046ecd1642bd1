"""Export, verify, tamper, fail: every file of a zip altered, removed, and joined by a stranger, one at a time."""

import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest

from custody.bundle.package import Gone, open_package
from tests.archive.exporting.conftest import HandedOver, handed_over
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.spoiling import copied, flip, repair
from tests.archive.exporting.test_details import agreed, changed, corrected, looked, stated
from tests.archive.exporting.test_received import hand_in
from tests.archive.exporting.test_script import run

BUNDLES = ("broken", "truncated", "empty", "not a zip", "half a directory")


def members(bag: Path) -> list[str]:
    return sorted(each.relative_to(bag).as_posix() for each in bag.rglob("*") if each.is_file())


@pytest.fixture
def spoilable(stamped: HandedOver, tmp_path: Path) -> Path:
    return copied(stamped.bag, tmp_path / "bag")


@pytest.mark.slow
def test_every_member_altered_or_removed_fails_and_put_back_holds(stamped: HandedOver, spoilable: Path) -> None:
    trust = stamped.office.trust
    for name in members(spoilable):
        path, good = spoilable / name, (stamped.bag / name).read_bytes()
        flip(path, len(good) // 2)
        assert judged(spoilable, trust).word == "does not hold", f"{name} altered"
        path.unlink()
        assert judged(spoilable, trust).word == "does not hold", f"{name} removed"
        path.write_bytes(good)
    assert judged(spoilable, trust).holds


@pytest.mark.slow
def test_every_payload_member_altered_under_lists_made_again_fails(stamped: HandedOver, spoilable: Path) -> None:
    """What a liar with any BagIt tool can do. Tag files are his to write: the log was told of what counts."""
    trust = stamped.office.trust
    for name in members(spoilable):
        if not name.startswith("data/"):
            continue
        flip(spoilable / name, (stamped.bag / name).stat().st_size // 2)
        repair(spoilable)
        assert judged(spoilable, trust).word == "does not hold", name
        for each in (name, "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt"):
            shutil.copyfile(stamped.bag / each, spoilable / each)
    assert judged(spoilable, trust).holds


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> HandedOver:
    """With what exports may have beyond captures: a look that kept nothing, changes, two observers, a statement, a
    correction, files of others."""
    path, made = tmp_path_factory.mktemp("rich"), shared_item()
    for tell in (looked, changed, agreed, stated, corrected):
        tell(made, {})
    office = Office(path, made)
    hand_in(office, path / "in", about=made.captures[0].id)
    return handed_over(path, office)


def kind_of(name: str) -> str:
    """Members of a kind differ in numbers alone."""
    return re.sub(r"\d+", "N", re.sub(r"[0-9a-f]{64}", "H", name))


DETAILS = ("-statement.json", "-change.json", "-agreement.json", "-correction.json", "look.json", "received.json")


@pytest.mark.slow
def test_a_member_of_each_kind_of_a_rich_export_altered_fails_and_each_detail_by_the_script_too(
    rich: HandedOver, tmp_path: Path
) -> None:
    bag, kinds = copied(rich.bag, tmp_path / "bag"), dict[str, str]()
    for name in members(bag):
        kinds.setdefault(kind_of(name), name)
    details = [next(name for name in kinds.values() if name.endswith(each)) for each in DETAILS]
    for name in kinds.values():
        good = (bag / name).read_bytes()
        flip(bag / name, len(good) // 2)
        assert judged(bag, rich.office.trust).word == "does not hold", name
        if name in details:
            assert run(bag, rich.trust).stdout.splitlines()[-1] == "does not hold", name
        (bag / name).write_bytes(good)
    assert judged(bag, rich.office.trust).holds


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.csv", "tables/captures.csv", "tables/case.jsonld", "tables/population.json"])
def test_a_table_altered_is_named_by_both(stamped: HandedOver, spoilable: Path, name: str) -> None:
    flip(spoilable / "data" / name, 40)
    repair(spoilable)
    verdict, done = judged(spoilable, stamped.office.trust), run(spoilable, stamped.trust)
    assert [each.code for each in verdict.failures] == ["PKG_MEMBER"]
    assert done.returncode == 1
    assert f"FAIL  PKG_MEMBER data/{name}" in done.stdout


def spoilt_zip(good: Path, how: str, target: Path) -> Path:
    data = good.read_bytes()
    made = {
        "broken": data[: len(data) // 2] + b"\0" * 64 + data[len(data) // 2 + 64 :],
        "truncated": data[: len(data) * 2 // 3],
        "empty": b"",
        "not a zip": b"From: a\r\n\r\nno evidence\r\n",
        "half a directory": data[:-30],
    }
    target.write_bytes(made[how])
    return target


@pytest.mark.parametrize("how", BUNDLES)
def test_a_bundle_that_is_none_is_refused_with_a_sentence_and_writes_nothing(
    plain: HandedOver, tmp_path: Path, how: str
) -> None:
    good = tmp_path / "good.zip"
    with zipfile.ZipFile(good, "w") as archive:
        for name in members(plain.bag):
            archive.write(plain.bag / name, f"bag/{name}")
    before = sorted(Path(tempfile.gettempdir()).glob("*.zip*"))
    path = spoilt_zip(good, how, tmp_path / "bad.zip")
    if how in {"broken", "half a directory"}:  # what is left of the second looks like the spreadsheet inside it
        verdict = judged(path, plain.office.trust)
        assert verdict.word == "does not hold"
        assert verdict.failures
    else:
        with pytest.raises(Gone, match="is no export"):
            judged(path, plain.office.trust)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bad.zip", "good.zip"]
    assert sorted(Path(tempfile.gettempdir()).glob("*.zip*")) == before


def test_a_foreign_trust_file_is_named_and_nothing_holds_by_it(plain: HandedOver, stamped: HandedOver) -> None:
    verdict = judged(plain.bag, stamped.office.trust)
    assert verdict.word == "does not hold"
    assert "TRUST_DIGEST" in {each.code for each in verdict.failures}


@pytest.mark.parametrize("name", ["data/artifacts/../../../evil", "data/artifacts/item-001/a/b/c/d/e.png"])
def test_a_list_that_names_a_path_outside_opens_nothing(plain: HandedOver, tmp_path: Path, name: str) -> None:
    bag = copied(plain.bag, tmp_path / "bag")
    outside = tmp_path / "evil"
    outside.write_bytes(b"secret")
    contents = bag / "data/custody/contents.txt"
    lines = contents.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "screenshot" in line)
    lines[at] = f"{lines[at][:66]}{name}"
    contents.write_text("\n".join(lines) + "\n")
    repair(bag)
    verdict, done = judged(bag, plain.office.trust), run(bag, plain.trust)
    assert "EXPORT_MISMATCH" in {each.code for each in verdict.failures}
    assert done.returncode == 1
    assert done.stderr == ""
    package = open_package(bag)
    assert name not in package.sizes
    package.close()


def test_a_table_that_is_huge_does_not_fill_the_memory(plain: HandedOver, tmp_path: Path) -> None:
    """A list of files is read up to its limit, a record up to its own: what is longer is refused, not loaded."""
    bag = copied(plain.bag, tmp_path / "bag")
    with (bag / "data/custody/scopes.json").open("ab") as file:
        file.truncate(300 << 20)
    verdict = judged(bag, plain.office.trust)
    assert verdict.word == "does not hold"
    assert any(each.locator.get("file") == "data/custody/scopes.json" for each in verdict.failures)
    assert json.loads((plain.bag / "data/custody/scopes.json").read_bytes())["v"] == 2
