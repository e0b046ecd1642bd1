"""Progress on stderr while a run works: lines for a person, or a JSON line a step for a program."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from custody.instant import format_utc
from custody.model import Json

_WORDS = {
    "waiting": "waiting for its turn at this host",
    "start": "intent recorded, looking",
    "navigate": "browser under way",
    "click": "going on from a page in between",
    "snapshot": "page settled, keeping it",
    "seen": "kept, sealing",
    "recorded": "recorded",
    "unchanged": "as it was captured before: recorded so, and not kept again",
    "submitted": "submitted, not yet in the log",
    "attend": "the window is open: Enter takes a picture, q ends",
    "page": "page kept",
    "shot": "picture taken",
    "not_shot": "no picture taken",
    "quarantine": "QUARANTINED: what is sent from now on is not recorded",
    "lost": "LOST",
}


class Lines:
    """One line a step, with the seconds since the start."""

    def __init__(self, console: Console, *, clock: Callable[[], datetime]) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()

    def __call__(self, step: str, facts: Mapping[str, Json]) -> None:
        if step == "navigate":
            return  # said by "start" already, for a person
        seconds = (self._clock() - self._began).total_seconds()
        said = _WORDS.get(step, step)
        if step == "control":
            said = f"control capture of our own page ({facts['when']}): {facts['result']}"
        elif step == "changed":
            said = f"changed: {', '.join(map(str, facts['kinds']))}"  # type: ignore[arg-type]  # a list of words
        elif step == "later":
            said = f"it is not there: looking again in {facts['seconds']} s"
        elif step == "page":
            said = f"page {facts['n']} " + ("kept" if facts["kept"] else "seen, and not kept: too many were")
        elif step == "shot":
            said = f"picture {facts['n']} taken"
        elif step == "seen":
            said = f"{facts['status']}, shown: {facts['outcome']}; sealing"
        detail = f" ({facts['reason']})" if "reason" in facts else ""
        self._console.print(f"[dim]{seconds:6.1f} s[/dim]  {escape(str(facts.get('url', '')))}  {said}{escape(detail)}")


class JsonLines:
    """For programs: ``{"at", "step", ...}`` a line."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def __call__(self, step: str, facts: Mapping[str, Json]) -> None:
        line = json.dumps({"at": format_utc(self._clock()), "step": step, **facts}, ensure_ascii=False)
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def silent(step: str, facts: Mapping[str, Json]) -> None:
    """``--progress none``."""
