"""Snapshots: what is known at a commit, so that a machine without a memory appends in seconds, however long the log is.

A cache, made by whoever holds the log's key: without it, or when it cannot be believed, commits are read. An object is
two lines of JSON, a manifest and the log's signature over it, then the segment that the manifest's last span describes
(archive/segments.py). The other spans lie in the snapshots before it, and are read when something is looked up in them.
"""

import base64
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

from archive import disk, segments
from archive.errors import Collision, NotStored
from archive.heads import Advance, Heads
from archive.known import ChainHead, KnownKey
from archive.log import LogReader, Position
from archive.segments import SegmentLost, Span
from custody import canonical, keys, keyspace
from custody.digest import Digest
from custody.errors import CustodyError, FormatError
from custody.keys import Signer
from custody.model import Json
from custody.note import VerifierKey, decode_base64
from custody.tiles import Edge

EVERY = 1024
"""Commits, at most, from one to the next."""
LEAVES = 8192
"""Leaves likewise: a machine without a memory judges them all."""

_VERSION = 2
_CONTEXT = b"counterproof snapshot v2\n"  # so that this signature can never be taken for one over something else
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_LOOK_BACK = 8  # snapshots that are tried before the commits are


class Snapshots:
    """Of one log, written from its ``Heads`` and read back into it."""

    def __init__(
        self,
        reader: LogReader,
        *,
        vkey: VerifierKey,
        signer: Signer | None,
        state_dir: Path,
        every: int = EVERY,
        leaves: int = LEAVES,
    ) -> None:
        """Without a signer none is written."""
        self._reader = reader
        self._vkey = vkey
        self._signer = signer
        self._directory = state_dir / "snapshots"
        self._refused = state_dir / "snapshots-refused.json"
        self._every = every
        self._leaves = leaves

    def write(self, heads: Heads, at: Position, root: bytes) -> None:
        """Where one is due, into a local file, inside the transaction that has moved ``heads`` to ``at``."""
        since, size = heads.newest_span()
        if self._signer is None or (at.n - since < self._every and at.size - size < self._leaves):
            return
        span, data = segments.encode(
            at.n,
            at.size,
            heads.events(first_index=size),
            (each for each in heads.chains(after_commit=since) if not segments.is_lasting(each[0])),
        )
        heads.add_spans([span], held=True)
        manifest = canonical.dumps(self._manifest(heads, at, root))
        signature = base64.b64encode(self._signer.sign(_CONTEXT + manifest)).decode()
        disk.make_directory(self._directory)
        path = self._directory / f"{at.n:020d}"
        making = path.with_suffix(".new")
        with disk.trouble(path):
            making.write_bytes(b"%b\n%b\n%b" % (manifest, canonical.dumps({"sig": signature}), data))
            making.replace(path)

    def upload(self) -> None:
        """What lies ready, also from a process that died. It carries no lock: it can be made again."""
        for path in sorted(self._directory.glob("[0-9]" * 20)):
            with disk.trouble(path):
                try:
                    with path.open("rb") as file:
                        digest, _ = Digest.of_stream(file)
                except FileNotFoundError:
                    continue  # another process of this home has done it
            key = keyspace.snapshot(self._reader.log, int(path.name))
            with suppress(Collision):  # another machine made one of the same commits, which is as good
                self._reader.store.create(key, path, digest=digest, retain_until=None)
            with disk.trouble(path):
                path.unlink(missing_ok=True)

    def load(self, heads: Heads) -> None:
        """Into ``heads`` that know nothing, the newest that can be believed. Without one, commits do the rest."""
        prefix = keyspace.snapshot(self._reader.log, 0)[:-20]
        refused = self._read_refused()
        for key in sorted(self._reader.store.keys(prefix), reverse=True)[:_LOOK_BACK]:
            try:
                self._take(heads, self._open(key), refused)
            except (NotStored, CustodyError, KeyError, TypeError, ValueError):
                continue
            return

    def fetch(self, span: Span) -> bytes:
        """The segment, out of the snapshot that it lies in; whether it is the one that was meant, its digest says."""
        with closing(self._reader.store.open(keyspace.snapshot(self._reader.log, span.n))) as stream:
            for _ in range(2):
                _line(stream)
            return stream.read()

    def refuse(self, lost: SegmentLost) -> None:
        """From now on no snapshot that rests on this segment is believed here."""
        refused = sorted({*self._read_refused(), lost.n})
        disk.replace_file(self._refused, canonical.dumps({"refused": refused}))

    def _read_refused(self) -> set[int]:
        if not self._refused.is_file():
            return set()
        with disk.trouble(self._refused):
            data = self._refused.read_bytes()
        try:
            value: Any = canonical.loads(data)
            return {int(each) for each in value["refused"]}
        except (CustodyError, KeyError, TypeError, ValueError):
            return set()

    def _manifest(self, heads: Heads, at: Position, root: bytes) -> dict[str, Json]:
        if at.commit_sha256 is None:
            raise ValueError("a snapshot is of a commit")
        return {
            "v": _VERSION,
            "log": self._reader.log,
            "n": at.n,
            "size": at.size,
            "commit": at.commit_sha256.hex,
            "root": root.hex(),
            "keys": [[key.keyid, key.public_key.hex(), key.role, key.revoked] for key in heads.all_keys()],
            "chains": [[scope, head.seq, head.leaf_sha256.hex] for scope, head in heads.lasting_chains()],
            "segments": [span.to_json() for span in heads.spans()],
        }

    def _open(self, key: str) -> Any:
        """The manifest, once its signature holds."""
        with closing(self._reader.store.open(key)) as stream:
            manifest, signed = _line(stream), _line(stream)
        signature: Any = canonical.loads(signed)
        keys.verify(self._vkey.public_key, _CONTEXT + manifest, decode_base64(signature["sig"]))
        return canonical.loads(manifest)

    def _take(self, heads: Heads, manifest: Any, refused: set[int]) -> None:
        if (manifest["v"], manifest["log"]) != (_VERSION, self._reader.log):
            raise FormatError("this snapshot is of another log or version")
        spans = [Span.parse(each) for each in manifest["segments"]]
        at = Position(manifest["n"], manifest["size"], Digest(manifest["commit"]))
        if refused & {each.n for each in spans} or (spans[-1].n, spans[-1].size) != (at.n, at.size):
            raise FormatError("this snapshot rests on a segment that cannot be read")
        edge = Edge.read(at.size, self._reader.tile, self._reader.bundle)
        if edge.root.hex() != manifest["root"]:
            raise FormatError("this snapshot is of another tree than the one that is stored")
        chains = {scope: ChainHead(seq, Digest(leaf)) for scope, seq, leaf in manifest["chains"]}
        known = [
            KnownKey(keyid, bytes.fromhex(public_key), role, revoked)
            for keyid, public_key, role, revoked in manifest["keys"]
        ]
        with heads.advancing(Position()) as first:
            if first:
                heads.write(Advance(position=at, root=edge.root, edge=edge, chains=chains, keys=known))
                heads.add_spans(spans, held=False)
        heads.recall()


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_MAX_MANIFEST_BYTES)
    if not line.endswith(b"\n"):
        raise FormatError("this snapshot is cut short")
    return line[:-1]
