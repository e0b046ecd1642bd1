"""The second pass: texts and readings of captures, taken into the catalogue so that words of theirs are found.

One or two requests to the store a capture, each blob held against its digest. A row that came out of a pack is held
against its record as well.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from archive import indexer
from archive.errors import NotStored
from archive.index.database import Database, Transaction
from archive.index.forgetting import written
from archive.index.rows import Kept, kept_of, prefix_of
from archive.index.tables import ARTIFACT
from archive.index.tokens import folded
from archive.store import ObjectStore
from custody import keyspace
from custody.artifact import OTHERS
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Role
from custody.record import MAX_BYTES, Record

_AT_ONCE = 128
_THREADS = 8
_MAX_TEXT_BYTES = 256 * 1024
"""Of the text that is taken in; the artifact has all of it."""
_MAX_READING_BYTES = 8 << 20
_MAX_VALUE = 300
_MAX_LIST = 30
NAMES: Mapping[str, tuple[str, ...]] = {
    "account": ("handle", "account_id", "author"),
    "seller": ("seller", "seller_id"),
    "item": ("item_id", "asin"),
    "post": ("post_id",),
}
"""What things are called by, and the fields of a reading that say so (docs/cli.md, ``read``)."""
FACTS = (
    "author", "handle", "bio", "caption", "disclosures", "outbound_links", "links", "title", "brand", "seller", "price",
    "currency", "price_shown", "availability",
)  # fmt: skip
"""Fields that are kept at hand, to tell what is another in a later capture."""
_SEARCHED = ("author", "handle", "caption", "bio", "title", "brand", "seller")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    place: int
    facts: dict[str, Any] = field(repr=False)
    texts: tuple[str, ...] = field(repr=False)
    names: tuple[tuple[str, str, str], ...]
    """Sort, value to find it by, as it was shown."""
    trouble: str | None
    had: str | None = field(repr=False)
    """The artifacts as the row has them."""
    corrected: dict[str, object] | None
    """What the record says, where a packed row says otherwise."""


def take_words(
    database: Database,
    store: ObjectStore,
    *,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    limit: int | None = None,
) -> int:
    """How many captures were taken in. May be broken off at any time, and goes on where it was.

    Raises ``StoreError`` where the store does not answer. What cannot be read of a capture is its ``trouble``.
    """
    total = int(database.rows("SELECT count(*) FROM unread")[0][0])
    done = 0
    with ThreadPoolExecutor(_THREADS, "words") as threads:
        while limit is None or done < limit:
            rows = database.rows(
                "SELECT unread.started_index, packed, capture_id, record_sha256, requested_url, final_url, title,"
                " origin, surface, shown, platform, reader, kind, quarantine, parent, artifacts FROM unread"
                " JOIN captures ON captures.started_index = unread.started_index"
                " LEFT JOIN kept ON kept.started_index = unread.started_index ORDER BY unread.started_index LIMIT ?",
                (_AT_ONCE if limit is None else min(_AT_ONCE, limit - done),),
            )
            if not rows:
                return done
            _write(database, list(threads.map(lambda row: _take(store, row), rows)))
            done += len(rows)
            tell(done, max(total, done))
    return done


def folded_name(text: str) -> str:
    """By what one is found: case, white space and a handle's sign do not count."""
    return " ".join(text.casefold().split()).removeprefix("@")[:200]


def _write(database: Database, taken: list[_Taken]) -> None:
    """Whoever else has taken a capture in meanwhile, or forgotten it, was first."""
    with database.transaction() as transaction:
        for each in taken:
            place = (each.place,)
            if not transaction.rows("SELECT 1 FROM unread WHERE started_index = ?", place):
                continue
            transaction.run("DELETE FROM unread WHERE started_index = ?", place)
            if each.corrected is not None:
                _correct(transaction, each, each.corrected)
            transaction.run(
                "INSERT INTO readings (started_index, facts, words, trouble) VALUES (?, ?, ?, ?)",
                (each.place, json.dumps(each.facts, ensure_ascii=False), folded(each.texts), each.trouble),
            )
            transaction.run_each(
                "INSERT INTO names VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(sort, value, each.place, shown) for sort, value, shown in each.names],
            )
            database.write_words(transaction, each.place, written(transaction, each.place, each.texts))


def _correct(transaction: Transaction, each: _Taken, said: Mapping[str, object]) -> None:
    told = {name: value for name, value in said.items() if name != "artifacts"}
    assigned = ", ".join(f"{name} = ?" for name in told)
    transaction.run(f"UPDATE captures SET {assigned} WHERE started_index = ?", (*told.values(), each.place))  # noqa: S608  # ours
    transaction.run("UPDATE kept SET artifacts = ? WHERE started_index = ?", (said["artifacts"], each.place))
    for artifacts, statement in (
        (each.had, "DELETE FROM digests WHERE prefix = ? AND what = ? AND place = ?"),
        (said["artifacts"], "INSERT INTO digests VALUES (?, ?, ?)"),
    ):
        prefixes = sorted({prefix_of(kept.digest.hex) for kept in kept_of(cast("str | None", artifacts))})
        transaction.run_each(statement, [(prefix, ARTIFACT, each.place) for prefix in prefixes])


_PACKED = ("origin", "surface", "shown", "platform", "reader", "kind", "quarantine", "parent", "artifacts")


def _take(store: ObjectStore, row: tuple[Any, ...]) -> _Taken:
    place, packed, capture_id, record_sha256, asked, final, title, *said, artifacts = row
    had = artifacts
    trouble: list[str] = []
    corrected: dict[str, object] | None = None
    if packed and record_sha256:
        told = _of_record(store, record_sha256, capture_id, trouble)
        have = dict(zip(_PACKED, (*said, artifacts), strict=True)) | {"final_url": final, "title": title}
        if told is not None and any(told[name] != have[name] for name in have):
            corrected = told
            artifacts, final, title = (cast("str | None", told[name]) for name in ("artifacts", "final_url", "title"))
    kept = kept_of(artifacts)
    reading = _reading(store, kept, trouble)
    given = reading.get("fields")
    fields: Mapping[str, Any] = given if isinstance(given, dict) else {}
    names = tuple(dict.fromkeys(_names(fields)))
    texts = [str(each) for each in (asked, final, title) if each]
    texts += [shown for _, _, shown in names]
    texts += [text for name in _SEARCHED if isinstance(text := fields.get(name), str)]
    texts.append(_text(store, kept, trouble))
    return _Taken(
        place=place,
        facts={name: _short(fields[name]) for name in FACTS if name in fields},
        texts=tuple(dict.fromkeys(_plain(each) for each in texts if each)),
        names=names,
        had=had,
        trouble="; ".join(trouble)[:300] or None,
        corrected=corrected,
    )


def _of_record(store: ObjectStore, sha256: str, capture_id: str, trouble: list[str]) -> dict[str, object] | None:
    data = _blob(store, Digest(sha256), MAX_BYTES, trouble)
    if data is None:
        return None
    try:
        record = Record.parse(data)
    except FormatError as error:
        trouble.append(str(error)[:300])
        return None
    told = {**indexer.told_by(record), "artifacts": indexer.artifacts_of(record)}
    return told if record.capture_id == capture_id else None


def _names(fields: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for sort, sources in NAMES.items():
        for source in sources:
            value = fields.get(source)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and (name := folded_name(str(value))):
                yield sort, _plain(name), _plain(str(value))[:_MAX_VALUE]


def _reading(store: ObjectStore, kept: list[Kept], trouble: list[str]) -> Mapping[str, Any]:
    made = next((each for each in kept if each.role == Role.READING), None)
    if made is None or made.bytes > _MAX_READING_BYTES:
        return {}
    data = _blob(store, made.digest, _MAX_READING_BYTES, trouble)
    try:
        value = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        trouble.append("its reading is no JSON")
        return {}
    if isinstance(value, dict) and isinstance(value.get("reading"), dict):
        value = value["reading"]
    return value if isinstance(value, dict) else {}


def _text(store: ObjectStore, kept: list[Kept], trouble: list[str]) -> str:
    texts = [each for each in kept if each.role == Role.TEXT]
    own = next((each for each in texts if not each.name.startswith(OTHERS)), None)
    if own is None:
        return ""
    data = _blob(store, own.digest, min(max(own.bytes, _MAX_TEXT_BYTES), _MAX_READING_BYTES), trouble) or b""
    return data[:_MAX_TEXT_BYTES].decode("utf-8", "replace")


def _blob(store: ObjectStore, digest: Digest, limit: int, trouble: list[str]) -> bytes | None:
    try:
        with store.open(keyspace.blob(digest)) as stream:
            data = stream.read(limit + 1)
    except NotStored:
        trouble.append(f"the blob {digest} is not there")
        return None
    if Digest.of(data) != digest:
        trouble.append(f"the blob {digest} is not what its key says, or longer than is read of it")
        return None
    return data


def _short(value: Any) -> Any:
    """Cut where it is long; with what the whole can be told by from another that begins alike."""
    if isinstance(value, str) and len(value) > _MAX_VALUE:
        return f"{_plain(value[:_MAX_VALUE])}… ({Digest.of(value.encode('utf-8', 'replace')).hex[:16]})"
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, list):
        return [_short(each) for each in value[:_MAX_LIST]]
    if isinstance(value, dict):
        return {str(name): _short(each) for name, each in list(value.items())[:_MAX_LIST]}
    return value


def _plain(text: str) -> str:
    # Neither database takes these: NUL, and halves of a pair.
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
