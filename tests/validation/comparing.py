"""What was found, held against what is known: facts that were checked, and those that were wrong. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from custody.instant import parse_utc
from tests.validation.profiles import Setting
from tests.validation.reading import Found
from tests.validation.truth import Colour, Kind, Mark, Page, Step, flat

AskedAt = Mapping[str, Sequence[datetime]]
SLACK = timedelta(milliseconds=2)
"""Instants in records are cut to milliseconds."""
TOLERANCE = timedelta(seconds=2)
"""By how much our word on when something happened may be later than the site's: a busy machine is late to note it."""
COLOUR = 12
"""By how much a channel may differ, of 255: JPEG, and a screen's colour space."""
IN_ORDER = (
    "requested_at", "first_response_at", "dom_content_loaded_at", "settled_at", "viewport_at", "screenshot_at",
    "closed_at",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """One error."""

    kind: Kind
    expected: str
    got: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One capture of one page."""

    facts: Counter[Kind]
    """How much was checked, by kind; a kind that is not there was not judged."""
    wrong: tuple[Wrong, ...] = ()

    def wrong_kinds(self) -> set[Kind]:
        return {each.kind for each in self.wrong}


@dataclass(slots=True)
class _Tally:
    facts: Counter[Kind] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)

    def check(self, kind: Kind, ok: bool, expected: object, got: object) -> None:
        self.facts[kind] += 1
        if not ok:
            self.wrong.append(Wrong(kind=kind, expected=str(expected)[:500], got=str(got)[:500]))

    def sets(self, kind: Kind, expected: Counter[str], got: Counter[str], what: str) -> None:
        """Each that should be there is a fact, and each that is there and should not be is one more."""
        missing, extra = expected - got, got - expected
        self.facts[kind] += expected.total() + extra.total()
        self.wrong += [Wrong(kind=kind, expected=f"{what}: {each}"[:500], got="missing") for each in missing.elements()]
        self.wrong += [Wrong(kind=kind, expected="nothing", got=f"{what}: {each}"[:500]) for each in extra.elements()]


def lost() -> Compared:
    """A page that was asked for and of which the archive has no capture."""
    return Compared(facts=Counter({Kind.LOST: 1}), wrong=(Wrong(kind=Kind.LOST, expected="a capture", got="none"),))


def compare(page: Page, found: Found, *, setting: Setting, asked_at: AskedAt) -> Compared:
    """``asked_at``: when the site was asked for what, in the round that this capture is of."""
    tally = _Tally()
    tally.facts[Kind.LOST] += 1
    tally.check(
        Kind.OUTCOME, found.outcome == page.outcome.value, page.outcome.value, f"{found.outcome}: {found.reason}"
    )
    _hops(page, found, tally)
    _text(page, found, setting, tally)
    _images(page, found, setting, tally)
    if page.follow is not None:
        tally.sets(Kind.LINK, Counter(page.follow), Counter(found.links), "followed")
        if not page.follow and not found.links:
            tally.facts[Kind.LINK] += 1  # that there is none is what was checked
    _times(page, found, asked_at, tally)
    return Compared(facts=tally.facts, wrong=tuple(tally.wrong))


def _hops(page: Page, found: Found, tally: _Tally) -> None:
    tally.check(Kind.HOP, page.final_url == found.final_url, f"ends at {page.final_url}", f"ends at {found.final_url}")
    for n in range(max(len(page.hops), len(found.hops))):
        expected = _step(page.hops[n]) if n < len(page.hops) else "no hop"
        got = _step(found.hops[n]) if n < len(found.hops) else "no hop"
        tally.check(Kind.HOP, expected == got, f"hop {n + 1}: {expected}", f"hop {n + 1}: {got}")


def _step(step: Step) -> str:
    return f"{step.kind.value} {step.status} -> {step.to_url}"


def _text(page: Page, found: Found, setting: Setting, tally: _Tally) -> None:
    lines = page.lines_on(setting.device.value)
    if lines is None:
        return
    got = [each for each in found.lines if page.clock is None or not each.startswith(page.clock)]
    tally.sets(Kind.TEXT, Counter(lines), Counter(got), "line")
    if page.title is not None:
        tally.check(
            Kind.TEXT, flat(page.title) == flat(found.title or ""), f"title: {page.title}", f"title: {found.title}"
        )


def _images(page: Page, found: Found, setting: Setting, tally: _Tally) -> None:
    for mark in page.marks:
        x, y = mark.left + mark.side / 2, mark.top + mark.side / 2
        _place(mark, found.colour(x, y, setting.density), "whole page", tally)
        if mark.top + mark.side <= setting.window_height:
            _place(mark, found.first_colour(x, y, setting.density), "window", tally)


def _place(mark: Mark, got: Colour | None, picture: str, tally: _Tally) -> None:
    ok = got is not None and max(abs(a - b) for a, b in zip(mark.colour, got, strict=True)) <= COLOUR
    tally.check(Kind.IMAGE, ok, f"{mark.form} at {mark.left},{mark.top} of the {picture}: {mark.colour}", got)


def _times(page: Page, found: Found, asked_at: AskedAt, tally: _Tally) -> None:
    known = [(name, found.times[name]) for name in IN_ORDER if name in found.times]
    for (name, earlier), (later_name, later) in pairwise(known):
        tally.check(Kind.TIME, earlier <= later, f"{name} before {later_name}", f"{earlier} after {later}")
    first = next(iter(asked_at.get(page.url, ())), None)
    began, answered = found.times.get("requested_at"), found.times.get("first_response_at")
    if first is None and answered is not None:
        tally.check(Kind.TIME, False, "an answer to what the site was asked for", f"{answered}, and it was not asked")
    if first is not None:
        if began is not None:
            tally.check(
                Kind.TIME, _within(began, first), f"requested_at shortly before {first}, when the site was asked", began
            )
        if answered is not None:
            tally.check(
                Kind.TIME,
                first - SLACK <= answered <= first + 2 * TOLERANCE,
                f"first_response_at soon after {first}",
                answered,
            )
    for hop, at in zip(found.hops, found.hop_times, strict=True):
        came = _nearest(at, asked_at.get(hop.to_url.partition("#")[0], ()))
        if came is not None:
            tally.check(Kind.TIME, abs(at - came) <= TOLERANCE, f"hop to {hop.to_url} at about {came}", at)
    for stamp in page.stamps:
        tally.check(Kind.TIME, stamp in found.documents, f"{stamp} in the document", "not there")
    if page.clock is not None:
        tally.check(Kind.TIME, *_clock(page.clock, found))


def _within(ours: datetime, theirs: datetime) -> bool:
    return theirs - TOLERANCE <= ours <= theirs + SLACK


def _nearest(at: datetime, asked: Sequence[datetime]) -> datetime | None:
    return min(asked, key=lambda each: abs(at - each), default=None)


def _clock(prefix: str, found: Found) -> tuple[bool, str, str]:
    said = next((each for each in found.lines if each.startswith(prefix)), None)
    begun, shot = found.times.get("requested_at"), found.times.get("viewport_at")
    if said is None or begun is None or shot is None:
        return False, "the page's clock", "not there"
    at = parse_utc(said.removeprefix(prefix).strip())
    return begun - SLACK <= at <= shot + SLACK, f"the page's clock between {begun} and {shot}", said


@dataclass(frozen=True, kw_only=True, slots=True)
class Differs:
    """Two captures of one page that are not alike."""

    kind: Kind
    one: str
    other: str


def differences(one: Found, other: Found, *, clock: str | None = None, pixels: bool) -> Iterator[Differs]:
    """Between two rounds, or two profiles. ``pixels``: whether all of the picture has to be the same.

    ``clock``: begins a line that is never the same twice.
    """
    if one.outcome != other.outcome:
        yield Differs(kind=Kind.OUTCOME, one=one.outcome, other=other.outcome)
    if (one.final_url, one.hops) != (other.final_url, other.hops):
        yield Differs(kind=Kind.HOP, one=_route(one), other=_route(other))
    ones, others = (
        Counter(line for line in each.lines if not (clock and line.startswith(clock))) for each in (one, other)
    )
    if ones != others or one.title != other.title:
        gone, come = ones - others, others - ones
        yield Differs(kind=Kind.TEXT, one=_some(gone) or str(one.title), other=_some(come) or str(other.title))
    if Counter(one.links) != Counter(other.links):
        gone, come = Counter(one.links) - Counter(other.links), Counter(other.links) - Counter(one.links)
        yield Differs(kind=Kind.LINK, one=_some(gone), other=_some(come))
    if pixels and one.pixels != other.pixels:
        yield Differs(kind=Kind.IMAGE, one=f"pixels {one.pixels[:16]}", other=f"pixels {other.pixels[:16]}")


def _route(found: Found) -> str:
    return " ; ".join([*map(_step, found.hops), str(found.final_url)])[:500]


def _some(lines: Counter[str]) -> str:
    return " / ".join(lines)[:300]
