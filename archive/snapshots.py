"""Snapshots: what is known at every 4,096th commit, so that a machine without a memory can soon append.

Each holds what changed since the one before. A cache: without it, or when it cannot be believed, commits are read.
Lines of JSON: a header, ``k`` keys, ``c`` chain heads, ``e`` events in log order, and the log's signature over them.
"""

import base64
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from archive import disk
from archive.errors import Collision, NotStored
from archive.heads import Advance, ChainHead, Heads, KnownKey, SeenEvent
from archive.log import LogReader, Position
from custody import canonical, keys, keyspace
from custody.digest import Digest
from custody.errors import CustodyError, FormatError
from custody.keys import Signer
from custody.model import Json
from custody.note import VerifierKey, decode_base64
from custody.tiles import Edge

EVERY = 4096
"""Commits."""

_CONTEXT = b"counterproof snapshot v1\n"  # so that this signature can never be taken for one over something else
_MAX_LINE_BYTES = 64 * 1024
_PAGE = 1000
_CHUNK_BYTES = 1 << 20


class Snapshots:
    """Of one log, written from its ``Heads`` and read back into it."""

    def __init__(
        self,
        reader: LogReader,
        heads: Heads,
        *,
        vkey: VerifierKey,
        signer: Signer | None,
        directory: Path,
        every: int = EVERY,
    ) -> None:
        self._reader = reader
        self._heads = heads
        self._vkey = vkey
        self._signer = signer
        self._directory = directory
        self._every = every

    def write(self, at: Position, root: bytes) -> None:
        """Where one is due, into a local file, inside the transaction that has moved ``Heads`` to ``at``."""
        if self._signer is None or at.n % self._every:
            return
        since = at.n - self._every
        first_index = self._heads.snapshot_size(since) if since else 0
        self._heads.mark_snapshot(at)
        if first_index is None:
            return
        disk.make_directory(self._directory)
        path = self._directory / f"{at.n:020d}"
        making = path.with_suffix(".new")
        with disk.trouble(path):
            with making.open("wb") as file:
                hasher = hashlib.sha256()
                for value in self._lines(at, root, since, first_index):
                    line = canonical.dumps(value) + b"\n"
                    hasher.update(line)
                    file.write(line)
                signature = self._signer.sign(_CONTEXT + hasher.digest())
                file.write(canonical.dumps({"sig": base64.b64encode(signature).decode()}) + b"\n")
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

    def load(self) -> None:
        """Into ``Heads`` that know nothing. What is not there or cannot be believed ends it; commits do the rest."""
        while True:
            before = self._heads.position()
            try:
                with tempfile.TemporaryFile(dir=self._heads.path.parent) as file:
                    self._fetch(before.n + self._every, file)
                    self._take(file, before)
            except (NotStored, CustodyError, KeyError, TypeError, ValueError):
                return

    def _lines(self, at: Position, root: bytes, since: int, first_index: int) -> Iterator[Json]:
        if at.commit_sha256 is None:
            raise ValueError("a snapshot is of a commit")
        yield {
            "v": 1,
            "log": self._reader.log,
            "since": since,
            "n": at.n,
            "size": at.size,
            "commit": at.commit_sha256.hex,
            "root": root.hex(),
        }
        for key in self._heads.all_keys():
            yield ["k", key.keyid, key.public_key.hex(), key.role, key.revoked]
        for scope, head in self._heads.chains(after_commit=since):
            yield ["c", scope, head.seq, head.leaf_sha256.hex]
        for each in self._heads.events(first_index=first_index):
            payload, leaf = each.payload_sha256.hex, each.leaf_sha256.hex
            yield ["e", each.index, each.event_id, payload, leaf, each.n, each.tree_size, each.type]

    def _fetch(self, n: int, file: IO[bytes]) -> None:
        with closing(self._reader.store.open(keyspace.snapshot(self._reader.log, n))) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)

    def _take(self, file: IO[bytes], before: Position) -> None:
        header = self._open(file)
        at = Position(header["n"], header["size"], Digest(header["commit"]))
        if (header["v"], header["log"], header["since"]) != (1, self._reader.log, before.n):
            raise FormatError("this snapshot is of another log, or does not follow the one before it")
        edge = Edge.read(at.size, self._reader.tile, self._reader.bundle)
        if edge.root.hex() != header["root"]:
            raise FormatError("this snapshot is of another tree than the one that is stored")
        with self._heads.advancing(before) as first:
            if not first:
                return
            self._heads.write(Advance(position=at, root=edge.root, edge=edge))
            self._heads.mark_snapshot(at)
            lines = (_loads(line) for line in file)
            while page := list(islice(lines, _PAGE)):
                self._write(page, at.n)

    def _open(self, file: IO[bytes]) -> Any:
        """The header, once the signature over everything holds; the file then stands at the line after it."""
        hasher = hashlib.sha256()
        file.seek(0)
        line = b""
        while following := file.readline(_MAX_LINE_BYTES):
            hasher.update(line)
            line = following
        signature: Any = canonical.loads(line)
        keys.verify(self._vkey.public_key, _CONTEXT + hasher.digest(), decode_base64(signature["sig"]))
        file.seek(0)
        return canonical.loads(file.readline(_MAX_LINE_BYTES))

    def _write(self, page: list[Any], n: int) -> None:
        self._heads.write_keys([
            KnownKey(keyid, bytes.fromhex(public_key), role, revoked)
            for keyid, public_key, role, revoked in _of_kind(page, "k")
        ])  # fmt: skip
        self._heads.write_chains({scope: ChainHead(seq, Digest(leaf)) for scope, seq, leaf in _of_kind(page, "c")}, n)
        self._heads.write_events([
            SeenEvent(
                event_id=event_id, payload_sha256=Digest(payload), leaf_sha256=Digest(leaf), n=commit, index=index,
                tree_size=size, type=type_,
            )
            for index, event_id, payload, leaf, commit, size, type_ in _of_kind(page, "e")
        ])  # fmt: skip


def _of_kind(page: list[Any], kind: str) -> Iterator[Any]:
    return (fields[1:] for fields in page if isinstance(fields, list) and fields[0] == kind)


def _loads(line: bytes) -> Any:
    return canonical.loads(line, max_bytes=_MAX_LINE_BYTES)
