"""The worker: takes looks from the queue and carries each out in this process, with a browser that stays warm."""

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from scrapy.utils.reactor import install_reactor

from archive import queue
from archive.alerting import Messenger, targets
from archive.errors import ArchiveError, QueueDown, StoreError, UsageError
from archive.queue import Again
from archive.vault import Vault
from archive.watching import alerts, looks, workers
from archive.watching.database import Database
from archive.watching.looks import Begun, Busy, Ended
from archive.watching.standing import standing
from crawlers import warm
from crawlers.books import Books
from crawlers.carrying import Capture, Carrier, say_trouble
from crawlers.duty import Setup
from crawlers.sessions import now

HEARTBEAT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 300.0
"""Between two attempts at a look that the store or the disk would not let be."""
GRACE_S = 80.0
"""What a look that was interrupted may still take, to seal what it has."""
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
EVENTS = logging.getLogger("counterproof.worker")


class Worker:
    """In one event loop, which is the reactor's."""

    def __init__(
        self,
        setup: Setup,
        database: Database,
        vault: Vault | None,
        *,
        capture: Capture,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """``vault``: None for a worker that only schedules. ``capture``: what a look is carried out by."""
        self.setup = setup
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._database = database
        self._vault = vault
        self._clock = clock
        self._stopping = asyncio.Event()
        self._running: dict[str, asyncio.Event] = {}
        self._done = 0
        self._failed = 0
        self._unsealed_since: datetime | None = None
        self._messenger: Messenger | None = None
        self._books = Books(setup, database, self.id, clock)
        self._carrier = None
        if vault is not None:
            self._carrier = Carrier(setup=setup, vault=vault, books=self._books, capture=capture, clock=clock)

    async def run(self) -> None:
        """Until it is told to stop, or the database goes: then ``QueueDown``."""
        app = queue.app(self._database.conninfo, connections=self.setup.concurrency + 6)
        queue.register_look(app, self.look)
        if self.setup.schedule:
            queue.register_schedule(app, tick=self.tick, sweep=lambda: self.sweep(app))
        await asyncio.to_thread(self._say)
        saying = asyncio.ensure_future(self._keep_saying())
        async with app.open_async():
            work = []
            for name, wanted, at_once in (
                (queue.SCHEDULE, self.setup.schedule, 2),
                (queue.LOOK, self.setup.looks, self.setup.concurrency),
            ):
                if wanted:
                    doing = queue.work(
                        app,
                        name,
                        name=self.id,
                        concurrency=at_once,
                        drain_s=self.setup.drain_s,
                        silent_s=self.setup.silent_s,
                    )
                    work.append(asyncio.ensure_future(doing))
            stop = asyncio.ensure_future(self._stopping.wait())
            EVENTS.info("worker ready", extra={"worker": self.id})
            try:
                await asyncio.wait({*work, stop}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in (*work, stop, saying):
                    each.cancel()
                ended = await asyncio.gather(*work, return_exceptions=True)
                await asyncio.gather(stop, saying, return_exceptions=True)
        if self._carrier is not None:
            await self._carrier.end()
        await warm.oven().close()
        with contextlib.suppress(QueueDown):
            await asyncio.to_thread(self._leave)
        if not self._stopping.is_set():
            why = next((str(each) for each in ended if isinstance(each, Exception)), "its connection ended")
            raise QueueDown(
                f"the database of watches went away ({why[:200]}): start it; the worker can then be started again"
            )

    def stop(self, *, at_once: bool = False) -> None:
        """Take no more; what runs goes on to its end, or with ``at_once`` ends with what it has."""
        EVENTS.info("worker stops", extra={"worker": self.id, "looks": len(self._running)})
        self._stopping.set()
        if at_once:
            for each in self._running.values():
                each.set()

    async def tick(self) -> None:
        released = 0
        while True:  # a crowd that is due at once is released at once, a batch in each transaction
            batch = await asyncio.to_thread(self._books.release, None)
            released += batch
            if batch < looks.BATCH:
                break
        if released:
            EVENTS.info("released", extra={"looks": released})

    async def sweep(self, app: Any) -> None:
        """What workers that died have left is taken up, a limited number of times."""
        for each in await queue.stalled(app, silent_s=self.setup.silent_s):
            if each.look is None:
                await queue.give_up(app, each.id)
                continue
            if await asyncio.to_thread(self._books.crashed, each.look):
                EVENTS.warning("taken up", extra={"look": each.look, "job": each.id})
                await queue.again(app, each.id, at=self._clock())
            else:
                EVENTS.error("given up", extra={"look": each.look, "job": each.id})
                await queue.give_up(app, each.id)
        await asyncio.to_thread(self._tidy)
        await asyncio.to_thread(self._alert)
        await queue.clear(app, hours=24 * 7)
        await self.tick()

    async def look(self, look: str, job: int, cancelled: Callable[[], bool]) -> None:
        """One job. Nothing of it is an error that could be corrected here: it ends, or is tried again."""
        assert self._carrier is not None, "a worker that only schedules takes no looks"
        ids = {"look": look, "job": job, "worker": self.id}
        try:
            begun = await asyncio.to_thread(self._books.begin, look)
        except Busy:
            EVENTS.info("delivered twice", extra=ids)
            return
        if begun is None:
            return
        ids["watch"] = begun.watch.id
        interrupted = asyncio.Event()
        self._running[look] = interrupted
        EVENTS.info("look begins", extra={**ids, "attempt": begun.attempt})
        doing = asyncio.ensure_future(self._carrier.carry_out(begun, interrupted))
        try:
            ended = await asyncio.shield(doing)
        except asyncio.CancelledError:
            interrupted.set()
            await asyncio.wait({doing}, timeout=GRACE_S)
            await self._interrupted(begun, doing, by_person=cancelled())
            return
        except (ArchiveError, OSError) as error:
            await self._put_off(begun, error, ids)
            raise
        finally:
            self._running.pop(look, None)
        if interrupted.is_set():
            await self._interrupted(begun, doing, by_person=False)
        self._done += 1
        EVENTS.info(
            "look ends", extra={**ids, "outcome": ended.outcome, "captures": ended.captures, "unit": ended.unit}
        )
        await asyncio.to_thread(self._books.finish, begun, ended)

    async def _interrupted(self, begun: Begun, doing: "asyncio.Future[Ended]", *, by_person: bool) -> None:
        """What was recorded stays recorded. A look that a person cancelled is over; any other waits again."""
        if doing.done() and not doing.cancelled() and doing.exception() is None:
            ended = doing.result()
            assert self._carrier is not None
            if ended.unit is not None and (by_person or not await asyncio.to_thread(self._carrier.is_left, begun)):
                await asyncio.to_thread(self._books.finish, begun, ended)
                return
        if by_person:
            await asyncio.to_thread(self._books.cancelled, begun)
            return
        await asyncio.to_thread(self._books.put_back, begun, "its worker was told to stop")
        raise Again(0)

    async def _put_off(self, begun: Begun, error: Exception, ids: Mapping[str, Any]) -> None:
        """The store, the disk or the log would not let it be: again later, and at last a kept failure."""
        self._failed += 1
        reason = str(error)[:500] or type(error).__name__
        EVENTS.warning("look put off", extra={**ids, "trouble": type(error).__name__})
        if isinstance(error, UsageError) or begun.attempt >= looks.MAX_ATTEMPTS:
            await asyncio.to_thread(self._books.fail, begun, reason)
            return
        await asyncio.to_thread(self._books.put_back, begun, reason)
        raise Again(pause_s(begun.attempt)) from error

    # What follows is blocking: each is one transaction.

    def _tidy(self) -> None:
        with self._database.transaction() as connection:
            looks.take_up(connection, self._database.queue, now=self._clock())
            workers.forget(connection)
        if self._vault is not None:
            with contextlib.suppress(StoreError):  # it is down: asked again in a minute
                self._vault.recover()

    def _alert(self) -> None:
        silent = timedelta(seconds=self.setup.silent_s)
        with self._database.transaction() as connection:
            found = standing(connection, self._database.queue, now=self._clock(), silent=silent)
            alerts.watch_over(connection, found, now=self._clock())
        if self._messenger is None:
            self._messenger = Messenger(
                database=self._database,
                targets=targets(self.setup.config.home),
                clock=self._clock,
                trouble=lambda _, error: EVENTS.warning("alert not sent", extra={"trouble": type(error).__name__}),
            )
        if told := self._messenger.deliver():
            EVENTS.info("alerts sent", extra={"alert": told})

    def _say(self) -> None:
        oven = warm.oven()
        facts: dict[str, Any] = {
            "looks": self.setup.looks,
            "schedule": self.setup.schedule,
            "concurrency": self.setup.concurrency,
            "running": len(self._running),
            "done": self._done,
            "failed": self._failed,
            "browsers": oven.launched,
            "recycled": dict(oven.recycled),
            "silent_s": self.setup.silent_s,
            "unsealed_since": self._note_unsealed(),
        }
        with self._database.transaction() as connection:
            workers.say(connection, self.id, place=socket.gethostname(), egress=self.setup.egress, facts=facts)

    def _note_unsealed(self) -> str | None:
        """Since when events of this worker wait for trusted time; None where none do, or no authority is asked."""
        if self._vault is None or not self._vault.timekeeper.sealing.pending:
            self._unsealed_since = None
        elif self._unsealed_since is None:
            self._unsealed_since = self._clock()
        return None if self._unsealed_since is None else self._unsealed_since.isoformat()

    def _leave(self) -> None:
        with self._database.transaction() as connection:
            workers.leave(connection, self.id)

    async def _keep_saying(self) -> None:
        while True:
            await asyncio.sleep(min(HEARTBEAT_S, self.setup.silent_s / 4))
            try:
                await asyncio.to_thread(self._say)
            except QueueDown as error:
                say_trouble(error)


def pause_s(attempt: int) -> float:
    """After an attempt that the store or the disk would not let be."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 10))


def run(
    setup: Setup,
    database: Database,
    vault: Vault | None,
    *,
    capture: Capture,
    clock: Callable[[], datetime] = now,
) -> None:
    """For a process that does nothing else: install the reactor, work until SIGTERM or SIGINT. Blocking.

    The first signal drains: looks that are under way go on to their end. The second ends them with what they have.
    Raises ``QueueDown`` when the database goes away.
    """
    install_reactor(REACTOR)
    gc.freeze()
    from twisted.internet import reactor as installed  # noqa: PLC0415  # importing it earlier would install another one

    reactor: Any = installed
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    warm.oven(setup.browser)
    outcome: list[BaseException] = []
    loop = asyncio.get_event_loop()

    async def main() -> None:
        asked = 0
        worker = Worker(setup, database, vault, capture=capture, clock=clock)

        def stop() -> None:
            nonlocal asked
            asked += 1
            worker.stop(at_once=asked > 1)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await worker.run()
        except BaseException as error:  # noqa: BLE001  # carried over to the caller's side of the reactor, and raised there
            outcome.append(error)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            reactor.stop()

    tasks: list[asyncio.Task[None]] = []
    reactor.callWhenRunning(lambda: tasks.append(loop.create_task(main())))
    reactor.run(installSignalHandlers=False)
    if outcome:
        raise outcome[0]
