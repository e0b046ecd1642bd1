"""Recorded -> Recorded: the catalogue's follower is told to advance. It reads the log and is never fed the item."""

import asyncio

from archive.acquisition import acquisition_of
from pipelines.stages import Recorded


class Cataloguing:
    async def process_item(self, item: Recorded) -> Recorded:
        acquisition = acquisition_of(item.visit.run)
        acquisition.enter(item.visit.capture_id, "cataloguing")
        await asyncio.to_thread(acquisition.advance_catalog)
        return item
