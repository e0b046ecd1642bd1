"""docs/manifest.md, section 16, says what the code does: every code, every check, every file."""

import re
from pathlib import Path

from custody.bundle import layout
from custody.bundle.findings import EXPORT_CHECKS
from custody.bundle.statement import EXPORT, REASONS
from custody.verdict import CHECKS
from tests.archive.exporting.conftest import HandedOver

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "docs" / "manifest.md").read_text().split("\n## 16. ")[1].split("\n## ")[0]
OURS = re.compile(r'"((?:BLOB|CHAIN|CP|EXPORT|KEPT|KEY|LOG|PKG|PROOF|TRUST|VERIFIER)_[A-Z_]+)"')
ELSEWHERE = {"TRUST_NONE", "CHAIN_ORDER", "CHAIN_GAP", "CHAIN_LINK"}
"""Codes of section 13 that mean the same here."""


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    used = {code for path in (ROOT / "custody/bundle").glob("*.py") for code in OURS.findall(path.read_text())}
    used |= set(re.findall(r'"(CP_[A-Z]+)"', (ROOT / "custody/checkpoint.py").read_text()))
    table = SECTION.split("| code |")[1].split("\n\n")[0]
    documented = {word for line in table.splitlines() for word in words(line.split("|")[1])}
    assert documented == used - ELSEWHERE - {"TS_MISSING"}


def test_the_further_checks_have_their_numbers() -> None:
    more = {f"{n} {name}" for n, name in EXPORT_CHECKS.items() if n not in CHECKS}
    assert more == {"13 package", "14 export"}
    assert all(f"| {each} |" in SECTION for each in more)


def test_every_file_and_field_is_documented(plain: HandedOver) -> None:
    for path in plain.bag.rglob("*"):
        if path.is_file():
            assert layout.is_known(path.relative_to(plain.bag).as_posix())
    assert set(REASONS) <= words(SECTION)
    assert {*layout.TAG_FILES, layout.SCOPES, layout.MISSING, layout.CONTENTS, layout.CHECKPOINT} <= words(SECTION)
    assert set(EXPORT["properties"]) - {"schema", "nonce"} <= words(SECTION)
