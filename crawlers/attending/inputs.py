"""What a person did to the pages: kind, target and time of each input. Never what was typed."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crawlers.text import clean
from custody.instant import format_utc
from custody.model import Json

KINDS = frozenset({"click", "tap", "key", "scroll", "change", "input", "paste", "drop", "unseen", "navigate"})
PRESSES = frozenset({"click", "tap", "key"})
"""After which a page may go elsewhere because a person wanted it to."""
MAX_INPUTS = 1_000
"""Told one by one; the rest is counted by kind."""
MAX_WORDS = 80
_PARTS = ("tag", "role", "type", "name", "chosen")
_SKEW = timedelta(seconds=60)
"""A browser's time that is further from ours is not taken."""


@dataclass(kw_only=True, slots=True)
class Inputs:
    """In the order in which they were told."""

    clock: Callable[[], datetime]
    listed: list[Mapping[str, Json]] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    """By kind, beyond ``MAX_INPUTS`` or beyond what a page may tell in a second."""
    pressed_at: list[datetime] = field(default_factory=list)
    """When something was pressed that may make a page leave."""

    def add(self, kind: str, at: datetime, target: Mapping[str, Json], *, frame: str = "") -> None:
        """``target``: ``tag``, ``role``, ``type``, ``name`` and, of a selection, ``chosen``; as far as there are."""
        if kind in PRESSES:
            self.pressed_at = [*self.pressed_at[-MAX_INPUTS:], at]
        if len(self.listed) >= MAX_INPUTS:
            self.more[kind] += 1
            return
        said: dict[str, Json] = {"kind": kind, "at": format_utc(at), "target": target}
        if frame:
            said["frame"] = clean(frame, limit=MAX_WORDS)
        self.listed.append(said)

    def at(self, milliseconds: Any) -> datetime:
        """The browser's time of an event; ours where it cannot be."""
        now = self.clock()
        if isinstance(milliseconds, (int, float)) and abs(milliseconds - now.timestamp() * 1000) < _SKEW / timedelta(
            milliseconds=1
        ):
            return min(now, datetime.fromtimestamp(milliseconds / 1000, UTC))
        return now

    def was_pressed(self, at: datetime, *, within: timedelta, after: timedelta) -> bool:
        """Whether something was pressed at most ``within`` before, or (two sessions tell of them) ``after``."""
        return any(at - within <= each <= at + after for each in self.pressed_at)

    def to_json(self) -> dict[str, Json]:
        return {"inputs_more": dict(sorted(self.more.items()))} if self.more else {}


def target_of(said: object) -> dict[str, Json]:
    """What our listener says of an element, held to its form."""
    given = said if isinstance(said, Mapping) else {}
    return {part: clean(given[part], limit=MAX_WORDS) for part in _PARTS if isinstance(given.get(part), str)}
