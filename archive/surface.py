"""Which face of a platform a capture is of, and whether what was asked for was shown on it. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from custody.model import Json, Outcome


class Surface(StrEnum):
    """Each is shown by the platform itself, to anybody or to whoever has a token; none of them stands for another."""

    PAGE = "page"
    """The page that a visitor who is not signed in gets."""
    EMBED = "embed"
    """The page that other sites are offered to put a post or profile on theirs."""
    OEMBED = "oembed"
    """What the platform tells programs for the same end (oembed.com)."""
    API = "api"
    """What its interface for programs answers to the user's own token."""
    ATTENDED = "attended"
    """The page, with a person at it."""
    RECEIVED = "received"
    """Handed over by somebody; nothing was looked at."""


class Shown(StrEnum):
    """What came of asking for content."""

    CONTENT = "content"
    WALL = "wall"
    """Something else stood in its place: a login, an age, a robot check, an app."""
    SHELL = "shell"
    """The page of the platform, with nothing in it of what was asked for."""
    REFUSED = "refused"
    """The site turned the visitor away: HTTP 401, 403, 429, or in words."""
    ABSENT = "absent"
    """The site says that it is not there."""
    FAILED = "failed"
    """Nobody answered, or we did not ask: robots.txt or the egress policy was obeyed."""


_BY_OUTCOME: Mapping[Outcome, Shown] = {
    Outcome.OK: Shown.CONTENT,
    Outcome.NOT_A_PAGE: Shown.CONTENT,
    Outcome.RATE_LIMITED: Shown.REFUSED,
    Outcome.REMOVED: Shown.ABSENT,
    Outcome.UNAVAILABLE: Shown.ABSENT,
    Outcome.HTTP_ERROR: Shown.FAILED,
    Outcome.DNS_ERROR: Shown.FAILED,
    Outcome.TLS_ERROR: Shown.FAILED,
    Outcome.TIMEOUT: Shown.FAILED,
    Outcome.REFUSED_BY_POLICY: Shown.FAILED,
    Outcome.ERROR: Shown.FAILED,
}
_BY_STATUS: Mapping[int, Shown] = {
    401: Shown.REFUSED,
    403: Shown.REFUSED,
    404: Shown.ABSENT,
    410: Shown.ABSENT,
    429: Shown.REFUSED,
}


def shown_by(outcome: Outcome, http_status: int | None) -> Shown:
    """By the outcome alone, as far as that goes: whether an ``ok`` page is a shell, only its reading tells."""
    if outcome is Outcome.HTTP_ERROR and http_status is not None:
        return _BY_STATUS.get(http_status, Shown.FAILED)
    return _BY_OUTCOME.get(outcome, Shown.WALL)


def surface_of(sections: Mapping[str, Json]) -> str:
    """Of a record's sections. One that does not say is of a page; a word of a later version is given as it is."""
    name = _section(sections, "surface").get("name")
    if isinstance(name, str):
        return name
    attended = _section(sections, "session").get("surface") == Surface.ATTENDED
    return Surface.ATTENDED.value if attended else Surface.PAGE.value


def shown_of(sections: Mapping[str, Json], outcome: Outcome, http_status: int | None) -> str:
    """As the record says, which knew the reading; else by the outcome."""
    said = _section(sections, "surface").get("shown")
    return said if isinstance(said, str) else shown_by(outcome, http_status).value


def platform_of(sections: Mapping[str, Json]) -> str | None:
    """Whose surface it is, where the record says so: an answer's host need not tell."""
    said = _section(sections, "surface").get("platform")
    return said if isinstance(said, str) else None


def _section(sections: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = sections.get(name)
    return found if isinstance(found, Mapping) else {}
