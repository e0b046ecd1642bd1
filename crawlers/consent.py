"""Consent walls: a page that shows little but the question whether cookies may be set."""

import re
from typing import Any
from urllib.parse import urlsplit

from crawlers.layout import Control, Layout, Part
from crawlers.notices import WEAK, Notices, as_sentence
from crawlers.wording import Said, fold, is_worded, says, speaks_of, weight

_PATH = re.compile(r"/(consent|cookie-?wall|privacy-?gate|gdpr|collectconsent)([/.?]|$)")
_BESIDE = 60
"""What may be said beside the question: a logo, a slogan."""


def question(reading: Notices) -> Said | None:
    """The statement that asks for consent, where the page shows little else; a banner over content is no wall."""
    page, layout = reading.page, reading.layout
    presses = [each for each in layout.controls if is_worded("accept_words", each.text, reading.among)]
    said = next(reading.hits("consent"), None)
    if said is None or not presses:
        return None
    parts = urlsplit(page.url)
    own_address = (parts.hostname or "").startswith("consent.") or _PATH.search(parts.path.lower()) is not None
    titled = any(says("consent", each, reading.among) for each in reading.titles)
    box = _around(said, layout, presses[0].element)
    inside = set() if box is None or box.tag in ("body", "html", "main") else set(box.iter())
    kinds = Part.LINK | Part.BUTTON | Part.LABEL | Part.NAVIGATION
    outside = [block for block in layout.blocks if not block.parts & kinds and block.element not in inside]
    foreign = [block for block in outside if not _is_about_consent(block.text, reading.among)]
    left = sum(block.weight for block in foreign)
    if own_address or titled:
        return said if left <= WEAK else None
    asked = sum(block.weight for block in layout.blocks if _is_about_consent(block.text, reading.among))
    if left > 60 or left > asked / 2 or _shelves(reading, inside) or _pictures(layout, inside):
        return None
    return said


def _shelves(reading: Notices, inside: set[Any]) -> list[Control]:
    """Links outside the question that lead to something else than its small print."""
    links = (each for each in reading.layout.controls if each.tag == "a" and each.href and each.element not in inside)
    return [
        each
        for each in links
        if not each.parts & Part.NAVIGATION
        and reading.layout.is_shown(each.text)
        and weight(fold(each.text)) > 3
        and not _is_about_consent(each.text, reading.among)
        and not any(is_worded(key, each.text, reading.among) for key in ("accept_words", "login_words", "back_words"))
    ]


def _is_about_consent(text: str, among: tuple[str, ...]) -> bool:
    sentence = as_sentence(text)
    return speaks_of("consent_matters", sentence.folded) or says("consent", sentence, among) is not None


def _pictures(layout: Layout, inside: set[Any]) -> list[Any]:
    """Pictures and films outside the question, without the site's logo."""
    listed = (each for each in layout.elements("//img|//video|//picture") if each not in inside)
    return [each for each in listed if "logo" not in " ".join(map(str, each.values())).lower()]


def _around(said: Said, layout: Layout, button: Any) -> Any:
    """The smallest element that holds both the statement and the button."""
    holder = next((block.element for block in layout.blocks if said.sentence.folded[:60] in block.folded), None)
    if holder is None:
        return None
    above = {button, *button.iterancestors()}
    return next((each for each in (holder, *holder.iterancestors()) if each in above), None)
