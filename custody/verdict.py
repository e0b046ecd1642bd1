"""Verdicts: what a verification found, check by check, each finding with a code and the place it is about."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from custody.bracket import Bracket
from custody.model import Json

CHECKS: Mapping[int, str] = {
    1: "trust",
    2: "checkpoint",
    3: "commits",
    4: "tree",
    5: "leaves",
    6: "signatures",
    7: "chains",
    8: "states",
    9: "time",
    10: "blobs",
    11: "records",
    12: "locks",
}
"""The numbers are part of the format: docs/manifest.md, "Verify"."""

MAX_FINDINGS_OF_A_CODE = 1000  # a bundle made to be wrong everywhere must not fill the memory of who checks it


class Severity(StrEnum):
    FAIL = "fail"
    """What is stored is not what was signed, or not there."""
    UNCHECKED = "unchecked"
    """It could not be looked at: says nothing against the evidence, and nothing for it."""
    NOTE = "note"
    """Worth knowing; takes nothing from the verdict."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    check: int
    code: str
    severity: Severity
    locator: Mapping[str, Json]
    """The thing itself: an artifact, an event, a tile."""
    message: str

    def to_json(self) -> dict[str, Json]:
        return {
            "check": self.check,
            "code": self.code,
            "severity": self.severity,
            "locator": dict(self.locator),
            "message": self.message,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    n: int
    name: str
    passed: bool | None
    """None: skipped, or not to be had; ``detail`` says why."""
    detail: str

    def to_json(self) -> dict[str, Json]:
        return {"n": self.n, "name": self.name, "passed": self.passed, "detail": self.detail}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    log: str
    """The log's name; empty when there is none."""
    size: int
    """Leaves under the newest signed checkpoint."""
    root: str
    """Hex; empty when no checkpoint is signed."""
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    facts: Mapping[str, Json]
    """Counts, ``origins``, ``time`` (``trusted | unverified | none``), ``key`` (``trusted | self-consistent``)."""
    brackets: Mapping[int, Bracket] = field(default_factory=dict, repr=False)
    """Of each leaf of an item, by its index, where ``verify`` was asked for them. Not part of the JSON."""

    @property
    def holds(self) -> bool:
        return self.word == "holds"

    @property
    def word(self) -> str:
        """``holds``, ``does not hold``, ``self-consistent only``, or ``could not check``.

        One fault that was seen outweighs whatever could not be looked at.
        """
        severities = {each.severity for each in self.findings}
        if Severity.FAIL in severities or any(each.passed is False for each in self.checks):
            return "does not hold"
        if Severity.UNCHECKED in severities:
            return "could not check"
        return "holds" if self.facts.get("key") == "trusted" else "self-consistent only"

    @property
    def failures(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.severity is Severity.FAIL)

    @property
    def notes(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.severity is Severity.NOTE)

    def to_json(self) -> dict[str, Json]:
        return {
            "schema": 1,
            "verdict": self.word,
            "holds": self.holds,
            "log": self.log,
            "size": self.size,
            "root": self.root,
            "checks": [each.to_json() for each in self.checks],
            "findings": [each.to_json() for each in self.findings],
            "facts": dict(self.facts),
        }


@dataclass(slots=True)
class Findings:
    """Collects while the checks run."""

    _seen: dict[tuple[str, frozenset[tuple[str, Json]]], Finding] = field(default_factory=dict)
    _counts: Counter[tuple[int, str, Severity]] = field(default_factory=Counter)
    _skipped: dict[int, str] = field(default_factory=dict)
    _details: dict[int, list[str]] = field(default_factory=dict)

    def fail(self, check: int, code: str, message: str, /, **locator: Json) -> None:
        self._add(check, code, Severity.FAIL, message, locator)

    def note(self, check: int, code: str, message: str, /, **locator: Json) -> None:
        self._add(check, code, Severity.NOTE, message, locator)

    def unchecked(self, check: int, code: str, message: str, /, **locator: Json) -> None:
        self._add(check, code, Severity.UNCHECKED, message, locator)

    def skip(self, check: int, reason: str) -> None:
        """Of the whole check. What it has found before stays."""
        self._skipped.setdefault(check, reason)

    def detail(self, check: int, text: str) -> None:
        self._details.setdefault(check, []).append(text)

    def failed(self, check: int) -> bool:
        return any(severity is Severity.FAIL and n == check for n, _, severity in self._counts)

    def has(self, code: str, **locator: Json) -> bool:
        return (code, _frozen(locator)) in self._seen

    def _add(self, check: int, code: str, severity: Severity, message: str, locator: Mapping[str, Json]) -> None:
        at = (code, _frozen(locator))
        if at in self._seen:
            return
        self._counts[check, code, severity] += 1
        if self._counts[check, code, severity] <= MAX_FINDINGS_OF_A_CODE:
            self._seen[at] = Finding(check=check, code=code, severity=severity, locator=dict(locator), message=message)

    def findings(self) -> tuple[Finding, ...]:
        """By check, in the order found."""
        more = [
            Finding(
                check=check,
                code=code,
                severity=severity,
                locator={"more": count - MAX_FINDINGS_OF_A_CODE},
                message=f"and {count - MAX_FINDINGS_OF_A_CODE} more with the code {code}",
            )
            for (check, code, severity), count in self._counts.items()
            if count > MAX_FINDINGS_OF_A_CODE
        ]
        return tuple(sorted((*self._seen.values(), *more), key=lambda each: each.check))

    def checks(self) -> tuple[Check, ...]:
        return tuple(self._check(n, name) for n, name in CHECKS.items())

    def _check(self, n: int, name: str) -> Check:
        severities = {severity for check, _, severity in self._counts if check == n}
        details = [*self._details.get(n, ())]
        if n in self._skipped:
            details.insert(0, f"skipped ({self._skipped[n]})")
        passed: bool | None = True
        if Severity.FAIL in severities:
            passed = False
        elif Severity.UNCHECKED in severities or n in self._skipped:
            passed = None
        codes = sorted({code for check, code, severity in self._counts if check == n and severity is not Severity.NOTE})
        return Check(n=n, name=name, passed=passed, detail="; ".join([*details, *codes]))


def depends(checks: Iterable[int]) -> str:
    """The reason of a check that rests on others."""
    return f"depends on {', '.join(f'{n} {CHECKS[n]}' for n in checks)}"


def _frozen(locator: Mapping[str, Json]) -> frozenset[tuple[str, Json]]:
    return frozenset((name, repr(value)) for name, value in locator.items())
