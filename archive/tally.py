"""How much was asked of the store by this process: requests, and bytes that were sent. Counted where they are made."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    requests: int = 0
    """Those that were sent, repeated ones among them."""
    sent_bytes: int = 0
    """In the bodies of writes."""

    def since(self, earlier: "Count") -> "Count":
        return Count(self.requests - earlier.requests, self.sent_bytes - earlier.sent_bytes)


class Tally:
    """Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = Count()

    def add(self, sent_bytes: int) -> None:
        with self._lock:
            self._count = Count(self._count.requests + 1, self._count.sent_bytes + sent_bytes)

    def read(self) -> Count:
        with self._lock:
            return self._count


TALLY = Tally()
"""Of this process: of all its stores on S3, the embedded one among them. A directory is asked nothing."""
