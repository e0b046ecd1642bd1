"""Which program the browser is, and which fonts it draws with, by digest: what a version's name alone does not say."""

import contextlib
import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from archive import disk
from archive.errors import DiskError
from crawlers.launching import innermost_browsers_below
from custody.model import Json

CHUNK_BYTES = 1 << 20
FONTS_S = 30.0
_REMEMBERED = "browser-digests.json"
_MAX_REMEMBERED = 32


def running_browser(ancestor: int, cache: Path) -> Mapping[str, Json]:
    """Blocking: name, bytes and SHA-256 of the file that the browser below this process runs.

    By way of the kernel (proc(5), ``/proc/PID/exe``): what was asked for may be a script that starts another. A file
    that has not changed since (device, inode, size, times) is not read again.
    """
    for pid in innermost_browsers_below(ancestor):
        exe = Path(f"/proc/{pid}/exe")
        try:
            return {"name": exe.readlink().name, **_digest(exe, cache)}
        except OSError:
            continue  # it ended, or is another user's
    return {"sha256": None, "why": "the running browser's file could not be read"}


def _digest(exe: Path, cache: Path) -> dict[str, Json]:
    found = exe.stat()
    mark = f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"
    remembered = _remembered(cache / _REMEMBERED)
    if mark not in remembered:
        with exe.open("rb") as file:
            remembered[mark] = hashlib.file_digest(file, "sha256").hexdigest()
        newest = dict(list(remembered.items())[-_MAX_REMEMBERED:])
        with contextlib.suppress(DiskError):  # then it is read again the next time, and that is all
            disk.replace_file(cache / _REMEMBERED, json.dumps(newest).encode())
    return {"bytes": found.st_size, "sha256": remembered[mark]}


def _remembered(path: Path) -> dict[str, str]:
    try:
        return {str(mark): str(digest) for mark, digest in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def fonts(environment: Mapping[str, str]) -> Mapping[str, Json]:
    """Blocking: how many font files fontconfig offers to whoever runs in this environment, and one digest over them.

    Over each font's file, version and family as fontconfig tells them, a line each, sorted.
    """
    program = shutil.which("fc-list", path=environment.get("PATH"))
    if program is None:
        return {"files": None, "sha256": None, "why": "fc-list is not installed"}
    try:
        ran = subprocess.run(
            (program, "--format", "%{file}\t%{fontversion}\t%{family}\n"),
            capture_output=True,
            timeout=FONTS_S,
            check=True,
            env=dict(environment),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return {"files": None, "sha256": None, "why": f"fc-list failed: {type(error).__name__}"}
    lines = sorted(ran.stdout.splitlines())
    files = len({line.split(b"\t")[0] for line in lines})
    return {"files": files, "sha256": hashlib.sha256(b"\n".join(lines)).hexdigest()}
