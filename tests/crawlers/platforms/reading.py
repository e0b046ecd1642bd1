"""Reads pages that tests write."""

import json
from typing import Any

from archive.reading import Reading
from crawlers.registry import read
from crawlers.saved import Saved


def reading_of(page: str | dict[str, Any] | list[Any], url: str | None = None) -> Reading:
    """Of markup, or of an answer in JSON."""
    text = page if isinstance(page, str) else json.dumps(page)
    return read(Saved.of(text.encode(), url=url))


def told(reading: Reading, *names: str) -> dict[str, Any]:
    return {name: reading.fields.get(name) for name in names}
