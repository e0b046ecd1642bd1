"""Pages that were cut, torn and emptied: what is still there is read, nothing is made up, nothing fails."""

import html
import json
import random
import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.reading import Reading
from crawlers.markup import squeeze
from tests.crawlers.platforms import (
    test_facebook,
    test_instagram,
    test_threads,
    test_tiktok,
    test_x,
    test_youtube,
)
from tests.crawlers.platforms.reading import reading_of

MODULES = (test_facebook, test_instagram, test_threads, test_tiktok, test_x, test_youtube)
PAGES = {
    f"{module.__name__.rpartition('_')[2]} {name}": page for module in MODULES for name, page in module.PAGES.items()
}
EXAMPLES = 5
"""Of each page and each way: all pages together make hundreds."""
IDS = ("post_id", "handle", "account_id", "channel_id", "media_id", "published")


@cache
def whole(name: str) -> Reading:
    return reading_of(PAGES[name])


def failed(reading: Reading) -> bool:
    return any(each.startswith(("reading stopped early", "whether it is a wall")) for each in reading.notes)


def made_up(name: str, reading: Reading) -> dict[str, object]:
    """Values of the mangled page that are neither the whole page's, nor the beginning of it, nor anywhere on it.

    A name may have run into what stood behind it, where the tags between the two are gone.
    """
    full, words = whole(name).fields, squeeze(re.sub(r"<[^>]*>", "", html.unescape(PAGES[name])))
    author = str(reading.fields.get("author", ""))
    joined = {} if squeeze(author) in words or author in PAGES[name] else {"author": author}
    return joined | {
        field: value
        for field in IDS
        if (value := reading.fields.get(field)) is not None
        and not str(full.get(field, "")).startswith(str(value))
        and str(value) not in PAGES[name]
    }


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_as_it_is(name: str) -> None:
    assert whole(name).fields
    assert not failed(whole(name))


@pytest.mark.parametrize("name", sorted(PAGES))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(share=st.floats(0, 1))
def test_a_page_that_was_cut_off(name: str, share: float) -> None:
    text = PAGES[name][: int(len(PAGES[name]) * share)]

    found = reading_of(text)

    assert not failed(found)
    assert not made_up(name, found)


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if page.startswith("<")))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), kept=st.floats(0.2, 1))
def test_a_page_that_lost_tags(name: str, seed: int, kept: float) -> None:
    chance = random.Random(seed)
    text = re.sub(r"<[^>]*>", lambda match: match[0] if chance.random() < kept else "", PAGES[name])

    found = reading_of(text)

    assert not failed(found)
    assert not made_up(name, found)


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if page.startswith("{")))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_an_answer_whose_values_are_of_other_types(name: str, seed: int) -> None:
    chance = random.Random(seed)
    other: tuple[object, ...] = (None, 0, -1.5, "", [], {}, True, [None], "x" * 40, {"a": {"b": []}})

    def torn(value: object) -> object:
        if chance.random() < 0.12:
            return chance.choice(other)
        if isinstance(value, dict):
            return {key: torn(each) for key, each in value.items()}
        return [torn(each) for each in value] if isinstance(value, list) else value

    answer = torn(json.loads(PAGES[name]))

    assert not failed(reading_of(json.dumps(answer)))
