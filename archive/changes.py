"""Changes in the log: one ``change.observed`` for each pair of captures of which something became another.

Its passages quote pages, so they lie in a blob; the leaf has the two captures, a count, and words of a fixed list.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from archive.errors import NotStored, StoreError
from archive.log import LoggedEvent
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.checks.looks import CHANGED, MAX_BYTES
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope, Ref
from custody.model import Json
from custody.schema import CHANGES

SUBJECT = "change.json"
_WORK = "work:"
_MAX_CHANGES = 1_000


class Log(Protocol):
    """What reads the events: a ``Ledger``, which finds them at once, or a ``LogReader``, which reads all leaves."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


Submit = Callable[[Sequence[Envelope]], Sequence[Receipt | None]]
"""Where the event goes: it is durable when this returns, in the log or in the inbox."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A comparison, as the log tells of it."""

    capture: str
    before: str
    kinds: tuple[str, ...]
    count: int
    scope: str
    index: int | None
    """None: it waits in the inbox."""
    at: datetime
    detail: Digest


def observe(
    comparison: Mapping[str, Json], *, scope: str, end: Digest, scribe: Scribe, submit: Submit, by: Mapping[str, Json]
) -> Told:
    """Write down that something changed. ``comparison``: ``findings.change.Comparison.to_json``, with changes in it.

    ``end``: the payload of the later capture's end. ``by``: which program compared. Durable when it returns.
    """
    value: Any = comparison
    changes = value["changes"][:_MAX_CHANGES]
    found = {each["kind"] for each in changes}
    kinds = [each for each in CHANGES if each in found]
    detail: dict[str, Json] = {"scope": scope, **comparison, "changes": changes, "by": by}
    if len(value["changes"]) > _MAX_CHANGES:
        detail["changes_total"] = len(value["changes"])
    subject = scribe.detail(SUBJECT, detail)
    body: dict[str, Json] = {
        "capture": value["after"]["capture"],
        "before": value["before"]["capture"],
        "changes": len(changes),
        "kinds": kinds,
    }
    ref = Ref(rel="about", payload_sha256=end)
    envelope = scribe.event(CHANGED, chain=f"{_WORK}{scope}", subject=subject, body=body, refs=(ref,))
    (receipt,) = submit([envelope])
    return Told(
        capture=str(body["capture"]),
        before=str(body["before"]),
        kinds=tuple(kinds),
        count=len(changes),
        scope=scope,
        index=None if receipt is None else receipt.index,
        at=scribe.clock(),
        detail=subject.digest,
    )


def observed(log: Log, scope: str | None = None) -> list[Told]:
    """In the order of the log; ``scope``: of one case."""
    return [_told(each) for each in log.events(CHANGED) if scope is None or each.event.chain == f"{_WORK}{scope}"]


def read(store: ObjectStore, detail: Digest) -> dict[str, Any] | None:
    """What was written down; None where it was disposed of. Raises ``StoreError`` for what is not as recorded."""
    try:
        with store.open(keyspace.blob(detail)) as stream:
            data = stream.read(MAX_BYTES + 1)
        value = canonical.loads(data, max_bytes=MAX_BYTES)
    except NotStored:
        return None
    except FormatError as error:
        raise StoreError(f"the comparison in {detail} cannot be read ({error}): run `counterproof verify`") from error
    if Digest.of(data) != detail or not isinstance(value, dict):
        raise StoreError(f"{detail} is not what was recorded: run `counterproof verify`")
    return value


def _told(logged: LoggedEvent) -> Told:
    body: Any = logged.event.body
    return Told(
        capture=body["capture"],
        before=body["before"],
        kinds=tuple(body["kinds"]),
        count=body["changes"],
        scope=logged.event.chain.removeprefix(_WORK),
        index=logged.index,
        at=logged.event.occurred_at,
        detail=logged.event.subjects[0].digest,
    )
