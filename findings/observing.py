"""Observing: one promotion held against what its case asks. Each rule gives what was seen, or nothing."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from archive.surface import Surface
from custody.model import Json, Status
from findings.matter import Matter, Reference
from findings.observation import About, Observation
from findings.page import Page, Shown, Words
from findings.phrases import plain_text
from findings.pointing import Passage
from findings.promotion import Promotion, Quote
from findings.resembling import Match, Resembles
from findings.saying import (
    MAX_QUOTES,
    MAX_TEXT,
    all_words,
    called,
    disclosed,
    first,
    said,
    searched_in,
    times,
    undisclosed,
)
from findings.spelling import Passage as Spelt
from findings.spelling import Strength, find
from findings.voices import ADDRESS, host_of, other_words, own_words, slug_of, speech_of

_LEAST_SLUG_WORDS = 2
_HUNDRED = Decimal(100)


class Observer:
    """Of one case: texts that several promotions share are looked through once."""

    def __init__(self, matter: Matter, resembles: Resembles | None = None) -> None:
        self._matter = matter
        self._resembles = resembles
        self._spelt: dict[tuple[str, str, str], tuple[Spelt, ...]] = {}

    def observe(self, promotion: Promotion) -> tuple[Observation, ...]:
        """In the order in which a person would tell it: the post, the listing beside it, the rest."""
        return (
            *self._terms(promotion),
            *self._disguised(promotion),
            *said(promotion),
            *disclosed(promotion),
            *undisclosed(promotion),
            *self._pictures(promotion),
            *self._reference_pictures(promotion),
            *self._price(promotion),
            *self._address(promotion),
            *times(promotion),
        )

    # --- terms --------------------------------------------------------------------------------------------------------

    def _terms(self, promotion: Promotion) -> Iterator[Observation]:
        """A term in the post that the listing does not name. Said only of a listing that was seen, and whole."""
        listing = promotion.end
        if not promotion.has_listing or listing.surface != Surface.PAGE or listing.status is not Status.COMPLETE:
            return
        named = self._in_post(promotion)
        own, beside = list(own_words(listing)), list(other_words(listing))
        if not named or self._is_explained(promotion) or any(self._of_term(listing, own, each) for each in named):
            return  # the listing names what the post names, or one of several that it compares
        searched = searched_in(listing, (*own, *beside))
        is_cut = listing.is_cut or any(each.characters < each.of for each in searched)
        for term, some in named.items():
            quotes = [quote for quote, _ in some]
            elsewhere = self._of_term(listing, beside, term)
            facts: dict[str, Json] = {
                "term": term,
                "passages": len(quotes),
                "vantage": dict(listing.vantage),
                "pictures_not_read": len(listing.pictures) + listing.pictures_left,
            }
            stands = _stands(term, [each for _, each in some])
            if elsewhere:
                yield Observation(
                    about=About.TERM_ELSEWHERE,
                    sentence=f"{stands} in the post. The listing's own words do not have {term}; elsewhere on its page "
                    "it stands.",
                    rests_on=first((*quotes, *elsewhere)),
                    searched=searched,
                    is_weak=True,
                    facts=facts,
                )
            else:
                yield Observation(
                    about=About.TERM_ABSENT,
                    sentence=f"{stands} in the post. In {'a part of ' if is_cut else ''}the listing's texts {term} was "
                    "not found; its pictures were not read for it.",
                    rests_on=first(quotes),
                    searched=searched,
                    is_weak=is_cut
                    or all(_is_denied(words.text, each) for words, each in self._places(promotion, term)),
                    facts=facts,
                )

    def _in_post(self, promotion: Promotion) -> dict[str, list[tuple[Quote, Spelt]]]:
        """By term. A part of another name (``Cartier-Bresson``) is none."""
        named: dict[str, list[tuple[Quote, Spelt]]] = {}
        for post, words, each in self._spelt_in(promotion):
            if each.strength is not Strength.WEAK and not _is_part_of_a_name(words.text, each):
                named.setdefault(self._matter.term_of(each.term), []).append((_quote(post, words, each), each))
        return named

    def _places(self, promotion: Promotion, term: str) -> list[tuple[Words, Spelt]]:
        found = self._spelt_in(promotion)
        return [(words, each) for _, words, each in found if self._matter.term_of(each.term) == term]

    def _spelt_in(self, promotion: Promotion) -> Iterator[tuple[Page, Words, Spelt]]:
        for post in promotion.posts:
            for words in speech_of(post):
                for each in self._find(post, words):
                    yield post, words, each

    def _is_explained(self, promotion: Promotion) -> bool:
        """The seller is authorised, or the listing's own brand is one that the post names: it leads where it says."""
        listing = promotion.end
        names = [listing.text(each) or "" for each in ("seller", "seller_id", "brand")]
        if self._matter.authorises([*names, host_of(listing.url)]) is not None:
            return True
        brand = listing.text("brand")
        if brand is None or len(brand) < 3:  # of two letters, a brand is found everywhere
            return False
        return any(find(words.text, (brand,)) for post in promotion.posts for words in speech_of(post))

    def _of_term(self, page: Page, texts: Sequence[Words], term: str) -> list[Quote]:
        return [
            _quote(page, words, each)
            for words in texts
            for each in self._find(page, words)
            if self._matter.term_of(each.term) == term
        ]

    def _find(self, page: Page, words: Words) -> tuple[Spelt, ...]:
        place = (page.capture, words.name, words.text)
        if place not in self._spelt:
            self._spelt[place] = find(words.text[:MAX_TEXT], self._matter.spellings)
        return self._spelt[place]

    def _disguised(self, promotion: Promotion) -> Iterator[Observation]:
        for page, texts in all_words(promotion):
            found: dict[tuple[str, bool], list[tuple[Quote, Spelt]]] = {}
            for words in texts:
                for each in self._find(page, words):
                    if each.strength is not Strength.PLAIN:
                        key = (self._matter.term_of(each.term), each.strength is Strength.WEAK)
                        found.setdefault(key, []).append((_quote(page, words, each), each))
            for (term, is_weak), some in found.items():
                tricks = sorted({trick.value for _, each in some for trick in each.tricks})
                shown = ", ".join(dict.fromkeys(f"“{quote.passage.raw}”" for quote, _ in some[:MAX_QUOTES]))
                yield Observation(
                    about=About.TERM_DISGUISED,
                    sentence=f"The {called(promotion, page)} writes {shown}, which may be read as {term}.",
                    rests_on=first([quote for quote, _ in some]),
                    is_weak=is_weak,
                    facts={"term": term, "tricks": tricks, "passages": len(some)},
                )

    # --- pictures and prices ------------------------------------------------------------------------------------------

    def _pictures(self, promotion: Promotion) -> Iterator[Observation]:
        """The post's own pictures against the listing's own; where a page's own are not told, against all it loaded."""
        if self._resembles is None:
            return
        end = promotion.end
        theirs = end.own_pictures or end.pictures
        for sure in (True, False):
            mine = [each for post in promotion.posts for each in (post.own_pictures if sure else post.pictures)]
            found = (self._resembles.same(one, other) for one in mine for other in theirs)
            matches = sorted((each for each in found if each is not None), key=lambda each: each.distance)
            if matches:
                yield _alike(promotion, matches, is_weak=not sure or not end.own_pictures)
                return

    def _reference_pictures(self, promotion: Promotion) -> Iterator[Observation]:
        """Pictures that the case has given, against the post's own and the listing's own."""
        if self._resembles is None:
            return
        for given in self._matter.pictures:
            for page in (*promotion.posts, promotion.end):
                found = (self._resembles.same(each, given) for each in page.own_pictures)
                matches = sorted((each for each in found if each is not None), key=lambda each: each.distance)
                if matches:
                    yield _referred(called(promotion, page), given, matches)

    def _price(self, promotion: Promotion) -> Iterator[Observation]:
        if not promotion.has_listing:
            return
        fields = promotion.end.reading.fields
        price, currency = _amount(fields.get("price")), fields.get("currency")
        if price is None or price <= 0 or not isinstance(currency, str):
            return
        named = self._in_post(promotion)
        if self._is_explained(promotion):
            return
        for each in self._matter.references:
            if each.term in named and each.currency == currency and price <= each.amount * self._matter.price_ratio:
                quotes = [quote for quote, _ in named[each.term]]
                # Of a brand's many things one price says little; of the thing that the case names, more.
                yield _cheap(promotion, each, price, quotes, is_weak=not self._matter.is_product(each.term))

    # --- addresses ----------------------------------------------------------------------------------------------------

    def _address(self, promotion: Promotion) -> Iterator[Observation]:
        listing = promotion.end
        title = listing.text("title")
        slug = slug_of(listing.url)
        if not promotion.has_listing or title is None or slug is None:
            return
        words = Words(name=ADDRESS, text=slug.text)
        for term in dict.fromkeys(self._matter.term_of(each.term) for each in self._find(listing, words)):
            own = [each for each in own_words(listing) if each.name != ADDRESS]
            if not self._of_term(listing, own, term):
                yield Observation(
                    about=About.ADDRESS,
                    sentence=f"The listing's address has {term} in it; its title, “{title[:120]}”, and its other own "
                    "words do not.",
                    rests_on=first(self._of_term(listing, [words], term)),
                    facts={"slug": slug.text, "title": title, "term": term},
                )
        ours, theirs = _content(slug.text), _content(title)
        if len(ours) >= _LEAST_SLUG_WORDS and len(theirs) >= _LEAST_SLUG_WORDS and not _overlap(ours, theirs):
            yield Observation(
                about=About.ADDRESS,
                sentence=f"The listing's address speaks of “{slug.text[:120]}”, its title of “{title[:120]}”: no word "
                "is in both.",
                is_weak=True,
                facts={"slug": slug.text, "title": title},
            )


# --- prices and addresses ---------------------------------------------------------------------------------------------


def _referred(page: str, given: Shown, matches: Sequence[Match]) -> Observation:
    best = matches[0]
    return Observation(
        about=About.REFERENCE_PICTURE,
        sentence=f"A picture of the {page} looks like the case's picture {given.url}: their prints differ in "
        f"{best.distance} of 256 bits (called alike up to {best.threshold}).",
        pictures=tuple(matches[:MAX_QUOTES]),
        facts={"picture": given.sha256, "matches": len(matches)},
    )


def _alike(promotion: Promotion, matches: Sequence[Match], *, is_weak: bool) -> Observation:
    best = matches[0]
    how = ", one of them mirrored" if best.mirrored else ""
    how += ", one of them cut" if best.of_a_part else ""
    where = "that the post's page loaded" if is_weak else "of the post"
    return Observation(
        about=About.SAME_PICTURE,
        sentence=f"A picture {where} looks like one of the {called(promotion, promotion.end)}{how}: their prints "
        f"differ in {best.distance} of 256 bits (called alike up to {best.threshold}).",
        pictures=tuple(matches[:MAX_QUOTES]),
        is_weak=is_weak,
        facts={"matches": len(matches)},
    )


def _cheap(
    promotion: Promotion, reference: Reference, price: Decimal, quotes: Sequence[Quote], *, is_weak: bool
) -> Observation:
    share = (price / reference.amount * _HUNDRED).quantize(Decimal("0.1"))
    return Observation(
        about=About.PRICE,
        sentence=f"The listing asks {price} {reference.currency}: {share} % of the {reference.amount} "
        f"{reference.currency} that the case states for {reference.term}.",
        rests_on=first(quotes),
        is_weak=is_weak,
        facts={
            "price": str(price),
            "currency": reference.currency,
            "price_shown": promotion.end.text("price_shown"),
            "reference": str(reference.amount),
            "term": reference.term,
        },
    )


_DENIED = re.compile(
    r"(?:\b(?:not|no|never|isn'?t|ain'?t|kein\w*|nicht|pas|sans|non|ni|no es|não|geen|niet|nie|değil|не)|不是|ليس|لا)"
    r"\W+(?:\w+\W+)?$",
    re.IGNORECASE,
)


def _is_denied(text: str, spelt: Spelt) -> bool:
    """``not Gucci``: the post may say just that it is none."""
    return _DENIED.search(text[max(0, spelt.start - 30) : spelt.start]) is not None


def _is_part_of_a_name(text: str, spelt: Spelt) -> bool:
    before, after = text[max(0, spelt.start - 2) : spelt.start], text[spelt.end : spelt.end + 2]
    return bool(re.search(r"\w[-‐‑]$", before) or (re.match(r"[-‐‑][A-ZÀ-Þ]", after) and not spelt.in_hashtag))


def _stands(term: str, some: Sequence[Spelt]) -> str:
    """How the post has it: as anybody writes it, or in a way that may be read so."""
    plain = [each.raw for each in some if each.strength is Strength.PLAIN]
    if plain:
        return f"“{plain[0]}” stands"
    return f"“{some[0].raw}”, which may be read as {term}, stands"


def _quote(page: Page, words: Words, spelt: Spelt) -> Quote:
    passage = Passage(start=spelt.start, end=spelt.end, raw=spelt.raw)
    return Quote(capture=page.capture, words=words.name, passage=passage)


_EMPTY = frozenset(
    ("the", "and", "for", "with", "from", "this", "that", "item", "product", "products", "shop", "store", "html", "new",
     "hot", "sale", "free", "women", "men", "woman", "man", "womens", "mens", "your", "our", "all", "one", "set", "pcs")
)  # fmt: skip


def _content(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]{3,}", plain_text(text)[0])
    return frozenset(each for each in words if each not in _EMPTY)


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether a word of the one begins a word of the other, or the two are in scripts that cannot meet."""
    if {each.isascii() for each in one} != {each.isascii() for each in other}:
        return True
    return any(a.startswith(b[:5]) or b.startswith(a[:5]) for a in one for b in other)


def _amount(value: Json) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) else Decimal(value) if isinstance(value, int) else None
    except InvalidOperation:
        return None
