"""Links that name their destination in their own address, and whether they led there, as a record tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from custody.model import Json


class Led(StrEnum):
    """Whether a wrapped link led where it says."""

    AGREES = "agrees"
    """The chain went to the very page that the link names, at once or by a detour."""
    DISAGREES = "disagrees"
    """It went elsewhere, and not to that page."""
    NOT_FOLLOWED = "not_followed"
    """It ended at the wrapper, or on the wrapper's own site."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapped:
    """One wrapped link of a chain."""

    url: str
    destination: str
    """As it says in its own address, through all wrappers in wrappers."""
    by: str
    """``wrapper``: one that is known. ``query``: a foreign address in the query, which may mean something else."""
    led: Led
    led_to: str | None
    """The first page beyond the wrapper and its like; None where there is none."""
    host_reached: bool
    """The chain came to the destination's host, at this page or another."""

    def to_json(self) -> dict[str, Json]:
        return {
            "url": self.url,
            "destination": self.destination,
            "by": self.by,
            "result": self.led.value,
            "led_to": self.led_to,
            "host_reached": self.host_reached,
        }


def wrappers_of(sections: Mapping[str, Json]) -> tuple[Mapping[str, Json], ...]:
    """What a record's sections tell of them; none where they tell of none."""
    session = sections.get("session")
    told = session.get("wrappers") if isinstance(session, Mapping) else None
    return tuple(each for each in told if isinstance(each, Mapping)) if isinstance(told, (list, tuple)) else ()


def wrapper_line(told: Mapping[str, Json]) -> str:
    """The same in words."""
    says = f"the link names {told.get('destination')}"
    if told.get("result") == Led.AGREES:
        return f"{says}, and led there"
    if told.get("result") == Led.DISAGREES:
        return f"{says}, and LED ELSEWHERE: {told.get('led_to')}"
    return f"{says}, and led nowhere beyond the wrapper"
