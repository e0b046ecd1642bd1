"""``counterproof read`` and ``pictures``: what saved pages and pictures say; nothing is fetched for it."""

import os
import secrets
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import (
    HomeOption,
    StoreOption,
)
from console.screen import sentences


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def read(
        self,
        pages: Annotated[
            list[str],
            typer.Argument(metavar="FILE|CAPTURE...", help="Saved pages (HTML, JSON; .gz too), or captures' ids."),
        ],
        *,
        url: Annotated[
            str | None, typer.Option("--url", metavar="URL", help="The page's address; else it is told from the page.")
        ] = None,
        term: Annotated[
            list[str] | None,
            typer.Option(
                "--term", metavar="TERM", help="Reviews on listings that name it, their writers as pseudonyms."
            ),
        ] = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
    ) -> None:
        """Read what pages say: author, caption, links, title, price, seller … and where on the page each stands.

        Nothing is fetched, and what is kept does not change: today's readers may be run over old captures at any time.
        """
        from console import reading

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            key = secrets.token_bytes(32)
            reading.read(pages, config, self._run(), url=url, terms=term or (), key=key, as_json=as_json)

    def pictures(
        self,
        asked: Annotated[
            list[str],
            typer.Argument(metavar="FILE|CAPTURE...", help="Pictures, or captures' ids: all pictures that they kept."),
        ],
        *,
        only: Annotated[
            str | None,
            typer.Option("--only", metavar="codes|text", help="QR and bar codes alone, or lines of text alone."),
        ] = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
    ) -> None:
        """Read pictures: QR and bar codes, and lines of text as an engine takes them to be. Derived; it may err.

        Nothing is fetched or followed, and what is kept does not change. Needs the extras `qr` and `ocr`; no picture
        leaves this machine.
        """
        from console import picturing

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            picturing.pictures(asked, config, self._run(), only=only, as_json=as_json)
