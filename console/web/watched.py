"""How often pages were to be looked at, and how often they were: for a timeline, from the database of watches."""

from collections.abc import Iterable

from archive.errors import ArchiveError
from archive.watching.database import EMBEDDED, open_database
from archive.watching.intervals import Kept, of_pages
from console.web.holdings import Holdings


class NotAnswering(Exception):
    """There is a database of watches, and it does not answer now."""


def watched(holdings: Holdings, urls: Iterable[str]) -> list[Kept] | None:
    """Watches of these addresses that were ever due, of cases that may be seen. None: nothing is watched from here.

    Raises ``NotAnswering``. Where the home's own database does not run it is started, which takes seconds.
    """
    archive = holdings.archive
    config = archive.config
    if config.dsn is None and not (config.home / EMBEDDED).is_dir():
        return None
    keys = sorted({str(archive.run().dedupe_key(each)) for each in urls if each})
    cases = None if holdings.scopes is None else {each.name for each in holdings.cases() if each.name}
    try:
        with open_database(config) as database, database.transaction() as connection:
            found = of_pages(connection, keys, now=archive.clock(), cases=cases)
    except ArchiveError as error:
        raise NotAnswering(str(error)) from error
    return [each for key in keys for each in found.get(key, ()) if each.interval.since is not None]
