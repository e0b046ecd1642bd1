"""A process that runs yt-dlp and reaches the egress and nothing else; ``crawlers.video.fetch`` starts it.

Argument: how many bytes a file may have. Standard input: JSON, ``proxy``, ``arguments``. A hook of Python's own
(PEP 578), which nothing can take away again, refuses every other connection, every look-up of a name, every program.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_PROGRAMS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"}
_ELSEWHERE = {"socket.bind", "socket.gethostbyaddr", "socket.getnameinfo", "socket.sendmsg", "socket.sendto"}


def guard(host: str, port: int) -> Callable[[str, tuple[Any, ...]], None]:
    """A hook that lets through what leads to this address, and what leads nowhere."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            if args[1] != (host, port):
                raise PermissionError(f"only {host}:{port} may be connected to")
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            if args[0] != host:
                raise PermissionError("names are the proxy's to look up")
        elif event in _ELSEWHERE or event in _PROGRAMS or event == "subprocess.Popen":
            raise PermissionError(f"{event} is not for this process")

    return hook


def main() -> int:
    """yt-dlp's own exit status."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
    proxy = urlsplit(asked["proxy"])
    if proxy.hostname is None or proxy.port is None:
        raise ValueError("the proxy has no address")
    os.environ["PATH"] = ""  # so that it looks for no other program, which it could not start
    sys.addaudithook(guard(proxy.hostname, proxy.port))

    import yt_dlp  # noqa: PLC0415  # not before the hook

    try:
        yt_dlp.main(["--proxy", asked["proxy"], *asked["arguments"]])
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
