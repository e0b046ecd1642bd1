"""A light look: what a page shows now, held against what an earlier capture of it has, before anything more is kept.

Compared are the outcome, where the address led, the reading's fields, the words, and the picture of the window. What is
the same in all of them is unchanged; whatever cannot be compared is not taken for the same.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from archive.reading import Reading
from crawlers.pictures.printing import Look, Printer
from custody import canonical
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Hop, Json, Outcome
from findings.fields import stable
from findings.page import Page
from findings.resemblance import THRESHOLD, distance
from findings.settled import settled


@dataclass(frozen=True, kw_only=True, slots=True)
class Basis:
    """An earlier capture of the address, as far as a light look is held against it."""

    page: Page
    window: Digest | None
    """Of the picture of the window before anything was touched."""
    printed: Look | None
    """What that picture is known again by; None: there is none."""
    key: Callable[[str], str]
    printer: Printer
    turn: threading.Lock
    """Of the printer, which looks at one picture at a time."""

    def side(self) -> dict[str, Json]:
        return {"capture": self.page.capture, "record_sha256": self.page.record.hex}


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """What a page shows."""

    url: str
    """Where the browser is."""
    outcome: Outcome
    http_status: int | None
    hops: tuple[Hop, ...]
    reading: Reading = field(repr=False)
    words: str = field(repr=False)
    window: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What was compared, in the public form of ``look.json``."""

    compared: tuple[Mapping[str, Json], ...]
    not_compared: tuple[Mapping[str, Json], ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Nothing is another, and nothing that has to be compared was left out."""
        return not self.not_compared and all(each["same"] is True for each in self.compared)


def held(basis: Basis, now: Now) -> Held:
    """In any thread: a picture is looked at, which takes some tens of milliseconds."""
    page = basis.page
    compared = [
        _same("outcome", page.outcome.value, now.outcome.value),
        _same("http_status", page.http_status, now.http_status),
        _same("address", _digest(page.key), _digest(basis.key(now.url))),
        _same("reading", _fields(page.reading), _fields(now.reading)),
        _same("words", _digest(settled(page.visible)), _digest(settled(now.words))),
    ]
    skipped: list[dict[str, Json]] = [
        {"what": "reading", "why": f"the reader of {when} page came to no end"}
        for reading, when in ((page.reading, "the earlier"), (now.reading, "this"))
        if not reading.was_ended
    ]
    if page.is_cut:
        skipped.append({"what": "words", "why": "the earlier page's are longer than is compared"})
    picture = _picture(basis, now.window)
    if "why" in picture:
        skipped.append(picture)
    else:
        compared.append(picture)
    return Held(compared=tuple(compared), not_compared=tuple(skipped))


def look_json(
    basis: Basis,
    held_: Held,
    *,
    now: Mapping[str, Json],
    hops: Sequence[Hop],
    times: Mapping[str, datetime],
    more: Mapping[str, Json],
) -> dict[str, Json]:
    """The blob of a look that found nothing new. ``now``: capture, addresses, outcome; ``more``: the rest."""
    return {
        **now,
        "compared_with": basis.side(),
        "hops": [
            {"n": each.n, "from": each.from_url, "to": each.to_url, "kind": each.kind.value, "status": each.status}
            for each in hops
        ],
        "times": {name: format_utc(at) for name, at in times.items()},
        "compared": list(held_.compared),
        "not_compared": list(held_.not_compared),
        **more,
    }


def _picture(basis: Basis, window: bytes | None) -> dict[str, Json]:
    """Equal bytes are equal; else by print, where both are telling."""
    if window is None or basis.window is None or basis.printed is None:
        return {"what": "picture", "why": "there is no picture of the window of one of the two"}
    digest = Digest.of(window)
    told: dict[str, Json] = {"what": "picture", "before": basis.window.hex, "now": digest.hex}
    if digest == basis.window:
        return {**told, "same": True, "distance": 0}
    with basis.turn:
        ours, theirs = basis.printed.print, basis.printer.look(window, digest).print
    if ours is None or theirs is None or not (ours.is_telling and theirs.is_telling):
        # An even page has nothing that it could be known again by: it is the same only byte for byte.
        return {**told, "same": False, "distance": None}
    apart = distance(ours, theirs)
    return {**told, "same": apart <= THRESHOLD, "distance": apart, "threshold": THRESHOLD}


def _same(what: str, before: Json, now: Json) -> dict[str, Json]:
    return {"what": what, "before": before, "now": now, "same": before == now}


def _fields(reading: Reading) -> str:
    return Digest.of(canonical.dumps(stable(reading))).hex


def _digest(text: str) -> str:
    return Digest.of(text.encode("utf-8", "replace")).hex
