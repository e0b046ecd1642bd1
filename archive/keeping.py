"""How long what a look leaves is locked, by what came of it: the classes of retention. Pure.

A case that is kept longer (``retain``) is kept longer in all of them.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from archive.config import ArchiveConfig
from custody.model import Outcome


class Class(StrEnum):
    """What came of a scheduled look."""

    FULL = "full"
    """It showed the page, or that it is private or gone: kept as everything is."""
    UNCHANGED = "unchanged"
    """It found nothing new (``look.unchanged``)."""
    SHOWN_NOTHING = "shown_nothing"
    """A wall, a refusal or an error: nothing is known of the page itself."""


TELLING = frozenset({Outcome.OK, Outcome.PRIVATE, Outcome.REMOVED, Outcome.UNAVAILABLE, Outcome.NOT_A_PAGE})
"""Outcomes that say something of the page."""
_SAID_BY_CASE = {Class.UNCHANGED: "unchanged_days", Class.SHOWN_NOTHING: "shown_nothing_days"}
"""Names of ``archive.brief.THRESHOLDS``."""


def class_of(outcome: Outcome) -> Class:
    """Of a capture that was kept."""
    return Class.FULL if outcome in TELLING else Class.SHOWN_NOTHING


def days_of(config: ArchiveConfig, said: Mapping[str, Decimal]) -> dict[Class, int]:
    """Days of each class. ``said``: by the case (its thresholds); else by the settings; else as everything."""
    general = {
        Class.FULL: config.retention_days,
        Class.UNCHANGED: config.look_retention_days or config.retention_days,
        Class.SHOWN_NOTHING: config.wall_retention_days or config.retention_days,
    }
    return {
        each: int(said[name]) if (name := _SAID_BY_CASE.get(each, "")) in said else days
        for each, days in general.items()
    }
