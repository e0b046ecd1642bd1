"""How long a question is asked again: exponential pauses with jitter, and an end."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0


@dataclass(slots=True)
class Patience:
    """One question's worth of it. Time is measured on a clock that nobody can set."""

    total_s: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _deadline: float = field(init=False)
    _pause_s: float = field(default=_FIRST_PAUSE_S, init=False)

    def __post_init__(self) -> None:
        self._deadline = self.now() + self.total_s

    def wait(self) -> bool:
        """Pause, then True: ask again. False at once when the time is up."""
        left = self._deadline - self.now()
        if left <= 0:
            return False
        jitter = random.uniform(0.5, 1.0)  # noqa: S311  # so that a crowd does not come back in step; no secret
        self.sleep(min(left, self._pause_s * jitter))
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        return True
