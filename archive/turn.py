"""Turns: processes of one home append one after the other. It spares the store a race, and nothing rests on it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive import disk

_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.01


@contextmanager
def turn(lock: Path) -> Iterator[None]:
    """Wait for it a while. Whoever waits too long, perhaps for a process that was stopped, goes ahead."""
    patience = time.monotonic() + _PATIENCE_SECONDS
    while (held := disk.try_exclusive(lock)) is None and time.monotonic() < patience:
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        if held is not None:
            disk.release(held)
