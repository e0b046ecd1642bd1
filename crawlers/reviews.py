"""Reviews on a listing's page that name a term of the case: the passage, its rating and day, and never who wrote it.

A reviewer is somebody else's customer: of her there is a pseudonym, the same one for the same reviewer under one key,
and nothing that leads from it to a name without that key. Reviews that name no term are passed over.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from archive.reading import Kind, Reading, Seen, Source
from crawlers.dates import day_in, instant
from crawlers.platform import tidy
from crawlers.products import all_declared, text_in
from crawlers.saved import Node, Saved, dig, having, line_of, search
from crawlers.stars import stars_in
from custody.model import Json
from findings.spelling import Passage, find

FIELD = "reviews"
MAX_REVIEWS = 500
"""Of one page."""
MAX_TEXT = 20_000
"""Characters of one review that are looked through."""
AROUND = 200
"""Characters on either side of a term that belong to its passage."""
_AMAZON = "//*[@data-hook='review']"
_AMAZON_BEFORE = "//*[starts-with(@id,'rev-dpReviews')]"
_ALIEXPRESS = "//*[contains(concat(' ',@class,' '),' feedback-item ')]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What a review has to name, and with what its writer is made a pseudonym."""

    terms: tuple[str, ...]
    key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """As the page has it; it does not leave this module."""

    text: str = field(repr=False)
    reviewer: str = field(repr=False)
    """A name, for want of anything surer the only thing that tells one reviewer from another."""
    account: str = field(repr=False)
    """The platform's own id of her, where there is one."""
    rating: str | None
    date_shown: str
    where: str
    seen: Seen


def with_reviews(reading: Reading, page: Saved, named: Named) -> Reading:
    """The same with the field ``reviews``; empty where reviews are there and none names a term. Of listings alone."""
    if reading.kind is not Kind.LISTING or not named.terms:
        return reading
    try:
        there = list(islice(_reviews(page), MAX_REVIEWS))
    except Exception as error:  # noqa: BLE001  # a stranger's page costs its reviews, and nothing else that was read
        return replace(reading, notes=(*reading.notes, f"reviews could not be read: {type(error).__name__}"))
    if not there:
        return reading
    kept = [told for each in there if (told := _told(each, reading.platform, named)) is not None]
    source = Source(where=there[0].where, seen=there[0].seen)
    return replace(
        reading,
        fields={**reading.fields, FIELD: kept},
        sources={**reading.sources, FIELD: source},
        notes=(*reading.notes, f"of {len(there)} reviews {len(kept)} name a term"),
    )


def _told(review: Review, platform: str, named: Named) -> dict[str, Json] | None:
    text = review.text[:MAX_TEXT]
    found = find(text, named.terms)
    if not found:
        return None
    pseudonym = _pseudonym(review, platform, named.key)
    told: dict[str, Json] = {
        "text": _without(review.reviewer, _around(text, found), pseudonym),
        "named": [
            {"term": each.term, "as": each.raw, "tricks": [*each.tricks], "strength": each.strength} for each in found
        ],
        "rating": review.rating,
        "date_shown": review.date_shown,
        "date": instant(review.date_shown) or day_in(review.date_shown),
        "reviewer": pseudonym,
        "where": review.where,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def _pseudonym(review: Review, platform: str, key: bytes) -> str:
    """Empty where the page names nobody."""
    who = review.account or review.reviewer
    if not who:
        return ""
    return hmac.new(key, f"{platform}\n{who}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]


def _around(text: str, found: tuple[Passage, ...]) -> str:
    """From a little before the first term to a little behind the last, whole words, the rest as an ellipsis."""
    start, end = max(0, found[0].start - AROUND), min(len(text), max(each.end for each in found) + AROUND)
    while start > 0 and not text[start - 1].isspace() and start < found[0].start:
        start += 1
    while end < len(text) and not text[end].isspace() and end > found[-1].end:
        end -= 1
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _without(name: str, passage: str, pseudonym: str) -> str:
    """Some sign what they write."""
    return passage.replace(name, pseudonym) if len(name) > 2 else passage


# --- where they are ---------------------------------------------------------------------------------------------------


def _reviews(page: Saved) -> Iterator[Review]:
    """Each text once: pages show reviews and declare the same ones to machines."""
    told: set[str] = set()
    for each in _anywhere(page):
        if each.text and each.text not in told:
            told.add(each.text)
            yield each


def _anywhere(page: Saved) -> Iterator[Review]:
    if page.json is not None:
        yield from (_answered(path, each) for path, each in search(page.json, having("buyerFeedback")))
        return
    yield from map(_of_amazon, page.all(_AMAZON))
    yield from map(_of_amazon_before, page.all(_AMAZON_BEFORE))
    yield from map(_of_aliexpress, page.all(_ALIEXPRESS))
    for product in all_declared(page):
        declared = product.data.get("review")
        for n, each in enumerate(declared if isinstance(declared, list) else [declared]):
            inner = dig(each, "properties") or each
            if isinstance(inner, Mapping):
                yield _declared(f"{product.where} .review.{n}", inner)


def _of_amazon(card: Node) -> Review:
    def hook(name: str) -> str:
        return f".//*[@data-hook='{name}']"

    title, body = _line(card, hook("review-title") + "/span"), _line(card, hook("review-collapsed"))
    return _shown(
        "css [data-hook=review]",
        text=f"{title}\n{body or _line(card, hook('review-body'))}",
        reviewer=_line(card, ".//*[contains(@class,'a-profile-name')]"),
        account=_profile(card),
        rating=stars_in(_line(card, hook("review-star-rating")) or _line(card, hook("cmps-review-star-rating"))),
        date_shown=_line(card, hook("review-date")),
    )


def _of_amazon_before(card: Node) -> Review:
    """The layout until about 2016."""
    said = _line(card, ".//*[contains(@class,'a-color-secondary') and starts-with(normalize-space(.),'on ')]")
    title = _line(card, ".//*[contains(@class,'a-text-bold')]")
    body = _line(card, ".//*[starts-with(@id,'revData')]/*[contains(@class,'a-section')]")
    return _shown(
        "css [id^=rev-dpReviews]",
        text=f"{title}\n{body}",
        reviewer=_line(card, ".//a[contains(@href,'/profile/')]"),
        account=_profile(card),
        rating=stars_in(_line(card, ".//*[contains(@class,'a-icon-alt')]")),
        date_shown=said,
    )


def _of_aliexpress(card: Node) -> Review:
    """The list that the shop's older pages frame."""
    return _shown(
        "css .feedback-item",
        text=_line(card, ".//*[contains(@class,'buyer-feedback')]/*[1]")
        or _line(card, ".//*[contains(@class,'buyer-feedback')]"),
        reviewer=_line(card, ".//*[contains(@class,'user-name')]"),
        account="",
        rating=None,
        date_shown=_line(card, ".//*[contains(@class,'r-time')]"),
    )


def _answered(path: str, one: Mapping[str, Any]) -> Review:
    """AliExpress's answer to the program that lists them: ``buyerEval`` is a fifth of a hundred for each star."""
    marks = one.get("buyerEval")
    whole = isinstance(marks, int) and not isinstance(marks, bool) and marks % 20 == 0
    return Review(
        text=tidy(text_in(one.get("buyerFeedback"))),
        reviewer=text_in(one.get("buyerName")),
        account="",
        rating=str(marks // 20) if whole and isinstance(marks, int) else None,
        date_shown=text_in(one.get("evalDate")),
        where=f"json {path}",
        seen=Seen.EMBEDDED,
    )


def _declared(where: str, one: Mapping[str, Any]) -> Review:
    """schema.org Review."""
    rating = one.get("reviewRating")
    rating = rating[0] if isinstance(rating, list) and rating else rating
    title, body = text_in(one.get("name") or one.get("headline")), text_in(one.get("reviewBody"))
    body = body or text_in(one.get("description"))
    return Review(
        text=tidy(f"{title}\n{body}"),
        reviewer=text_in(one.get("author")),
        account="",
        rating=text_in(dig(rating, "properties", "ratingValue") or dig(rating, "ratingValue")) or None,
        date_shown=text_in(one.get("datePublished") or one.get("dateCreated")),
        where=where,
        seen=Seen.EMBEDDED,
    )


def _shown(where: str, *, text: str, reviewer: str, account: str, rating: str | None, date_shown: str) -> Review:
    return Review(
        text=tidy(text),
        reviewer=reviewer,
        account=account,
        rating=rating,
        date_shown=date_shown,
        where=where,
        seen=Seen.SHOWN,
    )


def _profile(card: Node) -> str:
    """The id in the link to the reviewer's own page."""
    for each in card.xpath(".//a[contains(@href,'/profile/')]/@href")[:1]:
        return str(each).partition("/profile/")[2].partition("/")[0].partition("?")[0]
    return ""


def _line(card: Node, path: str) -> str:
    found = card.xpath(path)
    return line_of(found[0]) if found else ""
