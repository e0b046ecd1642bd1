"""Addresses of YouTube: the video and the channel in them."""

import re
from urllib.parse import parse_qs, urlsplit

from crawlers.posting import (
    segments,
)

VIDEO = re.compile(r"[0-9A-Za-z_-]{11}")
_CHANNEL = re.compile(r"UC[\w-]{22}")


def video_in(url: str) -> str | None:
    """The id of the video in an address."""
    parts = urlsplit(url)
    path = segments(url)
    if (parts.hostname or "").endswith("youtu.be"):
        found = path[0] if path else ""
    elif path[:1] == ["watch"]:
        found = parse_qs(parts.query).get("v", [""])[0]
    elif len(path) > 1 and path[0] in {"shorts", "live", "embed", "v", "e"}:
        found = path[1]
    else:
        found = ""
    return found if VIDEO.fullmatch(found) and found != "videoseries" else None


def channel_in(url: str) -> tuple[str | None, str | None]:
    """Channel id and handle in an address; ``/user/`` and ``/c/`` names are what handles were before 2022."""
    path = segments(url)
    if path[:1] == ["channel"] and len(path) > 1 and _CHANNEL.fullmatch(path[1]):
        return path[1], None
    if path and path[0].startswith("@") and len(path[0]) > 1:
        return None, path[0]
    if len(path) > 1 and path[0] in {"user", "c"}:
        return None, path[1]
    return None, None
