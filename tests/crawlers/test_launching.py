"""The browser is found, told little, shut in, and never left behind."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive.errors import SetupMissing
from crawlers.launching import Launch, find_browser, isolate, plan

ROOT = Path(__file__).parents[2]
NOBODY = 65_534
IS_ROOT = os.geteuid() == 0


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


# Finding it


def test_the_browser_is_looked_for_in_order(tmp_path: Path) -> None:
    on_path = executable(tmp_path / "bin" / "chromium")
    environment = {"PATH": str(on_path.parent), "HOME": str(tmp_path)}
    assert find_browser(environment, checkout=tmp_path) == on_path
    old = executable(tmp_path / ".cache/ms-playwright/chromium-999/chrome-linux/chrome")
    assert find_browser(environment, checkout=tmp_path) == old
    new = executable(tmp_path / ".cache/ms-playwright/chromium-1200/chrome-linux64/chrome")
    assert find_browser(environment, checkout=tmp_path) == new, "1200 is newer than 999"
    elsewhere = executable(tmp_path / "builds/chromium-7/chrome-linux/chrome")
    assert find_browser({**environment, "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "builds")}, checkout=tmp_path) == (
        elsewhere
    )
    chosen = executable(tmp_path / "chosen")
    (tmp_path / ".state").mkdir()
    (tmp_path / ".state" / "browser").write_text(f"{chosen}\n")
    assert find_browser(environment, checkout=tmp_path) == chosen
    named = executable(tmp_path / "named")
    assert find_browser({**environment, "COUNTERPROOF_BROWSER": str(named)}, checkout=tmp_path) == named


def test_what_was_chosen_and_is_gone_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".state").mkdir()
    (tmp_path / ".state" / "browser").write_text("/nonexistent/chromium\n")
    on_path = executable(tmp_path / "bin" / "google-chrome")
    assert find_browser({"PATH": str(on_path.parent), "HOME": str(tmp_path)}, checkout=tmp_path) == on_path


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable"])
def test_a_named_browser_that_is_none_is_said(tmp_path: Path, kind: str) -> None:
    named = tmp_path / "named"
    if kind == "folder":
        named.mkdir()
    elif kind == "not executable":
        named.touch(mode=0o644)
    with pytest.raises(SetupMissing, match=r"COUNTERPROOF_BROWSER names .*named, which is not an executable file"):
        find_browser({"COUNTERPROOF_BROWSER": str(named)}, checkout=tmp_path)


def test_no_browser_at_all_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SetupMissing, match="apt-get install chromium"):
        find_browser({"PATH": str(tmp_path), "HOME": str(tmp_path)}, checkout=tmp_path)


# Shutting it in: a shell takes the browser's place, for it can be asked


def planned(tmp_path: Path, program: str, *, env: Mapping[str, str] | None = None, **more: Any) -> Launch:
    for name in ("keys", "cache", "store"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "keys" / "log.key").write_bytes(b"secret")
    (tmp_path / "store" / "credentials").write_bytes(b"secret")
    return plan(
        executable(tmp_path / "program", f"#!/bin/sh\n{program}\n"),
        keys=tmp_path / "keys",
        cache=tmp_path / "cache",
        env=os.environ if env is None else env,
        egress_url="http://127.0.0.1:9",
        trust_spki=(),
        **more,
    )


def run(launch: Launch, *arguments: str) -> str:
    environment = launch.options["env"]
    command = [launch.options["executable_path"], *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30).stdout


isolated = pytest.mark.skipif(isolate().kind == "none", reason=f"no namespaces here: {isolate().reason}")


@isolated
def test_the_keys_are_not_there_for_whom_we_start(tmp_path: Path) -> None:
    launch = planned(tmp_path, f'ls -A {tmp_path}/keys; echo "end of $1"')
    assert run(launch, "it's a 'quoted' $word") == "end of it's a 'quoted' $word\n"
    assert (tmp_path / "keys" / "log.key").read_bytes() == b"secret", "and are there for us"


@isolated
def test_more_folders_can_be_hidden(tmp_path: Path) -> None:
    assert "credentials" in run(planned(tmp_path, f"ls -A {tmp_path}/store"))
    hidden = planned(tmp_path, f"ls -A {tmp_path}/store", hide=[tmp_path / "store", tmp_path / "missing"])
    assert run(hidden) == ""


@isolated
def test_a_folder_with_an_odd_name_is_hidden_too(tmp_path: Path) -> None:
    odd = tmp_path / "it's $HOME; `x`"
    odd.mkdir()
    assert run(planned(odd, 'ls -A "$1"'), str(odd / "keys")) == ""


@isolated
def test_what_hides_the_keys_cannot_be_taken_away(tmp_path: Path) -> None:
    again = f"""
      umount {tmp_path}/keys && echo unmounted
      unshare --user --map-root-user --mount sh -c 'umount {tmp_path}/keys && echo unmounted'
      nsenter --target 1 --mount ls -A {tmp_path}/keys
      cat {tmp_path}/keys/log.key
      grep -E 'NoNewPrivs' /proc/self/status
    """
    planned(tmp_path, "true")
    keys = tmp_path / "keys"
    careless = f"mount -t tmpfs none {keys} && umount {keys} && cat {keys}/log.key"
    command = [*isolate().command, "--", "/bin/sh", "-c", careless]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"secret", (
        "with its capabilities it could"
    )
    assert run(planned(tmp_path, again)).split() == ["NoNewPrivs:", "1"]


@isolated
def test_it_sees_no_process_but_its_own(tmp_path: Path) -> None:
    seen = run(planned(tmp_path, "ls /proc | grep -E '^[0-9]+$'")).split()
    assert str(os.getpid()) not in seen
    assert len(seen) < 10


@isolated
def test_nothing_stays_mounted_behind(tmp_path: Path) -> None:
    run(planned(tmp_path, "true"))
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_two_commands_share_one_wrapper(tmp_path: Path) -> None:
    first, second = planned(tmp_path, "true"), planned(tmp_path, "true")
    assert first.options["executable_path"] == second.options["executable_path"]


@pytest.mark.parametrize("missing", ["unshare", "setpriv", "mount"])
def test_without_the_tools_it_says_that_there_is_no_isolation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    tools = tmp_path / "bin"
    for name in {"unshare", "setpriv", "mount", "sh", "test"} - {missing}:
        executable(tools / name)
    monkeypatch.setenv("PATH", str(tools))
    found = isolate()
    assert found.kind == "none"
    assert found.reason == "util-linux's unshare, setpriv and mount are not all installed"
    launch = planned(tmp_path, "true")
    assert launch.isolation.kind == "none"
    assert launch.options["executable_path"] == str(tmp_path / "program"), "started as it is"


def test_a_system_that_refuses_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = executable(tmp_path / "bin/unshare", "#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{refusing.parent}:{os.environ['PATH']}")
    found = isolate()
    assert found.kind == "none"
    assert found.reason == "this system does not allow it: unshare: Operation not permitted"


def test_it_gets_a_short_list_of_variables_and_a_home_of_its_own(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": "/home/somebody",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SHARED_CREDENTIALS_FILE": "/home/somebody/.aws/credentials",
        "COUNTERPROOF_HOME": "/home/somebody/evidence",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
        "XDG_RUNTIME_DIR": "/run/user/1000",
        "SSH_AUTH_SOCK": "/run/agent",
        "https_proxy": "http://elsewhere.example:3128",
        "LD_PRELOAD": "/opt/evil.so",
    }
    launch = planned(tmp_path, "env", env=environment)
    assert launch.options["env"] == {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(tmp_path / "cache" / "browser-home"),
    }
    told = {line.partition("=")[0] for line in run(launch).splitlines()}
    assert told <= {"PATH", "LANG", "HOME", "PWD", "SHLVL", "_", "OLDPWD"}


def test_it_goes_through_the_egress_and_is_told_of_trusted_keys(tmp_path: Path) -> None:
    launch = planned(tmp_path, "true")
    assert launch.options["proxy"] == {"server": "http://127.0.0.1:9"}
    assert "--proxy-bypass-list=<-loopback>" in launch.flags
    assert "--disable-quic" in launch.flags
    assert not any("spki" in flag or "certificate" in flag for flag in launch.flags)
    assert launch.sandbox is not IS_ROOT


# The browser itself


@dataclass(frozen=True, slots=True)
class Running:
    process: subprocess.Popen[str]
    told: Mapping[str, Any]
    folder: Path
    mark: str

    def processes(self) -> list[int]:
        """Every process of this browser; not ours, and not the driver's."""
        parents = {pid: parent(pid) for pid in pids()}
        found, grown = {self.process.pid}, True
        while grown:
            more = {pid for pid, above in parents.items() if above in found} - found
            grown = bool(more)
            found |= more
        return [
            pid for pid in found if self.mark.encode() in proc(pid, "cmdline") or b"--type=" in proc(pid, "cmdline")
        ]

    def of_type(self, kind: str) -> list[int]:
        return [pid for pid in self.processes() if f"--type={kind}".encode() in proc(pid, "cmdline")]


def pids() -> list[int]:
    return [
        int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal() and int(each.name) != os.getpid()
    ]


def proc(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):  # it ended just now, or keeps this from us
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def parent(pid: int) -> int:
    said = proc(pid, "status").partition(b"\nPPid:\t")[2].split()
    return int(said[0]) if said else 0


def interpreter(prefix: list[str]) -> str | None:
    """A Python of this version that whoever is named by the prefix may run."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for each in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        with contextlib.suppress(OSError):
            if subprocess.run([*prefix, each, "-c", ""], capture_output=True, check=False).returncode == 0:
                return each
    return None


@contextlib.contextmanager
def running(*, ordinary: bool) -> Iterator[Running]:
    """``ordinary``: as an ordinary user, whoever we are."""
    folder = Path(tempfile.mkdtemp(prefix="launched-"))
    prefix: list[str] = []
    if ordinary and IS_ROOT:
        os.chown(folder, NOBODY, NOBODY)
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    python = interpreter(prefix)
    if python is None:
        pytest.skip("no Python here that an ordinary user may run")
    mark = f"mark{secrets.token_hex(8)}"
    packages = next(each for each in sys.path if each.endswith("site-packages"))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{packages}",
        "HOME": str(folder),
        "AWS_SECRET_ACCESS_KEY": mark,
        "COUNTERPROOF_MARK": mark,
    }
    process = subprocess.Popen(
        [*prefix, python, "-m", "tests.crawlers.launched", str(folder), mark],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield Running(process, told, folder, mark)
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        try:
            process.wait(20)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.browser
def test_as_an_ordinary_user_the_sandbox_is_on() -> None:
    with running(ordinary=True) as browser:
        assert browser.told["uid"] != 0
        assert browser.told["sandbox"] is True
        renderers = browser.of_type("renderer")
        assert renderers
        for pid in renderers:
            status = dict(line.split(":\t", 1) for line in proc(pid, "status").decode().splitlines() if ":\t" in line)
            assert status["Seccomp"] == "2", "filtered"
            assert int(status["CapEff"], 16) == 0
            assert len(status["NSpid"].split()) >= 2


@pytest.mark.browser
@pytest.mark.parametrize("ordinary", [True, False] if IS_ROOT else [True])
def test_the_browser_does_not_see_the_keys(*, ordinary: bool) -> None:
    with running(ordinary=ordinary) as browser:
        assert browser.told["isolation"] == "namespace", browser.told["reason"]
        assert browser.told["sandbox"] is ordinary
        assert ("as root" in browser.told["reason"]) is not ordinary
        assert browser.of_type("renderer")
        assert sees_no_keys(browser)


def sees_no_keys(browser: Running) -> bool:
    """From within each process that lets us look: the folder is empty there, or its whole root is."""
    assert (browser.folder / "keys" / "log.key").exists()
    looked = 0
    for pid in browser.processes():
        root = Path(f"/proc/{pid}/root")
        if b"--type=" not in proc(pid, "cmdline") and b"--headless" not in proc(pid, "cmdline"):
            continue  # the wrapper's own unshare stands outside, and runs nothing of a page's
        if b"unshare" in proc(pid, "cmdline").split(b"\0")[0]:
            continue
        with contextlib.suppress(PermissionError, ProcessLookupError, FileNotFoundError):
            inside = root / str(browser.folder / "keys").lstrip("/")
            assert not inside.exists() or list(inside.iterdir()) == []
            looked += 1
    return looked > 0


@pytest.mark.browser
def test_no_process_of_the_browser_knows_our_credentials() -> None:
    with running(ordinary=not IS_ROOT) as browser:
        assert browser.mark.encode() in proc(browser.process.pid, "environ"), "we have them"
        theirs = [pid for pid in browser.processes() if pid != browser.process.pid]
        # Chromium's children write their names over it, and a sandboxed one keeps it from everybody.
        known = [each for each in (proc(pid, "environ") for pid in theirs) if b"HOME=" in each]
        assert len(known) >= 2
        for each in known:
            names = {variable.partition(b"=")[0] for variable in each.split(b"\0")}
            assert not [name for name in names if name.startswith((b"AWS_", b"COUNTERPROOF_"))]
            assert browser.mark.encode() not in each


@pytest.mark.browser
@pytest.mark.parametrize("which", ["us", "the driver too"])
def test_no_browser_outlives_us(which: str) -> None:
    with running(ordinary=not IS_ROOT) as browser:
        before = browser.processes()
        assert browser.of_type("renderer")
        driver = [pid for pid in children(browser.process.pid) if b"node" in proc(pid, "cmdline")]
        assert driver
        os.kill(browser.process.pid, signal.SIGKILL)
        if which == "the driver too":
            for pid in driver:
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until and (left := [pid for pid in before if alive(pid)]):
            time.sleep(0.1)
        assert left == [], [proc(pid, "cmdline")[:200] for pid in left]


def children(above: int) -> list[int]:
    return [pid for pid in pids() if parent(pid) == above]


def alive(pid: int) -> bool:
    status = proc(pid, "status")
    return bool(status) and b"State:\tZ" not in status


@pytest.mark.browser
def test_no_window_loads_pages_for_its_address_bar() -> None:
    with running(ordinary=False) as browser:
        time.sleep(1.0)  # they would come once the window stands
        own = [pid for pid in browser.of_type("renderer") if b"--top-chrome" in proc(pid, "cmdline")]
        assert browser.of_type("renderer")
        assert own == []


@pytest.mark.browser
def test_whatever_playwright_turns_off_stays_off() -> None:
    """Chromium heeds its last such flag: a Playwright that turns off more than it did has to be followed."""
    with running(ordinary=False) as browser:
        lines = [proc(pid, "cmdline").split(b"\0") for pid in browser.processes()]
    begin = b"--disable-features="
    given = next(
        [each.removeprefix(begin).decode().split(",") for each in line if each.startswith(begin)]
        for line in lines
        if b"--remote-debugging-pipe" in line and not any(each.startswith(b"--type=") for each in line)
    )
    assert len(given) == 2, "Playwright's, then ours"
    assert set(given[0]) <= set(given[1])
