"""Cataloguing beside a run: the catalogue follows the log every now and then, and once more at the end."""

import threading
from collections.abc import Callable

EVERY_S = 10.0
"""Seconds. Each time, the log is asked for what is new; whoever browses meanwhile reads on by himself."""


class Cataloguing:
    """Of one run. Safe for threads; knows no clock but the one that it is given, in seconds that only ever grow."""

    def __init__(
        self, advance: Callable[[], object], monotonic: Callable[[], float], *, every_s: float = EVERY_S
    ) -> None:
        self._advance = advance
        self._monotonic = monotonic
        self._every = every_s
        self._lock = threading.Lock()
        self._due = monotonic() + every_s
        self._behind = False

    def tell(self) -> None:
        """There is something new in the log. Raises what ``advance`` does, where it was time for it."""
        with self._lock:
            self._behind = True
            if self._monotonic() < self._due:
                return
        self.catch_up()

    def catch_up(self) -> None:
        """Read on if there was anything new since. Raises what ``advance`` does."""
        with self._lock:
            if not self._behind:
                return
            self._behind = False
            self._due = self._monotonic() + self._every
        try:
            self._advance()
        except BaseException:
            with self._lock:
                self._behind = True
            raise
