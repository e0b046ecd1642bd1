"""The interval asked for beside the one achieved, as timelines and ``watch show`` tell it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import QueueDown
from archive.watching.database import EMBEDDED, open_database
from archive.watching.intervals import Interval, Kept, of_pages
from console.screen import now, say, span


def intervals_of(home: Path | None, store: str | None, keys: Mapping[str, str]) -> dict[str, list[Kept]]:
    """By address, its watches. ``keys``: of each address, the one for comparing. Empty where nothing is watched here.

    A database that does not answer hides no timeline: it is said, and what captures show is told.
    """
    config = ArchiveConfig.load(os.environ, home=home, store_url=store)
    if not keys or (config.dsn is None and not (config.home / EMBEDDED).is_dir()):
        return {}
    try:
        with open_database(config) as database, database.transaction() as connection:
            found = of_pages(connection, list(set(keys.values())), now=now())
    except QueueDown as error:
        say(f"how often its looks were asked for is not known: {error}")
        return {}
    return {url: found[key] for url, key in keys.items() if key in found}


def interval_lines(kept: Iterable[Kept]) -> Iterator[Text]:
    for each in kept:
        yield Text(f"    watched for {each.watch.case} ({each.watch.state.value}): {sentence(each.interval)}")


def sentence(interval: Interval) -> str:
    """Asked beside achieved, and what became of each look that was due."""
    asked = "nothing is asked for now" if interval.asked is None else f"asked every {span(interval.asked)}"
    counts = ", ".join(
        f"{count} {what}"
        for what, count in (
            ("made", interval.made),
            ("of them late", interval.late),
            ("failed", interval.failed),
            ("waiting", interval.waiting),
            ("missed", interval.missed),
        )
        if count or what == "made"
    )
    seen = f"{interval.saw} of them saw the page" if interval.saw != interval.made else "all saw the page"
    told = f"{asked}, achieved {_gaps(interval.achieved.median, interval.achieved.longest)}; {interval.due} looks due"
    return f"{told}: {counts}" + (f"; {seen}" if interval.made else "")


def _gaps(median: timedelta | None, longest: timedelta | None) -> str:
    if median is None or longest is None:
        return "not known yet"
    return f"every {span(median)} in the median, {span(longest)} at the longest"
