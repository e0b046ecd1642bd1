"""Which program this is: the digest of its source, as evidence names it."""

import hashlib
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("archive", "console", "crawlers", "custody", "findings", "pipelines", "settings")


@cache
def code_sha256() -> str:
    """One digest over every source file of the rooms: path, length and bytes, in path order.

    Taken once in a process: what is changed beneath one that runs is not what looks.
    """
    hasher = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            data = path.read_bytes()
            hasher.update(f"{path.relative_to(CHECKOUT).as_posix()}\n{len(data)}\n".encode())
            hasher.update(data)
    return hasher.hexdigest()


def released() -> str | None:
    """The digest that a release states of itself; a checkout that was touched since no longer equals it."""
    stated = CHECKOUT / "RELEASE"
    return stated.read_text(encoding="utf-8").strip() if stated.is_file() else None
