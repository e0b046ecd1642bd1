"""A secret is in nothing that was blotted, however an answer spelt it."""

import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.blotting import Blotter

SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)
SECRET = "id|se+cr/et=&<token>"


@given(SECRETS, st.binary(max_size=50), st.binary(max_size=50))
def test_it_is_gone_and_the_rest_is_as_it_was(secret: str, before: bytes, after: bytes) -> None:
    data = before + secret.encode() + after
    blotted = Blotter(secret).blot(data)
    assert secret.encode() not in blotted
    assert len(blotted) == len(data)


@pytest.mark.parametrize(
    "spelt",
    [
        SECRET, quote(SECRET, safe=""), quote(SECRET, safe="").lower().replace("id%7cse", "id%7cse"), quote(SECRET),
        quote_plus(SECRET), json.dumps(SECRET)[1:-1], SECRET.replace("/", "\\/"), html.escape(SECRET),
    ],
)  # fmt: skip
def test_each_spelling_is_blotted(spelt: str) -> None:
    blotter = Blotter(SECRET)
    assert blotter.blot_text(f'{{"message": "Malformed token {spelt}."}}') == (
        f'{{"message": "Malformed token {"*" * len(spelt)}."}}'
    )
    assert blotter.times == 1


def test_without_a_secret_nothing_changes() -> None:
    blotter = Blotter(None)
    assert blotter.blot(b"a key of nobody") == b"a key of nobody"
    assert blotter.times == 0


@given(SECRETS)
def test_what_does_not_hold_it_is_left_alone(secret: str) -> None:
    data = "ключ и замок\n\0".encode()
    blotter = Blotter(secret)
    assert blotter.blot(data) == data
    assert blotter.times == 0
