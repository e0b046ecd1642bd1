"""``counterproof reach``: content, walls and refusals, counted by platform, surface and day."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from types import ModuleType

from rich.table import Table
from rich.text import Text

from archive.catalog import Reached
from archive.config import ArchiveConfig
from archive.reader import open_catalog, open_reader
from archive.surface import Shown
from console.screen import out, print_json, say
from custody.model import Json

SCHEMA = 1
OTHER = "other"
"""Pages of no platform that is known by its address."""
Row = tuple[str, str, str]
"""Platform, surface, day."""


def reach(config: ArchiveConfig, run: ModuleType, case: str | None, *, as_json: bool) -> None:
    """``run`` is ``crawlers.run``, handed in: it knows whose an address is."""
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        counted = count(catalog.reached(case), run.platform_at)
    if as_json:
        print_json({"schema": SCHEMA, "reach": [_told(row, times) for row, times in counted]})
        return
    if not counted:
        say("nothing was captured yet" if case is None else f"nothing was captured in case {case}")
        return
    out.print(_table(counted))


def count(found: Iterable[Reached], platform_at: Callable[[str], str | None]) -> list[tuple[Row, Counter[str]]]:
    """By platform, surface and day, in that order. Words of a later version are counted as they are."""
    counted: defaultdict[Row, Counter[str]] = defaultdict(Counter)
    for each in found:
        platform = each.platform or platform_at(each.url) or OTHER
        counted[platform, each.surface, each.day][each.shown] += each.times
    return sorted(counted.items())


def _told(row: Row, times: Counter[str]) -> dict[str, Json]:
    platform, surface, day = row
    return {"platform": platform, "surface": surface, "day": day, **{each: times[each] for each in _words(times)}}


def _words(times: Counter[str]) -> list[str]:
    return list(dict.fromkeys([*(each.value for each in Shown), *sorted(times)]))


def _table(counted: list[tuple[Row, Counter[str]]]) -> Table:
    words = _words(Counter(word for _, times in counted for word in times))
    table = Table(box=None, pad_edge=False)
    for name in ("platform", "surface", "day"):
        table.add_column(name)
    for name in words:
        table.add_column(name, justify="right")
    for row, times in counted:
        table.add_row(*(Text(each) for each in row), *(str(times[each] or "") for each in words))
    return table
