"""Work on strangers' bytes in a process of its own, with limits of time and memory; begun again when it dies."""

import json
import multiprocessing
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Generic, Self, TypeVar

GRACE_S = 5.0
"""How much longer it may take to say that its time is up."""

START_S = 120.0
"""To load what the work needs, on a busy machine."""

MAX_ANSWER_BYTES = 256 << 20

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class OutOfTime(Exception):
    """Raised inside the work when its time is up; what it found before may be kept."""


class Lost(Exception):
    """Why there is no answer, as a clause of a sentence: it did not end in time, or it died."""


def _itself(answer: Any) -> Any:
    return answer


class Confined(Generic[Asked, Answer]):
    """One thing after another in one warm process. Used as a context.

    ``prepare``: a function of a module, called in the process before its memory is limited; what it returns does the
    work. Whatever the work raises ends the process, ``OutOfTime`` and ``MemoryError`` too: it should answer to them.

    Answers come as JSON, and never as pickles: a process that a stranger's bytes have taken over may say anything, and
    nothing that it says may do anything here. ``pack``, a function of a module, makes JSON of an answer in the process,
    ``unpack`` makes the answer of it; what that does not know, it refuses by ``ValueError`` and its like.
    """

    def __init__(  # each says how far it may go
        self,
        prepare: Callable[[], Callable[[Asked], Answer]],
        *,
        seconds: float,
        memory_bytes: int,
        name: str,
        pack: Callable[[Answer], Any] = _itself,
        unpack: Callable[[Any], Answer] = _itself,
    ) -> None:
        self._prepare = prepare
        self._seconds = seconds
        self._memory = memory_bytes
        self._name = name
        self._pack = pack
        self._unpack = unpack
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, what: Asked) -> Answer:
        """Raises ``Lost`` where there is no answer; the next one gets a new process."""
        try:
            connection = self._begun()
            connection.send(what)
            if connection.poll(self._seconds + GRACE_S):
                return self._unpack(json.loads(connection.recv_bytes(MAX_ANSWER_BYTES)))
            why = f"did not end within {self._seconds:g} s"
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            why = "gave an answer of a kind that it does not give"
        except (EOFError, OSError):
            why = "died, or had no memory left"
        self.end()
        raise Lost(why)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _begun(self) -> Connection:
        if self._connection is None:
            ours, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_work,
                args=(theirs, self._prepare, self._pack, self._seconds, self._memory),
                daemon=True,
                name=self._name,
            )
            self._process.start()
            theirs.close()
            self._connection = ours
            if not ours.poll(START_S):
                self.end()
                raise Lost(f"did not start within {START_S:g} s")
            ours.recv_bytes(0)
        return self._connection


def _work(
    connection: Connection,
    prepare: Callable[[], Callable[[Any], Any]],
    pack: Callable[[Any], Any],
    seconds: float,
    memory_bytes: int,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is told; we end with the connection
    signal.signal(signal.SIGALRM, _out_of_time)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work = prepare()
    _limit(memory_bytes)
    connection.send_bytes(b"")
    with suppress(EOFError, OutOfTime, MemoryError):  # nobody asks any more; or the work did not answer to its limits
        while True:
            asked = connection.recv()
            with _time(seconds):
                answer = work(asked)
            connection.send_bytes(json.dumps(pack(answer)).encode("ascii"))


def _limit(memory_bytes: int) -> None:
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory_bytes, now + memory_bytes))


@contextmanager
def _time(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime("the time for this is up")
