"""Where words go: results to stdout, everything else to stderr; and one sentence for every error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer
from rich.console import Console

from archive.errors import ArchiveError
from console.exits import Exit, of_error
from custody.errors import CustodyError
from custody.model import Json

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def now() -> datetime:
    return datetime.now(UTC)


def print_json(value: Json) -> None:
    """One document on stdout, UTF-8, nothing else beside it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


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
