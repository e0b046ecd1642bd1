"""``counterproof mirror`` and ``doctor``: a copy of the archive, and whether all that is needed is here."""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import (
    HomeOption,
    JsonOption,
    StoreOption,
)
from console.screen import sentences


def mirror(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DIR|s3://BUCKET[/PREFIX][?endpoint=URL]", help="Made when missing; resumes when not empty."
        ),
    ],
    *,
    record: Annotated[
        bool | None,
        typer.Option(
            "--record/--no-record", help="Put it into the log that a copy was made. [where this home can write]"
        ),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the archive to a directory or a second bucket, same keys, each object re-hashed on its way.

    A directory holds plain files: `verify --store file:DIR` checks it anywhere. A bucket is probed first, and what is
    locked in the archive is locked there as long; COUNTERPROOF_MIRROR_AWS_ACCESS_KEY_ID and its like name other
    credentials for it than for the archive. Run it again to go on, or for what has come since. Copies are not reached
    by `dispose`: whoever makes one answers for it.
    """
    from console import mirroring

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = mirroring.mirror(config, target, record=record, as_json=as_json)
    raise typer.Exit(code)


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def doctor(self, *, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
        """Check browser, sandbox, fonts, store, clock and keys: each OK, or what to do."""
        from console import doctor as diagnosis

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            code = diagnosis.diagnose(config, self._run().diagnose, as_json=as_json)
        raise typer.Exit(code)
