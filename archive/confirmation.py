"""Confirmation: a receipt is made of what the store gives back now, never of what we remember having written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archive.errors import NotStored, StoreError
from archive.known import SeenEvent
from archive.log import LogReader
from archive.receipt import Receipt
from custody import keyspace
from custody.digest import Digest
from custody.note import VerifierKey


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A commit whose checkpoint, bundles and tiles were read back just now, every leaf of it proved."""

    n: int
    checkpoint: bytes


def read_back(
    reader: LogReader,
    vkey: VerifierKey,
    size: int,
    leaves: Mapping[int, Digest],
    *,
    written: Mapping[str, bytes] = MappingProxyType({}),
    given: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """The stored checkpoint of ``size``, once these leaf hashes are proved to be in its tree by what is stored.

    All of ``written``, bundles and tiles by their keys, must be there as it was written. ``given``: what the store gave
    back just now, by its key, which need not be asked for again. Raises ``StoreError``.
    """
    try:
        checkpoint, *read = (
            given[key] if key in given else reader.store.read(key)
            for key in (keyspace.checkpoint_at(reader.log, size), *written)
        )
        held = dict(zip(written, read, strict=True))
    except NotStored as error:
        raise StoreError(
            f"{reader.store.name} lost a part of the log ({error}): nothing is recorded; run the command again"
        ) from error
    if altered := [key for key, data in written.items() if held[key] != data]:
        raise StoreError(
            f"{reader.store.name} gives other bytes than were written under {altered[0]}: nothing is recorded; run "
            "`counterproof doctor`"
        )
    signed = reader.confirm(vkey, checkpoint, leaves, held=held)
    if signed.size != size:
        raise StoreError(f"{reader.store.name} gave the checkpoint of {signed.size} leaves for that of {size}")
    return checkpoint


def confirm(
    reader: LogReader, vkey: VerifierKey, seen: Sequence[SeenEvent], *, known: ReadBack | None = None
) -> dict[str, Receipt]:
    """Receipts by event id; ``known`` is spared a second reading."""
    receipts: dict[str, Receipt] = {}
    commits: defaultdict[int, list[SeenEvent]] = defaultdict(list)
    for each in seen:
        commits[each.n].append(each)
    for n, events in commits.items():
        size = events[0].tree_size
        if known is not None and known.n == n:
            checkpoint = known.checkpoint
        else:
            checkpoint = read_back(reader, vkey, size, {each.index: each.leaf_sha256 for each in events})
        for each in events:
            receipts[each.event_id] = Receipt(
                log=reader.log,
                n=n,
                index=each.index,
                tree_size=size,
                leaf_sha256=each.leaf_sha256,
                payload_sha256=each.payload_sha256,
                checkpoint=checkpoint,
            )
    return receipts
