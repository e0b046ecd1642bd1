"""What every test runs under: no way out of CI, no needed test skipped there, nobody's own home or keys touched."""

import fcntl
import os
import socket
import struct
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI") == "true"
PAGES = "COUNTERPROOF_PAGES"
NEEDED = frozenset({"browser", "go", "hsm", "replay", "s3"})

_SIOCGIFFLAGS = 0x8913  # netdevice(7)
_IFF_UP = 0x1
_KEPT = frozenset({PAGES, "COUNTERPROOF_BROWSER"})

# A busy machine is no failure, so no deadline. CI draws the same examples every time: what it refuses can be run again.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if IN_CI else "here")


def interfaces_up() -> list[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        names = [name for _, name in socket.if_nameindex()]
        # struct ifreq: the name in 16 bytes, then the flags in the next two, in 40 bytes in all
        answers = {n: fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16s24x", n.encode())) for n in names}
    return sorted(n for n, answer in answers.items() if struct.unpack_from("H", answer, 16)[0] & _IFF_UP)


def pytest_configure(config: pytest.Config) -> None:
    """Whatever the person running the tests has set up for himself is not what is tested, and is not written to."""
    for name in list(os.environ):
        if (name.startswith("COUNTERPROOF_") and name not in _KEPT) or name.startswith(
            ("AWS_ACCESS", "AWS_S", "AWS_P")
        ):
            del os.environ[name]
    away = tempfile.TemporaryDirectory(prefix="cp-tests-")
    config.add_cleanup(away.cleanup)
    os.environ["XDG_DATA_HOME"] = away.name
    beside = config.rootpath.parent / "shared" / "pages"
    if PAGES not in os.environ and beside.is_dir():
        os.environ[PAGES] = str(beside)


def pytest_sessionstart() -> None:
    up = interfaces_up()
    if IN_CI and up != ["lo"]:
        pytest.exit(f"the outside network is not cut: {', '.join(up) or 'nothing'} is up, only lo may be", returncode=1)


def pytest_report_header() -> list[str]:
    pages = os.environ.get(PAGES)
    who = "root, so Chromium runs without its sandbox" if os.geteuid() == 0 else "an ordinary one, Chromium sandboxed"
    return [
        f"network: {', '.join(interfaces_up()) or 'none'} up",
        f"user: {who}",
        f"saved real pages: {pages or f'none ({PAGES} is not set): their tests are skipped'}",
    ]


def refuse_skip(report: pytest.TestReport | pytest.CollectReport, *, needed: bool) -> None:
    """Make a skip of a test that CI has all it needs for a failure. Real pages cannot be shipped: those may lack."""
    if report.outcome != "skipped" or not needed or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    pages = os.environ.get(PAGES)
    if PAGES in reason and not (pages and Path(pages).is_dir()):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, and CI must not skip it: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report, needed=IN_CI and any(True for name in NEEDED for _ in item.iter_markers(name)))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself whole hides which tests it holds: in CI it may not."""
    report = yield
    refuse_skip(report, needed=IN_CI)
    return report
