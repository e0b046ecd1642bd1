"""What the verbs of ``watch`` share: the open database, and how a watch is told of."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from archive.config import ArchiveConfig
from archive.watching import intervals, looks, pace, watches
from archive.watching.database import Connection, Database, open_database
from archive.watching.watch import Watch
from console.exits import Exit
from console.screen import now, out, print_json, say, sentences, span
from custody.ids import RANDOM_BYTES, uuid7
from custody.model import Json

Where = tuple[str | None, Path | None]
"""DSN and home, as given."""


@dataclass(frozen=True, slots=True)
class Desk:
    database: Database


@contextmanager
def opened(dsn: str | None, home: Path | None) -> Iterator[Desk]:
    with open_database(ArchiveConfig.load(os.environ, home=home, dsn=dsn)) as database:
        yield Desk(database)


def each_of(
    texts: list[str], do: Callable[[Desk, Any, Any], bool], *, done: str, already: str, where: Where, as_json: bool
) -> None:
    """Do the same to each of these watches; exit 3 where one was not as that needs it."""
    with sentences(as_json=as_json), opened(*where) as desk:
        with desk.database.transaction() as connection:
            found = [watches.resolve(connection, text) for text in texts]
            results = [(each, do(desk, connection, each)) for each in found]
        if as_json:
            print_json({"schema": 1, "watches": [{"watch": each.id, "done": ok} for each, ok in results]})
        for each, ok in results:
            if not as_json:
                out.print(f"{done if ok else already}: {each.id}  {each.url}", markup=False)
    if not all(ok for _, ok in results):
        raise typer.Exit(Exit.PARTIAL)


def told_of(connection: Connection, watch: Watch, *, what: str | None = None) -> dict[str, Json]:
    """A watch with what its host's budget makes of it."""
    budgets = {each.egress: each for each in pace.budgets(connection, now=now(), host=watch.host)}
    asked = watch.timing.mean_interval
    allowed = pace.allowed_interval(budgets, 1, pace.asked_a_day(connection, watch.host), asked)
    achieved = looks.achieved(connection, watch.id)
    (kept,) = intervals.of_watches(connection, [watch], now=now())
    document = document_of(watch)
    document |= {
        "asked": span(asked),
        "allowed": span(allowed),
        "achieved": None if achieved is None else span(achieved),
        "within_budget": allowed <= asked,
        "interval": kept.interval.to_json(),
    }
    return document if what is None else {"result": what, **document}


def document_of(watch: Watch) -> dict[str, Json]:
    return {
        "id": watch.id,
        "case": watch.case,
        "url": watch.url,
        "kind": watch.kind.value,
        "timing": watch.timing.describe(),
        "jitter_s": int(watch.timing.jitter.total_seconds()),
        "priority": watch.priority,
        "options": dict(watch.options),
        "state": watch.state.value,
        "why": watch.why,
        "source": watch.source,
        "due_at": watch.due_at.isoformat(),
        "looked_at": None if watch.looked_at is None else watch.looked_at.isoformat(),
        "changed_at": None if watch.changed_at is None else watch.changed_at.isoformat(),
        "last_outcome": watch.last_outcome,
        "last_unit": watch.last_unit,
        "looks": watch.looks,
        "failures": watch.failures,
    }


def warn_of_budget(document: dict[str, Json]) -> None:
    if not document["within_budget"]:
        say(
            f"  its host allows a look every {document['allowed']} with all that is watched there, not every "
            f"{document['asked']}: `counterproof watch host` shows and sets its budget"
        )


def new_id() -> str:
    return uuid7(now(), secrets.token_bytes(RANDOM_BYTES))


def ago(at: datetime) -> str:
    return f"{span(max(timedelta(0), now() - at))} ago"


def ahead(at: datetime) -> str:
    left = at - now()
    return f"in {span(left)}" if left > timedelta(0) else f"since {span(-left)}"


def plain(value: Any) -> Json:
    return value.isoformat() if isinstance(value, datetime) else value
