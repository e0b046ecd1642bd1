"""Whether this machine can look: browser, sandbox, isolation of the keys, fonts."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from archive.errors import SetupMissing
from archive.health import Finding
from crawlers import browser
from crawlers.launching import find_browser, isolate
from crawlers.program import CHECKOUT

SCRIPTS: Mapping[str, str] = {
    "Latin": "en",
    "Chinese": "zh-cn",
    "Japanese": "ja",
    "Korean": "ko",
    "Arabic": "ar",
    "emoji": "und-zsye",
}
FONTS = "apt-get install fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"


def diagnose(environment: Mapping[str, str]) -> list[Finding]:
    """Blocking; starts and ends a browser."""
    findings = []
    try:
        executable = find_browser(environment, checkout=CHECKOUT)
        browser.check_driver()
    except SetupMissing as error:
        findings.append(Finding(name="browser", state="missing", detail=str(error)))
    else:
        findings += _started(executable)
    isolation = isolate()
    state = "ok" if isolation.kind != "none" else "warning"
    findings.append(Finding(name="key isolation", state=state, detail=f"{isolation.kind}: {isolation.reason}"))
    findings.append(_fonts())
    return findings


def _started(executable: Path) -> list[Finding]:
    sandbox = os.geteuid() != 0
    version, trouble = asyncio.run(browser.start_and_stop(executable, sandbox=sandbox))
    if version is None:
        return [Finding(name="browser", state="missing", detail=f"{executable} does not start: {trouble}")]
    running = Finding(name="browser", state="ok", detail=f"Chromium {version} ({executable})")
    if sandbox:
        return [running, Finding(name="sandbox", state="ok", detail="Chromium's sandbox is on")]
    advice = "you are root, and Chromium refuses its sandbox to root: run as an ordinary user"
    return [running, Finding(name="sandbox", state="warning", detail=advice)]


def _fonts() -> Finding:
    if shutil.which("fc-list") is None:
        return Finding(name="fonts", state="warning", detail="fc-list is not installed (fontconfig): cannot tell")
    lacking = [
        script
        for script, language in SCRIPTS.items()
        if not subprocess.run(
            ("fc-list", f":lang={language}", "family"), capture_output=True, timeout=30, check=False
        ).stdout.strip()
    ]
    if lacking:
        return Finding(name="fonts", state="warning", detail=f"no font for {', '.join(lacking)}: {FONTS}")
    return Finding(name="fonts", state="ok", detail=f"{', '.join(SCRIPTS)}")
