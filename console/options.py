"""Options that many verbs share, so that they read alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Keys, trust file, embedded store. [COUNTERPROOF_HOME; XDG data dir]"),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR. [COUNTERPROOF_STORE_URL; the embedded store]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CaseOption = Annotated[str | None, typer.Option("--case", metavar="NAME", help="Only what belongs to this case.")]
