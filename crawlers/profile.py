"""Profiles: as whom we look. Which build of the browser, what screen, what language, what time zone; never a disguise.

The user agent is always the browser's own. A phone's screen is a phone's: its size, its density, touch, and a layout
that heeds the page's viewport. A site that goes by the user agent alone shows its desktop page on it, and the record
says what was claimed.
"""

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from archive.errors import UsageError
from custody.model import Json

LOCALE = "en-US"
TIMEZONE = "UTC"

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")  # RFC 5646 section 2.1, without what no browser takes


class Device(StrEnum):
    DESKTOP = "desktop"
    PHONE = "phone"


class Build(StrEnum):
    CHROMIUM = "chromium"
    """The whole browser without a window: nearest to what a consumer uses."""
    SHELL = "shell"
    """The lean headless shell, for looking again and again: no extensions, no PDF viewer, less memory."""
    HEADED = "headed"
    """The whole browser in a window; wants a screen."""


_SCREENS: Mapping[Device, Mapping[str, Any]] = {
    Device.DESKTOP: {
        "viewport": {"width": 1366, "height": 900},
        "device_scale_factor": 1,
        "is_mobile": False,
        "has_touch": False,
    },
    # CSS pixels and density of the commonest class of phones.
    Device.PHONE: {
        "viewport": {"width": 412, "height": 915},
        "device_scale_factor": 2.625,
        "is_mobile": True,
        "has_touch": True,
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """The same for every visit of a run."""

    device: Device = Device.DESKTOP
    build: Build = Build.CHROMIUM
    locale: str = LOCALE
    """RFC 5646 language tag: what the browser asks pages for, and how it writes numbers and dates."""
    timezone: str = TIMEZONE
    """A name of the IANA time zone database."""

    @classmethod
    def of(cls, *, device: str, build: str, locale: str, timezone: str) -> Self:
        """From what a person typed. Raises ``UsageError`` with what would do."""
        if device not in set(Device):
            raise UsageError(f"--device is {', '.join(Device)}, got {device[:40]!r}")
        if build not in set(Build):
            raise UsageError(f"--browser is {', '.join(Build)}, got {build[:40]!r}")
        if not _LOCALE.fullmatch(locale):
            raise UsageError(f"--locale is a language tag such as en-GB, de or zh-Hant-TW, got {locale[:40]!r}")
        known = zoneinfo.available_timezones()
        if known and timezone not in known:  # none where the system has no time zone database: the browser has its own
            raise UsageError(f"--timezone is a name such as Europe/Paris or America/New_York, got {timezone[:40]!r}")
        return cls(device=Device(device), build=Build(build), locale=locale, timezone=timezone)

    @property
    def density(self) -> float:
        """Pixels of the screen to one of the page, along a side."""
        return float(_SCREENS[self.device]["device_scale_factor"])

    @property
    def screen(self) -> dict[str, Any] | None:
        """For DevTools (``Emulation.setDeviceMetricsOverride``): None for the screen that the browser has by itself."""
        of = _SCREENS[self.device]
        if not of["is_mobile"]:
            return None
        width, height = of["viewport"]["width"], of["viewport"]["height"]
        return {
            "width": width,
            "height": height,
            "screenWidth": width,
            "screenHeight": height,
            "deviceScaleFactor": of["device_scale_factor"],
            "mobile": True,
        }

    def context(self) -> dict[str, Any]:
        """As Playwright's ``new_context`` takes it."""
        return {**_SCREENS[self.device], "locale": self.locale, "timezone_id": self.timezone}

    def to_json(self) -> dict[str, Json]:
        return {
            "device": str(self.device),
            "browser": str(self.build),
            "locale": self.locale,
            "timezone": self.timezone,
            "user_agent": "own",
        }
