"""Where in the log things stand: leaves by what they are about and by their type, as the catalogue has them.

An index and no more: whoever shows or judges a leaf reads it again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from archive.catalog import Catalog, Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class LeafIndex:
    """Safe for threads."""

    catalog: Catalog
    advance: Callable[[], object]
    """Has the catalogue read on. Raises ``LogError`` and ``StoreError``."""

    def typed(self, *types: str, below: int) -> list[int]:
        """Of all leaves of these types (no starts and ends of captures) below that size, in the order of the log."""
        self._follow(below)
        return [each.index for each in self.catalog.events_typed(*types) if each.index < below]

    def about(self, entry: Entry, *, below: int) -> list[int]:
        """Of all leaves about this capture, or about its unit and no other capture, in the order of the log."""
        self._follow(below)
        mine = {None, entry.capture_id}
        return [
            each.index for each in self.catalog.events_of(entry.unit) if each.capture in mine and each.index < below
        ]

    def _follow(self, size: int) -> None:
        if self.catalog.size() < size:
            self.advance()
