"""Readers within limits: what takes too long, or too much, costs its own page and no other."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from archive.reading import Kind
from crawlers.bounded import Bounded

PAGE = b'<!doctype html><meta charset=utf-8><meta property="og:title" content="A page"><h1>A page</h1>'
HEAVY = b"<!doctype html>" + b"<p>" * 3_000_000


@pytest.fixture
def bounded() -> Iterator[Bounded]:
    with Bounded(seconds=10) as made:
        yield made


def test_one_page_after_another_in_one_process(bounded: Bounded) -> None:
    first = bounded.read(PAGE)
    first_process = bounded.pid
    second = bounded.read(PAGE, url="https://site.example/a")
    assert first.fields["title"] == second.fields["title"] == "A page"
    assert bounded.pid == first_process


def test_a_reader_that_dies_costs_its_page_and_no_other(bounded: Bounded) -> None:
    bounded.read(PAGE)
    assert bounded.pid is not None
    os.kill(bounded.pid, signal.SIGKILL)
    lost = bounded.read(PAGE)
    assert lost.kind is Kind.OTHER
    assert "died" in lost.notes[0]
    assert bounded.read(PAGE).fields["title"] == "A page"


def test_one_that_takes_too_long_is_ended_and_says_so() -> None:
    with Bounded(seconds=0.02) as made:
        made.read(b"<p>warm")
        begun = time.monotonic()
        late = made.read(HEAVY)
        assert time.monotonic() - begun < 15
        assert any("OutOfTime" in note or "did not end" in note for note in late.notes)


def test_one_that_wants_too_much_memory_is_ended_and_says_so() -> None:
    with Bounded(seconds=20, memory_bytes=64 << 20) as made:
        greedy = made.read(HEAVY * 8)
        assert greedy.notes
        assert made.read(PAGE).fields["title"] == "A page"


def test_a_reading_says_whether_it_came_to_its_end() -> None:
    with Bounded() as reader:
        assert reader.read(b"<html><title>a bag</title></html>").was_ended
    with Bounded(seconds=0.000001) as reader:
        hurried = reader.read(b"<html><body>" + b"<p>so many words</p>" * 20_000 + b"</body></html>")
        assert not hurried.was_ended, hurried.notes
