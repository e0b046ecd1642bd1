"""File names from strangers, made into names that no file system and no shell takes for something else."""

import re

MAX_STEM = 60
_MAX_SUFFIX = 20
ODD = re.compile(r"[^a-z0-9._-]+")
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})
_EXTENSIONS = {
    "application/gzip": ".gz",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/warc": ".warc",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/html": ".html",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
}
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))})
"""What Windows opens in place of a file, whatever its extension."""


def plain_name(text: str, media_type: str | None = None) -> str:
    """Lower-case ASCII that no file system and no shell takes for something else, with an extension.

    The name that it had stands where it is recorded.
    """
    stem, suffix = parted(ODD.sub("-", text.lower().replace("\\", "/").rpartition("/")[2]).lstrip("._-"))
    stem = stem[:MAX_STEM].rstrip("-. ") or "file"
    if stem.partition(".")[0] in _DEVICES:
        stem = f"file-{stem}"[:MAX_STEM].rstrip("-.")
    if not suffix.strip("-. "):
        suffix = _EXTENSIONS.get((media_type or "").partition(";")[0].strip(), ".bin")
    return f"{stem}{suffix}"


def parted(name: str) -> tuple[str, str]:
    """What comes before the extension, and the extension with its dot; of something packed, both of them."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix) > _MAX_SUFFIX:
        return name, ""
    suffix = suffix.rstrip("-_")
    inner, dot, before = stem.rpartition(".")
    if f".{suffix}" in _PACKED and inner and dot and len(before) <= _MAX_SUFFIX:
        return inner, f".{before}.{suffix}"
    return stem, f".{suffix}" if suffix else ""
