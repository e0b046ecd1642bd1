import re
import time
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.outcome import PageFacts, judge
from crawlers.wording import fold, languages, pattern, sentences
from custody.model import Outcome
from tests.crawlers.rendering import NO_PAGES, Saved, document, facts, paragraphs, saved_pages, spans

WALLS = Path(__file__).parent / "walls"
PAGES = sorted(WALLS.glob("*/*.html"))
SAID: dict[str, list[str]] = tomllib.loads((WALLS / "said.toml").read_text(encoding="utf-8"))
SAVED = list(saved_pages())
OF_GATE = {
    None: Outcome.OK,
    "captcha": Outcome.CAPTCHA,
    "robot-check": Outcome.CAPTCHA,
    "consent": Outcome.CONSENT,
    "rate-limit": Outcome.RATE_LIMITED,
    "error-page": Outcome.HTTP_ERROR,
}
URL = "https://social.example/p/1"


def authored(path: Path) -> PageFacts:
    """A page of ours: its first line says status and address."""
    head, _, markup = path.read_text(encoding="utf-8").partition("\n")
    found = re.fullmatch(r"<!-- (\d+) (\S+) -->", head)
    assert found is not None
    return facts(markup, url=found[2], requested_url=URL, status=int(found[1]))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_judges_a_page_by_what_a_reader_sees(path: Path) -> None:
    judged = judge(authored(path))
    assert judged.outcome == path.parent.name, judged


@pytest.mark.parametrize("markup", [paragraphs, spans])
@pytest.mark.parametrize(("outcome", "text"), [(outcome, text) for outcome, texts in SAID.items() for text in texts])
def test_knows_a_statement_in_many_languages(outcome: str, text: str, markup: object) -> None:
    assert callable(markup)
    judged = judge(facts(document(markup(text)), url=URL))
    assert judged.outcome == outcome, judged
    assert judged.passage is not None
    assert judged.passage in text


def test_has_statements_of_every_wall_and_language() -> None:
    assert set(languages()) == {"en", "de", "fr", "it", "es", "pt", "nl", "zh", "ja", "ko", "ar", "ru", "tr"}
    worded = {"private", "removed", "unavailable", "login_wall", "age_gate", "geo_block", "captcha", "rate_limited"}
    worded |= {"app_only", "consent", "not_found", "login_words", "accept_words", "leaving", "waiting", "go_words"}
    for language in languages():
        for key in worded:
            assert pattern(language, key).search("") is None, f"{language}.{key} would match a page that says nothing"


def test_a_statement_in_a_long_page_is_not_a_wall() -> None:
    story = "<p>We walked along the river until the light went, and nobody said much about rings or bracelets.</p>"
    for texts in SAID.values():
        for text in texts:
            first = text.split("\n", maxsplit=1)[0]
            wall = facts(document(spans(first)), url=URL)
            page = facts(document(f"<h1>A walk</h1>{story * 30}<p>He said: {first}</p>{story * 5}"), url=URL)
            assert judge(page).outcome is Outcome.OK, f"{first!r} alone gives {judge(wall).outcome}"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.HTTP_ERROR), (402, Outcome.HTTP_ERROR), (404, Outcome.HTTP_ERROR), (410, Outcome.HTTP_ERROR),
        (429, Outcome.RATE_LIMITED), (451, Outcome.GEO_BLOCK), (500, Outcome.HTTP_ERROR), (502, Outcome.HTTP_ERROR),
        (200, Outcome.OK), (None, Outcome.OK),
    ],
)  # fmt: skip
def test_a_page_without_text_is_judged_by_its_status(status: int | None, outcome: Outcome) -> None:
    judged = judge(facts("<html><body></body></html>", url=URL, status=status))
    assert judged.outcome is outcome
    assert judged.passage is None


def test_a_removal_that_is_only_possible_is_not_called_one() -> None:
    plain = judge(facts(document(paragraphs("This post has been removed.")), url=URL))
    hedged = judge(facts(document(paragraphs("The link is broken, or this post may have been removed.")), url=URL))
    assert (plain.outcome, hedged.outcome) == (Outcome.REMOVED, Outcome.UNAVAILABLE)


def test_markup_that_nobody_sees_decides_nothing() -> None:
    hidden = "<script>var t='This account is private'</script><div hidden>This account is private</div>"
    hidden += "<template><p>You must log in to continue.</p></template><!-- Too many requests -->"
    markup = document(f"{hidden}<h1>mirabelle</h1><p>new ring, link in bio</p>")
    assert "This account is private" in markup
    assert judge(facts(markup, url=URL)).outcome is Outcome.OK


def test_an_answer_for_programs_speaks_through_its_messages_only() -> None:
    def answer(text: str, status: int = 200) -> Outcome:
        page = PageFacts(
            url=URL,
            requested_url=URL,
            http_status=status,
            title="",
            visible_text=text,
            dom_html="",
            media_type="application/json",
        )
        return judge(page).outcome

    assert answer('{"playability": {"reason": "Sign in to confirm you’re not a bot"}}') is Outcome.CAPTCHA
    assert answer('{"caption": "Sign in to confirm you’re not a bot"}') is Outcome.OK
    assert answer('{"message": "Too many requests"}', 429) is Outcome.RATE_LIMITED
    assert answer('{"message": "nope"}', 404) is Outcome.HTTP_ERROR
    assert answer("[" * 100_000) is Outcome.OK


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("x", "<div>" * 100_000 + "x"),
        ("x", "<b>x" * 300_000),
        ("x", "<article><time>1</time>" * 20_000),
        ("\ud800x", "<html><body>\ud800\x00<p>x"),
        ("x", "<!doctype><<<>>><script>"),
        ("account profile post " * 2_000, "<p>" + "account profile post " * 2_000),
        ("\n".join(f"this page is not not not the page {n}" for n in range(3_000)), "<p>x"),
        ("x", '<iframe src="https://[bad"></iframe>x'),
    ],
)
def test_a_hostile_page_neither_stops_nor_breaks_the_judge(text: str, markup: str) -> None:
    page = PageFacts(
        url=URL,
        requested_url=URL,
        http_status=404,
        title=text[:50_000],
        visible_text=text,
        dom_html=markup,
        media_type="text/html",
    )
    began = time.monotonic()
    assert judge(page).outcome in Outcome
    assert time.monotonic() - began < 20


WORDS = st.sampled_from(sorted({word for texts in SAID.values() for text in texts for word in text.split()}))


@given(lines=st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=8), status=st.sampled_from([200, 403, 404]))
def test_the_passage_is_always_in_the_text(lines: list[str], status: int) -> None:
    judged = judge(facts(document(spans("\n".join(lines))), url=URL, status=status))
    if judged.passage is not None:
        assert judged.passage.removesuffix("…") in " ".join(" ".join(lines).split())


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_sentences_are_of_the_text(text: str) -> None:
    flat = " ".join(text.split())
    for sentence in sentences(text):
        assert sentence.text in flat


@pytest.mark.skipif(not SAVED, reason=NO_PAGES)
@pytest.mark.parametrize(
    "saved",
    [pytest.param(each, marks=pytest.mark.slow if each.path.stat().st_size > 40_000 else ()) for each in SAVED],
    ids=lambda saved: saved.name,
)
def test_judges_a_real_page_as_a_careful_reader_does(saved: Saved) -> None:
    judged = judge(saved.facts())
    assert judged.outcome is OF_GATE[saved.gate], judged


@pytest.mark.slow
@pytest.mark.skipif(not SAVED, reason=NO_PAGES)
def test_the_confusion_table_of_the_real_pages_has_no_entry_off_its_diagonal() -> None:
    table = Counter((saved.gate or "content", judge(saved.facts()).outcome.value) for saved in SAVED)
    print("\n".join(f"{gate:12} {outcome:14} {count}" for (gate, outcome), count in sorted(table.items())))
    gates = {gate for gate, _ in table}
    assert gates >= {"content", "captcha", "robot-check", "consent", "rate-limit", "error-page"}
    wrong = {key: count for key, count in table.items() if OF_GATE[None if key[0] == "content" else key[0]] != key[1]}
    assert not wrong


def test_what_is_said_in_shadow_roots_counts_as_said() -> None:
    """A page made of components that mentions a wall is no wall: what it says besides stands in its shadow roots."""
    story = "We walked along the river until the light went, and nobody said much about rings or bracelets."
    mention = "This video is unavailable."
    parts = "".join(f"<p>{story} {n}</p>" for n in range(40))
    page = PageFacts(
        url=URL,
        requested_url=URL,
        http_status=200,
        title="A walk",
        visible_text="\n".join([mention, *(f"{story} {n}" for n in range(40))]),
        dom_html=f"<body><p>{mention}</p><a-post><template shadowrootmode='open'>{parts}</template></a-post></body>",
        media_type="text/html",
    )
    assert judge(page).outcome is Outcome.OK


@pytest.mark.parametrize(
    "text",
    [
        "Dora\nMy last post was removed by mistake, so here it is again: the bangle and the tiny screwdriver.",
        "Dora\nMy old account was deleted, so find me here from now on.",
    ],
)
def test_what_an_author_says_of_another_post_is_not_said_of_this_one(text: str) -> None:
    heading, said = text.split("\n")
    assert judge(facts(document(f"<h1>{heading}</h1><p>{said}</p>"), url=URL)).outcome is Outcome.OK


def test_a_page_that_may_have_been_removed_is_not_said_to_be() -> None:
    text = "죄송합니다. 페이지를 사용할 수 없습니다.\n클릭한 링크가 잘못되었거나 페이지가 삭제되었습니다."
    assert judge(facts(document(paragraphs(text)), url=URL)).outcome is Outcome.UNAVAILABLE
