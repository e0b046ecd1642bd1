"""What an attempt left undone whose worker died: links of a recorded page that nobody has followed yet.

The records say which links were to be followed, the log which of them were captured; so whoever takes the look over
goes on where it was broken off, in the same unit, and looks at no page twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archive import holdings
from archive.catalog import Entry
from archive.errors import NotStored
from archive.vault import Vault
from crawlers.address import dedupe_key
from crawlers.session import Job, Leftover
from custody.digest import Digest
from custody.model import Candidate

_ENDED = frozenset({"complete", "partial", "failed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """Of the unit: a capture with its record."""

    entry: Entry
    depth: int
    candidates: tuple[Candidate, ...]


def leftover(vault: Vault, unit: str) -> tuple[Leftover, ...]:
    """Blocking. In the order in which they would have been followed. Raises ``StoreError``."""
    vault.advance_catalog()
    pages = list(_pages(vault, unit))
    done = {dedupe_key(each.entry.requested_url) for each in pages}
    found: list[Leftover] = []
    for each in pages:
        for candidate in each.candidates:
            key = dedupe_key(candidate.via.href)
            if candidate.follow and key not in done:
                done.add(key)
                found.append(Leftover(via=candidate.via, parent=each.entry.capture_id, depth=each.depth + 1))
    return tuple(found)


def followed(vault: Vault, unit: str) -> tuple[str, ...]:
    """Addresses of the unit that have a capture with an end."""
    return tuple(each.requested_url for each in vault.catalog.of_unit(unit) if each.status in _ENDED)


def going_on(job: Job, vault: Vault, unit: str) -> Job | None:
    """The job that does the rest; None: nothing is left. Blocking. Raises ``StoreError``."""
    rest = leftover(vault, unit) if job.follow else ()
    if not rest:
        return None
    return replace(
        job,
        urls=(),
        unit=unit,
        leftover=rest,
        followed=followed(vault, unit),
        light=False,
        max_new=0,
        control=False,
    )


def _pages(vault: Vault, unit: str) -> Iterator[_Page]:
    for entry in vault.catalog.of_unit(unit):
        if entry.status not in _ENDED:
            continue  # given up: it is looked at again
        if entry.record_sha256 is None:
            yield _Page(entry=entry, depth=0, candidates=())
            continue
        try:
            record = holdings.record_of(vault.store, Digest(entry.record_sha256))
        except NotStored:
            yield _Page(entry=entry, depth=0, candidates=())  # disposed of meanwhile: what it led to is nobody's now
            continue
        yield _Page(entry=entry, depth=record.depth, candidates=record.candidates)
