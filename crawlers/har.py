"""A browser's log of its traffic (HAR 1.2): the main document's answer in it, as a page of its own.

http://www.softwareishard.com/blog/har-12-spec/
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from crawlers.saved import Saved, dig

_NO_PAGES = ("image/", "font/", "video/", "audio/", "text/css", "text/javascript", "application/javascript")


def answer_in(page: Saved) -> Saved | None:
    """The answer to the log's first request that no redirect followed; None where the page is no such log."""
    entries = dig(page.json, "log", "entries")
    if not isinstance(entries, list) or not (dig(page.json, "log", "version") or dig(page.json, "log", "creator")):
        return None
    answers = [each for each in entries if isinstance(each, Mapping) and isinstance(each.get("response"), Mapping)]
    documents = [each for each in answers if each.get("_resourceType") == "document"] or answers
    chosen = next((each for each in documents if _is_document(each["response"])), None)
    if chosen is None:
        return Saved(text="", url=page.url, notes=["no document is in the log"])
    response, content = chosen["response"], dig(chosen, "response", "content")
    asked = dig(chosen, "request", "url")
    url = page.url or (asked if isinstance(asked, str) else None)
    status = response.get("status")
    read = Saved.of(_body(content), url=url, content_type="text/html; charset=utf-8")
    read.status = status if isinstance(status, int) and not isinstance(status, bool) else None
    read.notes.insert(0, "read from the main document's answer in a log of traffic (HAR)")
    return read


def _is_document(response: Mapping[str, Any]) -> bool:
    status = response.get("status")
    moved = isinstance(status, int) and 300 <= status < 400 and status != 304
    kind = dig(response, "content", "mimeType")
    return not moved and not (isinstance(kind, str) and kind.lower().startswith(_NO_PAGES))


def _body(content: Any) -> bytes:
    text = dig(content, "text")
    if not isinstance(text, str):
        return b""
    if dig(content, "encoding") == "base64":
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError):
            return b""
    return text.encode("utf-8", "replace")
