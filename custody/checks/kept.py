"""Part of check 2: checkpoints that the reader kept from earlier. Today's log must go on from each of them."""

from collections.abc import Sequence
from hashlib import sha256

from custody.checkpoint import Checkpoint
from custody.checks.checkpoint import CHECK, Signed
from custody.checks.inquiry import Inquiry
from custody.checks.tree import Tree
from custody.model import Json
from custody.verdict import depends


class Kept:
    """Of these the caller has checked the signature; whoever made the store cannot reach them."""

    def __init__(self, inquiry: Inquiry, signed: Signed, checkpoints: Sequence[Checkpoint]) -> None:
        self._findings = inquiry.findings
        self._signed = signed
        self._checkpoints = sorted(set(checkpoints), key=lambda each: each.size)
        self._sizes = {each.size for each in self._checkpoints}
        empty = sha256().digest()
        self._roots: dict[int, tuple[bytes, ...]] = {0: (empty,)}

    def see(self, tree: Tree) -> None:
        """After each leaf."""
        if tree.size in self._sizes:
            self._roots[tree.size] = tree.roots()

    def finish(self) -> list[Json]:
        """A line for each: its size, and whether the log extends it; None where that cannot be said."""
        return [
            {"size": each.size, "root": each.root.hex(), "extended": self._judge(each)} for each in self._checkpoints
        ]

    def _judge(self, kept: Checkpoint) -> bool | None:
        newest = self._signed.newest
        if newest is None:
            return None
        if kept.size > newest.size:
            self._findings.fail(
                CHECK,
                "LOG_TRUNCATED",
                f"the log had signed {kept.size} leaves when a checkpoint was kept, and has signed {newest.size} now; "
                f"{kept.size - newest.size} leaves are gone",
                kept=kept.size,
                signed=newest.size,
            )
            return False
        signed, roots = self._signed.by_size.get(kept.size), self._roots.get(kept.size)
        # What is signed today at that size comes first: if the leaves are not those under it, check 4 has named that.
        if signed is not None and signed.root == kept.root:
            extended = roots is not None and kept.root in roots
        elif signed is None and (roots is None or kept.root in roots):
            extended = roots is not None
        else:
            self._report(kept, newest)
            return False
        if not extended:
            message = f"kept checkpoint of {kept.size} leaves not judged ({depends((3, 4))})"
            self._findings.detail(CHECK, message)
        return True if extended else None

    def _report(self, kept: Checkpoint, newest: Checkpoint) -> None:
        if kept.size == newest.size:
            self._findings.fail(
                CHECK,
                "LOG_FORK",
                f"the log signed two different trees of {kept.size} leaves: that of the kept checkpoint, and today's",
                size=kept.size,
                roots=sorted((kept.root.hex(), newest.root.hex())),
            )
        else:
            self._findings.fail(
                CHECK,
                "LOG_INCONSISTENT",
                f"the first {kept.size} of today's {newest.size} leaves are not those under the kept checkpoint: "
                "the log was made again, or forked, in between",
                kept=kept.size,
                signed=newest.size,
            )
