"""What a page says, as a platform's reader found it: derived from a capture, and re-doable at any time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from custody.model import Json, Role

_UNENDED = ("its reader ", "reading stopped early: OutOfTime", "reading stopped early: MemoryError")
"""How notes begin that say of a limit of time or memory, or of a reader that died."""


class Kind(StrEnum):
    """What sort of page it is."""

    POST = "post"
    PROFILE = "profile"
    LINK_HUB = "link_hub"
    LISTING = "listing"
    STOREFRONT = "storefront"
    WALL = "wall"
    OTHER = "other"


class Seen(StrEnum):
    """Where a value was: before a reader's eyes, or only in what the page tells machines."""

    SHOWN = "shown"
    EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where in the page a field's value stands."""

    where: str
    """A selector (``css #productTitle``) or a path (``json script#__NEXT_DATA__ .props.title``)."""
    seen: Seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A place on the picture of the whole page, in CSS pixels from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def to_json(self) -> dict[str, Json]:
        return {"x": self.x, "y": self.y, "width": self.width, "height": self.height}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A field that the page does not carry is absent; one that it carries empty is empty."""

    platform: str
    """Name of the platform's file, ``generic`` for a page of none."""
    kind: Kind
    wall: str | None = None
    """The outcome's name (``custody.model.Outcome``) where a wall stands in place of what was asked for."""
    fields: Mapping[str, Json] = field(default_factory=dict, repr=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def was_ended(self) -> bool:
        """Whether it came to its end; else another time may find more, and what is not in it says nothing."""
        return not any(each.startswith(_UNENDED) for each in self.notes)

    @classmethod
    def of_json(cls, value: Any) -> Self:
        """What ``to_json`` gave. ``ValueError``, ``LookupError``, ``TypeError`` or ``AttributeError`` for all else."""
        return cls(
            platform=value["platform"],
            kind=Kind(value["kind"]),
            wall=value["wall"],
            fields=value["fields"],
            sources={
                name: Source(where=where, seen=Seen(value["seen"][name])) for name, where in value["sources"].items()
            },
            notes=tuple(value["notes"]),
        )

    def to_json(self) -> dict[str, Json]:
        """The public form (docs/cli.md): ``sources`` says where each field was, ``seen`` how."""
        return {
            "platform": self.platform,
            "kind": self.kind.value,
            "wall": self.wall,
            "fields": dict(self.fields),
            "sources": {name: each.where for name, each in self.sources.items()},
            "seen": {name: each.seen.value for name, each in self.sources.items()},
            "notes": list(self.notes),
        }


def reading_of(sections: Mapping[str, Json]) -> Mapping[str, Json]:
    """What a record's sections tell of the reading that was made in the visit; empty where they tell of none."""
    session = sections.get("session")
    derived = session.get("derived") if isinstance(session, Mapping) else None
    told = [each for each in derived if isinstance(each, Mapping)] if isinstance(derived, (list, tuple)) else []
    return next((each for each in told if each.get("role") == Role.READING.value), {})


def reading_line(told: Mapping[str, Json]) -> str:
    """The same in words."""
    if told.get("name") is None:
        return f"not made in the visit: {told.get('why')}"
    wall = f", {told['wall']}" if told.get("wall") else ""
    return (
        f"{told.get('kind')}{wall} ({told.get('platform')}): {told.get('fields')} fields, {told.get('boxes')} of them "
        "with a box on the picture"
    )
