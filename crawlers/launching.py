"""Which browser is started, how it is shut in, and what it is told: found, described, recorded; never disguised."""

import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.errors import SetupMissing
from crawlers.profile import Build


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """Where a kind of browser is looked for, and what is said where there is none."""

    variable: str
    names: tuple[str, ...]
    playwright: str
    missing: str


_WHOLE = _Kind(
    variable="COUNTERPROOF_BROWSER",
    names=("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"),
    playwright="chromium-*/chrome-linux*/chrome",
    missing="No Chromium was found. Install one (Debian, Ubuntu: apt-get install chromium) or run `make setup`, "
    "or name it in COUNTERPROOF_BROWSER.",
)
_SHELL = _Kind(
    variable="COUNTERPROOF_SHELL",
    names=("chromium-headless-shell", "chrome-headless-shell"),
    playwright="chromium_headless_shell-*/chrome-*/*headless[-_]shell",
    missing="No headless shell was found. Install one (Debian: apt-get install chromium-headless-shell; elsewhere: "
    ".venv/bin/playwright install --only-shell chromium), name it in COUNTERPROOF_SHELL, or use --browser chromium.",
)
_SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
_KEPT_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "FONTCONFIG_PATH",
    "FONTCONFIG_FILE",
    "TMPDIR",
    "LD_LIBRARY_PATH",
)
"""The browser gets these and no other: the store's credentials have no business where strangers' code runs."""

_OF_PLAYWRIGHT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
"""What Playwright turns off. Chromium heeds its last such flag alone, so ours has to say this again."""
_WINDOW = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
"""What drops down from the address bar: each window would load two pages of the browser's own for it, in a process of
their own, which is as much work as a page of a site. No site sees whether they are there."""
_QUESTIONS = ("AutofillServerCommunication",)
"""What Chromium would ask its maker about a page: what the fields of its forms mean."""
_FLAGS = (
    f"--disable-features={','.join((*_OF_PLAYWRIGHT, *_WINDOW, *_QUESTIONS))}",
    "--proxy-bypass-list=<-loopback>",  # loopback goes through the egress like everything else
    "--disable-quic",  # UDP would go past the egress
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--no-first-run",
)

_KEPT_ON = ("--disable-ipc-flooding-protection",)
"""Playwright would start the browser with these. Without them a page changes its address at most 200 times in 10 s, as
everywhere; with them a page that does so without end keeps the browser's one main thread to itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Isolation:
    """Whether the browser sees the signing keys at all."""

    kind: str
    """``namespace``: own mount and PID namespaces without the key folder. ``none``: see ``reason``."""
    reason: str
    command: tuple[str, ...] = ()
    """What makes the namespaces; what is hidden in them, and the browser, come after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """Everything Playwright needs to start the browser, and what the record says of it."""

    executable: Path
    options: Mapping[str, Any]
    sandbox: bool
    isolation: Isolation
    flags: tuple[str, ...]
    headless: bool = True
    hidden: tuple[Path, ...] = ()
    """Folders that the browser, and whatever else reads strangers' data, does not see."""

    def without_sight(self, executable: Path, *, cache: Path) -> Path:
        """Another program, started so that it does not see them either; itself where this system hides nothing."""
        if not self.isolation.command:
            return executable
        return _wrapper(executable, self.isolation, hide=self.hidden, cache=cache)


def find_browser(env: Mapping[str, str], *, checkout: Path, build: Build = Build.CHROMIUM) -> Path:
    """``COUNTERPROOF_BROWSER``, the one that set-up chose, Playwright's own, then what PATH has.

    For the headless shell: ``COUNTERPROOF_SHELL``, Playwright's, PATH. Raises SetupMissing with what to install.
    """
    kind = _SHELL if build is Build.SHELL else _WHOLE
    if named := env.get(kind.variable):
        if not _runs(Path(named)):
            raise SetupMissing(f"{kind.variable} names {named}, which is not an executable file.")
        return Path(named)
    chosen = checkout / ".state" / "browser"
    if kind is _WHOLE and chosen.is_file():
        path = Path(chosen.read_text(encoding="utf-8").strip())
        if _runs(path):
            return path
    root = Path(env.get("PLAYWRIGHT_BROWSERS_PATH") or Path(env.get("HOME", "/")) / ".cache" / "ms-playwright")
    for path in sorted(root.glob(kind.playwright), key=_build, reverse=True):
        if _runs(path):
            return path
    for name in kind.names:
        if found := shutil.which(name, path=env.get("PATH")):
            return Path(found)
    raise SetupMissing(kind.missing)


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _build(path: Path) -> int:
    """The number of one of Playwright's own builds; the largest is the newest."""
    number = path.parent.parent.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def isolate() -> Isolation:
    """Find out, by doing it, whether this system lets us hide a folder from the browser."""
    unshare, setpriv, mount = (shutil.which(each) for each in ("unshare", "setpriv", "mount"))
    if unshare is None or setpriv is None or mount is None:
        return Isolation(kind="none", reason="util-linux's unshare, setpriv and mount are not all installed")
    namespaces = ("--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
    is_root = os.geteuid() == 0
    command = (unshare, *(() if is_root else ("--user", "--map-current-user", "--keep-caps")), *namespaces)
    with tempfile.TemporaryDirectory(prefix="counterproof-") as folder:
        (Path(folder) / "seen").touch()
        hidden = f"{_hiding([Path(folder)])} && {_DROP[is_root]} test ! -e {_quoted(Path(folder) / 'seen')}"
        try:
            tried = subprocess.run(
                (*command, "--", "/bin/sh", "-c", hidden), capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Isolation(kind="none", reason=f"unshare could not be tried: {error}")
    if tried.returncode != 0:
        said = tried.stderr.decode(errors="replace").strip().splitlines()
        return Isolation(
            kind="none", reason=f"this system does not allow it: {said[-1] if said else 'no reason given'}"
        )
    reason = "own mount and PID namespaces, keys and store hidden"
    if is_root:
        reason += "; as root, without a sandbox, that keeps out the careless and not the determined"
    return Isolation(kind="namespace", reason=reason, command=command)


def plan(
    executable: Path,
    *,
    keys: Path,
    cache: Path,
    env: Mapping[str, str],
    egress_url: str,
    trust_spki: Sequence[str],
    hide: Sequence[Path] = (),
    build: Build = Build.CHROMIUM,
) -> Launch:
    """Everything needed to start the browser. Writes the small wrapper that hides the keys into ``cache``.

    ``hide``: more folders that the browser has no business in. Raises SetupMissing for a window without a screen.
    """
    headless = build is not Build.HEADED
    if not headless and not (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        raise SetupMissing(
            "a window is wanted (attend, or --browser headed), and there is no screen (DISPLAY is not set): run it on "
            "a desktop, or under `xvfb-run -a` (apt-get install xvfb)"
        )
    sandbox = os.geteuid() != 0  # Chromium refuses its sandbox to root
    isolation = isolate()
    flags = list(_FLAGS)
    if trust_spki:
        flags.append(f"--ignore-certificate-errors-spki-list={','.join(trust_spki)}")
    home = cache / "browser-home"  # no personal certificate store, no fonts, no settings of the person running us
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = tuple(each for each in (keys, *hide) if each.is_dir())
    started = executable
    if isolation.command:
        started = _wrapper(executable, isolation, hide=hidden, cache=cache)
    variables = _KEPT_VARIABLES if headless else (*_KEPT_VARIABLES, *_SCREEN)
    environment = {name: env[name] for name in variables if name in env}
    options = {
        "executable_path": str(started),
        "headless": headless,
        "chromium_sandbox": sandbox,
        "args": flags,
        # The browser's own calls carry no visit's credential, so the egress refuses and records them.
        "ignore_default_args": list(_KEPT_ON),
        "proxy": {"server": egress_url},
        "env": {**environment, "HOME": str(home)},
        # What ends us is ours to handle: a browser that ended first would take the visits under way with it.
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
        "timeout": 30_000,
    }
    return Launch(
        executable=executable,
        options=options,
        sandbox=sandbox,
        isolation=isolation,
        flags=tuple(flags),
        headless=headless,
        hidden=hidden,
    )


def started_from(options: Mapping[str, Any]) -> Path:
    """A folder of ours from which programs may be started, of a ``Launch``'s options: where its wrapper is."""
    return Path(options["env"]["HOME"]).parent


# Capabilities gained for the mount are dropped again, or it could be unmounted. Root keeps the one to pass permissions.
_DROP = {
    False: "setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all --",
    True: "setpriv --no-new-privs --bounding-set=-all,+dac_override --inh-caps=-all --ambient-caps=-all --",
}


def _hiding(folders: Sequence[Path]) -> str:
    return " && ".join(f"mount -t tmpfs -o size=4k,mode=0500 none {_quoted(each)}" for each in folders) or ":"


def _wrapper(executable: Path, isolation: Isolation, *, hide: Sequence[Path], cache: Path) -> Path:
    """A script that hides the folders and becomes the browser."""
    inner = f'{_hiding(hide)} && exec {_DROP[os.geteuid() == 0]} {_quoted(executable)} "$@"'
    before = " ".join(_quoted(word) for word in isolation.command)
    script = f'#!/bin/sh\nexec {before} -- /bin/sh -c {_quoted(inner)} browser "$@"\n'
    path = cache / f"browser-{hashlib.sha256(script.encode()).hexdigest()[:12]}.sh"
    if not path.exists():
        beside = path.with_suffix(f".{os.getpid()}")  # two commands at once may both be first
        beside.write_text(script, encoding="utf-8")
        beside.chmod(stat.S_IRWXU)
        beside.replace(path)
    return path


def _quoted(word: str | Path) -> str:
    return shlex.quote(str(word))


def browsers_below(ancestor: int) -> list[int]:
    """Process ids of browsers that Playwright drives for this process, by what their command lines say."""
    parents, driven = _driven()
    return [pid for pid in driven if _descends(pid, ancestor, parents)]


def innermost_browsers_below(ancestor: int) -> list[int]:
    """The same without what only stands around them: the program that made their namespaces has their command line."""
    parents, driven = _driven()
    around = {parents.get(pid) for pid in driven}
    return [pid for pid in driven if pid not in around and _descends(pid, ancestor, parents)]


def _driven() -> tuple[dict[int, int], list[int]]:
    """The parent of every process, and those that are told to speak DevTools over a pipe."""
    parents: dict[int, int] = {}
    driven: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if b"--remote-debugging-pipe" in (entry / "cmdline").read_bytes().split(b"\0"):
                driven.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked
    return parents, driven


def _descends(pid: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while pid and pid != ancestor:
        pid = parents.get(pid, 0)
    return pid == ancestor
