"""Threads that ask at once are served together, and a thread that is stopped takes nobody with it."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from archive.combiner import Combiner, Waiting
from archive.errors import LogError


def double(batch: Sequence[Waiting[int, int]]) -> None:
    for each in batch:
        each.answer(2 * each.request)


def test_each_gets_the_answer_to_its_own_question() -> None:
    combiner = Combiner[int, int](double, capacity=8)
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda n: combiner.submit(n, weight=1), range(200))) == [2 * n for n in range(200)]


class Held:
    """Work that waits for a gate, and remembers what it was given."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.batches: list[list[int]] = []
        self.error: BaseException | None = None

    def __call__(self, batch: list[Waiting[int, int]]) -> None:
        self.batches.append([each.request for each in batch])
        self.begun.set()
        assert self.gate.wait(30)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        double(batch)


def wait_for(combiner: Combiner[int, int], count: int) -> None:
    while len(combiner._waiting) < count:
        pass


def test_those_that_wait_go_together_up_to_the_capacity() -> None:
    work = Held()
    combiner = Combiner[int, int](work, capacity=5)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(combiner.submit, 0, weight=1)
        work.begun.wait(30)
        later = []
        for n in (2, 2, 2, 9):
            later.append(threads.submit(combiner.submit, n, weight=n))
            wait_for(combiner, len(later))
        work.gate.set()
        assert [each.result() for each in (first, *later)] == [0, 4, 4, 4, 18]
    assert work.batches == [[0], [2, 2], [2], [9]], "one that is over the limit by itself goes alone"


def test_one_that_has_patience_goes_with_the_next_that_has_none() -> None:
    work = Held()
    work.gate.set()
    combiner = Combiner[int, int](work, capacity=5)
    with ThreadPoolExecutor(2) as threads:
        patient = threads.submit(combiner.submit, 1, weight=1, patience_s=600)
        wait_for(combiner, 1)
        assert combiner.submit(2, weight=1) == 4
        assert patient.result() == 2
    assert work.batches == [[1, 2]]


def test_where_nobody_comes_patience_ends_and_it_goes_alone() -> None:
    work = Held()
    work.gate.set()
    combiner = Combiner[int, int](work, capacity=5)
    assert combiner.submit(1, weight=1, patience_s=0.01) == 2
    assert work.batches == [[1]]


def test_one_that_has_patience_waits_for_whoever_leads_as_all_others_do() -> None:
    work = Held()
    combiner = Combiner[int, int](work, capacity=5)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(combiner.submit, 1, weight=1)
        work.begun.wait(30)
        patient = threads.submit(combiner.submit, 2, weight=1, patience_s=0.01)
        wait_for(combiner, 1)
        work.gate.set()
        assert [first.result(), patient.result()] == [2, 4]
    assert work.batches == [[1], [2]]


def test_an_error_is_the_answer_to_all_that_were_in_it_and_to_nobody_else() -> None:
    work = Held()
    combiner = Combiner[int, int](work, capacity=5)
    work.error = LogError("the store is down")
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(combiner.submit, 1, weight=1)
        work.begun.wait(30)
        second = threads.submit(combiner.submit, 2, weight=1)
        wait_for(combiner, 1)
        work.gate.set()
        with pytest.raises(LogError, match="is down"):
            first.result()
        assert second.result() == 4


def test_a_leader_that_is_stopped_fails_what_it_had_and_hands_on_the_rest() -> None:
    work = Held()
    combiner = Combiner[int, int](work, capacity=5)
    work.error = KeyboardInterrupt()
    with ThreadPoolExecutor(4) as threads:
        leader = threads.submit(combiner.submit, 1, weight=1)
        work.begun.wait(30)
        rest = threads.submit(combiner.submit, 2, weight=1)
        wait_for(combiner, 1)
        work.gate.set()
        assert isinstance(leader.exception(), KeyboardInterrupt)
        assert rest.result() == 4
