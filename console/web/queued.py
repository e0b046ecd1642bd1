"""Captures asked for in the console, as looks in the queue, where a worker is there that carries them out.

An address that is watched for the case already gets a look of its watch, before all that is scheduled. Any other gets a
watch that is paused, so that nothing is due by itself, and removed when its look has ended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archive.config import ArchiveConfig
from archive.errors import ArchiveError
from archive.watching import looks, watches, workers
from archive.watching.database import EMBEDDED, Database, open_database
from archive.watching.timing import Timing
from archive.watching.watch import Kind, asked

SOURCE = "console"
"""Whose watches these are."""
SILENT = timedelta(seconds=60)
"""A worker that was not heard of for so long is not counted on."""
_EVERY = "366d"
"""A watch has to be due at some time; it is paused before that."""
_ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How far one of them is."""

    id: str
    watch: str
    url: str
    state: str
    """``queued``, ``running``, ``done``, ``failed``, ``cancelled``."""
    at: datetime
    """Since when."""
    unit: str | None
    outcome: str | None
    detail: str

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """An open queue. Raises ``QueueDown`` where it is gone."""

    database: Database
    key: Callable[[str], str]
    """An address for comparing only."""
    new_id: Callable[[], str]
    clock: Callable[[], datetime]

    def has_workers(self) -> bool:
        with self.database.transaction() as connection:
            return bool(workers.alive(connection, silent=SILENT))

    def ask(self, urls: Sequence[str], *, case: str, by: str, follow: bool, device: str) -> list[str]:
        """Ids of the looks; all of them wait in the queue, or none."""
        found = []
        with self.database.transaction() as connection:
            for url in urls:
                key = self.key(url)
                watch = watches.find(connection, case, key)
                if watch is None:
                    wanted = asked(
                        case=case, url=url, key=key, kind=Kind.PAGE.value, timing=Timing.of(every=_EVERY),
                        options={"follow": follow, "device": device}, source=SOURCE,
                    )  # fmt: skip
                    watch = watches.put(connection, wanted, new_id=self.new_id(), now=self.clock()).watch
                    why = f"asked for once in the console, by {by}"[:200]
                    watches.pause(connection, watch.id, why, now=self.clock())
                found.append(looks.ask(connection, self.database.queue, watch, now=self.clock())[0])
        return list(dict.fromkeys(found))

    def see(self, ids: Sequence[str]) -> list[Look]:
        """In the order of ``ids``. A watch that was made for a look that has ended is removed."""
        with self.database.transaction() as connection:
            rows = looks.of_ids(connection, ids)
            for row in rows.values():
                if (row["source"], row["kept"]) == (SOURCE, "paused") and row["state"] in _ENDED:
                    watches.remove(connection, row["watch"], "its one look has ended", now=self.clock())
        return [self._look(each, rows.get(each)) for each in ids]

    def _look(self, look: str, row: Mapping[str, Any] | None) -> Look:
        if row is None:  # nobody will carry it out, and nobody can tell what became of it
            return Look(
                id=look, watch="", url="", state="failed", at=self.clock(), unit=None, outcome=None,
                detail="the database of watches no longer has this look: ask for it again",
            )  # fmt: skip
        return Look(
            id=look, watch=row["watch"], url=row["url"], state=row["state"], at=row["at"], unit=row["unit"],
            outcome=row["outcome"], detail=row["detail"],
        )  # fmt: skip


@contextmanager
def open_desk(
    config: ArchiveConfig, *, key: Callable[[str], str], new_id: Callable[[], str], clock: Callable[[], datetime]
) -> Iterator[Desk | None]:
    """None: there is no queue here, it does not answer, or no worker is at it."""
    with ExitStack() as stack:
        desk = None
        if config.dsn is not None or (config.home / EMBEDDED).is_dir():
            try:
                database = stack.enter_context(open_database(config))
                opened = Desk(database=database, key=key, new_id=new_id, clock=clock)
                desk = opened if opened.has_workers() else None
            except ArchiveError:
                desk = None  # the command does the same by itself, and says what is the matter
        yield desk
