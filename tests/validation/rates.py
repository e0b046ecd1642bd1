"""How sure a rate is that was counted."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""Of the normal distribution, two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``wrong`` of ``judged``; where nothing was judged there is no rate."""

    wrong: int
    judged: int

    @property
    def share(self) -> float:
        return self.wrong / self.judged

    def interval(self) -> tuple[float, float]:
        """Wilson's score interval, 95 %: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212."""
        n, p = self.judged, self.share
        middle = p + Z * Z / (2 * n)
        spread = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        low, high = (middle - spread) / (1 + Z * Z / n), (middle + spread) / (1 + Z * Z / n)
        return (0.0 if self.wrong == 0 else max(0.0, low), 1.0 if self.wrong == n else min(1.0, high))

    def rule_of_three(self) -> float | None:
        """Where none was wrong: the upper bound, one-sided 95 %: Hanley and Lippman-Hand, JAMA 249 (1983) 1743-1745."""
        return min(1.0, 3 / self.judged) if self.wrong == 0 else None

    def to_json(self) -> dict[str, object]:
        if self.judged == 0:
            return {"wrong": 0, "judged": 0}
        low, high = self.interval()
        return {
            "wrong": self.wrong,
            "judged": self.judged,
            "share": round(self.share, 6),
            "wilson_95": [round(low, 6), round(high, 6)],
            "rule_of_three_95": self.rule_of_three(),
        }

    def __str__(self) -> str:
        if self.judged == 0:
            return "not judged"
        low, high = self.interval()
        return f"{self.wrong}/{self.judged} ({100 * low:.1f}-{100 * high:.1f} %)"
