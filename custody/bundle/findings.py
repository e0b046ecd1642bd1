"""What is found in an export, under the numbers of its own checks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from custody import keyspace
from custody.bundle import layout
from custody.model import Json
from custody.verdict import CHECKS, Check, Findings

PACKAGE = 13
EXPORT = 14

EXPORT_CHECKS: Mapping[int, str] = {
    **{n: name for n, name in CHECKS.items() if name not in {"commits", "locks"}},
    PACKAGE: "package",
    EXPORT: "export",
}
"""The numbers are part of the format: docs/manifest.md, "Exports". An export has no commits, and nothing locks it."""

_REFUSED = frozenset({
    "TS_PARSE", "TS_STATUS", "TS_IMPRINT", "TS_NONCE", "TS_TRUST", "TS_PIN", "TS_EKU", "TS_SIG", "TS_QUERY",
})  # fmt: skip


@dataclass(slots=True)
class ExportFindings(Findings):
    """Knows which files a finding has spoken of: the lists of files need not name them again."""

    tokens: set[tuple[int, str]] = field(default_factory=set)
    """Size and authority of the tokens that are in the export."""
    blamed: set[str] = field(default_factory=set)
    """Paths of files."""
    place: Callable[[str], str] = layout.artifact
    """The file of a blob, by its digest in hex."""

    def fail(self, check: int, code: str, message: str, /, **locator: Json) -> None:
        token = (locator.get("size"), locator.get("authority"))
        if code == "TS_MISSING" and token not in self.tokens:
            return  # the log tells of many tokens, and an export has those that its captures need
        self._blame(code, locator)
        Findings.fail(self, check, code, message, **locator)

    def note(self, check: int, code: str, message: str, /, **locator: Json) -> None:
        # A store keeps any answer as it came; an export was given only such as held.
        if code in _REFUSED and (locator.get("size"), locator.get("authority")) in self.tokens:
            self.fail(check, code, message, **locator)
        else:
            Findings.note(self, check, code, message, **locator)

    def checks(self) -> tuple[Check, ...]:
        return tuple(self._check(n, name) for n, name in EXPORT_CHECKS.items())

    def skip_all(self, reason: str, *, but: int) -> None:
        for n in EXPORT_CHECKS:
            if n != but:
                self.skip(n, reason)

    def _blame(self, code: str, locator: Mapping[str, Json]) -> None:
        """By what a finding is about. A blob's locator has the index of a leaf too, which only names it."""
        index, key, file = locator.get("index"), locator.get("key"), locator.get("file")
        if isinstance(file, str):
            self.blamed.add(file)
        if code.startswith(("ENTRY_", "EVENT_", "PROOF_")) and isinstance(index, int):
            self.blamed |= {layout.entry(index), layout.proof(index)}
        if isinstance(key, str) and key.startswith(keyspace.BLOBS):
            self.blamed.add(self.place(key.rpartition("/")[2]))
        if code.startswith("TS_"):
            size, authority = locator.get("size"), locator.get("authority")
            for checkpoint in (layout.CHECKPOINT, layout.earlier(size if isinstance(size, int) else 0)):
                self.blamed |= {layout.token(checkpoint, str(authority)), layout.query(checkpoint, str(authority))}


def export_depends(*checks: int) -> str:
    """The reason of a check that rests on others."""
    return f"depends on {', '.join(f'{n} {EXPORT_CHECKS[n]}' for n in checks)}"
