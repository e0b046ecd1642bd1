"""Captures in which secrets may be are handed over only where a person has decided so, in the case that is exported."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archive.errors import NotStored, Refused
from archive.exporting.selection import Selection
from archive.log import LoggedEvent
from archive.store import ObjectStore
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError

_NAMED = 5


def refuse_quarantined(store: ObjectStore, chosen: Selection, quarantined: Iterable[str]) -> None:
    """Raises ``Refused`` where one of them has no decision."""
    allowed = set(_allowed(store, chosen))
    barred = [each for each in quarantined if each not in allowed]
    if not barred:
        return
    some = ", ".join(barred[:_NAMED]) + (", …" if len(barred) > _NAMED else "")
    where = "this case holds" if chosen.scope is not None else "no case holds"
    what = "no signed decision" if chosen.scope is not None else "a signed decision"
    raise Refused(
        f"{len(barred)} captures are quarantined ({some}): secrets may be in them, and {where} {what} that they may be "
        "handed over. `counterproof show ID` says why; `counterproof allow ID --case NAME --why TEXT` decides. "
        "Nothing was exported"
    )


def _allowed(store: ObjectStore, chosen: Selection) -> Iterator[str]:
    """Captures that a decision of this case speaks of; where no case is exported, one of any case."""
    for each in chosen.events:
        if each.event.type != "evidence.allowed":
            continue
        said = _said(store, each)
        if said.get("decision") == "export" and chosen.scope in {None, said.get("scope")}:
            yield str(each.event.body["capture"])


def _said(store: ObjectStore, event: LoggedEvent) -> Mapping[str, Any]:
    """Its blob, if it is what the signed event names."""
    digest = event.event.subjects[0].digest
    try:
        data = store.read(keyspace.blob(digest))
        value: Any = canonical.loads(data)
    except (NotStored, FormatError):
        return {}
    return value if isinstance(value, Mapping) and Digest.of(data) == digest else {}
