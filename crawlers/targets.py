"""Lists of URLs as people keep them: a line each, or a CSV with a column of URLs."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.errors import UsageError
from crawlers.address import dedupe_key, parse_target

MAX_LIST_BYTES = 64 * 1024 * 1024
_COLUMNS = ("url", "urls", "link", "links", "href", "address", "target")
_NAMED_FAULTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A URL that a person asked for, and where it was written."""

    url: str
    source: str
    """`argument 2`, `list.csv:17`: for the sentence that says what is wrong, or twice, with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeat:
    """A target that was asked for before."""

    target: Target
    first: Target


def parse_arguments(texts: Sequence[str]) -> tuple[Target, ...]:
    return _parsed((f"argument {n}", text) for n, text in enumerate(texts, 1))


def read_list(data: bytes, *, name: str) -> tuple[Target, ...]:
    """The targets of a list, in its order, repeats included. `name` is what the list is called in messages.

    Lines: one URL each; empty lines and lines that start with `#` are skipped. CSV: the first line names a column
    `url` (any case); comma, semicolon and tab separate. A byte order mark is no part of the first URL.
    Every line that is no URL is refused at once, before anything is captured.
    """
    if len(data) > MAX_LIST_BYTES:
        raise UsageError(f"{name} has {len(data)} bytes; the longest list taken is {MAX_LIST_BYTES}. Split it.")
    text = _decode(data, name)
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    separator = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=separator), [])]
    column = next((header.index(word) for word in _COLUMNS if word in header), None)
    rows = _lines(text) if column is None else _rows(text, column, separator, name)
    targets = _parsed((f"{name}:{number}", value) for number, value in rows)
    if not targets:
        raise UsageError(f"{name} holds no URL. Write one a line, or a CSV with a column named url.")
    return targets


def without_repeats(targets: Iterable[Target]) -> tuple[tuple[Target, ...], tuple[Repeat, ...]]:
    """What is to be captured, and what was asked for twice (two spellings of one page count as one)."""
    kept: dict[str, Target] = {}
    repeats = []
    for target in targets:
        first = kept.setdefault(dedupe_key(target.url), target)
        if first is not target:
            repeats.append(Repeat(target=target, first=first))
    return tuple(kept.values()), tuple(repeats)


def _decode(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"  # as spreadsheets save
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not text in UTF-8 (byte {error.start}). Save it as UTF-8.") from error


def _lines(text: str) -> Iterable[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _rows(text: str, column: int, separator: str, name: str) -> Iterable[tuple[int, str]]:
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    header_seen = False
    try:
        for row in reader:
            if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
                continue
            if header_seen:
                yield reader.line_num, row[column] if column < len(row) else ""
            header_seen = True
    except csv.Error as error:
        raise UsageError(f"{name}:{reader.line_num} is not CSV: {error}.") from error


def _parsed(texts: Iterable[tuple[str, str]]) -> tuple[Target, ...]:
    targets, faults = [], []
    for source, text in texts:
        try:
            targets.append(Target(url=parse_target(text), source=source))
        except UsageError as error:
            faults.append(f"{source}: {error}")
    if faults:
        more = f"\n… and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else ""
        raise UsageError("\n".join(faults[:_NAMED_FAULTS]) + more)
    return tuple(targets)
