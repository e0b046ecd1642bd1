"""``counterproof visits``: a ledger of our own visits, by link and tag."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.config import ArchiveConfig
from console.options import CaseOption, HomeOption, JsonOption, StoreOption
from console.screen import print_json, say, sentences

if TYPE_CHECKING:
    from archive.visits import Row
    from console.kept import Kept

_UNCHANGED = "unchanged"


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
    which were ours: looks that found nothing new are among them, and captures that came to no end (`begun`: nobody
    knows what was answered). Captures that were disposed of are not in it; how many, is said.
    """
    from archive.errors import UsageError
    from archive.exporting.sheets import Table, to_csv
    from archive.visits import COLUMNS
    from console.kept import open_kept

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_kept(config) as kept:
            rows, lacking = _ledger(kept, case)
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
        say(
            f"{len(rows)} visits"
            + (f"; {lacking} captures cannot be read any more, and are not in it" if lacking else "")
        )


def _ledger(kept: "Kept", case: str | None) -> tuple[list["Row"], int]:
    """Oldest first, and how many captures have nothing left that could be read."""
    from archive.errors import NotStored
    from archive.visits import visit_begun, visits_of_look
    from archive.visits import visits as rows_of
    from custody import canonical
    from custody.checks.looks import MAX_BYTES
    from custody.digest import Digest
    from custody.errors import FormatError

    rows: list[Row] = []
    lacking = 0
    entries = kept.catalog.captures(case, limit=1 << 31)
    looks: dict[str, Digest] = {}
    if any(each.status == _UNCHANGED for each in entries):
        looks = {
            str(each.event.body["capture"]): each.event.subjects[0].digest
            for each in kept.reader.log.events("look.unchanged")
        }
    for entry in reversed(entries):
        if entry.outcome == "refused_by_policy":
            continue  # it was not asked for
        who = entry.capture_id, entry.requested_url, entry.started_at
        if entry.disposed_at is not None or not entry.requested_url:
            lacking += 1
        elif entry.record_sha256 is not None:
            rows += rows_of(*who, entry.http_status, tuple(kept.record(entry.capture_id).hops))
        elif entry.status != _UNCHANGED:
            rows.append(visit_begun(*who))
        else:
            try:
                look = canonical.loads(kept.blob(looks[entry.capture_id], MAX_BYTES), max_bytes=MAX_BYTES)
                rows += list(visits_of_look(*who, look))
            except (NotStored, FormatError, LookupError, TypeError, ValueError):
                lacking += 1
    return rows, lacking
