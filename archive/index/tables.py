"""The catalogue's tables, spelled once for both databases: ``{key}``, ``{int}``, ``{bytes}`` and ``{flat}`` differ."""

SCHEMA = 9
"""Raised with each change of the tables or of what goes into them: a catalogue of another number is made anew."""

CHUNK_LEAVES = 32_768
"""Rows are packed by the log's leaves, so many in a chunk (``archive.index.packs``)."""

ARTIFACT, RECORD, JOB, SUBJECT = range(4)
"""What a digest is of a capture, or of another event (``digests.what``)."""

SPAN_LEAVES = 2_048
"""Of so many leaves, the catalogue keeps when the oldest and the newest capture began: dates are found by that."""

LABELS: dict[str, str] = {
    "outcome": "outcome", "shown": "shown", "origin": "origin", "kind": "kind", "platform": "reader", "host": "host",
}  # fmt: skip
"""What searches are filtered by -> the column of ``captures``; none of them changes once texts are taken in."""

TABLES: dict[str, str] = {
    "followed": "log TEXT NOT NULL, n {int} NOT NULL, size {int} NOT NULL, commit_sha256 TEXT",
    "cases": "scope TEXT PRIMARY KEY, name TEXT, leaf_index {int} NOT NULL",
    "members": "scope TEXT NOT NULL, unit TEXT NOT NULL, leaf_index {int} NOT NULL, PRIMARY KEY (scope, unit)",
    "briefs": """scope TEXT NOT NULL, version {int} NOT NULL, leaf_index {int} NOT NULL, at TEXT NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (scope, version)""",
    "captures": """started_index {key}, capture_id TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, parent TEXT,
    started_at TEXT NOT NULL, started_sha256 TEXT NOT NULL, job_sha256 TEXT, anchor_size {int}, anchor_sha256 TEXT,
    look_id TEXT, ended_at TEXT, end_index {int}, status TEXT, outcome TEXT, origin TEXT, http_status {int},
    requested_url TEXT, final_url TEXT, title TEXT, url_key TEXT, host TEXT, record_sha256 TEXT, trouble TEXT,
    disposed_at TEXT, quarantine TEXT, surface TEXT, shown TEXT, platform TEXT, reader TEXT, kind TEXT""",
    "kept": "started_index {key}, artifacts TEXT NOT NULL",
    "spans": "span {key}, oldest TEXT NOT NULL, newest TEXT NOT NULL",
    "placed": "scope TEXT NOT NULL, started_index {int} NOT NULL, PRIMARY KEY (scope, started_index)",
    "digests": "prefix {int} NOT NULL, what {int} NOT NULL, place {int} NOT NULL",
    "events": """leaf_index {key}, n {int} NOT NULL, type TEXT NOT NULL, chain TEXT NOT NULL, item TEXT, capture TEXT,
    at TEXT NOT NULL, event_id TEXT NOT NULL, payload_sha256 TEXT NOT NULL, subjects TEXT NOT NULL""",
    "acts": """leaf_index {key}, type TEXT NOT NULL, unit TEXT, capture_id TEXT, at TEXT NOT NULL,
    payload TEXT NOT NULL, refers_to TEXT, detail TEXT NOT NULL""",
    "tokens": """authority TEXT NOT NULL, size {int} NOT NULL, sha256 TEXT NOT NULL, leaf_index {int} NOT NULL,
    PRIMARY KEY (authority, size, sha256)""",
    "unread": "started_index {key}, packed {int} NOT NULL",
    "readings": "started_index {key}, facts TEXT NOT NULL, words {bytes} NOT NULL, trouble TEXT",
    "names": """sort TEXT NOT NULL, value TEXT NOT NULL, started_index {int} NOT NULL, shown TEXT NOT NULL,
    PRIMARY KEY (sort, value, started_index)""",
    "packed": "chunk {key}, sha256 TEXT NOT NULL",
}
_FLAT = frozenset({"members", "briefs", "placed", "tokens", "names"})
"""Whose key is most of their row."""

INDEXES: dict[str, str] = {
    "captures_by_url": "captures (url_key, started_index)",
    "captures_by_unit": "captures (unit)",
    "captures_by_host": "captures (host, started_index)",
    "captures_by_platform": "captures (reader, started_index)",
    "captures_by_outcome": "captures (outcome, started_index)",
    "captures_by_kind": "captures (kind, started_index)",
    "captures_by_look": "captures (look_id) WHERE look_id IS NOT NULL",
    "captures_open": "captures (started_index) WHERE end_index IS NULL",
    "digests_by_prefix": "digests (prefix)",
    "members_by_unit": "members (unit)",
    "placed_by_capture": "placed (started_index)",
    "events_by_item": "events (item)",
    "events_by_capture": "events (capture)",
    "events_by_type": "events (type)",
    "tokens_by_digest": "tokens (sha256)",
    "acts_by_unit": "acts (unit)",
    "acts_by_capture": "acts (capture_id)",
    "names_by_capture": "names (started_index)",
}


def statements(*, key: str, integer: str, octets: str, flat: str) -> list[str]:
    """What makes the tables and their indexes."""
    made = [
        f"CREATE TABLE {name} ({columns.format(key=key, int=integer, bytes=octets)}){flat if name in _FLAT else ''}"
        for name, columns in TABLES.items()
    ]
    return made + [f"CREATE INDEX {name} ON {of}" for name, of in INDEXES.items()]
