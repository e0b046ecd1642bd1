"""What is said of the clock is what was read, and no more."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.clock import SNTP_SERVER, ClockReading, read_clock

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NTP_EPOCH = 2_208_988_800
CHRONY = "A29FC87B,162.159.200.123,4,1772366400.1,0.001250,0.0001,0.0002,-12.3,0.001,0.05,0.020,0.003,64.2,{leap}\n"
TIMESYNC = """\
       Server: 192.0.2.1 (time.example)
Poll interval: 34min 8s (min: 32s; max 34min 8s)
         Leap: normal
       Offset: {offset}
        Delay: 10.1ms
"""

Program = Callable[..., None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts programs where the real ones are looked for; no other is there to be found."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name: str, said: str = "", *, code: int = 0, sleep: int = 0, only_for: str = "*") -> None:
        file = tmp_path / name
        text = file.read_text() if file.exists() else "#!/bin/sh\n"
        pause = f"/bin/sleep {sleep}; " if sleep else ""
        file.write_text(f"{text}case \"$*\" in {only_for}) {pause}/bin/cat <<'END'\n{said}END\nexit {code};; esac\n")
        file.chmod(0o755)

    return make


def read(environment: dict[str, str] | None = None) -> ClockReading:
    return read_clock(environment or {}, clock=lambda: AT)


@pytest.mark.usefixtures("program")
def test_a_clock_that_nobody_speaks_for() -> None:
    assert read() == ClockReading(source="none")


def test_chrony_says_offset_and_uncertainty(program: Program) -> None:
    program("chronyc", CHRONY.format(leap="Normal"))
    assert read() == ClockReading(source="chrony", offset_ms=1, uncertainty_ms=13)


@pytest.mark.parametrize("leap", ["Not synchronised", ""])
def test_chrony_that_is_not_synchronised_speaks_for_nothing(program: Program, leap: str) -> None:
    program("chronyc", CHRONY.format(leap=leap))
    assert read().source == "none"


def test_chrony_with_numbers_that_are_none_says_no_number(program: Program) -> None:
    program("chronyc", CHRONY.format(leap="Normal").replace("0.001250", "soon"))
    assert read() == ClockReading(source="chrony")


def test_chrony_that_fails_says_nothing(program: Program) -> None:
    program("chronyc", "506 Cannot talk to daemon\n", code=1)
    assert read().source == "none"


@pytest.mark.parametrize(
    ("offset", "ours"), [("-1.250ms", 1), ("+1.250ms", -1), ("+12us", 0), ("-1min 2.5s", 62_500), ("+1.002s", -1002)]
)
def test_timesyncd_says_its_offset(program: Program, offset: str, ours: int) -> None:
    program("timedatectl", TIMESYNC.format(offset=offset), only_for="timesync-status")
    assert read() == ClockReading(source="systemd-timesyncd", offset_ms=ours)


def test_timesyncd_that_has_had_no_answer_speaks_for_nothing(program: Program) -> None:
    program("timedatectl", "       Server: (null)\nPoll interval: 0\n", only_for="timesync-status")
    program("timedatectl", "no\n", only_for="show*")
    assert read().source == "none"


def test_the_kernels_flag_names_nobody(program: Program) -> None:
    """Any program may have set it: that it was systemd's is more than was read."""
    program("timedatectl", "Failed to query server\n", code=1, only_for="timesync-status")
    program("timedatectl", "yes\n", only_for="show*")
    assert read() == ClockReading(source="unnamed")


def test_no_capture_waits_long_for_a_program_that_hangs(program: Program) -> None:
    program("chronyc", sleep=30)
    program("timedatectl", sleep=30)
    before = time.monotonic()
    assert read().source == "none"
    assert time.monotonic() - before < 4


@contextmanager
def sntp(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """A server on loopback; gives its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as serving:
        serving.bind(("127.0.0.1", 0))

        def serve() -> None:
            query, whence = serving.recvfrom(1024)
            if (data := answer(query)) is not None:
                serving.sendto(data, whence)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{serving.getsockname()[1]}"


def reply(query: bytes, *, ahead_s: float = 0.0, first: int = 0x24, stratum: int = 2, echo: bool = True) -> bytes:
    at = int((AT.timestamp() + ahead_s + NTP_EPOCH) * 2**32) & (2**64 - 1)
    origin = query[40:48] if echo else b"\0" * 8
    return struct.pack("!BBbbII4s", first, stratum, 0, -20, 0x800, 0x400, b"GPS\0") + struct.pack(
        "!Q8sQQ", at, origin, at, at
    )


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("ahead_s", [0.0, 3.5, -86_400.0, 20 * 365 * 86_400.0])
def test_a_server_that_the_user_named_is_asked(ahead_s: float) -> None:
    """Also one that is beyond the first era of NTP, which ends in 2036."""
    with sntp(lambda query: reply(query, ahead_s=ahead_s)) as server:
        found = read({SNTP_SERVER: server})
    assert found == ClockReading(source="sntp", offset_ms=round(-ahead_s * 1000), uncertainty_ms=31, server=server)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: b"short",
        lambda query: reply(query, first=0xE4),  # it says that it is not synchronised
        lambda query: reply(query, first=0x23),  # a client's packet
        lambda query: reply(query, stratum=0),  # a kiss of death
        lambda query: reply(query, stratum=16),
        lambda query: reply(query, echo=False),  # an answer to another question
    ],
)
def test_an_answer_that_says_nothing_is_none(answer: Callable[[bytes], bytes | None]) -> None:
    with sntp(answer) as server:
        assert read({SNTP_SERVER: server}) == ClockReading(source="none", server=server)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("server", ["no such host.invalid", "127.0.0.1:port", "[::1", "127.0.0.1:9"])
def test_a_server_that_is_not_there_is_none(server: str) -> None:
    assert read({SNTP_SERVER: server}) == ClockReading(source="none", server=server)


@pytest.mark.usefixtures("program")
def test_no_network_is_asked_unless_the_user_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: asked.append(given))
    read()
    assert asked == []
