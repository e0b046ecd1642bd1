"""``counterproof attend``: the person's hand, at the terminal, while the window is open."""

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from console.screen import say

_TICK_S = 0.2
_END = frozenset({"q", "quit", "end"})


class Hand(Protocol):
    """``crawlers.run.Hand``."""

    def shoot(self) -> None: ...

    def finish(self) -> None: ...


@contextmanager
def at_terminal(hand: Hand, stdin: IO[str] | None = None) -> Iterator[Hand]:
    """While it lasts, a line on standard input is a wish. The end of the input is none: the window goes on."""
    over = threading.Event()
    reading = threading.Thread(target=_read, args=(hand, stdin or sys.stdin, over), name="hand", daemon=True)
    reading.start()
    try:
        yield hand
    finally:
        over.set()
        reading.join(timeout=2 * _TICK_S)


def _read(hand: Hand, stdin: IO[str], over: threading.Event) -> None:
    """Byte by byte from the descriptor: what a text stream has read ahead, ``select`` knows nothing of."""
    try:
        descriptor = stdin.fileno()
    except (OSError, ValueError):
        return  # there is no standard input: the window's own means are enough
    waiting = b""
    while not over.is_set():
        if not select.select([descriptor], [], [], _TICK_S)[0]:
            continue
        data = os.read(descriptor, 1024)
        if not data:
            return
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            _heed(hand, line.decode(errors="replace").strip().lower())


def _heed(hand: Hand, wish: str) -> None:
    if wish in _END:
        hand.finish()
    elif wish:
        say(f"{wish[:20]!r} is no wish: Enter takes a picture, q ends")
    else:
        hand.shoot()
