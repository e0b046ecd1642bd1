"""Words of disclosure, by language: those that say it, and those that only look like it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawlers.disclosures import disclosures_in

LABELLED: dict[str, Any] = tomllib.loads(Path(__file__).with_name("disclosures.toml").read_text(encoding="utf-8"))
SAYS = [(language, text) for language, kinds in LABELLED.items() for text in kinds["says"]]
NOT = [(language, text) for language, kinds in LABELLED.items() for text in kinds["not"]]


@pytest.mark.parametrize(("language", "text"), SAYS)
def test_what_says_it_is_kept_as_it_stands(language: str, text: str) -> None:
    found = disclosures_in(text)
    assert found, language
    assert all(each in " ".join(text.split()) for each in found)


@pytest.mark.parametrize(("language", "text"), NOT)
def test_what_only_looks_like_it_is_none(language: str, text: str) -> None:
    assert not disclosures_in(text), language


def test_each_language_of_the_wording_has_both() -> None:
    from findings.wording import LANGUAGES

    assert set(LABELLED) == set(LANGUAGES)
