"""Packs: the catalogue's rows in the store, so that it is made again in a minute and not by one request a capture.

A cache, made by whoever holds the log's key; without it, or when it cannot be believed, the log is read. A *pack* holds
the rows of ``CHUNK_LEAVES`` leaves under its own SHA-256; the *list* of them, signed with the log's key, says of which
commit they are. What was disposed of is not in them: they are made anew then, and the old ones removed.
"""

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from archive.errors import Collision, NotStored, Refused
from archive.index.database import Database, Row, Transaction
from archive.index.following import read_position, write_position
from archive.index.tables import CHUNK_LEAVES, SCHEMA, SPAN_LEAVES
from archive.log import LogReader, Position
from archive.store import ObjectStore
from custody import canonical, keys, keyspace
from custody.digest import Digest
from custody.errors import CustodyError, FormatError
from custody.keys import Signer
from custody.note import VerifierKey, decode_base64

EVERY_LEAVES = 8_192
"""Leaves, at least, from one list to the next."""
_VERSION = 1
_CONTEXT = b"counterproof index v1\n"  # so that this signature can never be taken for one over something else
_MAX_LIST_BYTES = 16 * 1024 * 1024
_MAX_PACK_BYTES = 512 * 1024 * 1024
"""Unpacked: 32,768 leaves of captures with a thousand artifacts each are not expected, and not taken."""
_THREADS = 4
_LEVEL = 3

ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cases": ("leaf_index", ("scope", "name", "leaf_index")),
    "members": ("leaf_index", ("scope", "unit", "leaf_index")),
    "briefs": ("leaf_index", ("scope", "version", "leaf_index", "at", "sha256")),
    "events": (
        "leaf_index",
        ("leaf_index", "n", "type", "chain", "item", "capture", "at", "event_id", "payload_sha256", "subjects"),
    ),
    "acts": ("leaf_index", ("leaf_index", "type", "unit", "capture_id", "at", "payload", "refers_to", "detail")),
    "tokens": ("leaf_index", ("authority", "size", "sha256", "leaf_index")),
    "captures": (
        "started_index",
        (
            "started_index", "capture_id", "unit", "parent", "started_at", "started_sha256", "job_sha256",
            "anchor_size", "anchor_sha256", "look_id", "ended_at", "end_index", "status", "outcome", "origin",
            "http_status", "requested_url", "final_url", "title", "url_key", "host",
            "record_sha256", "trouble", "disposed_at",
            "quarantine", "surface", "shown", "platform", "reader", "kind",
        ),
    ),
    "kept": ("started_index", ("started_index", "artifacts")),
}  # fmt: skip
"""Tables that are packed: the column that says of which leaf a row is, and all of them."""
_DIGESTS = (("prefix", "q"), ("what", "b"), ("place", "q"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What packing came to."""

    n: int
    """The commit."""
    packs: int
    made: int
    """Of them, how many were made now; the others lay there."""
    bytes: int
    """Of those that were made now."""


class Packs:
    """Of one log, in one store."""

    def __init__(
        self, reader: LogReader, *, vkey: VerifierKey, signer: Signer | None = None, every: int = EVERY_LEAVES
    ) -> None:
        """Without a signer none are written."""
        self._reader = reader
        self._store: ObjectStore = reader.store
        self._vkey = vkey
        self._signer = signer
        self._every = every

    def is_due(self, database: Database) -> bool:
        """Whether enough has come since the newest list."""
        if self._signer is None:
            return False
        rows = database.rows("SELECT size FROM followed")
        newest = self._newest()
        return bool(rows) and rows[0][0] - (0 if newest is None else int(newest["size"])) >= self._every

    def write(self, database: Database) -> Written:
        """Pack what is not packed, list all of it, and remove what the list does not name.

        Raises ``Refused`` where the bucket locks what nobody asked to be locked: a disposal could not reach them there.
        """
        if self._signer is None:
            raise Refused("rows are packed where the log's key is: this home has none")
        self._refuse_locking()
        with database.transaction() as transaction:  # nobody moves the catalogue on meanwhile
            _, at = read_position(transaction)
            if at.commit_sha256 is None:
                raise Refused("nothing was captured yet, so there is nothing to pack")
            known: dict[int, str] = dict(transaction.rows("SELECT chunk, sha256 FROM packed"))
            there = set(self._store.keys(keyspace.index_prefix(self._reader.log)))
            listed, made, length = [], 0, 0
            for chunk in range(-(-at.size // CHUNK_LEAVES)):
                sha256 = known.get(chunk)
                if sha256 is None or keyspace.index_pack(self._reader.log, Digest(sha256)) not in there:
                    data = encode(transaction, chunk)
                    digest = Digest.of(data)
                    with suppress(Collision):  # other bytes under its digest: refused when they are read, as any pack
                        key = keyspace.index_pack(self._reader.log, digest)
                        self._store.create(key, data, digest=digest, retain_until=None)
                    sha256, made, length = digest.hex, made + 1, length + len(data)
                    transaction.run("DELETE FROM packed WHERE chunk = ?", (chunk,))
                    if (chunk + 1) * CHUNK_LEAVES <= at.size:  # the last one still grows
                        transaction.run("INSERT INTO packed VALUES (?, ?)", (chunk, sha256))
                listed.append(sha256)
        manifest = canonical.dumps(
            {
                "v": _VERSION,
                "schema": SCHEMA,
                "log": self._reader.log,
                "n": at.n,
                "size": at.size,
                "commit": at.commit_sha256.hex,
                "packs": listed,
            }
        )
        signature = base64.b64encode(self._signer.sign(_CONTEXT + manifest)).decode()
        document = b"%b\n%b\n" % (manifest, canonical.dumps({"sig": signature}))
        self._store.remove_unlocked(keyspace.index(self._reader.log, at.n))  # of the same commit, before a disposal
        self._store.create(
            keyspace.index(self._reader.log, at.n), document, digest=Digest.of(document), retain_until=None
        )
        self._remove_all_but({keyspace.index_pack(self._reader.log, Digest(each)) for each in listed}, at.n)
        return Written(n=at.n, packs=len(listed), made=made, bytes=length)

    def has_any(self) -> bool:
        return any(True for _ in self._store.keys(keyspace.index_prefix(self._reader.log)))

    def load(self, database: Database) -> Position | None:
        """Into an empty catalogue. None: there are none that can be believed, and nothing was changed.

        A list is believed when the log's key has signed it and the store's log holds the very commit that it is of.
        """
        listed = self._newest()
        if listed is None or listed["schema"] != SCHEMA:
            return None
        at = Position(int(listed["n"]), int(listed["size"]), Digest(listed["commit"]))
        try:
            if Digest.of(self._store.read(keyspace.commit(self._reader.log, at.n))) != at.commit_sha256:
                return None
            with database.transaction() as transaction, ThreadPoolExecutor(_THREADS, "packs") as threads:
                if read_position(transaction)[1].n:
                    return None  # somebody else has filled it meanwhile
                database.begin_anew(transaction)
                database.bulk(transaction, begin=True)
                # Fetched, hashed and unpacked beside the database, which is at work without our lock.
                for chunk, (tables, digests) in enumerate(_ahead(threads, self._fetch, listed["packs"])):
                    _insert(transaction, tables, digests)
                    if (chunk + 1) * CHUNK_LEAVES <= at.size:
                        transaction.run("INSERT INTO packed VALUES (?, ?)", (chunk, listed["packs"][chunk]))
                _derive(transaction)
                database.bulk(transaction, begin=False)
                write_position(transaction, self._reader.log, at)
        except (NotStored, CustodyError, LookupError, TypeError, ValueError, zlib.error):
            return None  # gone while it was read, or of another form: the log is read instead
        database.settle()
        return at

    def remove(self) -> None:
        """All of them."""
        self._remove_all_but(set(), -1)

    def _fetch(self, sha256: str) -> tuple[dict[str, list[Row]], Iterator[Row]]:
        digest = Digest(sha256)
        data = self._store.read(keyspace.index_pack(self._reader.log, digest))
        if Digest.of(data) != digest:
            raise FormatError(f"the pack {digest} is not what its key says")
        return decode(data)

    def _newest(self) -> Any:
        prefix = keyspace.index_prefix(self._reader.log)
        lists = [key for key in self._store.keys(prefix) if not key.startswith(f"{prefix}packs/")]
        for key in sorted(lists, reverse=True):
            try:
                with self._store.open(key) as stream:
                    manifest, signed = (stream.readline(_MAX_LIST_BYTES).removesuffix(b"\n") for _ in range(2))
                signature: Any = canonical.loads(signed)
                keys.verify(self._vkey.public_key, _CONTEXT + manifest, decode_base64(signature["sig"]))
                value: Any = canonical.loads(manifest, max_bytes=_MAX_LIST_BYTES)
                if (value["v"], value["log"]) == (_VERSION, self._reader.log):
                    return value
            except (NotStored, CustodyError, LookupError, TypeError, ValueError):
                continue
        return None

    def _remove_all_but(self, kept: set[str], n: int) -> None:
        newest = keyspace.index(self._reader.log, n) if n >= 0 else ""
        for key in list(self._store.keys(keyspace.index_prefix(self._reader.log))):
            if key not in kept and key != newest:
                self._store.remove_unlocked(key)

    def _refuse_locking(self) -> None:
        try:
            lock = self._store.head(keyspace.checkpoint(self._reader.log)).lock
        except NotStored:
            return
        if lock is not None:
            raise Refused(
                f"{self._store.name} locks what nobody asked to be locked, so that a disposal could not reach packed "
                "rows there: the catalogue is made from the log alone"
            )


def encode(transaction: Transaction, chunk: int) -> bytes:
    """Rows of these leaves, in an order that is always the same."""
    bounds = (chunk * CHUNK_LEAVES, (chunk + 1) * CHUNK_LEAVES)
    tables = {}
    for table, (leaf, columns) in ROWS.items():
        which = f"{leaf} >= ? AND {leaf} < ? ORDER BY {', '.join(columns[:2])}"
        tables[table] = transaction.rows(f"SELECT {', '.join(columns)} FROM {table} WHERE {which}", bounds)  # noqa: S608  # ours
    rows = transaction.rows(
        "SELECT prefix, what, place FROM digests WHERE place >= ? AND place < ? ORDER BY place, what, prefix", bounds
    )
    packed = {
        name: base64.b64encode(_ordered(array(code, (row[at] for row in rows))).tobytes()).decode()
        for at, (name, code) in enumerate(_DIGESTS)
    }
    value = {"v": _VERSION, "schema": SCHEMA, "chunk": chunk, "tables": tables, "digests": packed}
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), _LEVEL)


def decode(data: bytes) -> tuple[dict[str, list[Row]], Iterator[Row]]:
    """Rows by table, and the digests' rows."""
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, _MAX_PACK_BYTES)
    if inflating.unconsumed_tail or not inflating.eof:
        raise FormatError("a pack is cut short, or longer than one is")
    value = json.loads(text)
    if (value["v"], value["schema"]) != (_VERSION, SCHEMA):
        raise FormatError("this pack is of another version")
    columns = []
    for name, code in _DIGESTS:
        column = array(code)
        column.frombytes(decode_base64(value["digests"][name]))
        columns.append(_ordered(column))
    return {table: value["tables"][table] for table in ROWS}, zip(*columns, strict=True)


def _ordered(column: "array[int]") -> "array[int]":
    """Little-endian from the machine's order, or back."""
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _insert(transaction: Transaction, tables: Mapping[str, list[Row]], digests: Iterator[Row]) -> None:
    for table, (_, columns) in ROWS.items():
        transaction.load(table, columns, tables[table])
    transaction.load("digests", [name for name, _ in _DIGESTS], digests)


def _derive(transaction: Transaction) -> None:
    """What follows from the rows; and which captures the second pass takes in, and holds against their records."""
    transaction.run(
        "INSERT INTO placed SELECT members.scope, captures.started_index FROM captures JOIN members ON members.unit ="
        " captures.unit ORDER BY 1, 2"
    )
    transaction.run(
        f"INSERT INTO spans SELECT started_index / {SPAN_LEAVES}, min(started_at), max(started_at) FROM captures GROUP BY 1"  # noqa: E501, S608  # ours
    )
    transaction.run("INSERT INTO unread SELECT started_index, 1 FROM kept ORDER BY started_index")


def _ahead(threads: ThreadPoolExecutor, fetch: Any, packs: Sequence[str]) -> Iterator[Any]:
    """Some are on their way while one is worked on, and never all of them at once."""
    waiting = [threads.submit(fetch, each) for each in packs[:2]]
    for at in range(len(packs)):
        found = waiting.pop(0).result()
        if at + 2 < len(packs):
            waiting.append(threads.submit(fetch, packs[at + 2]))
        yield found
