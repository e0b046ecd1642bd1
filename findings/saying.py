"""Saying: observations of what a promotion's texts say by themselves, whatever its case is about."""

from collections.abc import Iterable, Iterator, Mapping

from archive.reading import Kind
from custody.model import Json
from findings.observation import About, Observation
from findings.page import Page, Words
from findings.pointing import Passage
from findings.promotion import Promotion, Quote
from findings.tracing import published_of
from findings.voices import ADDRESS, own_words, speech_of
from findings.wording import ABOUT, Subject, said_in

MAX_QUOTES = 10
"""Passages that one observation shows; the rest is counted."""
MAX_TEXT = 200_000
_SAID = {Subject.COPY: About.COPY, Subject.HIDDEN_LINK: About.HIDDEN_LINK, Subject.SWAP: About.SWAP}


def all_words(promotion: Promotion) -> Iterator[tuple[Page, list[Words]]]:
    """Of the post on each surface, then of the listing: what whoever made it says."""
    for post in promotion.posts:
        yield post, list(speech_of(post))
    if promotion.has_listing:
        yield promotion.end, list(own_words(promotion.end))


def called(promotion: Promotion, page: Page) -> str:
    """What a sentence calls a page."""
    if page is not promotion.end:
        return "post"
    return "storefront" if page.kind is Kind.STOREFRONT else "listing"


def first(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """Each once, as many as are shown."""
    return tuple(dict.fromkeys(quotes))[:MAX_QUOTES]


def said(promotion: Promotion) -> Iterator[Observation]:
    for page, texts in all_words(promotion):
        found: dict[tuple[Subject, bool], list[Quote]] = {}
        for words in texts:
            if words.name == ADDRESS:
                continue
            for each in said_in(words.text[:MAX_TEXT]):
                passage = Passage(start=each.start, end=each.end, raw=each.raw)
                found.setdefault((each.subject, each.is_weak), []).append(
                    Quote(capture=page.capture, words=words.name, passage=passage)
                )
        for (subject, is_weak), quotes in found.items():
            shown = ", ".join(dict.fromkeys(f"“{each.passage.raw}”" for each in quotes[:MAX_QUOTES]))
            yield Observation(
                about=_SAID[subject],
                sentence=f"The {called(promotion, page)} {ABOUT[subject]}: {shown}.",
                rests_on=first(quotes),
                is_weak=is_weak,
                facts={"passages": len(quotes)},
            )


def disclosed(promotion: Promotion) -> Iterator[Observation]:
    for post in promotion.posts:
        said = list(_marks(post.reading.fields.get("disclosures")))
        if said:
            source = post.reading.sources.get("disclosures")
            yield Observation(
                about=About.DISCLOSURE,
                sentence=f"The post carries {', '.join(f'“{each}”' for each in said[:MAX_QUOTES])}.",
                facts={"disclosures": list(said), "where": source.where if source else None},
            )


def times(promotion: Promotion) -> Iterator[Observation]:
    for post in promotion.posts:
        for note in post.reading.notes:
            if note.startswith("published_from_id:") and published_of(post) is not None:
                said = note.partition(":")[2].strip()
                yield Observation(about=About.TIME, sentence=f"Of the post's time, {said}.", facts={"note": note})


def _marks(value: Json) -> Iterator[str]:
    """Words of the author, and marks of the platform, which say whose they are."""
    for each in value if isinstance(value, (list, tuple)) else ():
        said = each.get("text") if isinstance(each, Mapping) else each
        if isinstance(said, str) and said.strip():
            yield said
