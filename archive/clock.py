"""Who disciplines this machine's clock, as far as it says so itself. Trusted time never rests on it."""

import shutil
import subprocess
from dataclasses import dataclass

from custody.model import Json

_SECONDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockReading:
    """What was found out."""

    source: str
    """``chrony``, ``systemd-timesyncd`` or ``none``."""
    offset_ms: int | None
    """Ours against the source's; None where it does not say."""
    uncertainty_ms: int | None

    def to_json(self) -> dict[str, Json]:
        return {"source": self.source, "offset_ms": self.offset_ms, "uncertainty_ms": self.uncertainty_ms}


def read_clock() -> ClockReading:
    """Asks the programs that are installed; never the network."""
    chrony = _said("chronyc", "-c", "tracking").split(",")
    # chronyc(1), tracking: 5th field is the system time's offset in seconds, 11th and 12th root delay and dispersion.
    if len(chrony) >= 13 and chrony[-1].strip() == "Normal":
        try:
            offset = round(float(chrony[4]) * 1000)
            uncertainty = round((float(chrony[10]) / 2 + float(chrony[11])) * 1000)
        except ValueError:
            return ClockReading(source="chrony", offset_ms=None, uncertainty_ms=None)
        return ClockReading(source="chrony", offset_ms=offset, uncertainty_ms=uncertainty)
    if _said("timedatectl", "show", "-p", "NTPSynchronized", "--value").strip() == "yes":
        return ClockReading(source="systemd-timesyncd", offset_ms=None, uncertainty_ms=None)
    return ClockReading(source="none", offset_ms=None, uncertainty_ms=None)


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""  # a program that does not answer disciplines nothing that we could tell of
    return ran.stdout if ran.returncode == 0 else ""
