"""A worker's books: what it writes down of looks in the database of watches. Blocking; each is one transaction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.watching import alerts, looks, overrides, pace, watches
from archive.watching.database import Database
from archive.watching.looks import Begun, Ended
from archive.watching.overrides import Override
from crawlers.duty import Setup
from custody.model import Json

EVENTS = logging.getLogger("counterproof.worker")


@dataclass(frozen=True, slots=True)
class Books:
    """Of one worker."""

    setup: Setup
    database: Database
    worker: str
    """Its id."""
    clock: Callable[[], datetime]

    def begin(self, look: str) -> Begun | None:
        silent = timedelta(seconds=self.setup.silent_s)
        with self.database.transaction() as connection:
            return looks.begin(connection, look, worker=self.worker, now=self.clock(), silent=silent)

    def overrides(self, begun: Begun) -> list[Override]:
        with self.database.transaction() as connection:
            return overrides.of_case(connection, begun.watch.case)

    def release(self, host: str | None) -> int:
        with self.database.transaction() as connection:
            return looks.release(connection, self.database.queue, now=self.clock(), host=host)

    def finish(self, begun: Begun, ended: Ended) -> None:
        now = self.clock()
        with self.database.transaction() as connection:
            if looks.finish(connection, begun, ended, now=now) and ended.kinds:
                facts: dict[str, Json] = {"watch": begun.watch.id, "kinds": list(ended.kinds)}
                alerts.raise_alert(connection, alerts.Kind.CHANGED, begun.look, facts, now=now)
            if ended.differing:
                facts = {"watch": begun.watch.id, "kinds": list(ended.differing)}
                alerts.raise_alert(connection, alerts.Kind.OBSERVERS_DIFFER, begun.look, facts, now=now)
            away = pace.heard(connection, begun.watch.host, self.setup.egress, ended.outcome, now=now)
        if away is not None:
            EVENTS.warning("host asks us to stop", extra={"watch": begun.watch.id, "away_s": int(away.total_seconds())})
        self.release(begun.watch.host)  # its place is free: the next of the same host need not wait for a tick

    def fail(self, begun: Begun, reason: str) -> None:
        with self.database.transaction() as connection:
            looks.fail(connection, begun.look, reason, now=self.clock(), attempt=begun.attempt)

    def put_back(self, begun: Begun, detail: str) -> None:
        with self.database.transaction() as connection:
            looks.put_back(connection, begun, detail)

    def cancelled(self, begun: Begun) -> None:
        with self.database.transaction() as connection:
            looks.cancelled(connection, begun, "cancelled by a person", now=self.clock())

    def crashed(self, look: str) -> bool:
        with self.database.transaction() as connection:
            return looks.crashed(connection, look, now=self.clock())

    def pause(self, begun: Begun, why: str) -> None:
        with self.database.transaction() as connection:
            watches.pause(connection, begun.watch.id, why, now=self.clock())
