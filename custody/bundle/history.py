"""Check 2, checkpoint: the export's own, those from before that were stamped, and those that the reader kept."""

from collections.abc import Sequence

from custody.bundle import layout
from custody.bundle.findings import ExportFindings
from custody.bundle.package import Gone, Package
from custody.checkpoint import Checkpoint, CheckpointUnsigned, open_checkpoint
from custody.checks.checkpoint import CHECK, Signed
from custody.errors import FormatError, ProofError
from custody.model import Json
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.note import Note
from custody.proof import MAX_BYTES as MAX_PROOF_BYTES
from custody.proof import ConsistencyProof
from custody.trust import Trust


class History:
    def __init__(self, package: Package, findings: ExportFindings, trust: Trust) -> None:
        self._package = package
        self._findings = findings
        self._trust = trust
        self.checkpoint: bytes | None = None
        """As it lies there; all proofs lead to it."""
        self.paths: dict[int, str] = {}
        """Of the checkpoints that the log signed, by their size."""
        self.told: list[Json] = []
        """Of each kept checkpoint: whether the log goes on from it."""
        self._signed: dict[int, Checkpoint] = {}
        self._newest: Checkpoint | None = None

    def open(self) -> Checkpoint | None:
        """The one that the export stands under. Earlier ones count only if its tree goes on from theirs."""
        self.checkpoint, self._newest = self._read(layout.CHECKPOINT, None)
        if self._newest is not None:
            self._keep(layout.CHECKPOINT, self._newest)
            for size in sorted(int(m[1]) for path in self._package.sizes if (m := layout.EARLIER.fullmatch(path))):
                self._open_earlier(size, self._newest)
        return self._newest

    def tokens(self) -> set[tuple[int, str]]:
        """Size and authority."""
        found = set()
        for size, path in self.paths.items():
            for other in self._package.sizes:
                match = layout.TOKEN.fullmatch(other)
                if match is not None and other == layout.token(path, match[2]):
                    found.add((size, match[2]))
        return found

    def as_signed(self) -> Signed:
        """For the check of the time."""
        return Signed(
            by_size=dict(self._signed),
            listed=frozenset(self._signed),
            altered=frozenset(),
            shown=None if self._newest is None else self._newest.size,
            newest=self._newest,
        )

    def judge(self, kept: Sequence[Checkpoint]) -> None:
        """The reader's own checkpoints, whose signature the caller has checked."""
        newest = self._newest
        if newest is None:
            if kept:
                self._findings.detail(CHECK, "kept checkpoints not judged, the export's own does not hold")
            return
        for each in sorted(set(kept), key=lambda each: each.size):
            extended = self._judge(each, newest)
            self.told.append({"size": each.size, "root": each.root.hex(), "extended": extended})

    def _judge(self, kept: Checkpoint, newest: Checkpoint) -> bool | None:
        if kept.size == newest.size:
            if kept.root == newest.root:
                return True
            self._fork(kept, newest)
            return False
        if kept.size > newest.size:
            self._unproved(kept, f"the export is of {newest.size}: ask for a newer one")
            return None
        path = layout.consistency(kept.size)
        if path not in self._package.sizes:
            self._unproved(kept, f"the export has no {path}: ask for one that was made with --since")
            return None
        return self._goes_on(kept, newest, path)

    def _open_earlier(self, size: int, newest: Checkpoint) -> None:
        path = layout.earlier(size)
        _, checkpoint = self._read(path, size)
        if checkpoint is None:
            return
        if size > newest.size:
            self._fail("CP_SIZE", f"{path} is of a larger tree than the export's checkpoint", file=path)
        elif size == newest.size and checkpoint.root != newest.root:
            self._fork(checkpoint, newest)
        elif layout.consistency(size) not in self._package.sizes:
            where = layout.consistency(size)
            self._fail("PROOF_MISSING", f"{where}: without it {path} may be of another log", file=where)
        elif self._goes_on(checkpoint, newest, layout.consistency(size)):
            self._keep(path, checkpoint)

    def _goes_on(self, old: Checkpoint, newest: Checkpoint, path: str) -> bool:
        try:
            proof = ConsistencyProof.parse(self._package.read(path, MAX_PROOF_BYTES))
            if proof.checkpoint == self.checkpoint:
                proof.check(old, self._trust.log)
                return True
            self._fail("PROOF_FORMAT", f"{path}: it leads to another checkpoint than the export's", file=path)
        except (Gone, FormatError) as error:
            self._fail("PROOF_FORMAT", f"{path}: {error}", file=path)
        except ProofError as error:
            message = f"the tree of {newest.size} leaves does not go on from the one of {old.size}: {error}"
            self._fail("LOG_INCONSISTENT", message, kept=old.size, signed=newest.size)
            self._findings.blamed.add(path)
        return False

    def _read(self, path: str, size: int | None) -> tuple[bytes | None, Checkpoint | None]:
        """Its bytes, and what it says if the log signed it; else a finding."""
        try:
            data = self._package.read(path, MAX_NOTE_BYTES)
        except Gone as error:
            self._fail("CP_MISSING", str(error), file=path)
            return None, None
        except FormatError as error:
            self._fail("CP_FORMAT", str(error), file=path)
            return None, None
        try:
            checkpoint = open_checkpoint(data, self._trust.log)
        except (FormatError, CheckpointUnsigned) as error:
            self._fail(error.code, f"{path}: {error}", file=path)
            return data, None
        if size not in {None, checkpoint.size}:
            self._fail("CP_SIZE", f"{path} is of a tree of {checkpoint.size}", file=path)
            return data, None
        if strangers := len(Note.parse(data).signatures) - 1:
            message = f"{strangers} further signatures stand under {path}, by keys not asked about"
            self._findings.note(CHECK, "CP_COSIGNED", message, file=path)
        return data, checkpoint

    def _keep(self, path: str, checkpoint: Checkpoint) -> None:
        self._signed[checkpoint.size] = checkpoint
        self.paths.setdefault(checkpoint.size, path)

    def _fork(self, kept: Checkpoint, newest: Checkpoint) -> None:
        roots = sorted((kept.root.hex(), newest.root.hex()))
        self._fail("LOG_FORK", f"the log signed two different trees of {kept.size} leaves", size=kept.size, roots=roots)

    def _unproved(self, kept: Checkpoint, message: str) -> None:
        message = f"the kept checkpoint of {kept.size} leaves cannot be compared: {message}"
        self._findings.unchecked(CHECK, "KEPT_UNPROVED", message, kept=kept.size)

    def _fail(self, code: str, message: str, **locator: Json) -> None:
        self._findings.fail(CHECK, code, message, **locator)
