"""Addresses of Facebook: the post and the account in them."""

import re
from urllib.parse import parse_qs, urlsplit

from crawlers.posting import (
    segments,
)

_ID = re.compile(r"[0-9]{5,20}|pfbid[0-9A-Za-z]{20,100}")
_NAME = re.compile(r"[A-Za-z0-9.\-_%]{2,80}")
_NO_NAMES = frozenset(
    ("posts", "permalink.php", "story.php", "photo.php", "photo", "photos", "videos", "video.php", "watch",
     "reel", "reels", "groups", "events", "marketplace", "share", "share.php", "sharer", "sharer.php", "login",
     "login.php", "checkpoint", "help", "policies", "policy.php", "privacy", "legal", "business", "ads",
     "plugins", "dialog", "l.php", "hashtag", "public", "search", "search.php", "pages", "pg", "people",
     "profile.php", "media", "notes", "stories", "r.php", "recover", "reg", "home.php", "home", "index.php",
     "consent", "cookie", "unsupportedbrowser", "sem_campaigns", "ajax", "gaming", "fundraisers", "offers",
     "jobs", "directory", "places", "lite", "mobile", "settings", "terms.php", "terms", "careers", "about", "a",
     "tr", "browse", "story", "live", "ufi", "comment")
)  # fmt: skip


def post_in(url: str) -> str | None:
    """The id of the post, photo or film in an address; digits, or ``pfbid…``, which changes with time."""
    parts, query = segments(url), parse_qs(urlsplit(url).query)
    first = parts[0] if parts else ""
    for place, names in (
        (("permalink.php", "story.php"), ("story_fbid",)),
        (("photo.php", "photo", "photos"), ("fbid",)),
        (("watch", "video.php"), ("v",)),
        (("plugins",), ("href",)),
    ):
        if first in place:
            found = next((query[name][0] for name in names if name in query), "")
            if first == "plugins":
                return post_in(found) if found else None
            return found if _ID.fullmatch(found) else None
    marks = ("posts", "videos", "reel", "permalink", "photos", "multi_permalinks")
    for n, part in enumerate(parts):
        if part in marks and (n > 0 or part in {"reel", "videos"}) and len(parts) > n + 1:
            return parts[-1] if _ID.fullmatch(parts[-1]) else None
    return None


def account_in(url: str) -> tuple[str | None, str | None]:
    """Handle and numeric id of the account in an address."""
    parts, query = segments(url), parse_qs(urlsplit(url).query)
    if not parts:
        return None, None
    first = parts[0].lower()
    if first == "profile.php":
        return None, query.get("id", [None])[0]
    if first in {"permalink.php", "story.php"}:
        return None, query.get("id", [None])[0]
    if first == "people" and len(parts) > 2:
        return None, parts[2] if parts[2].isdigit() else None
    if first == "pg" and len(parts) > 1:
        parts = parts[1:]
    elif first == "pages":
        if parts[1:2] == ["category"]:
            parts = parts[3:]
        elif len(parts) > 2 and parts[2].isdigit():
            return None, parts[2]
        else:
            return None, None
    if not parts or parts[0].lower() in _NO_NAMES or not _NAME.fullmatch(parts[0]):
        return None, None
    if parts[0].isdigit():
        return None, parts[0]
    numbered = re.fullmatch(r".+-([0-9]{9,20})", parts[0])
    return (None, numbered[1]) if numbered else (parts[0], None)
