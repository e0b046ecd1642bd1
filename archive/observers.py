"""Two observers of one page: what one of them saw and the other did not, as one signed record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from archive.errors import UsageError
from archive.log import LogReader, Position
from archive.receipt import Receipt
from archive.scribe import Scribe
from custody.checks.looks import COMPARED
from custody.digest import Digest
from custody.event import Envelope, Ref
from custody.leaf import Leaf
from custody.model import Json

SUBJECT = "agreement.json"
_MAX_DIFFERENCES = 1_000

Submit = Callable[[Sequence[Envelope]], Sequence[Receipt | None]]


class Operator(StrEnum):
    """Whose word the second observer's is."""

    SAME = "same"
    OTHER = "other"
    """It runs under a trust file of another operator's, that shares no root key and no log with ours."""


class Log(Protocol):
    """A ``Ledger``."""

    reader: LogReader

    @property
    def position(self) -> Position: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """The second observer's capture."""

    capture: str
    record: Digest
    log: str
    worker: str
    """The id of the key that signed it."""
    run: str
    index: int | None
    """Of its end, in its own log; None: it waited in an inbox."""

    def to_json(self) -> dict[str, Json]:
        return {
            "capture": self.capture,
            "record_sha256": self.record.hex,
            "log": self.log,
            "worker": self.worker,
            "run": self.run,
            "index": self.index,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """As it was recorded."""

    capture: str
    other: Other
    operator: Operator
    agrees: bool
    apart_s: int
    within: bool
    """They looked within a minute of each other."""
    kinds: tuple[str, ...]
    sentences: tuple[str, ...] = field(repr=False)
    not_compared: tuple[tuple[str, str], ...] = field(repr=False)
    leaf: int | None
    detail: Digest

    def to_json(self) -> dict[str, Json]:
        return {
            "capture": self.capture,
            "other": self.other.to_json(),
            "operator": self.operator.value,
            "agrees": self.agrees,
            "apart_s": self.apart_s,
            "within_a_minute": self.within,
            "kinds": list(self.kinds),
            "sentences": list(self.sentences),
            "not_compared": [{"what": what, "why": why} for what, why in self.not_compared],
            "index": self.leaf,
            "detail_sha256": self.detail.hex,
        }


def agree(
    comparison: Mapping[str, Json],
    other: Other,
    *,
    operator: Operator,
    apart_s: int,
    within_s: int,
    worker: str,
    scope: str,
    index: int | None,
    vault_log: Log,
    scribe: Scribe,
    submit: Submit,
    by: Mapping[str, Json],
) -> Agreement:
    """Write it down. ``comparison``: ``Comparison.to_json``, ours first. ``index``: of the end of our own capture.

    They agree where nothing that was compared differs. Raises ``UsageError`` where our own end waits in the inbox.
    """
    if index is None:
        raise UsageError("our own capture waits in the inbox: the two are compared by `counterproof compare` later")
    value: Any = comparison
    differences = value["changes"][:_MAX_DIFFERENCES]
    ours = value["before"]
    detail: dict[str, Json] = {
        "scope": scope,
        "first": {**ours, "worker": worker},
        "second": {**value["after"], **other.to_json()},
        "operator": operator.value,
        "apart_s": apart_s,
        "differences": differences,
        "not_compared": value["not_compared"],
        "by": by,
    }
    subject = scribe.detail(SUBJECT, detail)
    body: dict[str, Json] = {
        "capture": ours["capture"],
        "other": other.capture,
        "other_sha256": other.record.hex,
        "operator": operator.value,
        "differences": len(differences),
        "apart_s": apart_s,
    }
    end = Leaf.parse(vault_log.reader.leaf(index, vault_log.position.size)).event.payload_sha256
    ref = Ref(rel="about", payload_sha256=end)
    envelope = scribe.event(COMPARED, chain=f"work:{scope}", subject=subject, body=body, refs=(ref,))
    (receipt,) = submit([envelope])
    return Agreement(
        capture=str(ours["capture"]),
        other=other,
        operator=operator,
        agrees=not differences,
        apart_s=apart_s,
        within=apart_s <= within_s,
        kinds=tuple(dict.fromkeys(str(each["kind"]) for each in differences)),
        sentences=tuple(str(each["sentence"]) for each in differences),
        not_compared=tuple((str(each["what"]), str(each["why"])) for each in value["not_compared"]),
        leaf=None if receipt is None else receipt.index,
        detail=subject.digest,
    )
