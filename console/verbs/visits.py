"""``counterproof visits``: a ledger of our own visits, by link and tag."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import CaseOption, HomeOption, JsonOption, StoreOption
from console.screen import print_json, say, sentences


def visits(
    *,
    case: CaseOption = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.csv", help="- is stdout.")] = Path("-"),
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a ledger of our own visits: each address that captures asked for, when, and the tags by which clicks count.

    A visit of ours counts as a click where clicks are counted. Whoever argues about such numbers later needs to know
    which were ours. Captures whose record was disposed of are not in it; how many, is said.
    """
    from archive.errors import UsageError
    from archive.exporting.sheets import Table, to_csv
    from archive.visits import COLUMNS
    from archive.visits import visits as rows_of
    from console.kept import open_kept

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        rows: list[tuple[str, str, str, str, str, int | None, str]] = []
        lacking = 0
        with open_kept(config) as kept:
            for entry in reversed(kept.catalog.captures(case, limit=1 << 31)):
                if entry.outcome == "refused_by_policy":
                    continue  # it was not asked for
                if entry.record_sha256 is None or entry.disposed_at is not None:
                    lacking += 1
                    continue
                record = kept.record(entry.capture_id)
                rows += rows_of(
                    entry.capture_id, entry.requested_url, entry.started_at, entry.http_status, tuple(record.hops)
                )
        if as_json:
            print_json(
                {"schema": 1, "visits": [dict(zip(COLUMNS, row, strict=True)) for row in rows], "lacking": lacking}
            )
            return
        data = to_csv(Table(columns=COLUMNS, rows=rows))
        if str(output) == "-":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            try:
                output.write_bytes(data)
            except OSError as error:
                raise UsageError(f"{output} cannot be written: {error.strerror}") from error
        say(f"{len(rows)} visits" + (f"; {lacking} captures have no record, and are not in it" if lacking else ""))
