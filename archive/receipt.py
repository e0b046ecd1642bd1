"""The receipt of one event: given only for what was read back from the store."""

from dataclasses import dataclass, field

from custody.digest import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The event is durable, and its leaf was found in the tree that a signed checkpoint names."""

    log: str
    n: int
    """The commit that holds its leaf."""
    index: int
    tree_size: int
    """Of the checkpoint, which is the one that was signed for commit ``n``."""
    leaf_sha256: Digest
    """RFC 6962 leaf hash: SHA-256 over a zero byte and the leaf."""
    payload_sha256: Digest
    """By which other events refer to this one."""
    checkpoint: bytes = field(repr=False)
    """The signed note, as read back."""
