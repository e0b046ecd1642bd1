"""``counterproof sequence``: where the log key is, events of workers without it are taken into the log."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, StoreDown, StoreError, UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, print_json, say, sentences

if TYPE_CHECKING:
    from archive.result import Sealing as Time
    from archive.sequencing import Round, Sequencing
    from archive.timekeeping import Timekeeper
    from archive.vault import Vault

_LONGEST_PAUSE_S = 30.0
_TRIES = 5  # at a store that answers, and whose answers are of no use


def sequence(
    *,
    once: Annotated[bool, typer.Option("--once", help="Empty the inbox and leave; else wait for more.")] = False,
    poll: Annotated[
        float, typer.Option("--poll", min=0.05, max=3600, metavar="SECONDS", help="How often the inbox is looked at.")
    ] = 1.0,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the events of workers without the log key into the log; any number may run. Ctrl-C or SIGTERM ends it."""
    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        code = _sequence(config, once=once, poll_s=poll, as_json=as_json)
    raise typer.Exit(code)


def _sequence(config: ArchiveConfig, *, once: bool, poll_s: float, as_json: bool) -> Exit:
    from archive.sequencer import Sequencer
    from archive.sequencing import Sequencing
    from archive.vault import Vault

    if as_json and not once:
        raise UsageError("--json is the result of one pass: give --once with it")
    with _told_to_stop() as stop, Vault.open(config, clock=now, notify=say) as vault:
        vault.home.signers.need_log()
        if not isinstance(vault.sequencer, Sequencer):
            raise UsageError("this home has no log key: run it in the home that has")
        sequencing = Sequencing(vault.sequencer, vault.scribe, taken=vault.timekeeper.note)
        if once:
            return _once(sequencing, vault, stop=stop, as_json=as_json)
        say(f"sequencing {vault.sequencer.log} in {vault.store.name}; Ctrl-C ends it")
        _serve(sequencing.empty, vault.timekeeper, stop=stop, poll_s=poll_s)
        return Exit.OK


def _once(sequencing: "Sequencing", vault: "Vault", *, stop: threading.Event, as_json: bool) -> Exit:
    taken = rejected = 0
    troubles: list[str] = []
    while True:
        done = sequencing.empty()
        taken += done.taken
        rejected += done.rejected
        troubles += [each for each in done.troubles if each not in troubles]
        if stop.is_set() or not done.waiting or not (done.taken or done.rejected):
            break
    for each in troubles:
        say(each)
    code = Exit.INTERRUPTED if stop.is_set() else Exit.PARTIAL if done.waiting else Exit.OK
    time = _finish(vault.timekeeper, interrupted=stop.is_set()) if taken or rejected else None
    size = vault.sequencer.position.size
    if as_json:
        print_json({
            "schema": 1, "log": vault.sequencer.log, "size": size, "taken": taken, "rejected": rejected,
            "waiting": done.waiting, "time": None if time is None else time.time,
            "time_detail": "nothing new" if time is None else time.detail,
            "notices": [*troubles], "exit_code": int(code),
        })  # fmt: skip
    else:
        say(f"{taken} taken, {rejected} rejected, {done.waiting} waiting; the log has {size} leaves")
        if time is not None:
            say(f"trusted time: {time.detail}" if time.time == "trusted" else f"NO TRUSTED TIME: {time.detail}")
    return code


def _serve(empty: Callable[[], "Round"], timekeeper: "Timekeeper", *, stop: threading.Event, poll_s: float) -> None:
    """Until told to stop. A store that is away for a while is waited for; a log that went backwards ends it."""
    said: set[str] = set()
    away, failures = poll_s, 0
    with _stamping(timekeeper):
        while not stop.is_set():
            try:
                done = empty()
            except StoreError as error:
                failures += 1
                if not isinstance(error, StoreDown) and failures >= _TRIES:
                    raise
                away = min(_LONGEST_PAUSE_S, away * 2)
                say(f"{error}; trying again in {away:g} s")
                stop.wait(away)
                continue
            away, failures = poll_s, 0
            for each in set(done.troubles) - said:
                say(each)
            said = set(done.troubles)
            moved = done.taken or done.rejected
            if moved:
                say(f"{now():%H:%M:%S}Z  {done.taken} taken, {done.rejected} rejected, {done.waiting} waiting")
            stop.wait(0 if moved and done.waiting else poll_s)


@contextmanager
def _stamping(timekeeper: "Timekeeper") -> Iterator[None]:
    """Trusted time beside the sequencing, as a capture asks for it; and once more at the end for what is new."""
    if not timekeeper.sealing.asks:
        yield
        return
    try:
        timekeeper.sealing.note_log()  # whatever lies there without a stamp
    except ArchiveError as error:
        say(f"trusted time: {error}; what comes next asks for it")
    timekeeper.begin()
    try:
        yield
    finally:
        time = _finish(timekeeper, interrupted=True)
        if time.time != "trusted":
            say(f"trusted time: {time.detail}")


def _finish(timekeeper: "Timekeeper", *, interrupted: bool) -> "Time":
    try:
        return timekeeper.finish(interrupted=interrupted)
    except ArchiveError as error:
        return timekeeper.so_far(str(error))


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """SIGTERM and Ctrl-C end it between two rounds; a second one at once."""
    stop = threading.Event()

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {each: signal.signal(each, hear) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
