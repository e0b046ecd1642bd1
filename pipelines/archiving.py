"""Hashed -> Stored: every file is created in the store under its digest, and read back."""

import asyncio

from archive.acquisition import Acquisition, acquisition_of
from archive.keeping import Class
from custody.model import Snapshot
from pipelines.stages import Artifact, Hashed, Stored

_UPLOADS = 4  # measured: four at a time fill two cores' worth of store; more only wait


class Archiving:
    async def process_item(self, item: Hashed) -> Stored:
        acquisition = acquisition_of(item.visit.run)
        acquisition.enter(item.visit.capture_id, "archiving")
        gate = asyncio.Semaphore(_UPLOADS)
        class_ = acquisition.class_of(item.visit.capture_id, item.visit.outcome)
        tasks = [asyncio.ensure_future(_store(acquisition, each, class_, gate)) for each in item.visit.snapshots]
        try:
            return Stored(visit=item.visit, artifacts=tuple(await asyncio.gather(*tasks)))
        finally:
            for task in tasks:
                task.cancel()  # the first failure ends the item; what still waits for its turn need not begin
            await asyncio.gather(*tasks, return_exceptions=True)


async def _store(acquisition: Acquisition, snapshot: Snapshot, class_: Class, gate: asyncio.Semaphore) -> Artifact:
    async with gate:
        return Artifact(
            snapshot=snapshot, stored=await asyncio.to_thread(acquisition.store_file, snapshot, class_=class_)
        )
