"""Two captures of one address, read from the archive and held against each other."""

from collections.abc import Iterable

from archive import holdings
from archive.absence import Absence, Recorded, absences, is_absent
from archive.derived import Derived
from archive.store import ObjectStore
from crawlers.bounded import Bounded
from crawlers.earlier import Reads, page_of
from crawlers.links import link_key
from crawlers.pictures.printing import Printer
from crawlers.program import code_sha256
from custody.digest import Digest
from findings.change import Comparison
from findings.comparing import compare
from findings.page import Page
from findings.resembling import ByPrint


def compared(
    store: ObjectStore,
    before: Digest,
    after: Digest,
    *,
    unit: Iterable[Digest] = (),
    prints: Derived | None,
    reads: Reads | None = None,
) -> Comparison:
    """By their records; ``before`` was looked at first. ``unit``: those of the later one's unit, for what is gone.

    ``prints``: those of pictures that were made before; None: pictures are not compared. ``reads``: a reader that is
    running; None: one is started. Raises ``StoreError``.
    """
    if reads is None:
        with Bounded() as reader:
            return compared(store, before, after, unit=unit, prints=prints, reads=reader)
    code = code_sha256()
    if prints is None:
        pages = [page_of(store, each, reads=reads, code=code) for each in (before, after)]
    else:
        with Printer(prints) as printer:
            pages = [page_of(store, each, reads=reads, code=code, printer=printer) for each in (before, after)]
    return compare(
        pages[0],
        pages[1],
        key=link_key,
        resembles=None if prints is None else ByPrint(),
        absence=_absence(store, pages[1], unit),
    )


def observed_twice(
    store: ObjectStore, ours: Digest, other_store: ObjectStore, theirs: Digest, *, prints: Derived
) -> Comparison:
    """Captures that two observers made of one page, by their records. Raises ``StoreError``."""
    code = code_sha256()
    with Bounded() as reads, Printer(prints) as printer:
        first = page_of(store, ours, reads=reads, code=code, printer=printer)
        second = page_of(other_store, theirs, reads=reads, code=code, printer=printer)
    return compare(
        first, second, key=link_key, resembles=ByPrint(), observers=("to the first observer", "to the second observer")
    )


def _absence(store: ObjectStore, page: Page, unit: Iterable[Digest]) -> Absence | None:
    """What second looks and controls of its unit conclude; None where the page was there."""
    if not is_absent(page.outcome, page.http_status):
        return None
    records = (holdings.record_of(store, each) for each in unit)
    looks = [Recorded.of(each) for each in records if page.capture in {each.capture_id, each.parent}]
    return absences(looks).get(page.capture)
