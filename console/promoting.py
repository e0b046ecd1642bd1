"""Promotions of single units, for ``show`` and for the end of a capture: a look, which records nothing."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.text import Text

from archive.catalog import Catalog, Entry
from archive.config import ArchiveConfig
from archive.reader import Reader, open_catalog, open_reader
from console.dossier import open_dossier
from console.kept import Kept
from console.telling import lines
from custody.model import Json
from findings.finding import find
from findings.matter import Matter


def of_unit(
    reader: Reader, catalog: Catalog, run: Callable[[], ModuleType], caches: Path, unit: str
) -> list[dict[str, Json]]:
    """Records of the promotions of one unit, under the newest brief of the first case that it belongs to.

    ``run`` gives ``crawlers.run``, which is not loaded for a page alone: it leads nowhere.
    """
    entries = catalog.of_unit(unit)
    if len(entries) < 2:  # the post, and what it leads to
        return []
    matter = Matter()
    for scope in catalog.scopes_of(unit)[:1]:
        version = catalog.brief_of(scope)
        if version is not None and not catalog.brief_disposed(scope):
            matter = Matter.of(reader.briefs.read(version))  # where that cannot be read, nobody knows what to look for
    looking = run()
    kept = Kept(reader=reader, catalog=catalog)
    dossier = open_dossier(kept, entries, looking, caches, pictures=False, in_visit=True)
    found = find(dossier.pages, matter, looking.ADDRESSES)
    return [record for _, record, _ in found.records(matter)]


def of_items(kept: Kept, run: ModuleType, caches: Path, units: Sequence[str], size: int) -> list[dict[str, Json]]:
    """Of several units, as far as a log of ``size`` leaves tells, and under no brief: what leads where, and no term."""
    entries = [
        entry
        for unit in units
        for entry in kept.catalog.of_unit(unit)
        if entry.index is not None and entry.index < size
    ]
    dossier = open_dossier(kept, entries, run, caches, pictures=False, in_visit=True)
    return [record for _, record, _ in find(dossier.pages, Matter(), run.ADDRESSES).records(Matter())]


def of_capture(
    reader: Reader, catalog: Catalog, entry: Entry, *, run: Callable[[], ModuleType], caches: Path
) -> list[dict[str, Any]]:
    """Those of its unit that the capture has a part in."""
    records: list[dict[str, Any]] = of_unit(reader, catalog, run, caches, entry.unit)
    return [each for each in records if entry.capture_id in _captures(each)]


def _captures(record: dict[str, Any]) -> set[str]:
    ways = {name for edge in record["edges"] for name in (edge["from"], edge["to"])}
    return {record["post"]["capture"], record["listing"]["capture"], *ways}


def after_capture(config: ArchiveConfig, run: ModuleType, units: Sequence[str], case: str) -> Iterator[Text]:
    """What a run's units come to."""
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        records: list[dict[str, Any]] = []
        for unit in units:
            records += of_unit(reader, catalog, lambda: run, config.home / "cache", unit)
    yield from lines(records, case)
