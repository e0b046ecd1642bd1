"""What waits and what is due: how soon a look is begun with fifty thousand waiting, and what scheduling them costs."""

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from archive import queue
from archive.postgres import embedded_postgres
from archive.postmaster import State
from archive.watching import looks
from archive.watching.database import Database, opened
from bench.measuring import tell
from tests.archive.watching.databases import watched

WAITING = 50_000
WATCHES = 50_000
HOSTS = 5_000
DEMANDS = 100
EVERY_S = 0.15
WORK_S = 0.05
TICK_S = 10
TICKS = 30
BARE = 200


def main() -> None:
    with tempfile.TemporaryDirectory() as name, embedded_postgres(Path(name)) as conninfo, opened(conninfo) as database:
        bare = sorted(_round_trip(database) for _ in range(BARE))[BARE // 2]
        _load(database)
        waits = sorted(asyncio.run(_dispatch(conninfo, database)))
        p50, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
        tell("a query and its answer", bare * 1000, "ms")
        tell(f"from asking to beginning, {WAITING:,} waiting, half of the looks", p50 * 1000, "ms")
        tell("the same, 95 of 100 looks", p95 * 1000, "ms", at_most=500)
        with database.transaction() as connection:
            connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        _schedule(database, State.read(Path(name)))


def _round_trip(database: Database) -> float:
    began = time.perf_counter()
    with database.transaction() as connection:
        connection.execute("SELECT 1")
    return time.perf_counter() - began


def _load(database: Database) -> None:
    began = time.perf_counter()
    with database.transaction() as connection:
        for at in range(0, WAITING, 5_000):
            database.queue.defer(connection, ((f"waiting {n}", 1) for n in range(at, at + 5_000)))
        connection.execute("ANALYZE procrastinate_jobs")
    tell("jobs put in, in batches", WAITING / (time.perf_counter() - began), "a second")


async def _dispatch(conninfo: str, database: Database) -> list[float]:
    """A worker that is never idle; what is asked for meanwhile goes before all that waits."""
    app = queue.app(conninfo, connections=6)
    asked: dict[str, float] = {}
    begun: dict[str, float] = {}
    all_begun = asyncio.Event()

    async def do(look: str, _job: int, _cancelled: object) -> None:
        if look in asked:
            begun[look] = time.perf_counter() - asked[look]
            if len(begun) == DEMANDS:
                all_begun.set()
        await asyncio.sleep(WORK_S)

    def demand(n: int) -> None:
        asked[f"demand {n}"] = time.perf_counter()
        with database.transaction() as connection:
            database.queue.defer(connection, [(f"demand {n}", queue.ON_DEMAND)])

    queue.register_look(app, do)
    async with app.open_async():
        working = asyncio.ensure_future(
            queue.work(app, queue.LOOK, name="bench", concurrency=2, drain_s=5, silent_s=60)
        )
        await asyncio.sleep(2)
        for n in range(DEMANDS):
            await asyncio.to_thread(demand, n)
            await asyncio.sleep(EVERY_S)
        await asyncio.wait({working, asyncio.ensure_future(all_begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return list(begun.values())


def _schedule(database: Database, state: State | None) -> None:
    """Ticks of a deployment that keeps up: what was released is carried out before the next one."""
    now = datetime(2026, 11, 2, tzinfo=UTC)
    with database.transaction() as connection:
        for n in range(WATCHES):
            watched(connection, f"https://h{n % HOSTS}.example/{n}", every="6h", now=now)
        # Spread over the six hours, as they are once each was looked at for the first time.
        connection.execute(
            "UPDATE counterproof.watches SET looked_at = %s, slot = %s + random() * interval '6 hours'", (now, now)
        )
        connection.execute("UPDATE counterproof.watches SET due_at = slot")
        connection.execute("ANALYZE")
    server = None if state is None or state.server is None else psutil.Process(state.server)
    spent, released = 0.0, 0
    for n in range(TICKS):
        now += timedelta(seconds=TICK_S)
        before = time.process_time() + _of(server)
        with database.transaction() as connection:
            count = looks.release(connection, database.queue, now=now)
        if n:  # the first one meets cold caches
            spent += time.process_time() + _of(server) - before
            released += count
        with database.transaction() as connection:
            connection.execute(
                "UPDATE counterproof.looks SET state = 'done', ended_at = %s WHERE state = 'queued'", (now,)
            )
    share = spent / ((TICKS - 1) * TICK_S)
    tell(f"looks released in each tick of {TICK_S} s, {WATCHES:,} watches every 6 h", released / (TICKS - 1), "")
    tell("scheduling takes of one core, database included", share * 100, "%", at_most=1)


def _of(server: psutil.Process | None) -> float:
    """Processor time of the database and all that it has started."""
    if server is None:
        return 0.0
    total = 0.0
    for each in (server, *server.children(recursive=True)):
        try:
            times = each.cpu_times()
            total += times.user + times.system
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
