"""Proofs out of the log's tiles, each checked before it is handed over."""

from functools import lru_cache

from archive.errors import LogError, NotStored
from archive.log import LogReader
from custody import keyspace, merkle, tiles
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.errors import CustodyError
from custody.note import VerifierKey
from custody.proof import ConsistencyProof, InclusionProof

_CACHED_NODES = 65_536


class Prover:
    """Under one signed checkpoint of the log."""

    def __init__(self, reader: LogReader, vkey: VerifierKey, checkpoint: bytes) -> None:
        """Raises ``LogError`` when the log did not sign it."""
        self._log = reader.log
        self._vkey = vkey
        self.checkpoint = checkpoint
        try:
            self.signed = open_checkpoint(checkpoint, vkey)
        except CustodyError as error:
            raise LogError(f"this is no checkpoint of {reader.log} ({error}): nothing can be proved by it") from error
        self._node = lru_cache(_CACHED_NODES)(tiles.TileReader(self.signed.size, reader.tile))

    @classmethod
    def at(cls, reader: LogReader, vkey: VerifierKey, size: int) -> "Prover":
        """Under the checkpoint of a commit that ends there."""
        return cls(reader, vkey, reader.store.read(keyspace.checkpoint_at(reader.log, size)))

    def inclusion(self, index: int, leaf: bytes) -> InclusionProof:
        """Raises ``LogError`` when the leaf is not in the tree."""
        try:
            path = merkle.inclusion_proof(index, self.signed.size, self._node)
            proof = InclusionProof(index, tuple(path), self.checkpoint)
            proof.check(leaf, self._vkey)
        except (CustodyError, NotStored) as error:
            raise LogError(f"leaf {index} of {self._log} cannot be proved ({error}): {_HELP}") from error
        return proof

    def consistency(self, old: Checkpoint) -> ConsistencyProof:
        """Raises ``LogError`` when the older tree is not the beginning of this one."""
        if old.size > self.signed.size:
            raise LogError(
                f"the kept checkpoint is of {old.size} leaves, and {self._log} has signed {self.signed.size} now: "
                "leaves are gone (LOG_TRUNCATED); " + _HELP
            )
        try:
            path = merkle.consistency_proof(old.size, self.signed.size, self._node)
            proof = ConsistencyProof(old.size, tuple(path), self.checkpoint)
            proof.check(old, self._vkey)
        except (CustodyError, NotStored) as error:
            raise LogError(
                f"{self._log} does not go on from the checkpoint of {old.size} leaves (LOG_INCONSISTENT: {error}); "
                + _HELP
            ) from error
        return proof


_HELP = "run `counterproof verify`, and compare the store with a mirror"
