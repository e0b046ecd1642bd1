"""The turns at hosts that all workers share, as one worker asks for them in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.watching import pace
from archive.watching.database import Database


@dataclass(frozen=True, slots=True)
class Turns:
    """As ``crawlers.pace`` needs them. Blocking: each is one transaction."""

    database: Database
    egress: str
    worker: str
    silent_s: float
    clock: Callable[[], datetime]

    def take(self, host: str, holder: str, lasts: timedelta, *, spends: bool) -> tuple[bool, float]:
        with self.database.transaction() as connection:
            turn = pace.take(
                connection,
                host,
                self.egress,
                holder,
                now=self.clock(),
                lasts=lasts,
                spends=spends,
                worker=self.worker,
                silent=timedelta(seconds=self.silent_s),
            )
        return turn.granted, turn.wait_s

    def leave(self, host: str, holder: str) -> None:
        with self.database.transaction() as connection:
            pace.leave(connection, host, self.egress, holder)
