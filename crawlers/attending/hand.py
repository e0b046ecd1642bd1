"""The person's hand on the recorder: a picture now, or the end of it. Any thread may ask."""

import threading


class Hand:
    """Asked at the terminal, answered by the visit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shots = 0
        self._done = threading.Event()

    def shoot(self) -> None:
        """Keep what is shown now."""
        with self._lock:
            self._shots += 1

    def finish(self) -> None:
        """Keep what is shown, and end the visit."""
        self._done.set()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def take(self) -> bool:
        """Whether a picture was asked for since the last time."""
        with self._lock:
            asked, self._shots = self._shots > 0, 0
        return asked
