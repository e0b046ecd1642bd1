"""What a thin page says of itself: the statements in it, and which of them speak for the whole page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from crawlers.layout import Block, Layout, Part
from crawlers.wording import Said, Sentence, fold, says, sentences, speaks_of, spoken, title_parts, weight

MAX_SENTENCES = 240

# How much prose a page may hold beside a statement that stands for itself, one within a line, and one merely mentioned.
STRONG, MEDIUM, WEAK = 1_500, 700, 250
_LONG_BLOCK, _MANY_LONG, _FEW_LONG = 120, 450, 200

_KINDS = (
    "login_wall", "private", "removed", "unavailable", "age_gate", "geo_block", "captcha", "rate_limited", "consent",
)  # fmt: skip
_AMONG_LINKS = {"private", "removed", "unavailable"}
"""Statements that sites surround with other things to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFacts:
    """What the browser held when it was looked at."""

    url: str
    """Where the browser ended up."""
    requested_url: str
    http_status: int | None
    """Of the main document; None where no answer was seen."""
    title: str | None
    visible_text: str = field(repr=False)
    """``document.body.innerText``: what a reader could read."""
    dom_html: str = field(repr=False)
    media_type: str | None


class Notices:
    """A thin page, read sentence by sentence."""

    def __init__(self, page: PageFacts, layout: Layout) -> None:
        self.page = page
        self.layout = layout
        self.titles = title_parts(page.title or "")
        self.among = spoken(f"{page.title or ''} {page.visible_text[:6_000]}")
        self.status = page.http_status or 200

    @cached_property
    def prominent(self) -> set[str]:
        """Blocks that speak for the page: headings, alerts."""
        return {block.folded for block in self.layout.blocks if block.parts & (Part.HEADING | Part.ALERT)}

    @cached_property
    def authored(self) -> str:
        return "\n".join(block.folded for block in self.layout.blocks if block.parts & Part.AUTHORED)

    @cached_property
    def chrome(self) -> set[str]:
        kinds = Part.LABEL | Part.NAVIGATION
        return {block.folded for block in self.layout.blocks if block.parts & kinds}

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Of the title first, then of the text; without navigation, no more than `MAX_SENTENCES`."""
        listed = (each for each in sentences(self.page.visible_text) if each.line not in self.chrome)
        kept = [each for each, _ in zip(listed, range(MAX_SENTENCES), strict=False)]
        return [*self.titles, *kept]

    @cached_property
    def long_blocks(self) -> list[tuple[Block, bool]]:
        """Paragraphs, and whether each speaks of why nothing is shown."""
        kinds = Part.LINK | Part.BUTTON | Part.LABEL | Part.NAVIGATION
        blocks = [each for each in self.layout.blocks if each.own >= _LONG_BLOCK and not each.parts & kinds]
        return [(each, any(says(key, as_sentence(each.text), self.among) for key in _KINDS)) for each in blocks[:60]]

    def explained(self, said: Said, allowed: int) -> float:
        """How much is said in paragraphs that a wall would not have."""
        blocks = [each for each in self.long_blocks if said.sentence.folded[:60] not in each[0].folded]
        return sum(block.own for block, on_topic in blocks if allowed < STRONG or not on_topic)

    @cached_property
    def linked(self) -> float:
        """What is said in links and buttons outside navigation: a shop's shelves are content, too."""
        kinds = Part.LINK | Part.BUTTON | Part.LABEL
        blocks = self.layout.blocks
        return sum(block.weight for block in blocks if block.parts & kinds and not block.parts & Part.NAVIGATION)

    def hits(self, key: str) -> Iterator[Said]:
        for sentence in self.sentences:
            if sentence.folded in self.authored and sentence.line not in self.prominent:
                continue
            said = says(key, sentence, self.among)
            if said is not None:
                yield said

    def strength(self, said: Said) -> int:
        """How much prose may stand beside a statement for it to speak for the whole page."""
        sentence = said.sentence
        stands = sentence in self.titles or sentence.alone or sentence.line in self.prominent
        if speaks_of("conditions", sentence.folded):
            return WEAK
        about = "?" in sentence.text or re.search(r"[^\s:]: \w+ \w+", sentence.folded) is not None
        if stands and not about and (said.coverage >= 0.6 or (said.coverage >= 0.3 and weight(sentence.folded) <= 110)):
            return STRONG
        if weight(sentence.folded) <= 200 and said.coverage >= 0.25 and not (about and stands):
            return MEDIUM
        return WEAK

    def stated(self, key: str, *, less: float = 0.0, unhedged: bool = False) -> Said | None:
        """The first sentence under the key that speaks for the page; `less` prose is none of its content."""
        for said in self.hits(key):
            if self.status in (404, 410) and says("not_found", said.sentence, [said.language]):
                continue  # the status in words
            if key == "geo_block" and speaks_of("shipping", said.sentence.folded):
                continue  # where a parcel goes is no matter of what is shown
            if key in _AMONG_LINKS and speaks_of("another", said.sentence.folded):
                continue  # an author's words on something that is shown elsewhere, or was
            if key in _AMONG_LINKS and speaks_of("browser_settings", said.sentence.folded):
                continue
            if unhedged and speaks_of("hedges", said.sentence.folded):
                continue
            allowed = self.strength(said)
            if self.status >= 400:
                allowed *= 3  # the status has said already that this is not what was asked for
            elif self.explained(said, allowed) > (_MANY_LONG if allowed == STRONG else _FEW_LONG):
                continue
            others = self.layout.prose - less - weight(said.sentence.folded)
            if key not in _AMONG_LINKS:
                others += self.linked / 2
            if others <= allowed:
                return said
        return None


def as_sentence(text: str) -> Sentence:
    folded = fold(text)
    return Sentence(text=text, folded=folded, line=folded)
