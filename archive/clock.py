"""Who disciplines this machine's clock, as far as it says so itself. Trusted time never rests on it.

What is said here is what a program said that was asked just now, and no more: a clock that nobody speaks for is
``none``, which is no fault but a fact. No network is asked, but for one SNTP server where the user has named it.
"""

import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from custody.model import Json

SNTP_SERVER = "COUNTERPROOF_SNTP_SERVER"
WITHIN_S = 2.0
"""For all of it: no capture waits longer to know how good its clock is."""

_NTP_PORT = 123
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970 (RFC 5905 §6)
_NTP_ERA = 1 << 32
_PACKET = struct.Struct("!BBbbII4sQQQQ")  # RFC 5905 §7.3, without extension fields
_CLIENT = 0x23  # no warning, version 4, mode 3
_SERVER_MODE = 4
_UNSYNCHRONISED = 3
_MAX_STRATUM = 15

# timedatectl(1), timesync-status: "Offset: -1.234ms"; units as systemd prints spans of time
_OFFSET = re.compile(r"^\s*Offset:\s*([+-]?)(.+)$", re.MULTILINE)
_SPAN = re.compile(r"([0-9.]+)\s*(us|ms|min|s|h)")
_UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockReading:
    """What was found out."""

    source: str
    """``chrony``, ``systemd-timesyncd``, ``sntp`` (asked once, just now), ``unnamed`` (the system says that something
    keeps its clock, and not what) or ``none``."""
    offset_ms: int | None = None
    """Ours against the source's; None where it does not say."""
    uncertainty_ms: int | None = None
    server: str | None = None
    """The SNTP server that the user had named: asked where no program spoke for the clock."""

    def to_json(self) -> dict[str, Json]:
        return {
            "source": self.source,
            "offset_ms": self.offset_ms,
            "uncertainty_ms": self.uncertainty_ms,
            "server": self.server,
        }


def read_clock(environment: Mapping[str, str], *, clock: Callable[[], datetime]) -> ClockReading:
    """Asks the programs that are installed; the network only where ``COUNTERPROOF_SNTP_SERVER`` names a server."""
    deadline = time.monotonic() + WITHIN_S
    server = environment.get(SNTP_SERVER, "").strip() or None
    return (
        _chrony(_said(deadline, "chronyc", "-c", "tracking"), server)
        or _timesyncd(_said(deadline, "timedatectl", "timesync-status"), server)
        or (_sntp(server, deadline, lambda: clock().timestamp()) if server else None)
        or _unnamed(_said(deadline, "timedatectl", "show", "-p", "NTPSynchronized", "--value"), server)
        or ClockReading(source="none", server=server)
    )


def _chrony(said: str, server: str | None) -> ClockReading | None:
    """chronyc(1), tracking: the 5th field is the system time's offset in seconds, the 11th and 12th are root delay and
    dispersion, the last is the leap status, which says ``Not synchronised`` when there is nothing to go by.
    """
    fields = said.strip().split(",")
    if len(fields) < 13 or fields[-1] not in {"Normal", "Insert second", "Delete second"}:
        return None
    try:
        offset = round(float(fields[4]) * 1000)
        uncertainty = round((float(fields[10]) / 2 + float(fields[11])) * 1000)
    except ValueError:
        return ClockReading(source="chrony", server=server)
    return ClockReading(source="chrony", offset_ms=offset, uncertainty_ms=uncertainty, server=server)


def _timesyncd(said: str, server: str | None) -> ClockReading | None:
    """Its status names a server from the start, and an offset only once it has had an answer: the server's time less
    ours, as RFC 5905 §8 has it; said here is ours against the server's.
    """
    found = _OFFSET.search(said)
    if found is None:
        return None
    spans = _SPAN.findall(found[2])
    if not spans:
        return None
    offset = sum(float(number) * _UNIT_MS[unit] for number, unit in spans)
    return ClockReading(
        source="systemd-timesyncd", offset_ms=round(offset if found[1] == "-" else -offset), server=server
    )


def _unnamed(said: str, server: str | None) -> ClockReading | None:
    """The kernel's flag: any program may have set it, so none is named."""
    return ClockReading(source="unnamed", server=server) if said.strip() == "yes" else None


def _sntp(server: str, deadline: float, now: Callable[[], float]) -> ClockReading | None:
    """One question, one answer (RFC 5905 §14). None: it did not answer, or says itself that it does not know."""
    host, _, port = server.rpartition(":") if server.count(":") == 1 else (server.strip("[]"), "", "")
    try:
        where = socket.getaddrinfo(host, int(port or _NTP_PORT), type=socket.SOCK_DGRAM)[0]
        with socket.socket(where[0], where[1], where[2]) as asking:
            asking.settimeout(max(0.1, deadline - time.monotonic()))
            asking.connect(where[4])
            sent = now()
            asking.send(_PACKET.pack(_CLIENT, 0, 0, 0, 0, 0, b"", 0, 0, 0, _stamp(sent)))
            answer = asking.recv(1024)
            got = now()
        fields = _PACKET.unpack(answer[: _PACKET.size])
    except (OSError, ValueError, struct.error):
        return None
    first, stratum, delay, dispersion, origin = fields[0], fields[1], fields[4], fields[5], fields[8]
    known = first & 7 == _SERVER_MODE and first >> 6 != _UNSYNCHRONISED and 1 <= stratum <= _MAX_STRATUM
    if not known or origin != _stamp(sent):
        return None
    received, answered = (_unix(each, near=got) for each in fields[9:11])
    there_and_back = max(0.0, (got - sent) - (answered - received))
    # RFC 5905 §8 has the server's time less ours; said here is ours against the server's.
    offset = -((received - sent) + (answered - got)) / 2
    uncertainty = there_and_back / 2 + (delay / 2 + dispersion) / 65536
    return ClockReading(
        source="sntp", offset_ms=round(offset * 1000), uncertainty_ms=round(uncertainty * 1000), server=server
    )


def _stamp(seconds: float) -> int:
    return int((seconds + _NTP_EPOCH) * _NTP_ERA) & ((1 << 64) - 1)


def _unix(stamp: int, *, near: float) -> float:
    """Of the era that is nearest to ``near``: the first ends in 2036."""
    seconds = stamp / _NTP_ERA - _NTP_EPOCH
    return seconds + round((near - seconds) / _NTP_ERA) * _NTP_ERA


def _said(deadline: float, *command: str) -> str:
    left = deadline - time.monotonic()
    if left <= 0 or shutil.which(command[0]) is None:
        return ""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""  # a program that does not answer disciplines nothing that we could tell of
    return ran.stdout if ran.returncode == 0 else ""
