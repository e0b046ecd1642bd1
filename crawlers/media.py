"""Media types: as a site may be trusted to spell them, and as file names show them."""

import re

_EXTENSIONS = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
}
UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}", re.IGNORECASE)  # RFC 6838 §4.2


def media_type(said: str) -> str:
    """What a site said, if that is one at all."""
    return said if _TYPE.fullmatch(said) else UNKNOWN


def extension(media_type: str) -> str:
    """With its dot; ``.bin`` for what we do not know."""
    return _EXTENSIONS.get(media_type, ".bin")
