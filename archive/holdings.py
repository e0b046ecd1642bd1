"""What one capture kept, read back and checked on the way: its record, its words, its document, its reading."""

import json
from collections.abc import Mapping
from typing import Any

from archive.errors import NotStored, StoreError
from archive.reading import Reading
from archive.store import ObjectStore
from archive.surface import Surface, surface_of
from custody import keyspace
from custody.artifact import OTHERS, Artifact
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json, Role
from custody.record import MAX_BYTES, Record

MAX_TEXT_BYTES = 4 << 20
MAX_READING_BYTES = 64 << 20
_DOCUMENTS = ("dom.html", "body.html", "body.json", "body.txt", "blotted.json")
_ANSWERS = frozenset((Surface.OEMBED.value, Surface.API.value))
_VANTAGE = ("languages", "timezone", "user_agent", "browser_version", "device")


def blob(store: ObjectStore, digest: Digest, most: int) -> bytes:
    """At most one byte more than ``most``: then it is not all of it, and not checked. Raises ``StoreError``."""
    with store.open(keyspace.blob(digest)) as stream:
        data = stream.read(most + 1)
    if len(data) <= most and Digest.of(data) != digest:
        raise StoreError(f"{digest} is not what was recorded: run `counterproof verify`")
    return data


def record_of(store: ObjectStore, digest: Digest) -> Record:
    """Raises ``StoreError``, ``NotStored`` among them."""
    try:
        return Record.parse(blob(store, digest, MAX_BYTES))
    except FormatError as error:
        raise StoreError(f"the record {digest} cannot be read ({error}): run `counterproof verify`") from error


def document_of(record: Record) -> Artifact | None:
    """What is read of a capture: the document as the browser had it before the bytes as they were sent."""
    named = {each.name: each for each in record.artifacts}
    return next((named[name] for name in _DOCUMENTS if name in named), None)


def read_at(record: Record) -> str | None:
    """Its address, for a reader. None: an answer for programs says itself whose it is, its address does not."""
    return None if surface_of(record.circumstances) in _ANSWERS else record.final_url or record.requested_url


def firsthand(store: ObjectStore, record: Record, *, by: str | None) -> Reading | None:
    """The reading that was made in the visit by the program of this digest (None: by any); None: there is none."""
    made = next((each for each in record.artifacts if each.role == Role.READING), None)
    if made is None or made.bytes > MAX_READING_BYTES:
        return None
    try:
        value: Any = json.loads(blob(store, made.digest, MAX_READING_BYTES))
        if by is not None and value["by"]["code_sha256"] != by:
            return None
        return Reading.of_json(value["reading"])
    except NotStored:
        return None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # of another form: today's readers read the page itself


def own(record: Record, role: Role) -> Artifact | None:
    """The first in this role that is of the page that the record speaks of."""
    return next((each for each in record.artifacts if each.role == role and not each.name.startswith(OTHERS)), None)


def visible(store: ObjectStore, record: Record) -> tuple[str, bool]:
    """All text that the page showed, and whether there is more of it than is read."""
    text = own(record, Role.TEXT)
    if text is None:
        return "", False
    return blob(store, text.digest, MAX_TEXT_BYTES)[:MAX_TEXT_BYTES].decode("utf-8", "replace"), (
        text.bytes > MAX_TEXT_BYTES
    )


def vantage_of(sections: Mapping[str, Json]) -> dict[str, Json]:
    """As whom was looked, and from where, as far as a record says."""
    environment = sections.get("environment")
    if not isinstance(environment, Mapping):
        return {}
    found = {name: environment[name] for name in _VANTAGE if name in environment}
    egress = environment.get("egress")
    if isinstance(egress, Mapping) and "address" in egress:
        found["egress_address"] = egress["address"]
    return found
