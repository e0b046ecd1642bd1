"""The entries of an export: each under the checkpoint by its proof (check 4), and the chains whole (check 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from custody import merkle
from custody.bundle import layout
from custody.bundle.findings import ExportFindings, export_depends
from custody.bundle.package import Gone, Package
from custody.checkpoint import Checkpoint
from custody.checks.entries import CHECK_CHAINS
from custody.errors import FormatError, ProofError
from custody.leaf import Leaf
from custody.proof import MAX_BYTES as MAX_PROOF_BYTES
from custody.proof import InclusionProof
from custody.tiles import MAX_LEAF_BYTES

CHECK = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """An entry as it lies in the export."""

    index: int
    data: bytes
    hash: bytes
    proved: bool | None
    """Its proof leads to the signed root; if not, nothing is known of the leaf that the log has. None: no root."""
    leaf: Leaf | None


class Leaves:
    def __init__(
        self, package: Package, findings: ExportFindings, checkpoint: bytes | None, signed: Checkpoint | None
    ) -> None:
        self._package = package
        self._findings = findings
        self._checkpoint = checkpoint
        self._signed = signed

    def read(self) -> list[Read]:
        """In the order of the log."""
        indexes = sorted(int(match[1]) for path in self._package.sizes if (match := layout.ENTRY.fullmatch(path)))
        found = [self._read(index) for index in indexes]
        if self._signed is None:
            self._findings.skip(CHECK, export_depends(2))
        else:
            proved = sum(each.proved is True for each in found)
            self._findings.detail(CHECK, f"{proved} entries proved in a tree of {self._signed.size}")
        return found

    def _read(self, index: int) -> Read:
        try:
            data = self._package.read(layout.entry(index), MAX_LEAF_BYTES)
        except (Gone, FormatError):
            return Read(index=index, data=b"", hash=b"", proved=False, leaf=None)  # check 5 says that it is no leaf
        hash_ = merkle.leaf_hash(data)
        try:
            leaf = Leaf.parse(data)
        except FormatError:
            leaf = None  # check 5 comes to it, and says why
        return Read(index=index, data=data, hash=hash_, proved=self._proves(index, hash_), leaf=leaf)

    def _proves(self, index: int, hash_: bytes) -> bool | None:
        signed = self._signed
        if signed is None:
            return None
        try:
            proof = self._proof(index)
            merkle.check_inclusion(hash_, index, signed.size, proof.hashes, signed.root)
        except Gone as error:
            self._fail("PROOF_MISSING", index, str(error))
        except FormatError as error:
            self._fail("PROOF_FORMAT", index, str(error))
        except ProofError as error:
            self._fail("PROOF_ROOT", index, str(error))
        else:
            return True
        return False

    def _proof(self, index: int) -> InclusionProof:
        """Raises ``Gone`` and ``FormatError``."""
        proof = InclusionProof.parse(self._package.read(layout.proof(index), MAX_PROOF_BYTES))
        if proof.index != index:
            raise FormatError(f"it is of leaf {proof.index}")
        if proof.checkpoint != self._checkpoint:
            raise FormatError("it leads to another checkpoint than the export's")
        return proof

    def _fail(self, code: str, index: int, message: str) -> None:
        self._findings.fail(CHECK, code, f"proof of entry {index}: {message}", index=index)


class WholeChains:
    """Every chain that the export calls whole, from its first leaf to the number it says."""

    def __init__(self, findings: ExportFindings, through: Mapping[str, int]) -> None:
        self._findings = findings
        self._through = through
        self.broken: set[str] = set()
        self.missing: dict[str, int] = {}
        """How many numbers each broken chain lacks."""
        self.gap: dict[str, int] = {}
        """The index of the leaf before the first number that a chain lacks; -1 where it lacks the first."""

    def check(self, entries: Iterable[Read]) -> None:
        places: dict[str, dict[int, tuple[Read, str | None]]] = {name: {} for name in self._through}
        unread = 0
        for each in entries:
            unread += each.leaf is None
            for chain in each.leaf.chains if each.leaf is not None else ():
                if chain.scope in places:
                    self._place(places[chain.scope], chain.scope, chain.seq, each, chain.prev)
        for name, through in self._through.items():
            unread = self._judge(name, through, places[name], unread)
        self._findings.detail(CHECK_CHAINS, f"{len(self._through)} whole chains")

    def _place(
        self, found: dict[int, tuple[Read, str | None]], scope: str, seq: int, entry: Read, prev: str | None
    ) -> None:
        if seq in found:
            self._fail("CHAIN_ORDER", f"number {seq} is there twice", scope, seq, index=entry.index)
        else:
            found[seq] = (entry, prev)

    def _judge(self, name: str, through: int, found: dict[int, tuple[Read, str | None]], unread: int) -> int:
        """How many unread entries are left that may be what another chain lacks."""
        numbers = sorted(seq for seq in found if seq <= through)
        lacking = through + 1 - len(numbers)
        if lacking:
            self.missing[name] = lacking
            self.broken.add(name)
            before = next((seq for seq, number in enumerate(numbers) if seq != number), len(numbers))
            self.gap[name] = found[before - 1][0].index if before and before - 1 in found else -1
        if lacking > unread:
            self._report(name, through, numbers)
        for before, seq in pairwise(numbers):
            if seq == before + 1:
                self._link(name, seq, found[before][0], found[seq])
        return max(0, unread - lacking)

    def _report(self, name: str, through: int, numbers: list[int]) -> None:
        """Each gap once; at the end of a chain it is short."""
        expected = 0
        for number in [*numbers, through + 1]:
            if number > expected:
                code = "CHAIN_SHORT" if number > through else "CHAIN_GAP"
                until = {} if number - expected == 1 else {"until": number - 1}
                said = f"number {expected} is not here; scopes.json says it is whole up to {through}"
                self._fail(code, said, name, expected, **until)
            expected = number + 1

    def _link(self, name: str, seq: int, before: Read, here: tuple[Read, str | None]) -> None:
        entry, prev = here
        if entry.index < before.index:
            self._fail("CHAIN_ORDER", f"number {seq} comes before {seq - 1}", name, seq, index=entry.index)
        elif before.proved is not False and entry.proved is not False and prev != before.hash.hex():
            message = f"number {seq} names another leaf before it than leaf {before.index}"
            self._fail("CHAIN_LINK", message, name, seq, index=entry.index)

    def need(self, scope: str) -> None:
        """A chain without which the evidence is not whole, and which the export does not say that it has."""
        if scope not in self._through:
            self._fail("CHAIN_SHORT", "the evidence needs it, and the export does not have it whole", scope, 0)

    def _fail(self, code: str, message: str, scope: str, seq: int, **more: int) -> None:
        self.broken.add(scope)
        self._findings.fail(CHECK_CHAINS, code, f"chain {scope}: {message}", scope=scope, seq=seq, **more)
