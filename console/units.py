"""The units of a run: which captures each has, and the package that was made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive.result import Result
from custody.model import Json

if TYPE_CHECKING:
    from archive.packaging.packer import Made


@dataclass(frozen=True, kw_only=True, slots=True)
class Packing:
    """What came of packing the units of a run; empty where nobody asked for it."""

    made: Mapping[str, "Made"] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    """By unit, why there is no package of it."""


def document(result: Result, packing: Packing) -> list[Json]:
    """``units`` of ``capture --json``: in the order of the captures."""
    return [
        {
            "id": unit,
            "captures": [each.capture_id for each in result.captures if each.unit == unit],
            "package": described(packing.made[unit]) if unit in packing.made else None,
            "not_packed": packing.refused.get(unit),
        }
        for unit in dict.fromkeys(each.unit for each in result.captures)
    ]


def described(made: "Made") -> dict[str, Json]:
    packed = made.packed
    return {
        "unit": packed.unit,
        "sha256": packed.digest.hex,
        "bytes": packed.bytes,
        "members": len(packed.members),
        "captures": list(packed.captures),
        "without_traffic": list(packed.without),
        "index": made.index,
    }
