"""Started in the browser's place: gives its two DevTools pipes to whoever waits at a socket, and becomes the browser.

``python -I -S launcher.py FOLDER PROGRAM ARGUMENT...``. Needs the standard library alone, and nothing of ours. Process,
arguments and environment stay what they are, so that whoever started it still is the browser's parent.
"""

import os
import socket
import sys
from pathlib import Path

FROM, TO = 3, 4
"""Where Chromium reads what it is told, and where it answers (``--remote-debugging-pipe``)."""
SOCKET = "socket"
WAIT_S = 30.0


def main(folder: str, program: str, arguments: list[str]) -> None:
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(WAIT_S)
        wire.connect(f"/proc/self/fd/{inside}/{SOCKET}")  # the address of a socket is short, and a folder's may not be
        socket.send_fds(wire, [b"."], [FROM, TO])
        _, given, _, _ = socket.recv_fds(wire, 1, 2)
    os.close(inside)
    if len(given) != len((FROM, TO)):
        sys.exit("the program that starts the browser did not take its pipes")
    for ours, theirs in zip(given, (FROM, TO), strict=True):
        os.dup2(ours, theirs)
        os.close(ours)
    begun_with = Path("/proc/self/environ").read_bytes()  # Python may have added to its own
    environment = dict(each.split(b"=", 1) for each in begun_with.split(b"\0") if b"=" in each)
    os.execve(program, [program, *arguments], environment)  # noqa: S606  # its pipes, and no shell between


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
