"""What texts say of copies, hidden links and swapped listings, in each language claimed; and what they do not."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.wording import LANGUAGES, Subject, said_in

LABELLED: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8")
)
CASES = [(language, each) for language, some in LABELLED.items() for each in some]


@pytest.mark.parametrize(("language", "labelled"), CASES, ids=[f"{code}-{n}" for n, (code, _) in enumerate(CASES)])
def test_a_labelled_sentence_is_read_right(language: str, labelled: dict[str, Any]) -> None:
    found = said_in(labelled["text"])
    assert {each.subject.value for each in found} == {*labelled["says"]}, found
    assert all(labelled["text"][each.start : each.end] == each.raw for each in found)
    assert {each.subject.value for each in said_in(labelled["text"], [language])} == {*labelled["says"]}


def test_each_language_claimed_has_true_sentences_and_look_alikes() -> None:
    assert sorted(LABELLED) == list(LANGUAGES)
    for some in LABELLED.values():
        assert sum(bool(each["says"]) for each in some) >= 3
        assert sum(not each["says"] for each in some) >= 3


def test_an_everyday_word_is_weak() -> None:
    (dupe,) = said_in("what a dupe")
    assert dupe.is_weak
    (better,) = said_in("what a designer dupe")
    assert (better.phrase, better.is_weak) == ("designer dupe", False)


def test_another_sense_counts_in_its_sentence_alone() -> None:
    found = said_in("How to spot a fake. Mirror quality here.")
    assert [(each.subject, each.raw) for each in found] == [(Subject.COPY, "Mirror quality")]


def test_case_accents_and_types_make_no_difference() -> None:
    for text in ("MIRROR QUALITY", "mírror qualíty", "𝗺𝗶𝗿𝗿𝗼𝗿 𝗾𝘂𝗮𝗹𝗶𝘁𝘆"):
        (found,) = said_in(text)
        assert found.raw == text


def test_a_phrase_is_no_part_of_a_word() -> None:
    assert said_in("replicate it, replicants, superfakery, 11:15 or 21:10") == ()


@given(st.text(max_size=300))
def test_whatever_a_text_is_the_passages_are_of_it(text: str) -> None:
    found = said_in(text)
    assert all(text[each.start : each.end] == each.raw and each.raw for each in found)
    assert list(found) == sorted(found, key=lambda each: each.start)
