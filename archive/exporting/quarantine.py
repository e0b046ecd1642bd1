"""Captures in which secrets may be are handed over only where a person has decided so, in the case that is exported."""

from collections.abc import Iterable, Iterator

from archive.errors import Refused
from archive.exporting.selection import Selection, detail
from archive.store import ObjectStore

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
        said = detail(store, each)
        if said.get("decision") == "export" and chosen.scope in {None, said.get("scope")}:
            yield str(each.event.body["capture"])
