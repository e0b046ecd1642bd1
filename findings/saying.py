"""Saying: observations of what a promotion's texts say by themselves, whatever its case is about."""

from collections.abc import Iterable, Iterator, Mapping

from archive.reading import Kind
from custody.model import Json
from findings.observation import About, Observation, Searched
from findings.page import Page, Words
from findings.pointing import Passage
from findings.promotion import Promotion, Quote
from findings.tags import Fact, tags_of
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


def searched_in(page: Page, texts: Iterable[Words]) -> tuple[Searched, ...]:
    """What a search of these texts has really looked through."""
    return tuple(
        Searched(capture=page.capture, words=each.name, characters=min(len(each.text), MAX_TEXT), of=len(each.text))
        for each in texts
    )


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


def undisclosed(promotion: Promotion) -> Iterator[Observation]:
    """A tag by which somebody is paid, beside no words that say so: of posts whose words were read."""
    if not promotion.post.was_seen or any("disclosures" in post.reading.fields for post in promotion.posts):
        return
    texts = [(post, words) for post in promotion.posts for words in speech_of(post)]
    urls = [url for edge in promotion.edges for url in (edge.href, *(hop.to_url for hop in edge.hops))]
    tags = dict.fromkeys(tag for url in urls for tag in tags_of(url) if tag.fact is Fact.AFFILIATE)
    if not texts or not tags:
        return
    shown = ", ".join(f"{each.programme} {each.name}={each.value}" for each in list(tags)[:MAX_QUOTES])
    yield Observation(
        about=About.NO_DISCLOSURE,
        sentence=f"The link carries {shown[:200]}. In the post's words no disclosure of payment was found.",
        searched=tuple(each for post, words in texts for each in searched_in(post, [words])),
        is_weak=True,
        facts={"tags": [f"{each.programme} {each.name}={each.value}" for each in tags]},
    )


def times(promotion: Promotion) -> Iterator[Observation]:
    for post in promotion.posts:
        for note in post.reading.notes:
            if note.startswith("published_from_id:") and published_of(post) is not None:
                said = note.partition(":")[2].strip()
                yield Observation(
                    about=About.TIME,
                    sentence=f"The post's page and its id say different times: {said}.",
                    facts={"note": note},
                )


def _marks(value: Json) -> Iterator[str]:
    """Words of the author, and marks of the platform, which say whose they are."""
    for each in value if isinstance(value, (list, tuple)) else ():
        said = each.get("text") if isinstance(each, Mapping) else each
        if isinstance(said, str) and said.strip():
            yield said
