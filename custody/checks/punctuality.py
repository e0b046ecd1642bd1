"""Part of check 9: captures that no trusted time covers, although the trust file names authorities."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from custody.checks.checkpoint import Signed
from custody.checks.inquiry import Inquiry

CHECK = 9
GRACE = timedelta(hours=24)
"""For so long an authority may be down, or the next command to come, before it counts against the log."""


class Punctuality:
    """Of the log's captures. Which tokens are good is not its matter: those that are not have been named."""

    def __init__(self, inquiry: Inquiry, signed: Signed) -> None:
        self._inquiry = inquiry
        self._signed = signed
        self._ends: list[tuple[int, datetime]] = []

    def see_end(self, index: int, logged_at: datetime) -> None:
        self._ends.append((index, logged_at))

    def finish(self, tokens: Iterable[tuple[int, str]]) -> None:
        """``tokens``: size and authority of those that count."""
        trust = self._inquiry.trust
        if not trust.authorities:
            return
        reach = {each.id: 0 for each in trust.authorities}
        for size, authority in tokens:
            if authority in reach:
                reach[authority] = max(reach[authority], size)
        sizes = sorted(reach.values(), reverse=True)
        any_, enough = sizes[0], sizes[trust.quorum - 1]
        self._report("TS_OVERDUE", [each for each in self._ends if each[0] >= any_], "under no token")
        some = f"under the tokens of fewer than {trust.quorum} authorities"
        self._report("TS_QUORUM", [each for each in self._ends if enough <= each[0] < any_], some)

    def _report(self, code: str, late: list[tuple[int, datetime]], where: str) -> None:
        if not late:
            return
        index, logged_at = late[0]
        age = max(self._inquiry.at - logged_at, timedelta(0))
        size = min((size for size in self._signed.by_size if size > index), default=index + 1)
        report = self._inquiry.findings.fail if age > GRACE else self._inquiry.findings.note
        hours = age // timedelta(hours=1)
        report(
            CHECK,
            code,
            f"{len(late)} captures are {where}, the first for {hours} hours: their time rests on their maker's clock "
            "until the log is stamped again",
            size=size,
            hours=hours,
        )
