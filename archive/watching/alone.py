"""Looks that somebody carries out without a worker: taken from what is due, with nobody else taking them too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.queue import Queue
from archive.watching import alerts, looks, overrides, workers
from archive.watching.database import Connection, Database
from archive.watching.looks import Begun, Busy, Ended
from archive.watching.overrides import Override
from custody.model import Json

ALIVE = timedelta(minutes=1)


@dataclass(kw_only=True, slots=True)
class Alone:
    """Of one process, for one case."""

    database: Database
    name: str
    taken: dict[str, Begun] = field(default_factory=dict)
    """By the address that is looked at."""

    def take(self, case: str, *, limit: int, now: datetime) -> Mapping[str, Begun]:
        """What is due of a case, and has room at its host: such watches as are to be looked at in the same way."""
        with self.database.transaction() as connection:
            workers.say(
                connection, self.name, place=self.name, egress="direct", facts={"looks": False, "schedule": False}
            )
            looks.release(connection, self.database.queue, now=now)
            found = connection.execute(
                "SELECT l.id, l.job, w.kind, w.options, l.reason FROM counterproof.looks l "
                "JOIN counterproof.watches w ON w.id = l.watch WHERE w.case_name = %s AND l.state = 'queued' "
                "ORDER BY l.priority DESC, l.slot FOR UPDATE OF l SKIP LOCKED",
                (case,),
            ).fetchall()
            alike = [row for row in found if row[2:] == found[0][2:]][:limit]
            for look, job, *_ in alike:
                self._begin(connection, self.database.queue, str(look), job, now)
        return self.taken

    def still_here(self) -> None:
        """To be said every few seconds: who is silent is taken for dead."""
        with self.database.transaction() as connection:
            workers.say(
                connection, self.name, place=self.name, egress="direct", facts={"looks": False, "schedule": False}
            )

    def finish(self, ended: Mapping[str, Ended], *, now: datetime) -> None:
        """``ended``: by address; what is not there waits again."""
        with self.database.transaction() as connection:
            for url, begun in self.taken.items():
                if (what := ended.get(url)) is not None:
                    if looks.finish(connection, begun, what, now=now) and what.kinds:
                        facts: dict[str, Json] = {"watch": begun.watch.id, "kinds": list(what.kinds)}
                        alerts.raise_alert(connection, alerts.Kind.CHANGED, begun.look, facts, now=now)
                else:
                    looks.put_back(connection, begun, "nothing came of it")
            looks.take_up(connection, self.database.queue, now=now)  # what waits again gets a job again
            workers.leave(connection, self.name)

    def overrides(self, case: str) -> list[Override]:
        with self.database.transaction() as connection:
            return overrides.of_case(connection, case)

    def _say(self, connection: Connection) -> None:
        facts = {"looks": False, "schedule": False}
        workers.say(connection, self.name, place=self.name, egress="direct", facts=facts)

    def _begin(self, connection: Connection, queue: Queue, look: str, job: int | None, now: datetime) -> None:
        try:
            begun = looks.begin(connection, look, worker=self.name, now=now, silent=ALIVE)
        except Busy:
            return
        if begun is None or begun.watch.url in self.taken:
            return
        if job is not None:
            queue.cancel(connection, job)  # a worker that has it already finds us at it
        self.taken[begun.watch.url] = begun
