"""The queue: a thin door to Procrastinate, which keeps jobs in PostgreSQL. A job names a look by its id, no more."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.tasks import configure_task

from archive.errors import QueueDown

LOOK = "look"
"""The task that carries out one look, and the queue that it waits in."""
SCHEDULE = "schedule"
"""The queue of the two tasks that release what is due, and take up what dead workers have left."""
ON_DEMAND = 100
"""Priority of what a person waits for; what is scheduled has less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stalled:
    """A job whose worker has not been heard of."""

    id: int
    task: str
    look: str | None


class Queue:
    """For who puts jobs in, counts them and clears up; blocking. The worker runs an ``app`` of its own."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._app = App(connector=SyncPsycopgConnector(conninfo=conninfo, min_size=1, max_size=2))

    def defer(self, connection: psycopg.Connection[Any], looks: Iterable[tuple[str, int]]) -> list[int]:
        """One job for each look and priority, in the caller's transaction: released and deferred, or neither.

        Raises ``psycopg.Error``, as every question in that transaction does.
        """
        jobs = [
            configure_task(
                name=LOOK, job_manager=self._app.job_manager, queue=LOOK, priority=priority, task_kwargs={"look": look}
            ).job
            for look, priority in looks
        ]
        if not jobs:
            return []
        try:
            put_in = self._app.job_manager.batch_defer_jobs(jobs, connection=connection)
        except ConnectorException as error:  # its own wrapping, which no holder of a transaction knows
            if isinstance(error.__cause__, psycopg.Error):
                raise error.__cause__ from error
            raise
        return [int(each.id or 0) for each in put_in]

    def counts(self, connection: psycopg.Connection[Any]) -> Mapping[str, int]:
        """Looks by Procrastinate's word for how they are: ``todo``, ``doing``, ``failed``, …"""
        rows = connection.execute(
            "SELECT status::text, count(*) FROM procrastinate_jobs WHERE queue_name = %s GROUP BY status", (LOOK,)
        )
        return {str(status): int(count) for status, count in rows}

    def cancel(self, connection: psycopg.Connection[Any], job: int) -> bool:
        """Ends a job that waits; one that runs is told to. False: it is over."""
        row = connection.execute("SELECT procrastinate_cancel_job_v1(%s, true, false)", (job,)).fetchone()
        return row is not None and row[0] is not None


class Again(Exception):  # it is no error: a look that could not be carried out now
    """Raised in a task: the job waits, and is tried once more after so many seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"once more after {after_s:.0f} s")
        self.after_s = after_s


class _Strategy(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if not isinstance(exception, Again):
            return None
        return RetryDecision(retry_in={"seconds": int(exception.after_s)})


def app(conninfo: str, *, connections: int) -> App:
    """For a worker, which registers its tasks in it. ``connections``: at most so many."""
    return App(connector=PsycopgConnector(conninfo=conninfo, min_size=2, max_size=max(6, connections)))


def register_look(app: App, do: Callable[[str, int, Callable[[], bool]], Awaitable[None]]) -> None:
    """``do`` is given the look, the job's number, and what says whether a person cancelled the job."""

    @app.task(name=LOOK, queue=LOOK, pass_context=True, retry=_Strategy())
    async def look_task(context: JobContext, look: str) -> None:
        await do(look, int(context.job.id or 0), lambda: context.abort_reason() is AbortReason.USER_REQUEST)


def register_schedule(app: App, *, tick: Callable[[], Awaitable[None]], sweep: Callable[[], Awaitable[None]]) -> None:
    """``tick`` every ten seconds and ``sweep`` every twenty, by one of all schedulers that there are."""

    @app.periodic(cron="* * * * * */10", periodic_id="tick")
    @app.task(name="tick", queue=SCHEDULE, queueing_lock="tick")
    async def tick_task(timestamp: int) -> None:  # noqa: ARG001  # Procrastinate tells for which time
        await tick()

    @app.periodic(cron="* * * * * */20", periodic_id="sweep")
    @app.task(name="sweep", queue=SCHEDULE, queueing_lock="sweep")
    async def sweep_task(timestamp: int) -> None:  # noqa: ARG001
        await sweep()


async def work(app: App, queue: str, *, name: str, concurrency: int, drain_s: float, silent_s: float) -> None:
    """Carry out jobs until it is cancelled; those that run then have ``drain_s`` to end. Returns if the database goes.

    ``silent_s``: a worker that has not been heard of for so long is taken for dead.
    """
    await app.run_worker_async(
        queues=[queue],
        name=name,
        concurrency=concurrency,
        install_signal_handlers=False,
        shutdown_graceful_timeout=drain_s,
        delete_jobs="successful",
        update_heartbeat_interval=max(0.5, silent_s / 6),
        stalled_worker_timeout=max(1.0, silent_s / 2),
        fetch_job_polling_interval=2.0,
        abort_job_polling_interval=2.0,
    )


async def stalled(app: App, *, silent_s: float) -> list[Stalled]:
    """Jobs of workers that have been silent for so long, or have signed off without them."""
    found = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_s)
    return [
        Stalled(id=each.id, task=each.task_name, look=_look(each.task_kwargs)) for each in found if each.id is not None
    ]


async def again(app: App, job: int, *, at: datetime) -> None:
    """It waits once more, for any worker, from then on."""
    await app.job_manager.retry_job_by_id_async(job, retry_at=at)


async def give_up(app: App, job: int) -> None:
    await app.job_manager.finish_job_by_id_async(job, status=Status.FAILED, delete_job=False)


async def clear(app: App, *, hours: int) -> None:
    """Jobs that ended so long ago go; the looks that they carried out are remembered elsewhere."""
    await app.job_manager.delete_old_jobs(
        nb_hours=hours, queue=None, include_failed=True, include_cancelled=True, include_aborted=True
    )


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Procrastinate's own tables, where there are none."""
    found = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
    if found is not None and found[0] is not None:
        return
    try:
        connection.execute(App(connector=SyncPsycopgConnector()).schema_manager.get_schema())
    except (psycopg.Error, ConnectorException) as error:
        raise QueueDown(f"the queue's tables could not be made: {error}") from error


def _look(arguments: Mapping[str, Any]) -> str | None:
    look = arguments.get("look")
    return str(look) if isinstance(look, str) else None
