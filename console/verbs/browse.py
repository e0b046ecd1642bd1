"""``counterproof browse``: the archive in a browser."""

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import HomeOption, StoreOption
from console.screen import now, say, sentences


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def browse(
        self,
        *,
        port: Annotated[
            int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="Of this machine. [any that is free]")
        ] = 0,
        open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the system's browser there.")] = True,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Browse the archive: cases, promotions, captures, each with a verdict worked out when you look.

        Serves this machine alone, on 127.0.0.1, until Ctrl-C. The address that it prints lets one browser in, once.
        Nothing is asked of anything outside, and nothing of a captured page runs.

          counterproof browse
          counterproof browse --port 8700 --no-open
        """
        from console.web.serving import Serve, serve

        with sentences(as_json=False):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            serve(config, Serve(port=port, opens=open_), run=self._run, clock=now, tell=_tell)


def _tell(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    say("open that address: it lets one browser in, once. Ctrl-C stops the console and signs everybody out.")
