"""A small combining queue: threads that ask at once are served together, by one of themselves."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from archive.errors import LogError

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Waiting(Generic[Request, Answer]):
    """A request, and where its answer goes."""

    def __init__(self, request: Request, weight: int) -> None:
        self.request = request
        self.weight = weight
        self._future: Future[Answer] = Future()

    @property
    def done(self) -> bool:
        return self._future.done()

    def answer(self, answer: Answer) -> None:
        self._future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self._future.done():
            self._future.set_exception(error)

    def result(self) -> Answer:
        return self._future.result()


class Combiner(Generic[Request, Answer]):
    """``work`` gets the requests that wait, up to ``capacity`` in weight, and answers or fails each of them.

    What ``work`` raises is the answer to all that it left open.
    """

    def __init__(self, work: Callable[[list[Waiting[Request, Answer]]], None], *, capacity: int) -> None:
        self._work = work
        self._capacity = capacity
        self._waiting: list[Waiting[Request, Answer]] = []
        self._changed = threading.Condition()
        self._led = False

    def submit(self, request: Request, *, weight: int, patience_s: float = 0.0) -> Answer:
        """Blocks until there is an answer; leads when nobody else does.

        ``patience_s``: how long it may lie here for somebody less patient to take it along. Then it goes by itself.
        """
        until = time.monotonic() + patience_s
        mine = Waiting[Request, Answer](request, weight)
        leads = False
        try:
            with self._changed:
                self._waiting.append(mine)
                while not mine.done and (self._led or time.monotonic() < until):
                    self._changed.wait(None if self._led else until - time.monotonic())
                leads = not mine.done
                self._led = self._led or leads
            while leads and not mine.done:
                self._serve(self._take())
        finally:
            with self._changed:
                if mine in self._waiting:  # we were stopped before anybody took it
                    self._waiting.remove(mine)
                if leads:
                    self._led = False
                    self._changed.notify_all()
        return mine.result()

    def _serve(self, batch: list[Waiting[Request, Answer]]) -> None:
        try:
            self._work(batch)
        except Exception as error:  # noqa: BLE001 - it is not handled here, it goes to everyone who asked
            for each in batch:
                each.fail(error)
        except BaseException as error:
            for each in batch:
                each.fail(
                    LogError(f"interrupted ({type(error).__name__}) before it was recorded: run the command again")
                )
            raise

    def _take(self) -> list[Waiting[Request, Answer]]:
        with self._changed:
            weight = 0
            count = 0
            for each in self._waiting:
                weight += each.weight
                if count and weight > self._capacity:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch
