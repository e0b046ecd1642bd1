"""When a look did not show what was asked for, and which further surface of the platform is asked instead. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archive.absence import AGAIN, CONTROL
from archive.reading import Reading
from archive.surface import Shown, Surface, shown_by
from crawlers.address import dedupe_key, host_of
from crawlers.platform import Platform
from crawlers.session import Plan
from crawlers.surfaces import Official, Tokens
from custody.model import Json, Outcome, Via

MAX_FURTHER = 10
"""Further surfaces in one unit: a hub may list any number of walled profiles."""

_IDENTITY = frozenset(("post_id", "handle", "account_id", "channel_id", "media_id", "item_id", "published", "language"))
"""What may be known of a thing without its being shown: its address has it."""
_TITLES = frozenset(("title", "author"))
"""What the title of a page has though the page shows nothing; an embed or an answer may have no more."""
_LEADS_ON = frozenset((
    Outcome.OK, Outcome.LOGIN_WALL, Outcome.APP_ONLY, Outcome.CAPTCHA, Outcome.CONSENT, Outcome.RATE_LIMITED,
    Outcome.HTTP_ERROR,
))  # fmt: skip
"""A thing that is private, or kept from an age or a country, is not asked for by another way: that would be one round
the owner's decision. What is gone is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What one look came to."""

    outcome: Outcome
    """The platform's own word for it where its reader knows the wall, else the visit's."""
    shown: Shown


def judged(outcome: Outcome, http_status: int | None, reading: Reading | None, surface: Surface) -> Judged:
    """``reading``: of the platform's own reader; None where nobody read it, which says nothing."""
    shown = shown_by(outcome, http_status)
    if outcome is not Outcome.OK or reading is None:
        return Judged(outcome=outcome, shown=shown)
    if reading.wall is not None:
        wall = Outcome(reading.wall)
        return Judged(outcome=wall, shown=shown_by(wall, http_status))
    return Judged(outcome=outcome, shown=Shown.CONTENT if _says_something(reading, surface) else Shown.SHELL)


def _says_something(reading: Reading, surface: Surface) -> bool:
    little = _IDENTITY | _TITLES if surface in {Surface.PAGE, Surface.ATTENDED} else _IDENTITY
    return any(reading.fields[each] not in ("", []) for each in reading.fields.keys() - little)


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What is done about it, for the record of the look that did not show it."""

    official: Official | None
    why: str

    def to_json(self) -> dict[str, Json]:
        if self.official is None:
            return {"surface": None, "why": self.why}
        return {"surface": self.official.surface.value, "url": self.official.url, "why": self.why}


def following(
    found: Judged, url: str, surfaces: Sequence[Official], tokens: Tokens, *, tried: Collection[str], already: int
) -> Next | None:
    """The first surface not yet tried; None where what was asked for was shown, or another way is not to be taken.

    ``url``: of the look that is judged. ``tried``: dedupe keys of the unit. ``already``: further surfaces of the unit.
    """
    if found.shown is Shown.CONTENT or found.outcome not in _LEADS_ON or not surfaces:
        return None
    if found.outcome is Outcome.HTTP_ERROR and found.shown is not Shown.REFUSED:
        return None
    why = found.shown.value if found.outcome in {Outcome.OK, Outcome.HTTP_ERROR} else found.outcome.value
    if already >= MAX_FURTHER:
        return Next(official=None, why=f"{why}; {MAX_FURTHER} further surfaces were asked for in this unit already")
    wanting = 0
    for each in surfaces:
        filled = each.filled(tokens)
        if filled is None:
            wanting += 1
        elif dedupe_key(filled.url) in tried or (_is_limit(found) and host_of(filled.url) == host_of(url)):
            continue  # a host that says it was asked too much is not asked again
        else:
            return Next(official=filled, why=why)
    lacks = f"; {wanting} more would need a token of the user's own" if wanting else ""
    return Next(official=None, why=f"{why}; no further surface is left{lacks}")


def _is_limit(found: Judged) -> bool:
    return found.shown is Shown.REFUSED


def plan_of(official: Official, walled: Plan, *, capture_id: str) -> Plan:
    """Looked at in place of the walled capture, so as deep in the chain as that, and its links as that one's would."""
    return Plan(
        url=official.url,
        capture_id=capture_id,
        unit=walled.unit,
        parent=walled.capture_id,
        via=Via(href=official.url, text="", where=official.surface.value),
        depth=walled.depth,
        position=walled.position,
        official=official,
        thing=walled.thing or walled.url,
    )


def wants(plan: Plan) -> bool:
    """Whether another surface may take the place of this look: not that of a second look, nor of a control page."""
    return plan.position not in {AGAIN, CONTROL}


def official_at(url: str, platforms: Sequence[Platform]) -> Official | None:
    """The embed that an address is of, where a person asked for one by itself."""
    key = dedupe_key(url)
    for platform in platforms:
        if platform.knows_url(url):
            same = (each for each in platform.surfaces(url) if each.surface is Surface.EMBED)
            return next((each for each in same if dedupe_key(each.url) == key), None)
    return None
