"""What a family of pages is: variants by name, each of which makes one page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from custody.model import Outcome
from tests.validation.draft import Draft
from tests.validation.languages import LANGUAGES, Language, paragraph
from tests.validation.marks import Place
from tests.validation.network import Network
from tests.validation.truth import Page, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """What a variant makes its page with."""

    random: Random
    network: Network
    name: str
    family: str
    variant: str
    shop: str
    """A host name of some shop, and of a social network below: the page's own site is one of them or of others."""
    social: str
    other: str
    """Another site, which pictures and frames come from."""

    @property
    def url(self) -> str:
        return f"https://{self.social}/p/{self.name}"

    def place(self, host: str | None = None) -> Place:
        return Place(
            self.network, f"https://{host or self.social}/f/{self.name}", f"https://{self.other}/f/{self.name}"
        )

    def language(self, name: str | None = None) -> Language:
        return LANGUAGES[name or self.random.choice(list(LANGUAGES))]

    def draft(self, title: str, language: Language | None = None, **more: Any) -> Draft:
        language = language or LANGUAGES["english"]
        return Draft(title=f"{title} {self.name}", language=language.tag, direction=language.direction, **more)

    def prose(self, draft: Draft, language: Language | None = None, *, paragraphs: int = 3, sentences: int = 3) -> None:
        for _ in range(paragraphs):
            draft.say(paragraph(language or LANGUAGES["english"], self.random, sentences))

    def publish(
        self,
        draft: Draft,
        *,
        url: str | None = None,
        asked: str | None = None,
        outcome: Outcome = Outcome.OK,
        status: int = 200,
        headers: tuple[tuple[str, str], ...] = (),
        hops: Sequence[Step] = (),
        follow: Sequence[str] | None = None,
        phone_lines: Sequence[str] | None = None,
        stamps: Sequence[str] = (),
        clock: str | None = None,
        html: str | None = None,
    ) -> Page:
        """Put the page where it is to be found. ``asked``: the address that is asked for, where that is another."""
        at = url or self.url
        self.network.show(at, html or draft.html(), status=status, headers=headers)
        return self.page(
            url=asked or at,
            outcome=outcome,
            title=draft.title,
            lines=tuple(draft.lines),
            phone_lines=None if phone_lines is None else tuple(phone_lines),
            marks=tuple(draft.marks),
            follow=None if follow is None else tuple(follow),
            hops=tuple(hops),
            final_url=at,
            stamps=tuple(stamps),
            clock=clock,
        )

    def page(self, **truth: Any) -> Page:
        return Page(name=self.name, family=self.family, variant=self.variant, **truth)


Make = Callable[[Making], Page]
Family = Mapping[str, Make]
"""Variant by name."""
