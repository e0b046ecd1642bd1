"""Who looks, and what he may: rights are given case by case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Right(IntEnum):
    """Each holds those before it."""

    VIEWER = 1
    """Looks at pages, and fetches what they show."""
    REVIEWER = 2
    """Decides on candidates."""
    INVESTIGATOR = 3
    """Has pages captured."""
    CUSTODIAN = 4
    """Grants rights in the case."""

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Somebody who has signed in, or holds a token."""

    name: str
    rights: Mapping[str, Right] | None = field(repr=False)
    """By case (its id in the log). None: all of them, in all cases: whoever holds the home on this machine."""
    csrf: str = field(default="", repr=False)
    """What each form must bring back; empty for a token, which no page can send by itself."""

    @property
    def scopes(self) -> frozenset[str] | None:
        """The cases that may be seen; None: all."""
        return None if self.rights is None else frozenset(self.rights)

    def may(self, scope: str, right: Right) -> bool:
        return self.rights is None or self.rights.get(scope, 0) >= right

    @property
    def owns_all(self) -> bool:
        return self.rights is None
