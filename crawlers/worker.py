"""The worker: takes looks from the queue and carries each out in this process, with a browser that stays warm."""

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scrapy.utils.reactor import install_reactor

from archive import looked, purpose, queue
from archive.alerting import Messenger, targets
from archive.briefs import Briefs
from archive.errors import ArchiveError, QueueDown, StoreError, UsageError
from archive.looked import Before, Looked
from archive.observers import Agreement
from archive.queue import Again
from archive.result import Result
from archive.vault import Vault
from archive.watching import alerts, looks, overrides, pace, watches, workers
from archive.watching.database import Database
from archive.watching.looks import Begun, Busy, Ended
from archive.watching.overrides import Override
from archive.watching.standing import standing
from crawlers import warm
from crawlers.duty import Setup, further, job_of, judge, observed, second_of, together
from crawlers.leftover import going_on
from crawlers.observing import Second, Wishes
from crawlers.pace import SharedManners
from crawlers.readers import Lending, Readers
from crawlers.session import Job
from crawlers.sessions import now
from custody.model import Json

LATE = timedelta(minutes=10)
"""A look that is later than that may be one that a restored database has released a second time: the log is asked."""
CONTROL_EVERY_S = 3600.0
"""The program's own page is looked at so often by each worker, and with the first look of each browser."""
HEARTBEAT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 300.0
"""Between two attempts at a look that the store or the disk would not let be."""
TURN_S = 300.0
GRACE_S = 80.0
"""What a look that was interrupted may still take, to seal what it has."""
REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
Capture = Callable[..., Awaitable[Result]]
"""``crawlers.run.look``."""
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
        self._capture = capture
        self.setup = setup
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._database = database
        self._vault = vault
        self._clock = clock
        self._stopping = asyncio.Event()
        self._running: dict[str, asyncio.Event] = {}
        self._done = 0
        self._failed = 0
        self._controlled_at = -CONTROL_EVERY_S
        self._controlled_browser = -1
        self._unsealed_since: datetime | None = None
        self._messenger: Messenger | None = None
        self._lending = Lending()
        self._looked = None if vault is None else Looked(vault.sequencer.reader, vault.sequencer.refresh)

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
        await self._lending.end()
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
        self._stopping.set()
        if at_once:
            for each in self._running.values():
                each.set()

    async def tick(self) -> None:
        released = 0
        while True:  # a crowd that is due at once is released at once, a batch in each transaction
            batch = await asyncio.to_thread(self._release, None)
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
            if await asyncio.to_thread(self._crashed, each.look):
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
        ids = {"look": look, "job": job, "worker": self.id}
        try:
            begun = await asyncio.to_thread(self._begin, look)
        except Busy:
            EVENTS.info("delivered twice", extra=ids)
            return
        if begun is None:
            return
        ids["watch"] = begun.watch.id
        interrupted = asyncio.Event()
        self._running[look] = interrupted
        EVENTS.info("look begins", extra={**ids, "attempt": begun.attempt})
        doing = asyncio.ensure_future(self._carry_out(begun, interrupted))
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
        await asyncio.to_thread(self._finish, begun, ended)

    async def _carry_out(self, begun: Begun, interrupted: asyncio.Event) -> Ended:
        assert self._vault is not None, "a worker that only schedules takes no looks"
        assert self._looked is not None
        if begun.attempt > 1 or self._clock() - begun.slot > LATE:
            before = await asyncio.to_thread(self._make_good, begun)
            if before.done is not None:
                return await self._go_on(begun, before.done, len(before.ends), interrupted)
        standing_ = await asyncio.to_thread(self._may_look, begun)
        if not standing_.allowed:
            await asyncio.to_thread(self._pause, begun, standing_.why)
            return Ended(outcome="review overdue", detail=standing_.why)
        overridden = await asyncio.to_thread(self._overrides, begun)
        job = job_of(begun, self.setup, overridden, control=self._is_control_due())
        wishes = second_of(begun)
        if wishes is None:
            result = await self._look(job, interrupted)
            ended = judge(result, interrupted=interrupted.is_set())
        else:
            result, ended = await self._look_twice(job, wishes, interrupted)
        more = further(job, {each.url: begun.look for each in (*result.fresh, *result.follow_ups)})
        if more is not None and not interrupted.is_set():
            EVENTS.info("look goes on", extra={"look": begun.look, "captures": len(more.urls)})
            ended = together(ended, await self._look(more, interrupted))
        return ended

    async def _look_twice(self, job: Job, wishes: Wishes, interrupted: asyncio.Event) -> tuple[Result, Ended]:
        """Beside a second observer. One that cannot look, or comes to nothing, takes nothing from what we saw."""
        assert self._vault is not None
        agreements: list[Agreement] = []
        trouble = ""
        async with AsyncExitStack() as stack:
            second = Second.of_job(job, wishes, self.setup.config, environment=self.setup.environment)
            try:
                await asyncio.to_thread(second.__enter__)
                stack.push_async_callback(asyncio.to_thread, second.__exit__, None, None, None)
                await asyncio.to_thread(second.begin, self._vault)
            except (ArchiveError, OSError) as error:
                trouble = str(error)
            result = await self._look(job, interrupted)
            ended = judge(result, interrupted=interrupted.is_set())
            if not trouble and not interrupted.is_set():
                try:
                    agreements = await asyncio.to_thread(second.conclude, self._vault, result)
                except (ArchiveError, OSError) as error:
                    trouble = str(error)
        if trouble:
            EVENTS.warning("no second observer", extra={"look": next(iter(job.look_ids.values()))})
        return result, observed(ended, agreements, trouble)

    async def _go_on(self, begun: Begun, done: looked.Begun, captures: int, interrupted: asyncio.Event) -> Ended:
        """The page itself was recorded; what it led to, and nobody has looked at, is looked at now."""
        assert self._vault is not None
        ended = Ended(
            outcome="recorded before",
            run=done.run,
            unit=done.unit,
            captures=captures,
            detail="an earlier attempt had recorded it when its worker died",
        )
        job = job_of(begun, self.setup, await asyncio.to_thread(self._overrides, begun), control=False)
        rest = await asyncio.to_thread(going_on, job, self._vault, done.unit)
        if rest is None:
            return ended
        EVENTS.info("look goes on", extra={"look": begun.look, "captures": len(rest.leftover)})
        return together(ended, await self._look(rest, interrupted))

    def _is_left(self, begun: Begun, unit: str) -> bool:
        """Whether links of what was recorded were to be followed, and were not: the next attempt goes on with them."""
        assert self._vault is not None
        try:
            return going_on(job_of(begun, self.setup, (), control=False), self._vault, unit) is not None
        except ArchiveError:
            return True  # nobody can tell now; the next attempt asks the log

    async def _look(self, job: Job, interrupted: asyncio.Event) -> Result:
        async with self._lending.lent() as readers:
            return await self._look_with(readers, job, interrupted)

    async def _look_with(self, readers: Readers, job: Job, interrupted: asyncio.Event) -> Result:
        return await self._capture(
            job,
            vault=self._vault,
            environment=self.setup.environment,
            progress=_silent,
            interrupted=interrupted,
            clock=self._clock,
            manners=SharedManners(
                turns=_Turns(self._database, self.setup.egress, self.id, self.setup.silent_s, self._clock),
                lasts=timedelta(seconds=TURN_S),
                trouble=_say_trouble,
            ),
            provider=warm.PROVIDER,
            readers=readers,
        )

    def _may_look(self, begun: Begun) -> purpose.Standing:
        """A case whose review is overdue is not looked at for; a person's own asking is hers to decide."""
        assert self._vault is not None
        scope = self._vault.cases.find(begun.watch.case)
        if scope is None or begun.reason == "asked":
            return purpose.may_look(None, self._clock())
        described = Briefs(self._vault.sequencer, self._vault.store).current(scope)
        return purpose.may_look(None if described is None else described.brief, self._clock())

    def _pause(self, begun: Begun, why: str) -> None:
        with self._database.transaction() as connection:
            watches.pause(connection, begun.watch.id, why, now=self._clock())

    def _make_good(self, begun: Begun) -> Before:
        """What earlier attempts have left gets its end, before anything is looked at again."""
        assert self._vault is not None
        assert self._looked is not None
        self._vault.recover()
        before = self._looked.before(begun.look, since=begun.slot)
        for each in before.open:
            EVENTS.warning("abandoned", extra={"look": begun.look, "capture": each.capture})
            looked.abandon(each, scribe=self._vault.scribe, ledger=self._vault.sequencer)
        return self._looked.before(begun.look, since=begun.slot)

    def _is_control_due(self) -> bool:
        if not self.setup.control:
            return False
        now, browser = warm.oven().monotonic(), warm.oven().launched
        if now - self._controlled_at < CONTROL_EVERY_S and browser == self._controlled_browser:
            return False
        self._controlled_at, self._controlled_browser = now, max(1, browser)
        return True

    async def _interrupted(self, begun: Begun, doing: "asyncio.Future[Ended]", *, by_person: bool) -> None:
        """What was recorded stays recorded. A look that a person cancelled is over; any other waits again."""
        if doing.done() and not doing.cancelled() and doing.exception() is None:
            ended = doing.result()
            if ended.unit is not None and (by_person or not await asyncio.to_thread(self._is_left, begun, ended.unit)):
                await asyncio.to_thread(self._finish, begun, ended)
                return
        if by_person:
            await asyncio.to_thread(self._cancelled, begun)
            return
        await asyncio.to_thread(self._put_back, begun, "its worker was told to stop")
        raise Again(0)

    async def _put_off(self, begun: Begun, error: Exception, ids: Mapping[str, Any]) -> None:
        """The store, the disk or the log would not let it be: again later, and at last a kept failure."""
        self._failed += 1
        reason = str(error)[:500] or type(error).__name__
        EVENTS.warning("look put off", extra={**ids, "trouble": type(error).__name__})
        if isinstance(error, UsageError) or begun.attempt >= looks.MAX_ATTEMPTS:
            await asyncio.to_thread(self._fail, begun, reason)
            return
        await asyncio.to_thread(self._put_back, begun, reason)
        raise Again(pause_s(begun.attempt)) from error

    # What follows is blocking: each is one transaction.

    def _begin(self, look: str) -> Begun | None:
        silent = timedelta(seconds=self.setup.silent_s)
        with self._database.transaction() as connection:
            return looks.begin(connection, look, worker=self.id, now=self._clock(), silent=silent)

    def _overrides(self, begun: Begun) -> list[Override]:
        with self._database.transaction() as connection:
            return overrides.of_case(connection, begun.watch.case)

    def _release(self, host: str | None) -> int:
        with self._database.transaction() as connection:
            return looks.release(connection, self._database.queue, now=self._clock(), host=host)

    def _finish(self, begun: Begun, ended: Ended) -> None:
        now = self._clock()
        with self._database.transaction() as connection:
            if looks.finish(connection, begun, ended, now=now) and ended.kinds:
                facts: dict[str, Json] = {"watch": begun.watch.id, "kinds": list(ended.kinds)}
                alerts.raise_alert(connection, alerts.Kind.CHANGED, begun.look, facts, now=now)
            if ended.differing:
                facts = {"watch": begun.watch.id, "kinds": list(ended.differing)}
                alerts.raise_alert(connection, alerts.Kind.OBSERVERS_DIFFER, begun.look, facts, now=now)
            away = pace.heard(connection, begun.watch.host, self.setup.egress, ended.outcome, now=now)
        if away is not None:
            EVENTS.warning("host asks us to stop", extra={"watch": begun.watch.id, "away_s": int(away.total_seconds())})
        self._release(begun.watch.host)  # its place is free: the next of the same host need not wait for a tick

    def _fail(self, begun: Begun, reason: str) -> None:
        with self._database.transaction() as connection:
            looks.fail(connection, begun.look, reason, now=self._clock(), attempt=begun.attempt)

    def _put_back(self, begun: Begun, detail: str) -> None:
        with self._database.transaction() as connection:
            looks.put_back(connection, begun, detail)

    def _cancelled(self, begun: Begun) -> None:
        with self._database.transaction() as connection:
            looks.cancelled(connection, begun, "cancelled by a person", now=self._clock())

    def _crashed(self, look: str) -> bool:
        with self._database.transaction() as connection:
            return looks.crashed(connection, look, now=self._clock())

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
                _say_trouble(error)


@dataclass(frozen=True, slots=True)
class _Turns:
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


def pause_s(attempt: int) -> float:
    """After an attempt that the store or the disk would not let be."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 10))


def _silent(step: str, facts: Mapping[str, Json]) -> None:
    """Nobody is watching."""


def _say_trouble(error: ArchiveError) -> None:
    EVENTS.warning("database away", extra={"trouble": type(error).__name__})


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
