"""Where words go: results to stdout, everything else to stderr; and one sentence for every error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, Any, cast

import typer
from rich.console import Console
from rich.text import Text

from archive.errors import ArchiveError
from console.exits import Exit, of_error
from custody.errors import CustodyError
from custody.model import Json

# What a page wrote must not turn the line around or hide in it (Unicode UAX #9, and the characters without width).
# The joiner of emoji, U+200D, stays.
HIDDEN = {
    ord(each): "\ufffd"
    for each in "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
}

# ECMA-48: ESC and the other controls of both sets, with which a title could hide a line, or write another over it.
_COMMANDS = {each: "\ufffd" for each in (*range(0x20), *range(0x7F, 0xA0)) if each not in {ord("\n"), ord("\t")}}


class _Plain:
    """A standard stream, as it is at the time of writing, that lets nothing hidden through."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, text: str) -> int:
        written: int = getattr(sys, self._name).write(text.translate(HIDDEN))
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(sys, self._name), name)


class _Screen(Console):
    """Prints text, and no command to the terminal that somebody put into it; styles are added after that."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(_harmless(each) for each in objects), **options)


def _harmless(printed: Any) -> Any:
    if isinstance(printed, Text):
        printed = printed.copy()
        printed.plain = printed.plain.translate(_COMMANDS)
    return printed.translate(_COMMANDS) if isinstance(printed, str) else printed


out = _Screen(file=cast("IO[str]", _Plain("stdout")), soft_wrap=True, highlight=False)
err = _Screen(file=cast("IO[str]", _Plain("stderr")), soft_wrap=True, highlight=False)
_documents: list[Json] = []


def now() -> datetime:
    return datetime.now(UTC)


def span(interval: timedelta) -> str:
    """For people: 6h, 1.5d."""
    seconds = round(interval.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length or (seconds >= length and seconds % length == 0):
            return f"{seconds / length:.3g}{unit}"
    return f"{seconds}s"


def print_json(value: Json) -> None:
    """One document on stdout, UTF-8, nothing else beside it."""
    _documents.append(value)
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def has_printed_json() -> bool:
    return bool(_documents)


def say(text: str) -> None:
    """A line for a person on stderr; never read as markup, whatever a page put into it."""
    err.print(text, markup=False)


@contextmanager
def sentences(*, as_json: bool, code_of: Callable[[ArchiveError | CustodyError], Exit] = of_error) -> Iterator[None]:
    """What goes wrong becomes one sentence and a documented exit code, never a traceback."""
    try:
        yield
    except (ArchiveError, CustodyError) as error:
        code = code_of(error)
        if as_json:
            print_json({"schema": 1, "error": str(error), "kind": type(error).__name__, "exit_code": int(code)})
        say(f"counterproof: {error}")
        raise typer.Exit(code) from error
    except KeyboardInterrupt as error:
        say("counterproof: interrupted; what was captured before stays, what was begun is ended by the next command")
        raise typer.Exit(Exit.INTERRUPTED) from error
    except BrokenPipeError as error:
        sys.stderr.close()  # whoever read us has gone: say nothing more
        raise typer.Exit(Exit.OK) from error
