"""Promotions of single units, for ``show`` and for the end of a capture: a look, which records nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.text import Text

from archive.briefs import BriefLost
from archive.catalog import Entry
from archive.config import ArchiveConfig
from console.kept import Kept, open_kept
from console.telling import told
from custody.model import Json

MAX_TOLD = 10
"""Promotions of one command; the rest is counted."""


def of_unit(kept: Kept, run: ModuleType, caches: Path, entries: Sequence[Entry]) -> list[dict[str, Json]]:
    """Records of the promotions of one unit, under the newest brief of the first case that it belongs to."""
    from console.dossier import open_dossier
    from findings.finding import find
    from findings.matter import Matter

    matter = Matter()
    for scope in kept.catalog.scopes_of(entries[0].unit)[:1]:
        try:
            matter = Matter.of(kept.reader.briefs.current(scope))
        except BriefLost:
            continue  # nobody knows what it asked for; what the pages say is told all the same
    dossier = open_dossier(kept, entries, run, caches, pictures=False, firsthand=True)
    found = find(dossier.pages, matter, run.ADDRESSES)
    return [record for _, record, _ in found.records(matter)]


def lines(records: Sequence[dict[str, Any]], case: str | None) -> Iterator[Text]:
    """Four lines each."""
    for each in records[:MAX_TOLD]:
        yield Text("")
        yield from told(each)
    if more := len(records) - MAX_TOLD:
        if more > 0:
            yield Text(f"and {more} more promotions")
    if records:
        yield Text(f"more, with pictures compared, and recorded: counterproof findings {case or 'CASE'}", style="dim")


def after_capture(config: ArchiveConfig, run: ModuleType, units: Sequence[str], case: str) -> Iterator[Text]:
    """What a run's units come to."""
    with open_kept(config) as kept:
        records: list[dict[str, Any]] = []
        for unit in units:
            entries = kept.catalog.of_unit(unit)
            if len(entries) > 1:  # a page alone leads nowhere
                records += of_unit(kept, run, config.home / "cache", entries)
        yield from lines(records, case)
