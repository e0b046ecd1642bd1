"""Reviews that name a term: the passage, rating and day; the writer as a pseudonym, and no other review at all."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.reading import Reading, Seen
from crawlers.bounded import Bounded
from crawlers.registry import read
from crawlers.reviews import Named
from crawlers.saved import Saved
from crawlers.stars import stars_in

KEY = b"k" * 32
NAMED = Named(terms=("Cartier",), key=KEY)
ASIN = "B0COUNTER1"


def amazon(*cards: str) -> str:
    return (
        f"<!doctype html><meta charset=utf-8><link rel=canonical href=https://www.amazon.de/dp/{ASIN}>"
        f"<span id=productTitle>Armband</span><input id=ASIN value={ASIN}>{''.join(cards)}"
    )


def card(text: str, *, name: str = "Erika Muster", account: str = "amzn1.account.AB", stars: str = "1,0 von 5") -> str:
    return f"""<div data-hook=review><a class=a-profile href="/gp/profile/{account}/ref=x?ie=UTF8">
<span class=a-profile-name>{name}</span></a><a data-hook=review-title><i data-hook=review-star-rating>
<span class=a-icon-alt>{stars} Sternen</span></i><span>Naja</span></a>
<span data-hook=review-date>Rezension aus Deutschland vom 2. August 2021</span>
<span data-hook=review-body>{text}</span></div>"""


def reading(text: str, named: Named | None = NAMED, url: str | None = None) -> Reading:
    return read(Saved.of(text.encode(), url=url), named)


def kept(found: Reading) -> Any:
    return found.fields.get("reviews", ())


def reviews(text: str, named: Named = NAMED) -> Any:
    return reading(text, named).fields.get("reviews")


def test_a_review_that_names_a_term_is_kept_with_its_rating_and_day() -> None:
    (found,) = reviews(
        amazon(card("Sieht aus wie C4rtier, ist aber keins."), card("Schön.", account="amzn1.account.C"))
    )
    assert found["text"] == "Naja\nSieht aus wie C4rtier, ist aber keins."
    assert found["named"] == [{"term": "Cartier", "as": "C4rtier", "tricks": ["digit"], "strength": "disguised"}]
    assert (found["rating"], found["date"]) == ("1.0", "2021-08-02")
    assert found["date_shown"] == "Rezension aus Deutschland vom 2. August 2021"
    assert found["where"] == "css [data-hook=review]"


def test_nobody_is_named_and_the_same_writer_is_the_same_under_one_key() -> None:
    page = amazon(
        card("Cartier? Gruss, Erika Muster"),
        card("Wie Cartier."),
        card("Cartier!", name="Wer", account="amzn1.account.Z"),
    )
    one, other, third = reviews(page)
    assert one["reviewer"] == other["reviewer"] != third["reviewer"]
    assert one["text"].endswith(f"Gruss, {one['reviewer']}")
    said = json.dumps(reading(page).to_json())
    assert "Muster" not in said
    assert "amzn1.account" not in said
    (again, *_) = reviews(page, Named(terms=("Cartier",), key=b"x" * 32))
    assert again["reviewer"] != one["reviewer"]


def test_without_terms_no_review_is_kept() -> None:
    assert "reviews" not in reading(amazon(card("Cartier")), None).fields
    assert reviews(amazon(card("Cartier")), Named(terms=(), key=KEY)) is None


def test_that_none_names_a_term_is_a_value_and_that_there_are_none_is_not() -> None:
    found = reading(amazon(card("Schön.")))
    assert found.fields["reviews"] == []
    assert "of 1 reviews 0 name a term" in found.notes
    assert reviews(amazon()) is None


def test_of_a_long_review_the_passage_is_kept() -> None:
    (found,) = reviews(amazon(card(f"{'vorher ' * 200}Cartier {'nachher ' * 200}")))
    assert found["text"].startswith("…vorher")
    assert found["text"].endswith("nachher…")
    assert len(found["text"]) < 450


def test_declared_reviews_are_read_and_those_that_are_shown_too_come_once() -> None:
    product = {
        "@context": "https://schema.org", "@type": "Product", "name": "Ring", "url": "https://shop.example/ring",
        "offers": {"price": "5", "priceCurrency": "EUR"},
        "review": [
            {"@type": "Review", "author": {"name": "A. Person"}, "reviewBody": "Not a Cartier", "datePublished":
             "2024-05-06", "reviewRating": {"ratingValue": 2}},
            {"@type": "Review", "author": "B", "reviewBody": "Nice"},
        ],
    }  # fmt: skip
    head = "<link rel=canonical href=https://shop.example/ring>"
    text = f'{head}<script type="application/ld+json">{json.dumps(product)}</script><h1>Ring</h1>'
    found = reading(text)
    only: Any
    (only,) = kept(found)
    assert (only["rating"], only["date"], only["text"]) == ("2", "2024-05-06", "Not a Cartier")
    assert found.sources["reviews"].seen is Seen.EMBEDDED
    assert "A. Person" not in json.dumps(found.to_json())


def test_reviews_in_microdata_are_read() -> None:
    text = """<link rel=canonical href=https://shop.example/ring><div itemscope itemtype="https://schema.org/Product">
<h1 itemprop=name>Ring</h1><span itemprop=offers itemscope itemtype="https://schema.org/Offer"><b itemprop=price
content=5>5</b></span><div itemprop=review itemscope itemtype="https://schema.org/Review"><span itemprop=author>Somebody
</span><p itemprop=reviewBody>As good as Cartier</p></div></div>"""
    (found,) = reviews(text)
    assert found["text"] == "As good as Cartier"
    assert "Somebody" not in json.dumps(found)


def test_a_post_has_no_reviews() -> None:
    assert "reviews" not in reading(f"<h1>Hi</h1>{card('Cartier')}").fields


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_review_says_it_is_read_and_its_writer_is_not_told(text: str, name: str, account: str) -> None:
    safe = [
        "".join(each for each in part if each.isprintable() and each not in "<>&\"'/?")
        for part in (text, name, account)
    ]
    found = reading(amazon(card(f"Cartier {safe[0]}", name=safe[1], account=safe[2])))
    assert "reviews could not be read" not in " ".join(found.notes)
    if len(safe[1].split()) == 1 and len(safe[1]) > 12 and safe[1] not in safe[0]:
        assert safe[1] not in json.dumps(found.fields["reviews"], ensure_ascii=False)


def test_it_goes_through_the_process_that_reads() -> None:
    with Bounded() as reader:
        assert len(kept(reader.read(amazon(card("Cartier")).encode(), named=NAMED))) == 1


@pytest.mark.parametrize(
    ("said", "stars"),
    [("4.6 out of 5 stars", "4.6"), ("5つ星のうち4.6", "4.6"), ("4,0 von 5 Sternen", "4.0"), ("5.0 out of 5", "5.0"),
     ("5", None)],
)  # fmt: skip
def test_stars_are_told_from_their_scale(said: str, stars: str | None) -> None:
    assert stars_in(said) == stars


@pytest.mark.skipif("COUNTERPROOF_PAGES" not in os.environ, reason="no saved pages: COUNTERPROOF_PAGES")
def test_reviews_of_saved_pages_are_found_with_rating_and_day() -> None:
    looked_at = 0
    for path in sorted((Path(os.environ["COUNTERPROOF_PAGES"]) / "amazon").glob("*.html.gz")):
        found = read(Saved.of(gzip.decompress(path.read_bytes())), Named(terms=("the", "und", "una", "est"), key=KEY))
        for each in kept(found):
            looked_at += 1
            assert each["rating"], path.name
            assert each["date_shown"], path.name
            assert len(each["reviewer"]) == 16, path.name
    assert looked_at > 30
