"""Pages of our own in the structure of several years' layouts, and what each says: ``shops/index.jsonl``."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlers.registry import read
from crawlers.saved import Saved

FOLDER = Path(__file__).parent / "shops"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page and what it says. A field that is None in ``says`` must be absent."""

    file: str
    platform: str
    kind: str
    wall: str | None = None
    says: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        return (FOLDER / self.file).read_text(encoding="utf-8")


def pages() -> tuple[Page, ...]:
    lines = (FOLDER / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Page(**json.loads(line)) for line in lines)


def reading(text: str, url: str | None = None) -> dict[str, Any]:
    return read(Saved.of(text.encode(), url=url)).to_json()
