"""Receiving: files that somebody hands over, kept as they came. Custody begins here; nobody opens what they hold."""

import mimetypes
import stat
from dataclasses import dataclass
from pathlib import Path

from archive import cases, disk
from archive.errors import Refused, UsageError
from archive.filename import parted, plain_name
from archive.scribe import NONCE_BYTES, Scribe
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Survey
from custody import artifact, keyspace
from custody.artifact import Artifact
from custody.checks.received import RECEIVED
from custody.digest import Digest
from custody.errors import FormatError
from custody.received import KINDS, MAX_FILES, MAX_TEXT, NAME, ROLE, Received, ReceivedFile

MAX_FILE_BYTES = 5 * 1024**3
"""What S3 takes in one piece, so that its own checksum is of the whole file."""
_MAX_GIVEN = 1_000
_HEAD_BYTES = 32
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"WARC/1.", "application/warc"),
)
_BY_ENDING = {".wacz": "application/wacz", ".warc.gz": "application/warc+gzip", ".eml": "message/rfc822"}
_KIND_OF = {
    "image": "photo", "video": "recording", "audio": "recording", "application/wacz": "web_archive",
    "application/warc": "web_archive", "application/warc+gzip": "web_archive", "message/rfc822": "mail",
    "application/pdf": "document", "text": "document",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """What is said of the files."""

    files: tuple[Path, ...]
    from_whom: str
    how: str
    note: str | None = None
    kind: str | None = None
    """One of ``custody.received.KINDS`` for all of them; None: by what each file looks like."""
    about: str | None = None
    """A capture that they have to do with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    received: Received
    index: int
    """Of ``evidence.received``."""


@dataclass(frozen=True, slots=True)
class _Looked:
    path: Path
    digest: Digest
    length: int
    head: bytes


def receive(desk: Desk, scribe: Scribe, survey: Survey, handed: Handed, *, scope: str) -> Kept:
    """An item of its own, put into the case; signed by the person whose ``scribe`` it is.

    Blocking; memory does not grow with the files. Raises ``UsageError`` for what cannot be received before anything
    is kept, ``StoreError`` where a file changed while it was read.
    """
    about = _about(survey, handed, scope)
    _check_words(handed)
    looked = [_look(each) for each in handed.files]
    names, files = _Names(), []
    for n, each in enumerate(looked, 1):
        desk.tell(f"file {n} of {len(looked)}: {each.length} bytes")
        files.append(_keep(desk, scribe, each, names, handed.kind))
    item = scribe.new_id()
    received = Received(
        nonce=scribe.random(NONCE_BYTES).hex(),
        item=item,
        about=about,
        received_at=scribe.clock(),
        from_whom=handed.from_whom.strip(),
        how=handed.how.strip(),
        note=(handed.note or "").strip() or None,
        files=tuple(files),
    )
    try:
        data = received.format()
    except FormatError as error:
        raise UsageError(f"this cannot be recorded as one receipt ({error}): hand in fewer files at once") from error
    subject = scribe.blob(NAME, data)
    envelope = scribe.event(RECEIVED, chain=f"item:{item}", subject=subject, body=received.counts())
    receipts = desk.log.append([envelope, cases.assign(item, scope, desk.worker)])
    return Kept(received=received, index=receipts[0].index)


def _about(survey: Survey, handed: Handed, scope: str) -> tuple[str, str] | None:
    if handed.about is None:
        return None
    unit = survey.unit_of.get(handed.about)
    if unit is None:
        raise UsageError(f"there is no capture {handed.about}")
    if scope not in survey.items[unit].scopes:
        raise UsageError(f"capture {handed.about} does not belong to this case")
    if not survey.is_live(unit):
        raise Refused(f"capture {handed.about} was disposed of")
    return unit, handed.about


def _check_words(handed: Handed) -> None:
    if not handed.files or len(handed.files) > MAX_FILES:
        raise UsageError(f"one receipt has 1 to {MAX_FILES} files, got {len(handed.files)}")
    for name, text in (("--from", handed.from_whom), ("--how", handed.how), ("--note", handed.note or "-")):
        if not text.strip() or len(text) > MAX_TEXT:
            raise UsageError(f"{name} says something, in at most {MAX_TEXT} characters")
    if handed.kind is not None and handed.kind not in KINDS:
        raise UsageError(f"--kind is one of {', '.join(KINDS)}")


def _look(path: Path) -> _Looked:
    """Hashed once here, and again while it is stored: what changes in between is refused."""
    with disk.trouble(path):
        if not path.exists():
            raise UsageError(f"there is no file {path}")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{path} is no file: name the files of a folder, or make one archive of it")
        if found.st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} has {found.st_size} bytes, and one file has at most {MAX_FILE_BYTES}: split it")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            stream.seek(0)
            digest, length = Digest.of_stream(stream)
    return _Looked(path, digest, length, head)


def _keep(desk: Desk, scribe: Scribe, looked: _Looked, names: "_Names", kind: str | None) -> ReceivedFile:
    media_type = media_type_of(looked.path.name, looked.head)
    stored = desk.store.create(
        keyspace.blob(looked.digest), looked.path, digest=looked.digest, retain_until=scribe.retain_until()
    )
    lock = stored.lock
    return ReceivedFile(
        artifact=Artifact(
            role=ROLE,
            name=names.of(looked.path.name, media_type),
            media_type=media_type,
            bytes=looked.length,
            digest=looked.digest,
            version_id=stored.version_id,
            lock=None if lock is None else artifact.Lock(mode=lock.mode, retain_until=lock.retain_until),
            made_at=scribe.clock(),
        ),
        given_name=looked.path.name.encode("utf-8", "replace").decode()[:_MAX_GIVEN],
        kind=kind or _KIND_OF.get(media_type) or _KIND_OF.get(media_type.partition("/")[0], "other"),
    )


class _Names:
    """Of one receipt, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, given: str, media_type: str) -> str:
        name = plain_name(given, media_type)
        stem, suffix = parted(name)
        n = 1
        while name in self._taken:
            n += 1
            name = f"{stem}-{n}{suffix}"
        self._taken.add(name)
        return name


def media_type_of(name: str, head: bytes) -> str:
    """By its first bytes, else by its name; a guess, and nothing rests on it."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    lower = name.lower()
    for ending, found in _BY_ENDING.items():
        if lower.endswith(ending):
            return found
    return mimetypes.guess_type(lower)[0] or "application/octet-stream"
