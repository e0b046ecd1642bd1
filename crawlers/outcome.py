"""What a page shows: the thing that was asked for, or a wall, a notice, an error in its place."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crawlers.challenges import challenge, sent_to
from crawlers.consent import question
from crawlers.layout import MAX_TEXT, Layout, Part, read
from crawlers.notices import MEDIUM, WEAK, Notices, PageFacts, as_sentence
from crawlers.wording import Said, fold, is_worded, says, spoken, weight
from custody.model import Outcome

__all__ = ["Judgement", "PageFacts", "judge"]

PLENTY = 2_600
"""Prose by which a page is taken for what was asked for, whatever else stands on it."""
MAX_APP_TEXT = 4_000
"""Characters of a page that sends its readers to an app and shows nothing else."""
MAX_PASSAGE = 300

_REASONS = {
    Outcome.LOGIN_WALL: "the page asks to log in",
    Outcome.PRIVATE: "the page says that it is private",
    Outcome.REMOVED: "the page says that it was removed",
    Outcome.UNAVAILABLE: "the page says that it is not available",
    Outcome.AGE_GATE: "the page asks for an age, or warns of its content first",
    Outcome.GEO_BLOCK: "the page says that it is not available here",
    Outcome.CONSENT: "the page asks for consent first",
    Outcome.CAPTCHA: "the page checks for robots",
    Outcome.RATE_LIMITED: "the page says that too much was asked of it",
    Outcome.APP_ONLY: "the page sends its readers to an app",
}
_LOGIN_PATH = re.compile(
    r"/(accounts?/)?(log-?in|sign-?in|signup|auth|authwall|checkpoint|uas/login|session/new|sso)(/|\.|$)"
)
_MESSAGE_KEYS = {
    "reason", "message", "error", "error_message", "error_description", "errormessage", "detail", "status_msg",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """An outcome, why, and the passage of the visible text that decided; None where structure or status did."""

    outcome: Outcome
    reason: str
    passage: str | None


def judge(page: PageFacts) -> Judgement:
    """Decide by visible text, status and structure; never by a substring of the markup."""
    status = page.http_status or 200
    if "json" in (page.media_type or ""):
        return _judge_json(page, status)
    if status < 400 and len(page.visible_text) > MAX_TEXT:
        return Judgement(outcome=Outcome.OK, reason="the page shows its content", passage=None)
    layout = read(page.dom_html, page.visible_text)
    if status < 400 and layout.prose_outside(Part.DIALOG) > PLENTY:
        return Judgement(outcome=Outcome.OK, reason="the page shows its content", passage=None)
    reading = Notices(page, layout)
    for rule in _rules(status):
        found = rule(reading)
        if found is not None:
            return found
    if status >= 400:
        return _error(reading)
    if not page.visible_text.strip():
        return Judgement(outcome=Outcome.OK, reason="no notice or wall was seen; the page shows no text", passage=None)
    return Judgement(outcome=Outcome.OK, reason="no notice or wall was seen", passage=None)


_Rule = Callable[[Notices], Judgement | None]


def _rules(status: int) -> tuple[_Rule, ...]:
    if status == 451:  # RFC 7725
        return (_geo_block,)
    if status == 429:  # RFC 6585 §4
        return (_captcha, _too_many)
    if status >= 500:
        return (_captcha, _rate_limited)
    return (
        _captcha, _geo_block, _rate_limited, _age_gate, _private, _removed, _unavailable, _login, _app_only, _consent,
    )  # fmt: skip


def _found(outcome: Outcome, said: Said | None, reason: str | None = None) -> Judgement | None:
    if said is None:
        return None
    return Judgement(outcome=outcome, reason=reason or _REASONS[outcome], passage=_cut(said.sentence.text))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_PASSAGE else text[: MAX_PASSAGE - 1] + "…"


def _captcha(reading: Notices) -> Judgement | None:
    layout, page = reading.layout, reading.page
    said = reading.stated("captcha")
    name = challenge(layout)
    if name is not None:
        said = said or next(reading.hits("rate_limited"), None)
        passage = None if said is None else _cut(said.sentence.text)
        return Judgement(outcome=Outcome.CAPTCHA, reason=f"the page checks for robots ({name})", passage=passage)
    if said is not None and not layout.passwords():
        return _found(Outcome.CAPTCHA, said)
    path = sent_to(page.url, page.requested_url, layout)
    return Judgement(outcome=Outcome.CAPTCHA, reason=f"the browser was sent to {path}", passage=None) if path else None


def _too_many(reading: Notices) -> Judgement | None:
    said = next(reading.hits("rate_limited"), None)
    return Judgement(
        outcome=Outcome.RATE_LIMITED,
        reason="HTTP status 429 (too many requests)",
        passage=None if said is None else _cut(said.sentence.text),
    )


def _rate_limited(reading: Notices) -> Judgement | None:
    return _found(Outcome.RATE_LIMITED, reading.stated("rate_limited"))


def _geo_block(reading: Notices) -> Judgement | None:
    found = _found(Outcome.GEO_BLOCK, reading.stated("geo_block"))
    if found is None and reading.status == 451:
        reason = "HTTP status 451 (unavailable for legal reasons)"
        return Judgement(outcome=Outcome.GEO_BLOCK, reason=reason, passage=None)
    return found


def _age_gate(reading: Notices) -> Judgement | None:
    return _found(Outcome.AGE_GATE, reading.stated("age_gate"))


def _private(reading: Notices) -> Judgement | None:
    return _found(Outcome.PRIVATE, reading.stated("private", unhedged=True))


def _removed(reading: Notices) -> Judgement | None:
    return _found(Outcome.REMOVED, reading.stated("removed", unhedged=True))


def _unavailable(reading: Notices) -> Judgement | None:
    said = reading.stated("unavailable")
    if said is None:
        # "It may have been deleted, or made private": nothing is shown, and the text does not say which.
        said = next((each for each in map(reading.stated, ("removed", "private")) if each is not None), None)
    if said is None:
        return None
    if reading.status < 400 and _shows_a_thing(reading, said):
        return None
    return _found(Outcome.UNAVAILABLE, said)


def _shows_a_thing(reading: Notices, said: Said) -> bool:
    """Whether a thing is shown beside the words that it cannot be had: a listing out of stock is a listing."""
    heads = [block for block in reading.layout.headings if block.element.tag in ("h1", "h2")]
    if not heads or said.sentence in reading.titles or any(said.sentence.folded in head.folded for head in heads):
        return False
    return reading.layout.prose - weight(said.sentence.folded) - sum(head.weight for head in heads) > WEAK / 2


def _login(reading: Notices) -> Judgement | None:
    layout, page = reading.layout, reading.page
    passwords = layout.passwords()
    form_prose = _form_prose(layout, passwords)
    rest = layout.prose_outside(Part.DIALOG) - form_prose
    moved = bool(_LOGIN_PATH.search(urlsplit(page.url).path.lower()))
    said = reading.stated("login_wall", less=form_prose)
    shows_post = weight(reading.authored) > 40
    if said is not None and (not shows_post or passwords or moved):
        return _found(Outcome.LOGIN_WALL, said)
    titled = next((each for each in _heads(reading) if _is_login_title(each, reading.among)), None)
    if titled is not None and rest <= MEDIUM and (passwords or (moved and layout.inputs())):
        return Judgement(outcome=Outcome.LOGIN_WALL, reason="the page is a login form", passage=_cut(titled))
    if passwords and moved and rest <= MEDIUM:
        return Judgement(outcome=Outcome.LOGIN_WALL, reason="the browser was sent to a login form", passage=None)
    if passwords and rest <= WEAK / 2 and not _other_heads(reading):
        return Judgement(
            outcome=Outcome.LOGIN_WALL, reason="the page is little more than a password field", passage=None
        )
    if reading.status == 401 and passwords:
        return Judgement(outcome=Outcome.LOGIN_WALL, reason="HTTP status 401, and a password field", passage=None)
    return None


def _heads(reading: Notices) -> list[str]:
    return [*(each.text for each in reading.titles), *(block.text for block in reading.layout.headings)]


def _other_heads(reading: Notices) -> list[str]:
    heads = [block.text for block in reading.layout.headings if not block.parts & Part.NAVIGATION]
    return [each for each in heads if not _is_login_title(each, reading.among)]


def _is_login_title(text: str, among: tuple[str, ...]) -> bool:
    return weight(fold(text)) <= 60 and is_worded("login_words", text, among)


def _form_prose(layout: Layout, passwords: list[Any]) -> float:
    """What is said inside the password's form; no more than a form says, where the whole page is one form."""
    forms = {form for each in passwords for form in each.iterancestors("form")}
    if not forms:
        return 0.0
    inside = (block for block in layout.blocks if forms.intersection((block.element, *block.element.iterancestors())))
    return min(sum(block.own for block in inside), float(MEDIUM))


def _app_only(reading: Notices) -> Judgement | None:
    # Shops have things that are "only in the app" beside all that they show.
    if len(reading.page.visible_text) > MAX_APP_TEXT:
        return None
    return _found(Outcome.APP_ONLY, reading.stated("app_only"))


def _consent(reading: Notices) -> Judgement | None:
    return _found(Outcome.CONSENT, question(reading))


def _error(reading: Notices) -> Judgement:
    said = next(reading.hits("not_found"), None)
    return Judgement(
        outcome=Outcome.HTTP_ERROR,
        reason=f"HTTP status {reading.status}",
        passage=None if said is None else _cut(said.sentence.text),
    )


def _judge_json(page: PageFacts, status: int) -> Judgement:
    """An answer for programs: only what it calls a reason, a message or an error speaks for it."""
    for text in _messages(page.visible_text):
        among = spoken(text)
        for key in ("captcha", "geo_block", "rate_limited", "age_gate", "private", "removed", "login_wall"):
            said = says(key, as_sentence(text), among)
            if said is not None and said.coverage >= 0.3:
                return Judgement(outcome=Outcome(key), reason=_REASONS[Outcome(key)], passage=_cut(text))
    if status == 429:
        return Judgement(outcome=Outcome.RATE_LIMITED, reason="HTTP status 429 (too many requests)", passage=None)
    if status >= 400:
        return Judgement(outcome=Outcome.HTTP_ERROR, reason=f"HTTP status {status}", passage=None)
    return Judgement(outcome=Outcome.OK, reason="an answer for programs, with no notice in it", passage=None)


def _messages(text: str) -> Iterator[str]:
    try:
        waiting: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        return  # not JSON after all, or made to exhaust us: it says nothing
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (said for key, said in value.items() if key.lower() in _MESSAGE_KEYS and isinstance(said, str))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
