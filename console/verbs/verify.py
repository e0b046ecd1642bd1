"""``counterproof verify``: the whole store, or what was handed over, read back and judged."""

import os
from pathlib import Path
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import (
    CaseOption,
    HomeOption,
    JsonOption,
    StoreOption,
)
from console.screen import sentences
from console.verbs import exporting


def verify(
    handed: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR|ZIP]", help="An export that you were handed: needs no store and no home."),
    ] = None,
    *,
    case: CaseOption = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", metavar="FILE", help="Keys and authorities to believe. [the home's]")
    ] = None,
    trust_digest: Annotated[
        str | None,
        typer.Option("--trust-digest", metavar="SHA256", help="Of an export: the digest of the trust file will do."),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="One you kept: does today's log extend it? Repeatable."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="DIR|ZIP", help="The same, as an option."),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read back every byte, the tree and the signatures, and print a verdict of numbered checks."""
    from console import verification

    with sentences(as_json=as_json, code_of=verification.code_of):
        if handed is not None and export is not None:
            raise UsageError("name what was handed over once: verify FILE.zip --trust FILE")
        if (given := handed or export) is not None:
            exporting.refuse_store(case=case, store=store)
            code = exporting.verify_export(
                given,
                trust_file=trust,
                trust_digest=trust_digest,
                checkpoints=tuple(checkpoint or ()),
                as_json=as_json,
            )
            raise typer.Exit(code)
        if trust_digest is not None:
            raise UsageError("--trust-digest is for an export: of a store, name the trust file by --trust FILE")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = verification.verify(
            config, trust_file=trust, case=case, as_json=as_json, checkpoints=tuple(checkpoint or ())
        )
    raise typer.Exit(code)
