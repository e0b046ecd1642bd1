"""The browser's pipes come to us as it is started, and it starts as if nobody had been between."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

from crawlers.devtools import launcher
from crawlers.devtools.handover import Ends, Handover

PATIENCE_S = 60
PROGRAM = """#!/bin/sh
env > "$1/env"
printf '%s\\n' "$@" > "$1/arguments"
read -r said <&3
printf 'heard %s' "$said" >&4
"""


def started(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], Ends, socket.socket]:
    """A program that is started as Playwright starts a browser, its ends, and the driver's end."""
    program = tmp_path / "it's a browser"
    program.write_text(PROGRAM)
    program.chmod(0o700)
    ours, theirs = socket.socketpair()

    def descriptors() -> None:
        os.dup2(theirs.fileno(), launcher.FROM)
        os.dup2(theirs.fileno(), launcher.TO)

    async def begin() -> tuple[subprocess.Popen[bytes], Ends]:
        with Handover(str(program), tmp_path) as handover:
            process = subprocess.Popen(  # noqa: ASYNC220  # at once, and by the one thread that there is
                [handover.program, *arguments],
                preexec_fn=descriptors,  # noqa: PLW1509  # the only thread there is
                close_fds=False,
                env={"LANG": "C", "B": "b=c"},
            )
            return process, await asyncio.wait_for(handover.taken(), PATIENCE_S)

    process, ends = asyncio.run(begin())
    theirs.close()
    return process, ends, ours


def test_it_becomes_the_program_with_its_arguments_its_environment_and_our_pipes(tmp_path: Path) -> None:
    process, ends, driver = started(tmp_path, str(tmp_path), "a 'b' $c", "")
    os.write(ends.browser_hears, b"hello\n")
    assert process.wait(PATIENCE_S) == 0
    assert os.read(ends.browser_says, 100) == b"heard hello"
    assert (tmp_path / "arguments").read_text().split("\n") == [str(tmp_path), "a 'b' $c", "", ""]
    environment = dict(each.split("=", 1) for each in (tmp_path / "env").read_text().splitlines())
    assert {name: value for name, value in environment.items() if name not in {"PWD", "_", "SHLVL", "OLDPWD"}} == {
        "LANG": "C",
        "B": "b=c",
    }
    driver.send(b"from the driver")
    assert os.read(ends.driver_says, 100) == b"from the driver"
    os.write(ends.driver_hears, b"to the driver")
    assert driver.recv(100) == b"to the driver"
    for each in (ends.browser_hears, ends.browser_says, ends.driver_hears, ends.driver_says):
        os.close(each)
    assert driver.recv(1) == b"", "nobody else has the driver's ends any more"
    driver.close()


def test_nothing_of_it_stays_behind_and_nobody_else_may_look_in(tmp_path: Path) -> None:
    with Handover("/bin/true", tmp_path) as handover:
        folder = handover.program.parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / launcher.SOCKET).is_socket()
    assert [*tmp_path.iterdir()] == []


def test_a_folder_with_a_long_name_will_do(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 40)
    deep.mkdir()
    with Handover("/bin/true", deep) as handover:
        assert (handover.program.parent / launcher.SOCKET).is_socket()


def test_a_process_that_is_not_below_us_is_not_listened_to(tmp_path: Path) -> None:
    """It is of the same user, and finds the socket; its parent has ended, so that it is nobody's child here."""
    with Handover("/bin/true", tmp_path) as handover:
        path = handover.program.parent / launcher.SOCKET
        knocking = (
            "import os, socket, sys, time\n"
            "parent = os.getpid()\n"
            "if os.fork(): os._exit(0)\n"
            "while os.getppid() == parent: time.sleep(0.01)\n"
            "wire = socket.socket(socket.AF_UNIX)\n"
            "os.chdir(os.path.dirname(sys.argv[1])); wire.connect('socket')\n"
            "read, write = os.pipe()\n"
            "try:\n"
            "    socket.send_fds(wire, [b'.'], [read, write]); said = wire.recv(1)\n"
            "except OSError:\n"
            "    said = b''\n"
            "print(said == b'', flush=True)\n"
        )

        async def knocked() -> str:
            taking = asyncio.ensure_future(handover.taken())
            command = [sys.executable, "-c", knocking, str(path)]
            ran = await asyncio.to_thread(
                subprocess.run, command, stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S
            )
            assert not taking.done()
            taking.cancel()
            return ran.stdout.decode().strip()

        assert asyncio.run(knocked()) == "True"


def test_whoever_waits_for_a_browser_that_does_not_come_may_stop(tmp_path: Path) -> None:
    async def given_up() -> bool:
        with Handover("/bin/true", tmp_path) as handover:
            taking = asyncio.ensure_future(handover.taken())
            await asyncio.sleep(0)
            taking.cancel()
            await asyncio.wait([taking])
            return taking.cancelled()

    assert asyncio.run(given_up())


def test_a_launcher_that_nobody_waits_for_fails(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, str(tmp_path), "/bin/true"],
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ran.returncode != 0
    assert b"FileNotFoundError" in ran.stderr
