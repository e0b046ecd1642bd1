"""docs/manifest.md says what the code does: every code, type, field and word, both ways, and its commands run."""

import re
import subprocess
from pathlib import Path

import pytest

from custody import event, schema
from custody.artifact import ARTIFACT
from custody.commit import HEADER
from custody.keys import keyid
from custody.leaf import LEAF
from custody.model import HopKind, Origin, Outcome, Status
from custody.record import RECORD
from custody.verdict import CHECKS
from tests.custody.archive_builder import ArchiveBuilder, MemorySource, small

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "manifest.md").read_text()
CODE = re.compile(
    r'"((?:ANCHOR|AUTHORITY|BLOB|BUNDLE|CHAIN|COMMIT|CP|ENTRY|EVENT|FIXITY|HOLD|INBOX|KEY|LOG|QUARANTINE|RECORD|SCOPE|STATE|STORE|TILE|TIME|TRUST|TS|VERIFIER)_[A-Z_]+)"'
)


def section(number: int) -> str:
    return DOCUMENT.split(f"\n## {number}. ")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `") or re.match(r"\| \d", line)
    ]


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    used: set[str] = set()
    for path in [*(ROOT / "custody").glob("*.py"), *(ROOT / "custody" / "checks").glob("*.py")]:
        used |= set(CODE.findall(path.read_text()))
    table = section(13).split("| code |")[1]
    documented = {code for row in rows(table) for code in words(row[0])}
    assert documented == used


def test_every_check_is_documented_under_its_number() -> None:
    found = [row[0] for row in rows(section(13)) if row[0][0].isdigit()]
    assert found == [f"{n} {name}" for n, name in CHECKS.items()]


def test_every_type_is_documented_with_its_chain_subject_and_body() -> None:
    table = {row[0].strip("`"): row for row in rows(section(5)) if row[0].strip("`") in schema.KINDS}
    assert table.keys() == schema.KINDS.keys()
    for type_, (_, by, chain, subject, body) in table.items():
        kind = schema.KINDS[type_]
        assert by == kind.by, type_
        assert tuple(re.split(r", | or ", chain)) == kind.chains, type_
        assert subject.strip("`") == kind.subject, type_
        missing = {name for name in kind.body["properties"] if name not in words(body)}
        assert not missing or "the same with" in body, (type_, missing)
        for each in kind.body["properties"].values():
            if "enum" in each and each["enum"] != list(Outcome):
                assert set(each["enum"]) <= words(body), type_


def test_every_blob_is_documented() -> None:
    documented = {name for row in rows(section(3)) for name in words(row[0])}
    assert documented == {kind.subject for kind in schema.KINDS.values()}


@pytest.mark.parametrize(("number", "of"), [(4, RECORD), (6, LEAF), (7, HEADER)])
def test_every_field_is_documented(number: int, of: schema.Schema) -> None:
    documented = {name for row in rows(section(number)) for name in words(row[0])}
    assert set(of["properties"]) <= documented
    if number == 4:
        assert documented == set(of["properties"])
        assert set(ARTIFACT["properties"]) <= set(re.findall(r"\w+", section(4)))


def test_every_word_of_a_capture_is_documented() -> None:
    assert {*Status, *Outcome, *HopKind} <= words(section(4))
    assert {f"origin: {origin}" for origin in Origin} <= words(section(12))
    assert set(schema.RELATIONS) <= words(section(5))
    assert event.NAMESPACE in section(5)


def written(source: MemorySource, folder: Path) -> Path:
    for key, data in source.objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    return folder / "v1/log/evidence.example_custody"


def by_hand(folder: Path, builder: ArchiveBuilder, index: int, n: int) -> subprocess.CompletedProcess[str]:
    script = section(14).split("```sh\n")[1].split("```")[0]
    (folder / "T").mkdir(exist_ok=True)
    key = folder / "keys" / f"{keyid(builder.worker.public_key)}.pem"
    return subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "I": str(index), "N": str(n), "KEY": str(key), "T": str(folder / "T")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/usr/bin/jq").exists(), reason="the commands of the document need jq")
@pytest.mark.parametrize(("index", "n"), [(9, 6), (11, 8), (15, 11)])
def test_the_commands_check_a_capture(tmp_path: Path, index: int, n: int) -> None:
    builder = small()
    source = builder.build()
    done = by_hand(written(source, tmp_path), builder, index, n)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == 7
    assert done.stdout.splitlines()[-1].endswith("complete\tok\tnot_public")
    made = next(each for each in builder.captures if each.record and each.record.artifacts)
    assert made.record is not None
    if index == 9:
        spoiled = source.flip(made.record.artifacts[0].key, 0)
        assert by_hand(written(spoiled, tmp_path), builder, index, n).returncode != 0
        spoiled = source.flip(f"v1/log/evidence.example_custody/commit/{n:020d}", -700)
        assert by_hand(written(spoiled, tmp_path), builder, index, n).returncode != 0
