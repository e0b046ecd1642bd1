"""The frozen types that every room shares: what was looked at, what came of it, what was kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from custody.digest import Digest

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a record may hold: no floats, integers up to 2**53-1 (RFC 8785 / I-JSON)."""


class Role(StrEnum):
    """What an artifact is of its capture."""

    SCREENSHOT = "screenshot"
    VIEWPORT = "viewport"
    DOM = "dom"
    TEXT = "text"
    HEADERS = "headers"
    BODY = "body"
    RECORD = "record"
    ROBOTS = "robots"
    TLS_CERT = "tls_cert"
    WARC = "warc"
    MEDIA = "media"
    """A video, or what was told of one, fetched for itself and not with the page; the record's ``session`` says how."""
    COMPOSITE = "composite"
    """Made of other artifacts of the same capture, as the record's ``session`` says; no picture that a browser took."""
    READING = "reading"
    """What a reader found in the document, made in the visit and from it alone; derived, as ``session`` says."""


class Status(StrEnum):
    """Did we get it?"""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class Outcome(StrEnum):
    """What was shown. A 404 or a login wall can be a complete capture."""

    OK = "ok"
    LOGIN_WALL = "login_wall"
    PRIVATE = "private"
    REMOVED = "removed"
    UNAVAILABLE = "unavailable"
    AGE_GATE = "age_gate"
    GEO_BLOCK = "geo_block"
    CONSENT = "consent"
    CAPTCHA = "captcha"
    RATE_LIMITED = "rate_limited"
    APP_ONLY = "app_only"
    HTTP_ERROR = "http_error"
    DNS_ERROR = "dns_error"
    TLS_ERROR = "tls_error"
    TIMEOUT = "timeout"
    NOT_A_PAGE = "not_a_page"
    REFUSED_BY_POLICY = "refused_by_policy"
    ERROR = "error"


class Origin(StrEnum):
    """Where a page came from, as far as we could check."""

    PUBLIC = "public"
    """Public DNS, a public address, and a certificate that chains to public roots and names the host, on every hop."""
    UNVERIFIED = "unverified"
    """Plain HTTP, or the site's own certificate does not hold: named in ``origin_reasons``."""
    NOT_PUBLIC = "not_public"
    """Something of ours stood in between (``--resolve``, ``--trust-spki``, a hosts file, a private address)."""


class HopKind(StrEnum):
    """How a page led to the next one."""

    HTTP = "http"
    REFRESH = "refresh"
    SCRIPT = "script"
    CLICK = "click"
    """Something on the page was pressed: by the program, or by a person who attended."""
    PERSON = "person"
    """A person who attended went there by the browser's own means: the address bar, back, forward, reload."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Via:
    """The link that led to a capture."""

    href: str
    text: str
    where: str
    """``text`` (the author's own words), ``profile``, ``author`` (the link to the author's profile), ``page``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A link that was considered, and what was decided about it."""

    via: Via
    follow: bool
    reason: str
    """Why it was, or was not, followed. One of the words in docs/cli.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One step of a link chain. ``n`` counts from 1."""

    n: int
    from_url: str
    to_url: str
    kind: HopKind
    status: int | None
    """HTTP status of the page that was left; None where no answer was seen."""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """Something that a whole capture has and this one has not."""

    role: Role
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A file in the visit's spool: bytes in hand, hashed as they were written, not yet evidence."""

    role: Role
    name: str
    media_type: str
    path: Path
    digest: Digest
    bytes: int
    made_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The durable intent: the ``capture.started`` event of a capture."""

    payload_sha256: Digest
    """SHA-256 of the event's DSSE payload: what the end of this capture refers to."""
    index: int | None
    """Its leaf's index in the log. None: it waits in the inbox, read back, and the log did not have it yet."""
    job_sha256: Digest
    """The blob that holds the job: URL, case settings, nonce."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One look at one URL: bytes in hand, not yet evidence."""

    capture_id: str
    unit: str
    """The root capture's id: the item that all captures of one promotion share."""
    parent: str | None
    via: Via | None
    depth: int
    """1 for the capture that was asked for."""
    run: str
    scope: str
    """The case's random id."""
    started: Started
    requested_url: str
    final_url: str | None
    """Where the browser ended up, not what was asked for. None when no page was reached."""
    title: str | None
    hops: tuple[Hop, ...]
    http_status: int | None
    status: Status
    outcome: Outcome
    outcome_reason: str
    origin: Origin
    origin_reasons: tuple[str, ...]
    snapshots: tuple[Snapshot, ...] = field(repr=False)
    missing: tuple[Missing, ...]
    candidates: tuple[Candidate, ...] = field(repr=False)
    times: Mapping[str, datetime] = field(repr=False)
    """requested_at, first_response_at, dom_content_loaded_at, settled_at, viewport_at, screenshot_at, closed_at."""
    circumstances: Mapping[str, Json] = field(repr=False)
    """The record's sections `network`, `environment`, `session`, `robots`, `traffic`, `quarantine`, `surface`."""
    spool: Path
