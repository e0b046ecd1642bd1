"""Work in a process of its own: what it answers is data, whoever has come to speak in its place."""

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.reading import Kind, Reading, Seen, Source
from crawlers.confined import Confined, Lost

LIMITS: dict[str, Any] = {"seconds": 5.0, "memory_bytes": 1 << 30, "name": "test"}


class _Deed:
    """As an answer of a process that was taken over: to unpickle it is to do it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self._path,)


def _deeds() -> Callable[[str], object]:
    return _taken_over


def _taken_over(path: str) -> object:
    """Speaks past the way that answers take."""
    frame: Any = sys._getframe(1)  # a stranger's code looks where it likes
    frame.f_locals["connection"].send(_Deed(path))
    return None


def _readings() -> Callable[[str], Reading]:
    def read(title: str) -> Reading:
        source = Source(where="css h1", seen=Seen.SHOWN)
        return Reading(platform="generic", kind=Kind.POST, fields={"title": title}, sources={"title": source})

    return read


def _others() -> Callable[[str], dict[str, str]]:
    return lambda _: {"platform": "generic"}


def _as_it_is(answer: dict[str, str]) -> dict[str, str]:
    return answer


def test_an_answer_comes_as_it_was_given() -> None:
    packing: dict[str, Any] = {"pack": Reading.to_json, "unpack": Reading.of_json}
    with Confined[str, Reading](_readings, **LIMITS, **packing) as confined:
        assert confined.ask("a bag").fields == {"title": "a bag"}
        assert confined.ask("a belt \ud800").sources["title"].seen is Seen.SHOWN


def test_an_answer_that_would_do_something_is_none(tmp_path: Path) -> None:
    deed = tmp_path / "done"
    with Confined[str, object](_deeds, **LIMITS) as confined, pytest.raises(Lost, match="of a kind that it does not"):
        confined.ask(str(deed))
    assert not deed.exists()
    pickle.loads(pickle.dumps(_Deed(str(deed))))  # noqa: S301  # ours, and the point of it
    assert deed.exists(), "to unpickle it is to do it"


def test_an_answer_of_another_form_is_none_and_the_next_has_a_new_process() -> None:
    with Confined[str, Any](_others, **LIMITS, pack=_as_it_is, unpack=Reading.of_json) as confined:
        with pytest.raises(Lost, match="of a kind that it does not"):
            confined.ask("a bag")
        assert confined.pid is None
