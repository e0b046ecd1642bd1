"""A look carried out: made once, gone on with where an earlier attempt was broken off, and beside a second observer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import metadata

from archive import looked, purpose
from archive.briefs import Briefs
from archive.errors import ArchiveError
from archive.looked import Before, Looked
from archive.observers import Agreement
from archive.result import Result
from archive.vault import Vault
from archive.watching.looks import Begun, Ended
from crawlers import aftermath, warm
from crawlers.aftermath import Rest
from crawlers.books import Books
from crawlers.duty import Setup, further, gone_on, job_of, judge, observed, second_of, together
from crawlers.observing import Second, Wishes
from crawlers.pace import SharedManners
from crawlers.program import code_sha256
from crawlers.readers import Lending, Readers
from crawlers.session import Job
from crawlers.turns import Turns
from custody.model import Json

LATE = timedelta(minutes=10)
"""A look that is later than that may be one that a restored database has released a second time: the log is asked."""
CONTROL_EVERY_S = 3600.0
"""The program's own page is looked at so often by each worker, and with the first look of each browser."""
TURN_S = 300.0
EVENTS = logging.getLogger("counterproof.worker")
Capture = Callable[..., Awaitable[Result]]
"""``crawlers.run.look``."""


@dataclass(kw_only=True, slots=True)
class Carrier:
    """Of one worker, in its event loop."""

    setup: Setup
    vault: Vault
    books: Books
    capture: Capture
    clock: Callable[[], datetime]
    lending: Lending = field(default_factory=Lending)
    _looked: Looked = field(init=False)
    _controlled_at: float = -CONTROL_EVERY_S
    _controlled_browser: int = -1

    def __post_init__(self) -> None:
        self._looked = Looked(self.vault.sequencer.reader, self.vault.sequencer.refresh)

    async def end(self) -> None:
        await self.lending.end()

    async def carry_out(self, begun: Begun, interrupted: asyncio.Event) -> Ended:
        if begun.attempt > 1 or self.clock() - begun.slot > LATE:
            before = await asyncio.to_thread(self._make_good, begun)
            if before.done is not None:
                return await self._go_on(begun, before, before.done, interrupted)
        standing_ = await asyncio.to_thread(self._may_look, begun)
        if not standing_.allowed:
            await asyncio.to_thread(self.books.pause, begun, standing_.why)
            return Ended(outcome="review overdue", detail=standing_.why)
        overridden = await asyncio.to_thread(self.books.overrides, begun)
        job = job_of(begun, self.setup, overridden, control=self._is_control_due())
        wishes = second_of(begun, self.setup)
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
        agreements: list[Agreement] = []
        trouble = ""
        async with AsyncExitStack() as stack:
            second = Second.of_job(job, wishes, self.setup.config, environment=self.setup.environment)
            try:
                await asyncio.to_thread(second.__enter__)
                stack.push_async_callback(asyncio.to_thread, second.__exit__, None, None, None)
                await asyncio.to_thread(second.begin, self.vault)
            except (ArchiveError, OSError) as error:
                trouble = str(error)
            result = await self._look(job, interrupted)
            ended = judge(result, interrupted=interrupted.is_set())
            if not trouble and not interrupted.is_set():
                try:
                    agreements = await asyncio.to_thread(second.conclude, self.vault, result)
                except (ArchiveError, OSError) as error:
                    trouble = str(error)
        if trouble:
            EVENTS.warning("no second observer", extra={"look": next(iter(job.look_ids.values()))})
        return result, observed(ended, agreements, trouble)

    async def _go_on(self, begun: Begun, before: Before, done: looked.Begun, interrupted: asyncio.Event) -> Ended:
        """The page itself was recorded; what it led to or called for, and nobody has looked at, is looked at now."""
        left = await asyncio.to_thread(self._rest, begun, before, done)
        ended = gone_on(done, captures=len(before.ends), kinds=left.kinds)
        for job in left.jobs:
            if interrupted.is_set():
                break
            EVENTS.info("look goes on", extra={"look": begun.look, "captures": len(job.leftover) or len(job.urls)})
            ended = together(ended, await self._look(job, interrupted))
        return ended

    def is_left(self, begun: Begun) -> bool:
        """Whether something that a recorded page led to or called for was not looked at: the next attempt does it."""
        try:
            before = self._looked.before(begun.look, since=begun.slot)
            return before.done is None or bool(self._rest(begun, before, before.done).jobs)
        except ArchiveError:
            return True  # nobody can tell now; the next attempt asks the log

    def _rest(self, begun: Begun, before: Before, done: looked.Begun) -> Rest:
        job = job_of(begun, self.setup, self.books.overrides(begun), control=False)
        by: dict[str, Json] = {"version": metadata.version("counterproof"), "code_sha256": code_sha256()}
        return aftermath.rest(job, self.vault, before, done, look=begun.look, by=by)

    async def _look(self, job: Job, interrupted: asyncio.Event) -> Result:
        async with self.lending.lent() as readers:
            return await self._look_with(readers, job, interrupted)

    async def _look_with(self, readers: Readers, job: Job, interrupted: asyncio.Event) -> Result:
        return await self.capture(
            job,
            vault=self.vault,
            environment=self.setup.environment,
            progress=_silent,
            interrupted=interrupted,
            clock=self.clock,
            manners=SharedManners(
                turns=Turns(self.books.database, self.setup.egress, self.books.worker, self.setup.silent_s, self.clock),
                lasts=timedelta(seconds=TURN_S),
                trouble=say_trouble,
            ),
            provider=warm.PROVIDER,
            readers=readers,
        )

    def _may_look(self, begun: Begun) -> purpose.Standing:
        """A case whose review is overdue is not looked at for; a person's own asking is hers to decide."""
        scope = self.vault.cases.find(begun.watch.case)
        if scope is None or begun.reason == "asked":
            return purpose.may_look(None, self.clock())
        described = Briefs(self.vault.sequencer, self.vault.store).current(scope)
        return purpose.may_look(None if described is None else described.brief, self.clock())

    def _make_good(self, begun: Begun) -> Before:
        """What earlier attempts have left gets its end, before anything is looked at again."""
        self.vault.recover()
        before = self._looked.before(begun.look, since=begun.slot)
        for each in before.open:
            EVENTS.warning("abandoned", extra={"look": begun.look, "capture": each.capture})
            looked.abandon(each, scribe=self.vault.scribe, ledger=self.vault.sequencer)
        return self._looked.before(begun.look, since=begun.slot)

    def _is_control_due(self) -> bool:
        if not self.setup.control:
            return False
        now, browser = warm.oven().monotonic(), warm.oven().launched
        if now - self._controlled_at < CONTROL_EVERY_S and browser == self._controlled_browser:
            return False
        self._controlled_at, self._controlled_browser = now, max(1, browser)
        return True


def say_trouble(error: ArchiveError) -> None:
    EVENTS.warning("database away", extra={"trouble": type(error).__name__})


def _silent(step: str, facts: Mapping[str, Json]) -> None:
    """Nobody is watching."""
