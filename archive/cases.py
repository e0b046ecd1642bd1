"""Cases: matters that captures are made for. In the log a case is a random id; its name lies in a blob."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from archive import disk
from archive.errors import NotStored, UsageError
from archive.log import LoggedEvent
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Envelope, event_id_of

OPENED = "case.opened"
ASSIGNED = "item.assigned"

_MAX_NAME = 200
_SCOPE = "scope:"
_WAIT_S = 2.0


class Log(Protocol):
    """What reads the events: a ``Sequencer``, which finds them at once, or a ``LogReader``, which reads all leaves."""

    def events(self, *types: str) -> Iterator[LoggedEvent]: ...


class Submitter(Protocol):
    """What a new case is recorded through: an ``archive.ledger.Ledger``."""

    def submit(self, envelopes: list[Envelope]) -> tuple[Receipt | None, ...]: ...

    def wait(self, envelopes: list[Envelope], within_s: float) -> tuple[Receipt | None, ...]: ...

    def holds(self, event_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Case:
    """A scope of the log, and what people call it."""

    scope: str
    name: str


class Cases:
    """Of one log. Reads as far as ``log`` was read; knows the names of blobs that it has read once."""

    def __init__(self, log: Log, store: ObjectStore) -> None:
        self._log = log
        self._store = store
        self._names: dict[Digest, str | None] = {}

    def all(self) -> list[Case]:
        """In the order of their opening. Of two that were opened under one name, the first has it."""
        named: dict[str, Case] = {}
        for each in self._log.events(OPENED):
            scope = each.event.chain.removeprefix(_SCOPE)
            name = self._name(each, scope)
            if name is not None:
                named.setdefault(name, Case(scope, name))
        return list(named.values())

    def find(self, name: str) -> str | None:
        """The scope of the case with this name."""
        wanted = case_name(name)
        return next((case.scope for case in self.all() if case.name == wanted), None)

    def resolve(self, name: str) -> str:
        """As ``find``; raises ``UsageError`` when there is none."""
        scope = self.find(name)
        if scope is None:
            others = ", ".join(repr(case.name) for case in self.all()[:5])
            raise UsageError(
                f"there is no case {name!r}; " + (f"there are {others}" if others else "there is none yet")
            )
        return scope

    def name_of(self, scope: str) -> str | None:
        """None when there is no such case, or its name was disposed of."""
        return next((case.name for case in self.all() if case.scope == scope), None)

    def items(self, scope: str) -> list[str]:
        """The units that were assigned to a case, in the order of their assignment."""
        chain = f"{_SCOPE}{scope}"
        return list(
            dict.fromkeys(
                str(each.event.body["item"]) for each in self._log.events(ASSIGNED) if each.event.chain == chain
            )
        )

    def open(self, name: str, ledger: Submitter, scribe: Scribe, *, remembered: Path | None = None) -> str:
        """The scope of the case with this name, which is opened if there is none.

        Two processes may open one name at once; the log says who was first, and both get that scope. Without the log
        key nobody waits for that longer than a post that is vanishing allows: the scope is used that was submitted,
        and ``remembered`` in that file until the log tells of it.
        """
        wanted = case_name(name)
        scope = self.find(wanted)
        if scope is not None:
            return scope
        waiting = _Remembered(remembered)
        if (mine := waiting.scope(wanted, ledger)) is not None:
            return mine
        mine = scribe.new_id()
        subject = scribe.detail("case.json", {"scope": mine, "name": wanted})
        envelope = scribe.event(OPENED, chain=f"{_SCOPE}{mine}", subject=subject, body={})
        receipts = ledger.submit([envelope])
        if None in receipts:
            waiting.remember(wanted, mine, event_id_of(envelope.payload))
            receipts = ledger.wait([envelope], _WAIT_S)
        return mine if None in receipts else self.resolve(wanted)

    def _name(self, opened: LoggedEvent, scope: str) -> str | None:
        digest = opened.event.subjects[0].digest
        if digest not in self._names:
            self._names[digest] = self._read_name(digest, scope)
        return self._names[digest]

    def _read_name(self, digest: Digest, scope: str) -> str | None:
        try:
            data = self._store.read(keyspace.blob(digest))
            value: Any = canonical.loads(data)
        except (NotStored, FormatError):
            return None  # disposed of, or damaged, which is for `verify` to say; the case keeps its scope
        # A blob that is not what the event names, or speaks of another case, gives no name.
        if Digest.of(data) != digest or not isinstance(value, dict) or value.get("scope") != scope:
            return None
        name = value.get("name")
        return name if isinstance(name, str) else None


class _Remembered:
    """Cases whose opening was submitted here and is not in the log yet, by name."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def scope(self, name: str, ledger: Submitter) -> str | None:
        found = self._read().get(name)
        if not isinstance(found, dict) or not ledger.holds(str(found.get("event"))):
            return None
        return str(found.get("scope"))

    def remember(self, name: str, scope: str, event_id: str) -> None:
        if self._path is not None:
            disk.replace_file(self._path, canonical.dumps({**self._read(), name: {"scope": scope, "event": event_id}}))

    def _read(self) -> dict[str, Any]:
        if self._path is None or not self._path.is_file():
            return {}
        with disk.trouble(self._path):
            data = self._path.read_bytes()
        try:
            value: Any = canonical.loads(data)
        except FormatError:
            return {}
        return value if isinstance(value, dict) else {}


def assign(item: str, scope: str, scribe: Scribe) -> Envelope:
    """The event that puts a unit into a case; its chain is the case's, so the unit's own leaves never name one."""
    subject = scribe.detail("item.json", {"item": item, "scope": scope})
    return scribe.event(ASSIGNED, chain=f"{_SCOPE}{scope}", subject=subject, body={"item": item})


def case_name(text: str) -> str:
    """One spelling for what looks alike: NFC, single spaces. Raises ``UsageError``."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > _MAX_NAME:
        raise UsageError(f"a case's name has 1 to {_MAX_NAME} characters, got {len(name)}")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise UsageError(f"a case's name holds no control characters, got {name[:80]!r}")
    return name
