"""Terms and their disguises: what is found, how it differs, and what is left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.letters import Trick
from findings.spelling import Passage, Strength, find

BRANDS = (
    "Gucci", "Dior", "Cartier", "Chanel", "Hermès", "Louis Vuitton", "Rolex", "Prada", "Balenciaga", "LV",
    "Van Cleef & Arpels", "古驰", "غوتشي", "グッチ",
)  # fmt: skip


def one(text: str) -> Passage:
    (found,) = find(text, BRANDS)
    assert text[found.start : found.end] == found.raw
    return found


@pytest.mark.parametrize(
    ("text", "term", "raw"),
    [
        ("My gucci belt", "Gucci", "gucci"),
        ("GUCCI's newest", "Gucci", "GUCCI"),
        ("@gucci", "Gucci", "gucci"),
        ("*Gucci* or not", "Gucci", "Gucci"),
        ("Hermes scarf", "Hermès", "Hermes"),
        ("a louis-vuitton bag", "Louis Vuitton", "louis-vuitton"),
        ("louisvuitton", "Louis Vuitton", "louisvuitton"),
        ("van cleef and arpels ring", "Van Cleef & Arpels", "van cleef and arpels"),
        ("Van Cleef+Arpels", "Van Cleef & Arpels", "Van Cleef+Arpels"),
        ("LV bag", "LV", "LV"),
        ("新款古驰包", "古驰", "古驰"),
        ("حقيبة غوتشي جديدة", "غوتشي", "غوتشي"),
        ("新作グッチのバッグ", "グッチ", "グッチ"),
        ("ＧＵＣＣＩ", "Gucci", "ＧＵＣＣＩ"),
        ("𝗚𝘂𝗰𝗰𝗶 love", "Gucci", "𝗚𝘂𝗰𝗰𝗶"),
    ],
)
def test_a_term_is_found_as_people_write_it(text: str, term: str, raw: str) -> None:
    found = one(text)
    assert (found.term, found.raw, found.strength) == (term, raw, Strength.PLAIN)


@pytest.mark.parametrize(
    ("text", "term", "tricks"),
    [
        ("G*cci", "Gucci", {Trick.WILDCARD}),
        ("GUCC1", "Gucci", {Trick.DIGIT}),
        ("G.u.c.c.i", "Gucci", {Trick.SEPARATED}),
        ("a g u c c i bag", "Gucci", {Trick.SEPARATED}),
        ("D1or", "Dior", {Trick.DIGIT}),
        ("Di0r", "Dior", {Trick.DIGIT}),
        ("D i o r", "Dior", {Trick.SEPARATED}),
        ("C@rtier", "Cartier", {Trick.DIGIT}),
        ("C4rti3r", "Cartier", {Trick.DIGIT}),
        ("Ch4nel", "Chanel", {Trick.DIGIT}),
        ("H3rm3s", "Hermès", {Trick.DIGIT}),
        ("R0l€x", "Rolex", {Trick.DIGIT}),
        ("Pr@d@", "Prada", {Trick.DIGIT}),
        ("b@l3nciaga", "Balenciaga", {Trick.DIGIT}),
        ("Ch*n*l", "Chanel", {Trick.WILDCARD}),
        ("L0u1s Vu1tt0n", "Louis Vuitton", {Trick.DIGIT}),
        ("С\u0068\u0430nel", "Chanel", {Trick.CONFUSABLE}),
        ("Her\u200bmès", "Hermès", {Trick.HIDDEN}),
        ("古.驰", "古驰", {Trick.SEPARATED}),
        ("غـوتشي", "غوتشي", {Trick.HIDDEN}),
    ],
)
def test_a_disguise_is_found_and_named(text: str, term: str, tricks: set[Trick]) -> None:
    found = one(text)
    assert (found.term, found.strength) == (term, Strength.DISGUISED)
    assert {*found.tricks} - {Trick.ACCENT} == tricks


@pytest.mark.parametrize(
    ("text", "term"), [("D*or", "Dior"), ("Guci", "Gucci"), ("guccci", "Gucci"), ("Channel", "Chanel")]
)
def test_what_may_be_another_word_is_weak(text: str, term: str) -> None:
    found = one(text)
    assert (found.term, found.strength) == (term, Strength.WEAK)


@pytest.mark.parametrize(
    "text",
    [
        "D**r", "****", "door", "Prado", "diorama", "the cartierville line", "1v", "l v", "lvl 5", "G**** b*g",
        "сор и мусор", "guccione", "a rolexo", "hermeneutics", "5$ off, 100% 1st", "古 老 驰 名", "c h a n g e l",
        "di Oriente",
        "van cleef", "prada1n", "it is 4 u", "",
    ],
)  # fmt: skip
def test_other_words_are_left_alone(text: str) -> None:
    assert find(text, BRANDS) == ()


def test_a_part_of_a_hashtag_counts_and_says_so() -> None:
    found = find("#fakegucci #guccidupe #gucci", BRANDS)
    assert [(each.raw, each.in_hashtag) for each in found] == [("gucci", True), ("gucci", True), ("gucci", False)]


def test_passages_come_in_the_order_of_the_text_and_do_not_overlap() -> None:
    text = "Chanel, G*cci, gucci and D1or"
    found = find(text, BRANDS)
    assert [each.raw for each in found] == ["Chanel", "G*cci", "gucci", "D1or"]
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_accents_alone_are_no_disguise() -> None:
    assert one("Hermes").tricks == (Trick.ACCENT,)
    assert one("Hermès").tricks == ()


def test_a_long_text_of_signs_is_read_in_no_time() -> None:
    assert find("*" * 20_000 + "1" * 20_000 + "g u c c " * 2_000, BRANDS) == ()


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_whatever_text_and_terms_are_the_passages_are_of_the_text(text: str, terms: list[str]) -> None:
    for each in find(text, terms):
        assert text[each.start : each.end] == each.raw
        assert each.raw
        assert each.term in {term.strip() for term in terms}


@given(st.sampled_from(BRANDS), st.text(alphabet=" .,!?\n", min_size=1, max_size=20))
def test_a_term_between_other_characters_is_found(term: str, around: str) -> None:
    assert [each.raw for each in find(f"{around}{term}{around}", [term])] == [term]


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("GUCCl belt", "disguised"),
        ("a GUCCI belt", "plain"),
        ("C🍎rtier ring", "disguised"),
        ("D🅸🅾R bag", "plain"),
        ("Cartler & Sons", "weak"),
    ],
)
def test_small_l_emoji_and_white_letters(text: str, strength: str) -> None:
    (found,) = find(text, ("Gucci", "Cartier", "Dior"))
    assert found.strength.value == strength
    assert text[found.start : found.end] == found.raw


@pytest.mark.parametrize("text", ["illegal", "🎉🎉🎉 party", "Guccione", "cart ier", "global"])
def test_what_only_has_such_letters_is_none(text: str) -> None:
    assert not find(text, ("Gucci", "Cartier", "Dior"))
