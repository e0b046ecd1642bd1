"""Engines that look at pictures, each in a process of its own that reaches no network and starts no program."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any, Self

from archive.errors import SetupMissing
from crawlers.confined import Confined, Lost, OutOfTime
from crawlers.pictures import codes, words
from crawlers.pictures.decoding import NotDecoded, decode
from crawlers.pictures.findings import Code, Line, Looked, Shape

SECONDS: Mapping[str, float] = {"codes": 20.0, "text": 300.0}
"""For one picture: a whole page of forty screens takes two minutes of one core."""
MEMORY_BYTES = 3 << 30
"""Of addresses, above what the process has when its engine is loaded."""
_NEEDS = {
    "codes": ("zxingcpp", "codes in pictures need zxing-cpp: .venv/bin/pip install 'zxing-cpp>=3' (the extra `qr`)"),
    "text": ("rapidocr", "text in pictures needs RapidOCR: make ocr (the extra `ocr`, about 350 MB)"),
}
_FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.send",
              "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system")  # fmt: skip


class Viewer:
    """``wanted``: of ``codes`` and ``text``. Used as a context. Raises SetupMissing, with what to do."""

    def __init__(
        self, wanted: tuple[str, ...], *, seconds: Mapping[str, float] = SECONDS, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        for each in wanted:
            package, sentence = _NEEDS[each]
            if find_spec(package) is None:
                other = "codes" if each == "text" else "text"
                raise SetupMissing(f"{sentence}; or ask for --only {other}")
        prepare = {"codes": _prepared_for_codes, "text": _prepared_for_text}
        self._engines = {
            each: Confined[bytes, Looked](
                prepare[each],
                seconds=seconds[each],
                memory_bytes=memory_bytes,
                name=f"pictures {each}",
                pack=Looked.to_json,
                unpack=Looked.of_json,
            )
            for each in wanted
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for each in self._engines.values():
            self._stack.enter_context(each)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def pids(self) -> dict[str, int | None]:
        """The process of each engine; None before its first picture."""
        return {name: engine.pid for name, engine in self._engines.items()}

    def look(self, data: bytes) -> dict[str, Looked]:
        """By engine. Never raises for what a picture holds; a note says what was not read."""
        looks: dict[str, Looked] = {}
        for name, engine in self._engines.items():
            try:
                looks[name] = engine.ask(data)
            except Lost as lost:
                looks[name] = Looked(engine={}, notes=(f"{name} not read: the process that looked {lost}",))
        return looks


def _prepared_for_codes() -> Callable[[bytes], Looked]:
    engine, look = codes.prepare()

    def work(data: bytes) -> Looked:
        found: list[Code] = []

        def into(picture: Any) -> list[str]:
            given, notes = look(picture)
            found.extend(given)
            return notes

        return _looked(engine, data, "codes", into, codes=found)

    shut_in()
    return work


def _prepared_for_text() -> Callable[[bytes], Looked]:
    engine, look = words.prepare()

    def work(data: bytes) -> Looked:
        lines: list[Line] = []
        return _looked(engine, data, "text", lambda picture: look(picture, lines), lines=lines)

    shut_in()
    return work


def _looked(
    engine: Mapping[str, Any],
    data: bytes,
    name: str,
    into: Callable[[Any], list[str]],
    *,
    codes: list[Code] | None = None,
    lines: list[Line] | None = None,
) -> Looked:
    shape: Shape | None = None
    notes: list[str] = []
    done = False
    try:
        picture, shape, notes = decode(data)
        notes += into(picture)
        done = True
    except NotDecoded as why:
        notes.append(f"not read: {why}")
    except OutOfTime:
        notes.append(f"{name}: the time was up; what was found by then is given")
    except MemoryError:
        notes.append(f"{name}: it wanted more memory than it may have; what was found by then is given")
    except Exception as error:  # noqa: BLE001  # a stranger's picture: the next one is looked at all the same
        notes.append(f"{name}: the engine failed ({type(error).__name__}); what was found by then is given")
    return Looked(
        engine=engine, shape=shape, codes=tuple(codes or ()), lines=tuple(lines or ()), notes=tuple(notes), done=done
    )


def shut_in() -> None:
    """Nothing takes the hook away again (PEP 578)."""

    def hook(event: str, _args: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not for this process")

    sys.addaudithook(hook)
