"""``watchlist.toml``: all watches of one or several cases in a file that can be kept in version control. Pure.

::

    [defaults]
    case = "bracelets"
    every = "6h"

    [[watch]]
    url = "https://www.example.com/somebody"
    kind = "profile"
    cron = "0 7-22 * * *"
    zone = "Europe/Paris"
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.errors import UsageError
from archive.watching.timing import Timing
from archive.watching.watch import DEFAULT_PRIORITY, OPTIONS, Asked, Unfit, Watch, asked
from archive.watching.watches import differs

MAX_BYTES = 64 * 1024 * 1024
_TIMES = ("every", "cron", "zone", "jitter")
_KEYS = ("url", "case", "kind", "priority", *_TIMES, *OPTIONS)
_SHOWN = 20
"""Faults that are told at once; a list with more is best mended from the top."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What applying a list would do."""

    new: tuple[Asked, ...]
    changed: tuple[tuple[Watch, Asked], ...]
    same: tuple[Watch, ...]
    gone: tuple[Watch, ...]
    """Watches of the cases that the list speaks of, which it does not name; removed only where that is asked for."""


def parse(data: bytes, *, name: str, address: Callable[[str], tuple[str, str]]) -> tuple[Asked, ...]:
    """The watches of a list. ``address``: of a URL as written, the one to look at and the one to compare by.

    Raises ``UsageError`` with every fault, each by its line.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} has {len(data)} bytes; the longest list taken is {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name} is no TOML: {error}") from error
    faults = [
        f"{name}: there is no {key!r}; a list has [defaults] and [[watch]]"
        for key in document.keys() - {"defaults", "watch"}
    ]
    defaults, entries = document.get("defaults", {}), document.get("watch", [])
    if not isinstance(defaults, dict) or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise UsageError(f"{name}: [defaults] is a table, and [[watch]] begins each watch")
    faults += [f"{name}: [defaults] has no {key!r}" for key in defaults if key not in _KEYS or key == "url"]
    lines = _lines(text, len(entries))
    found: list[Asked] = []
    seen: dict[tuple[str, str], str] = {}
    for n, (entry, begins) in enumerate(zip(entries, lines, strict=True)):
        where = f"{name}:{begins}" if begins else f"{name}, watch {n + 1}"
        try:
            each = _entry(entry, defaults, source=name, address=address)
        except _Fault as fault:
            line = _line_of(text, begins, fault.key) if begins else 0
            faults.append(f"{f'{name}:{line}' if line else where}: {fault}")
            continue
        if (first := seen.get((each.case, each.key))) is not None:
            faults.append(f"{where}: the same page is watched for case {each.case!r} at {first} already")
            continue
        seen[each.case, each.key] = where
        found.append(each)
    if faults:
        more = f"\n… and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise UsageError(f"nothing was applied:\n{chr(10).join(faults[:_SHOWN])}{more}")
    return tuple(found)


def compare(known: Sequence[Watch], wanted: Sequence[Asked]) -> Plan:
    """``known``: the watches that there are, of all cases."""
    by_address = {(each.case, each.key): each for each in known}
    cases = {each.case for each in wanted}
    named = {(each.case, each.key) for each in wanted}
    both = [(by_address[each.case, each.key], each) for each in wanted if (each.case, each.key) in by_address]
    return Plan(
        new=tuple(each for each in wanted if (each.case, each.key) not in by_address),
        changed=tuple((watch, each) for watch, each in both if differs(watch, each)),
        same=tuple(watch for watch, each in both if not differs(watch, each)),
        gone=tuple(each for each in known if each.case in cases and (each.case, each.key) not in named),
    )


def format_list(watches: Sequence[Watch]) -> str:
    """A list that ``parse`` reads back as these watches."""
    parts = []
    for each in watches:
        timing = each.timing
        seconds = 0 if timing.every is None else int(timing.every.total_seconds())
        lines = [
            "[[watch]]",
            f"url = {_text(each.url)}",
            f"case = {_text(each.case)}",
            f"kind = {_text(each.kind.value)}",
        ]
        lines.append(
            f'every = "{_spelt(seconds)}"' if timing.every is not None else f"cron = {_text(str(timing.cron))}"
        )
        if timing.zone != "UTC":
            lines.append(f"zone = {_text(timing.zone)}")
        lines.append(f'jitter = "{_spelt(int(timing.jitter.total_seconds()))}"')
        if each.priority != DEFAULT_PRIORITY:
            lines.append(f"priority = {each.priority}")
        for key, value in each.options.items():
            lines.append(f"{key} = {_value(value)}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


class _Fault(Exception):
    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def _entry(
    entry: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    source: str,
    address: Callable[[str], tuple[str, str]],
) -> Asked:
    unknown = next((key for key in entry if key not in _KEYS), None)
    if unknown is not None:
        raise _Fault(f"a watch has no {unknown!r}; it has {', '.join(_KEYS)}", unknown)
    inherited = dict(defaults)
    if "every" in entry or "cron" in entry:
        inherited.pop("every", None)
        inherited.pop("cron", None)
    merged = {**inherited, **entry}
    for key in ("url", "case"):
        if not isinstance(merged.get(key), str) or not merged[key].strip():
            raise _Fault(f"a watch needs {key!r}, as text" + (" (or in [defaults])" if key == "case" else ""), key)
    times = {key: merged.get(key) for key in _TIMES}
    for key, value in times.items():
        if value is not None and not isinstance(value, str):
            raise _Fault(f"{key!r} is text, such as '6h', got {value!r:.40}", key)
    priority = merged.get("priority", DEFAULT_PRIORITY)
    if not isinstance(priority, int):
        raise _Fault(f"'priority' is a whole number, got {priority!r:.40}", "priority")
    at = "url"
    try:
        url, key_url = address(merged["url"])
        at = "cron" if "cron" in entry else "every"
        timing = Timing.of(**times)
        at = "case"
        return asked(
            case=merged["case"],
            url=url,
            key=key_url,
            kind=str(merged.get("kind", "page")),
            timing=timing,
            priority=priority,
            options={key: merged[key] for key in OPTIONS if key in merged},
            source=source,
        )
    except UsageError as error:
        raise _Fault(str(error), error.key if isinstance(error, Unfit) else at) from error


def _lines(text: str, entries: int) -> list[int]:
    """On which line each watch begins; zeros where that cannot be told, as when a text of several lines looks alike."""
    found = [
        n
        for n, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*\[\[\s*(?:watch|\"watch\"|'watch')\s*\]\]", line)
    ]
    return found if len(found) == entries else [0] * entries


def _line_of(text: str, begins: int, key: str | None) -> int:
    """The line of a key within the watch that begins there; else where the watch begins."""
    if key is None:
        return begins
    lines = text.splitlines()
    for n in range(begins, len(lines)):
        if re.match(r"\s*\[", lines[n]):
            break
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[n]):
            return n + 1
    return begins


def _spelt(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    """A basic string of TOML: quotes, backslashes and controls are escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
