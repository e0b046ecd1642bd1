"""Part of check 9: the clocks of those who made the events, against the brackets that tokens give."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from custody.checks.inquiry import Inquiry
from custody.instant import format_utc

CHECK = 9
TOLERANCE = timedelta(minutes=5)
"""How far outside its bracket an event's own time may lie. The clock of a laptop that was asleep is off by seconds, and
that must not sink evidence that nobody can alter; one that is hours off says that somebody set it, or that nobody
looked. The bracket is by the authorities' clocks in either case."""
STALE = timedelta(minutes=15)
"""A bracket wider than this is said: somebody could have held the event back for so long."""

_SLACK = timedelta(seconds=2)  # tokens often carry whole seconds, and clocks are set to about as much


@dataclass(frozen=True, slots=True)
class _Wrong:
    code: str
    message: str
    off: timedelta
    index: int


class Clocks:
    def __init__(self, inquiry: Inquiry) -> None:
        self._findings = inquiry.findings
        self._wrong: list[_Wrong] = []

    def see(self, index: int, said: datetime, not_before: datetime | None, stamped: datetime | None) -> None:
        """``not_before``: of the token that it was anchored in; ``stamped``: the earliest time of one over it."""
        if not_before is not None and said + _SLACK < not_before:
            reason = f"knew a token of {format_utc(not_before)}: its maker's clock was slow"
            self._keep("TIME_BEFORE_ANCHOR", index, said, reason, not_before - said)
        if stamped is not None and said - _SLACK > stamped:
            reason = f"was stamped by {format_utc(stamped)}: its maker's clock was fast"
            self._keep("TIME_AFTER_SEAL", index, said, reason, said - stamped)

    def see_width(self, index: int, not_before: datetime | None, stamped: datetime | None) -> None:
        if not_before is None or stamped is None or stamped - not_before <= STALE:
            return
        minutes = (stamped - not_before) // timedelta(minutes=1)
        self._findings.note(
            CHECK,
            "TIME_ANCHOR_STALE",
            f"leaf {index}: {minutes} minutes lie between the token it was anchored in and the first one over it; "
            "when in that time it happened is by its maker's clock alone",
            index=index,
            minutes=minutes,
        )

    def finish(self, *, contradicted: bool) -> None:
        """Where tokens contradict each other, none of them says what a clock ought to have been."""
        if contradicted:
            self._findings.detail(CHECK, f"{len(self._wrong)} clocks not judged, by tokens that contradict each other")
            return
        for each in self._wrong:
            report = self._findings.fail if each.off > TOLERANCE else self._findings.note
            report(CHECK, each.code, each.message, index=each.index)

    def _keep(self, code: str, index: int, said: datetime, reason: str, off: timedelta) -> None:
        """All of them: those beyond count would be the ones that sink the verdict. Each is smaller than its event."""
        self._wrong.append(
            _Wrong(code, f"leaf {index} says it happened at {format_utc(said)}, and {reason}", off, index)
        )
