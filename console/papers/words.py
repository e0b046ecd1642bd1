"""The words of papers, which lawyers may want to read by themselves: they lie in ``words.toml``."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(1)
def all_words() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def section(name: str) -> dict[str, Any]:
    found: dict[str, Any] = all_words()[name]
    return found


def limits(name: str) -> list[str]:
    found: list[str] = all_words()["limits"][name]
    return found


def limit(name: str) -> str:
    return str(all_words()["limits"][name])
