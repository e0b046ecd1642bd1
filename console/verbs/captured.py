"""``counterproof captures``, ``reach``, ``show`` and ``get``: what was captured, told and fetched."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import (
    CaseOption,
    HomeOption,
    JsonOption,
    StoreOption,
)
from console.screen import sentences


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def captures(
        self,
        *,
        case: CaseOption = None,
        limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 100,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List what was captured, newest first."""
        from console import browsing

        with sentences(as_json=as_json):
            browsing.captures(ArchiveConfig.load(os.environ, home=home, store_url=store), case, limit, as_json=as_json)

    def reach(
        self,
        *,
        case: CaseOption = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Count what was reached: content, wall or refusal, by platform, surface and day.

        Surfaces are a platform's page, its official embed, oEmbed and API, and a page that a person attended. What no
        visitor reaches by itself, and what to do then: docs/reach.md.
        """
        from console import reaching

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            reaching.reach(config, self._run(), case, as_json=as_json)

    def show(
        self,
        capture_id: Annotated[str, typer.Argument(metavar="ID", help="A capture's id, or how it begins or ends.")],
        *,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show one capture: what was seen, where, what was kept, what is missing."""
        from console import browsing, promoting

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            promotions = partial(promoting.of_capture, run=self._run, caches=config.home / "cache")
            browsing.show(config, capture_id, as_json=as_json, promotions=promotions)

    def get(
        self,
        capture_id: Annotated[str, typer.Argument(metavar="ID", help="A capture's id, or how it begins or ends.")],
        what: Annotated[str, typer.Argument(metavar="ROLE|NAME", help="screenshot, dom, record, … or a file's name.")],
        *,
        output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="- is stdout.")],
        force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Fetch one artifact, checked against its digest on the way."""
        from console import browsing

        with sentences(as_json=False):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            browsing.get(config, capture_id, what, output, force=force)
