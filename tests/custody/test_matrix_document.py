"""docs/tampering.md lists every row of the matrix once, with tests that are there and codes that they expect."""

import re
from pathlib import Path

from tests.custody import test_matrix_bytes, test_matrix_signed, test_matrix_time

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "tampering.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in DOCUMENT.splitlines() if re.match(r"\| \d", line)]
TESTS = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")


def test_every_row_is_there_once_and_in_order() -> None:
    numbers = [int(number) for row in ROWS for number in row[0].split(", ")]
    assert numbers == list(range(1, 71))


def test_every_test_that_it_names_is_there() -> None:
    for row in ROWS:
        named = TESTS.findall(row[4])
        assert named or "yet" in row[4], row[0]
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (row[0], name)


def test_every_row_that_is_tested_is_named() -> None:
    listed = {(int(row[0].split(", ")[0]), name) for row in ROWS for _, name in TESTS.findall(row[4])}
    for module in (test_matrix_bytes, test_matrix_signed, test_matrix_time):
        for each in module.row.rows:
            assert (each.number, each.name) in listed


def test_at_least_55_of_70_are_covered() -> None:
    assert sum(bool(TESTS.findall(row[4])) for row in ROWS) >= 55
