"""``counterproof witness`` at a terminal: the live page opened in the person's own browser, and what they say of it."""

import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from archive.errors import UsageError
from console.screen import say

Open = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Said:
    differences: tuple[str, ...]
    browser: str | None


def show(url: str, picture: Path | None, open_: Open = webbrowser.open_new_tab) -> None:
    """In whatever browser is theirs: we neither start one of ours nor look into it."""
    if not open_(url):
        say("no browser could be opened here: open this address in one of your own, on any machine")
    say(f"the live page:       {url}")
    if picture is not None:
        if not open_(picture.as_uri()):
            say("and open this picture beside it")
        say(f"what the capture kept: {picture}")


def ask(stdin: IO[str] | None = None) -> Said:
    """Raises ``UsageError`` where nobody answers."""
    source = stdin or sys.stdin
    answer = ""
    while answer not in {"yes", "no"}:
        say("Look at both. Is the picture a fair and accurate picture of what you see on the live page? (yes or no)")
        answer = _line(source).lower()
    differences: list[str] = []
    while answer == "no":
        say("What differs? One thing a line; an empty line ends." if not differences else "What else?")
        line = _line(source)
        if not line and differences:
            break
        if line:
            differences.append(line)
    say("Which browser did you look with? (its name, or nothing)")
    return Said(tuple(differences), _line(source) or None)


def _line(source: IO[str]) -> str:
    line = source.readline()
    if not line:
        raise UsageError("nobody answered: nothing was stated, and nothing recorded")
    return line.strip()
