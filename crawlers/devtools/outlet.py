"""Writing to a pipe without waiting for whoever reads it."""

import asyncio
import os
from collections import deque
from collections.abc import Callable

HIGH_BYTES = 16 << 20
"""So much may wait to be read; then whoever writes is told to pause until half of it has gone."""


class Outlet:
    """One end that is written to. Bytes go out whole and in the order of their coming, or not at all."""

    def __init__(
        self, end: int, on_full: Callable[[], None], on_room: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        """``on_full``: too much waits; ``on_room``: no more; ``on_end``: nobody reads any more."""
        self._end = end
        self._on_full = on_full
        self._on_room = on_room
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._is_full = False

    def write(self, data: bytes) -> None:
        if self._end < 0:
            return
        view = memoryview(data)
        if not self._waiting:
            view = self._written(view)
            if not view:
                return
            self._loop.add_writer(self._end, self._go_on)
        self._waiting.append(view)
        self._size += len(view)
        if not self._is_full and self._size > HIGH_BYTES:
            self._is_full = True
            self._on_full()

    def close(self) -> None:
        """What still waits is not sent."""
        if self._end < 0:
            return
        if self._waiting and not self._loop.is_closed():
            self._loop.remove_writer(self._end)
        self._waiting.clear()
        os.close(self._end)
        self._end = -1

    def _written(self, view: memoryview) -> memoryview:
        """As much as goes at once; what is left of it."""
        try:
            while view:
                view = view[os.write(self._end, view) :]
        except BlockingIOError:
            return view
        except OSError:
            self._on_end()
            return view[:0]
        return view

    def _go_on(self) -> None:
        while self._waiting:
            before = self._waiting[0]
            left = self._written(before)
            if self._end < 0:
                return
            self._size -= len(before) - len(left)
            if left:
                self._waiting[0] = left
                break
            self._waiting.popleft()
        if not self._waiting:
            self._loop.remove_writer(self._end)
        if self._is_full and self._size <= HIGH_BYTES // 2:
            self._is_full = False
            self._on_room()
