"""A second fetch: what yt-dlp gets of a page's video, after the page was captured and apart from it."""

import asyncio
import contextlib
import json
import mimetypes
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archive.errors import SetupMissing
from crawlers.egress import Egress
from crawlers.recording.desk import File, Fill
from crawlers.text import clean
from custody.instant import format_utc
from custody.model import Json, Role, Snapshot

PROGRAM = "yt-dlp"
CHILD = Path(__file__).with_name("child.py")
MAX_S = 180.0
MAX_BYTES = 512 << 20
"""Of one file, and of all together."""
MAX_FILES = 5
MAX_INFO = 8 << 20
"""Bytes of what the program tells about one video."""
LABEL = "second fetch: not of the page load that the pictures, the text and the traffic are of"
ARGUMENTS: tuple[str, ...] = (
    "--ignore-config", "--no-plugin-dirs", "--no-cache-dir", "--no-cookies", "--no-cookies-from-browser",
    "--no-js-runtimes", "--no-playlist", "--playlist-items", f"1:{MAX_FILES}", "--max-downloads", str(MAX_FILES),
    "--format", "b/bv,ba", "--fixup", "never", "--downloader", "native", "--max-filesize", str(MAX_BYTES),
    "--abort-on-unavailable-fragments", "--retries", "1", "--fragment-retries", "1", "--extractor-retries", "1",
    "--socket-timeout", "20", "--no-mtime", "--no-continue", "--no-overwrites", "--no-progress", "--color", "never",
    "--write-info-json", "--clean-info-json", "--output", "video-%(autonumber)d.%(ext)s",
)  # fmt: skip
"""No configuration, plug-in, cookie or log-in of anybody's; no other program; what comes is kept as it comes."""
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""For the wrapper that hides folders; the program itself gets none."""
_TICK_S = 0.25
_SAID = 3
_ENDING = re.compile(r"\.[a-z0-9]{1,8}$")
_SECRET = frozenset({"cookies", "http_headers", "filename", "requested_downloads"})
"""Of what the program tells: what it had in hand for a request, and where it lies on this machine."""
_ASKED_FOR_TOO_MUCH = 101
"""yt-dlp's exit status where ``--max-downloads`` ended it."""


def version() -> str:
    """Raises SetupMissing, with what to do."""
    if find_spec("yt_dlp") is None:
        raise SetupMissing(
            "--media needs yt-dlp, which is not installed: .venv/bin/pip install 'yt-dlp>=2026.10.26' (the extra "
            "`video` of this program), or leave --media out"
        )
    return metadata.version(PROGRAM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    seconds: float = MAX_S
    bytes: int = MAX_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondFetch:
    """Of one page."""

    egress: Egress
    fill: Fill = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    cut: asyncio.Event = field(repr=False)
    python: Path = field(default_factory=lambda: Path(sys.executable))
    """What runs it: this Python, or a wrapper that hides keys and store from it first."""
    limits: Limits = field(default_factory=Limits)

    async def run(self, url: str, *, name: str) -> dict[str, Json]:
        """The record's account of it. ``name``: of the visit. Raises DiskError; whatever else goes wrong is said."""
        began_at, mine = self.clock(), f"media {name}"
        admitted = self.egress.admit(mine)
        proxy = self.egress.url.replace("://", f"://{admitted.username}:{admitted.password}@")
        files: list[Snapshot] = []
        with tempfile.TemporaryDirectory(prefix="counterproof-media-", ignore_cleanup_errors=True) as folder:
            try:
                ran = await self._child(Path(folder), {"proxy": proxy, "arguments": [*ARGUMENTS, "--", url]})
                files = await asyncio.to_thread(self._keep, Path(folder), admitted.password)
            except OSError as error:  # no such program, no room in its folder: the capture is not less for it
                ran = _Ran(status=None, ended_by=f"it could not be run: {error.strerror}", said=[])
            finally:
                connections = self.egress.dismiss(mine)
        return {
            "what": LABEL,
            "program": PROGRAM,
            "version": version(),
            "arguments": [*ARGUMENTS, "--", url],
            "began_at": format_utc(began_at),
            "ended_at": format_utc(self.clock()),
            "exit": ran.status,
            "ended_by": ran.ended_by,
            "said": ran.said,
            "files": [{"name": each.name, "sha256": each.digest.hex} for each in files],
            "missing": _missing(ran, files, [each.error for each in connections]),
            "connections": [each.to_json() for each in connections],
            "refusals": sum(len(each.refused) for each in connections),
        }

    async def _child(self, folder: Path, asked: Mapping[str, Any]) -> "_Ran":
        environment = {"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "PATH": _PATH}
        with (folder / ".said").open("w+b") as said:
            child = await asyncio.create_subprocess_exec(
                *(str(self.python), "-I", str(CHILD), str(self.limits.bytes)),
                stdin=asyncio.subprocess.PIPE,
                stdout=said,
                stderr=said,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
            try:
                assert child.stdin is not None
                with contextlib.suppress(ConnectionError):  # it ended before it listened; its words say why
                    child.stdin.write(json.dumps(asked).encode())
                    await child.stdin.drain()
                child.stdin.close()
                ended_by = await self._watch(child, folder)
            finally:
                with contextlib.suppress(ProcessLookupError):  # it ended by itself
                    os.killpg(child.pid, signal.SIGKILL)
                status = await child.wait()
            said.seek(0)
            words = said.read(1 << 20).decode(errors="replace")
        errors = [line for line in words.splitlines() if "ERROR" in line and str(asked["proxy"]) not in line]
        told = [clean(line, limit=500) for line in errors]
        return _Ran(status=None if ended_by else status, ended_by=ended_by, said=told[-_SAID:])

    async def _watch(self, child: asyncio.subprocess.Process, folder: Path) -> str | None:
        """Why it was ended; None where it ended by itself."""
        until = time.monotonic() + self.limits.seconds
        ending = asyncio.ensure_future(child.wait())
        try:
            while not (await asyncio.wait({ending}, timeout=_TICK_S))[0]:
                if time.monotonic() > until:
                    return f"time: {self.limits.seconds:.0f} s"
                if self.cut.is_set():
                    return "the person running the program interrupted it"
                if await asyncio.to_thread(_size, folder) > self.limits.bytes:
                    return f"size: {self.limits.bytes} bytes"
        finally:
            ending.cancel()
        return None

    def _keep(self, folder: Path, secret: str) -> list[Snapshot]:
        kept: list[Snapshot] = []
        for path in sorted(folder.glob("video-*")):
            if path.is_symlink() or not path.is_file() or len(kept) >= 2 * MAX_FILES:
                continue
            if path.name.endswith(".info.json"):
                data = _info(path, secret)
                if data is not None:
                    name = f"media-{path.name.removeprefix('video-').partition('.')[0][:8]}-info.json"
                    kept.append(self.fill(Role.MEDIA, name, "application/json", partial(_write, data)))
            elif path.suffix not in {".part", ".ytdl", ".temp"}:
                ending = found[0] if (found := _ENDING.search(path.name)) else ""
                kind = mimetypes.guess_type(f"x{ending}")[0] or "application/octet-stream"
                name = f"media-{len(kept) + 1}{ending}"
                kept.append(self.fill(Role.MEDIA, name, kind, partial(_copy, path)))
        return kept


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ran:
    status: int | None
    ended_by: str | None
    said: list[str]


def _missing(ran: _Ran, files: Sequence[Snapshot], errors: Sequence[str | None]) -> list[Json]:
    """In words: what was not had, as far as it is known."""
    missing: list[Json] = []
    videos = [each for each in files if each.media_type != "application/json"]
    if ran.ended_by is not None:
        missing.append(f"whatever was not whole when it was ended ({ran.ended_by})")
    elif ran.status == _ASKED_FOR_TOO_MUCH:
        missing.append(f"whatever there is beyond {MAX_FILES} files")
    elif ran.status != 0 or not videos:
        missing.append("a video: the program got none" if not videos else "what the program says it did not get")
    if "policy" in errors:
        missing.append("what lies where the egress policy lets nobody connect")
    return missing


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # renamed just now
            total += path.lstat().st_size
    return total


def _info(path: Path, secret: str) -> bytes | None:
    """Without what was only for its requests; None where it cannot be read, is too long, or would tell a secret."""
    if path.stat().st_size > MAX_INFO:
        return None
    try:
        told = _without(json.loads(path.read_bytes()))
    except ValueError:
        return None
    data = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace")
    return None if secret.encode() in data else data


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without(each) for name, each in value.items() if name not in _SECRET and not name.startswith("_")
        }
    return [_without(each) for each in value] if isinstance(value, list) else value


def _write(data: bytes, file: File) -> None:
    file.write(data)


def _copy(path: Path, file: File) -> None:
    with path.open("rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            file.write(piece)
