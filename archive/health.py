"""One line of a health check."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was checked, whether it is well, and what to do when it is not."""

    name: str
    state: str
    """``ok``, ``warning`` (works, and weakens the evidence or the safety) or ``missing``."""
    detail: str
