"""Which terms labelled sentences name, in each language that the wording has."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from findings.spelling import Strength, find
from findings.wording import LANGUAGES

TERMS = ("Gucci", "Dior", "Cartier", "Chanel", "Hermès", "Louis Vuitton", "Prada")
LABELLED: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("spellings.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("language", "each"), [(name, one) for name, some in LABELLED.items() for one in some])
def test_the_terms_that_a_sentence_names(language: str, each: dict[str, Any]) -> None:
    found = find(each["text"], TERMS)
    assert {one.term for one in found if one.strength is not Strength.WEAK} == {*each["names"]}, language
    assert {one.term for one in found if one.strength is Strength.WEAK} >= {*each.get("weak", ())}, language


def test_each_language_has_both() -> None:
    assert set(LABELLED) == set(LANGUAGES)
    for some in LABELLED.values():
        assert any(each["names"] for each in some)
        assert any(not each["names"] for each in some)
