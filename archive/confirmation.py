"""Confirmation: a receipt is made of what the store gives back now, never of what we remember having written."""

from collections import defaultdict
from collections.abc import Sequence

from archive.errors import NotStored, StoreError
from archive.heads import SeenEvent
from archive.log import LogReader
from archive.receipt import Receipt
from custody import keyspace
from custody.note import VerifierKey


def confirm(reader: LogReader, vkey: VerifierKey, seen: Sequence[SeenEvent]) -> dict[str, Receipt]:
    """Receipts by event id. Raises ``StoreError`` when a checkpoint, bundle or tile is not there, or not right."""
    receipts: dict[str, Receipt] = {}
    trees: defaultdict[int, list[SeenEvent]] = defaultdict(list)
    for each in seen:
        trees[each.tree_size].append(each)
    for size, events in trees.items():
        try:
            checkpoint = reader.store.read(keyspace.checkpoint_at(reader.log, size))
        except NotStored as error:
            raise StoreError(
                f"{reader.store.name} lost the checkpoint of {size} leaves: nothing is recorded by this; run the "
                "command again"
            ) from error
        signed = reader.confirm(vkey, checkpoint, {each.index: each.leaf_sha256 for each in events})
        if signed.size != size:
            raise StoreError(f"{reader.store.name} gave the checkpoint of {signed.size} leaves for that of {size}")
        for each in events:
            receipts[each.event_id] = Receipt(
                log=reader.log,
                n=each.n,
                index=each.index,
                tree_size=size,
                leaf_sha256=each.leaf_sha256,
                payload_sha256=each.payload_sha256,
                checkpoint=checkpoint,
            )
    return receipts
