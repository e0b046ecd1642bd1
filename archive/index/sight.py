"""Who may see what: every question to the catalogue carries the cases of whoever asks, and SQL leaves out the rest."""

from collections.abc import Collection

Sight = Collection[str] | None
"""Scopes of the cases that may be seen. None: all, also what belongs to no case. Empty: nothing."""


def seen(sight: Sight, place: str = "captures.started_index") -> tuple[str, list[object]]:
    """A condition that begins with AND, and its values: the capture of this place belongs to one of the cases."""
    if sight is None:
        return "", []
    if not sight:
        return " AND 1 = 0", []
    scopes = sorted(sight)
    marks = ", ".join("?" * len(scopes))
    return (
        f" AND EXISTS (SELECT 1 FROM placed WHERE placed.scope IN ({marks}) AND placed.started_index = {place})",  # noqa: S608  # ours
        list(scopes),
    )


def of_case(scope: str, sight: Sight) -> bool:
    """Whether a case may be seen at all."""
    return sight is None or scope in sight
