"""The browser profiles that can be validated on this machine, and why others cannot."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.errors import SetupMissing
from crawlers.launching import find_browser
from crawlers.profile import Build, Device

ROOT = Path(__file__).parents[2]
_SCREEN_S = 10
_KEPT = ("COUNTERPROOF_SHELL", "DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A profile, as the command takes it."""

    name: str
    device: Device
    build: Build

    @property
    def density(self) -> float:
        """Pixels of a picture to one CSS pixel, as the device has it."""
        return 2.625 if self.device is Device.PHONE else 1.0

    @property
    def window_height(self) -> int:
        """CSS pixels of the first picture that are compared: less than the lowest window shows."""
        return 600

    @property
    def options(self) -> tuple[str, ...]:
        return ("--device", self.device.value, "--browser", self.build.value)


SETTINGS = (
    Setting(name="desktop", device=Device.DESKTOP, build=Build.CHROMIUM),
    Setting(name="phone", device=Device.PHONE, build=Build.CHROMIUM),
    Setting(name="shell", device=Device.DESKTOP, build=Build.SHELL),
    Setting(name="headed", device=Device.DESKTOP, build=Build.HEADED),
)


def lacking(setting: Setting, environment: Mapping[str, str]) -> str | None:
    """Why it cannot be tried here; None where it can."""
    try:
        find_browser(environment, checkout=ROOT, build=setting.build)
    except SetupMissing as error:
        return str(error)
    if setting.build is Build.HEADED and not _has_screen(environment) and shutil.which("Xvfb") is None:
        return "there is no screen and no Xvfb (apt-get install xvfb)"
    return None


def _has_screen(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def screen(setting: Setting) -> Iterator[dict[str, str]]:
    """Variables that the command needs beside its own: which shell, and a screen of our making for a window."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if setting.build is not Build.HEADED or _has_screen(os.environ):
        yield kept
        return
    reading, writing = os.pipe()
    with subprocess.Popen(
        ("Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"),
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as numbers:
                number = numbers.readline().strip()
            yield {**kept, "DISPLAY": f":{number}"}
        finally:
            server.terminate()
            server.wait(_SCREEN_S)
