"""Which captures of a case are exhibits, and in which order: by promotion, the post, then the way, then the listing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archive.errors import Refused, UsageError
from archive.exhibits import Exhibit, Register
from archive.filing import Filed
from console.papers.casefile import CaseFile, captures_of
from custody.digest import Digest
from custody.model import Json


def numberable(file: CaseFile, promotions: Sequence[Filed]) -> list[Exhibit]:
    """Each capture once, where it comes first. Raises ``Refused`` for one whose record cannot be read."""
    parts: dict[str, list[str]] = {}
    for each in promotions:
        for capture in captures_of(each.record):
            parts.setdefault(capture, []).append(each.id)
    return [_exhibit(file, capture, ids) for capture, ids in parts.items()]


def check(file: CaseFile, register: Register) -> Iterator[tuple[Exhibit, str]]:
    """Each exhibit, with what is wrong with it today; empty where its capture has the record it was frozen with."""
    for each in register.exhibits:
        look = file.looks.get(each.capture)
        if look is None:
            yield each, "its capture is not in this case any more"
        elif look.record is None:
            yield each, look.trouble
        elif look.entry.record_sha256 != each.record.hex:
            yield each, f"its capture has another record than the one that was frozen ({look.entry.record_sha256})"
        else:
            yield each, ""


def need(register: Register, case: str) -> Register:
    if not register.exhibits:
        raise UsageError(f"no exhibit of case {case} has a number yet: `counterproof exhibits freeze --case {case}`")
    return register


def _exhibit(file: CaseFile, capture: str, promotions: Sequence[str]) -> Exhibit:
    look = file.looks.get(capture)
    if look is None or look.record is None or look.entry.record_sha256 is None:
        why = "it is not in this case" if look is None else look.trouble
        raise Refused(f"capture {capture} has a part in a promotion and cannot be an exhibit: {why}")
    return Exhibit(
        number=1,
        capture=capture,
        unit=look.entry.unit,
        record=Digest(look.entry.record_sha256),
        reader=_reader(look.reading),
        promotions=tuple(promotions),
    )


def _reader(reading: Mapping[str, Any] | None) -> dict[str, Json] | None:
    by = (reading or {}).get("by")
    if not isinstance(by, Mapping) or not by.get("code_sha256"):
        return None
    return {"version": str(by.get("version"))[:40], "code_sha256": str(by["code_sha256"])}
