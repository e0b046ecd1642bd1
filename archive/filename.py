"""File names from strangers, made into names that no file system and no shell takes for something else."""

import re

MAX_STEM = 60
_MAX_SUFFIX = 20
ODD = re.compile(r"[^a-z0-9._-]+")
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
    name = ODD.sub("-", text.lower().replace("\\", "/").rpartition("/")[2]).lstrip("._-")
    stem, dot, suffix = name.partition(".")
    if len(suffix) > _MAX_SUFFIX:
        stem, suffix = name[:MAX_STEM].replace(".", "-"), name.rpartition(".")[2][:_MAX_SUFFIX]
    stem, suffix = stem[:MAX_STEM].rstrip("-. "), suffix.strip("-. ")
    if not stem:
        stem = "file"
    if stem in _DEVICES or re.fullmatch(r"[0-9a-f]{64}", stem):
        stem = f"file-{stem[:MAX_STEM]}"
    extension = f"{dot}{suffix}" if suffix else _EXTENSIONS.get((media_type or "").partition(";")[0].strip(), ".bin")
    return f"{stem}{extension}"
