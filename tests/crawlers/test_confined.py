"""Work in a process of its own: what it answers is data, whoever has come to speak in its place."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.reading import Kind, Reading, Seen, Source
from crawlers.confined import Confined, Lost

LIMITS: dict[str, Any] = {"seconds": 5.0, "memory_bytes": 1 << 30, "name": "test"}


class _Deed:
    """As an answer of a process that was taken over: to unpack it is to do it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self._path,)


def _deeds() -> Callable[[str], object]:
    return _Deed


def _readings() -> Callable[[str], Reading]:
    def read(title: str) -> Reading:
        source = Source(where="css h1", seen=Seen.SHOWN)
        return Reading(platform="generic", kind=Kind.POST, fields={"title": title}, sources={"title": source})

    return read


def test_an_answer_comes_as_it_was_given() -> None:
    with Confined[str, Reading](_readings, **LIMITS, answers=(Reading, Source, Seen, Kind)) as confined:
        assert confined.ask("a bag").fields == {"title": "a bag"}
        assert confined.ask("a belt").sources["title"].seen is Seen.SHOWN


def test_an_answer_that_would_do_something_is_none(tmp_path: Path) -> None:
    deed = tmp_path / "done"
    with Confined[str, object](_deeds, **LIMITS) as confined, pytest.raises(Lost, match="of a kind that it does not"):
        confined.ask(str(deed))
    assert not deed.exists()
    function, arguments = _Deed(str(deed)).__reduce__()
    function(*arguments)
    assert deed.exists(), "the deed is one"


def test_after_such_an_answer_there_is_a_new_process() -> None:
    with Confined[str, Reading](_readings, **LIMITS, answers=(Reading,)) as confined:
        with pytest.raises(Lost):
            confined.ask("its source is of no class that it may have")
        assert confined.pid is None
