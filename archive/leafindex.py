"""Where in the log things stand: leaves by what they are about and by their type. It follows the log, in memory.

An index and no more: whoever shows or judges a leaf reads it again.
"""

import threading
from collections import defaultdict

from archive.log import LoggedEvent, LogReader, Position

TYPES = frozenset({"log.opened", "key.introduced", "key.revoked", "findings.made"})
"""Leaves of these types are found by their type."""


class LeafIndex:
    """Safe for threads."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._position = Position()
        self._typed: defaultdict[str, list[int]] = defaultdict(list)
        self._about: defaultdict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()

    def typed(self, *types: str, below: int) -> list[int]:
        """Of all leaves of these types (of ``TYPES``) below that size. Raises ``LogError`` and ``StoreError``."""
        with self._lock:
            self._follow(below)
            return sorted({each for name in types for each in self._typed[name] if each < below})

    def about(self, *ids: str, below: int) -> list[int]:
        """Of all leaves whose chain or body names one of these items or captures, in the order of the log."""
        with self._lock:
            self._follow(below)
            return sorted({each for name in ids for each in self._about[name] if each < below})

    def _follow(self, size: int) -> None:
        if self._position.size >= size:
            return
        for logged in self._reader.commits(self._position):
            for index, data in enumerate(logged.commit.leaves, logged.commit.old):
                self._see(self._reader.parse(logged.commit.n, index, data))
            self._position = logged.position

    def _see(self, each: LoggedEvent) -> None:
        event = each.event
        if event.type in TYPES:
            self._typed[event.type].append(each.index)
        kind, _, name = event.chain.partition(":")
        capture, item = event.body.get("capture"), event.body.get("item")
        about = str(capture) if capture is not None else str(item) if item is not None else None
        if about is None and kind in {"item", "work"}:
            about = name
        if about is not None:
            self._about[about].append(each.index)
