"""A case's brief as a TOML file that a person fills in: written by ``case show --toml``, read by ``--from``."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from archive import disk
from archive.brief import THRESHOLDS, Brief
from archive.errors import UsageError
from custody.errors import FormatError

MAX_BYTES = 4 * 1024 * 1024
_DIGITS = 20
"""More than any number of a brief has: what is longer is not written out, and refused as it is."""
_EMPTY = Brief().to_json()
_LINES: Mapping[str, str] = {
    "title": "",
    "matter": "the number under which your office keeps it",
    "timezone": "such as Europe/Paris",
    "purpose": "what it is collected for",
    "legal_basis": "why it may be collected",
    "review_by": "the day by which somebody asks whether it is still needed, such as 2027-01-31",
    "retention_days": "how long everything of the case is locked; it can be lengthened and never shortened",
    "registrations": "one a line, such as EUTM 000123456 ORVANE, class 14",
    "authorised": "hosts and seller ids that may sell",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What such a file says."""

    brief: Brief
    """Without pictures."""
    version: int | None
    """That it was written from."""
    pictures: tuple["Shown", ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A picture that a file names: a new one by its file, one that is kept by its digest."""

    file: Path | None
    sha256: str | None
    note: str


def read(path: Path) -> Sheet:
    """Raises ``UsageError`` that names the file and the first thing in it that is not as it must be."""
    with disk.trouble(path), path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} has more than {MAX_BYTES} bytes")
    try:
        return parse(data.decode("utf-8"), path.parent)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, FormatError) as error:
        raise UsageError(f"{path}: {error}") from error


def parse(text: str, folder: Path) -> Sheet:
    """``folder``: where the files of pictures are. Raises ``TOMLDecodeError`` or ``FormatError``."""
    value = tomllib.loads(text, parse_float=Decimal)
    version = value.pop("version", None)
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or version < 1):
        raise FormatError("version is that of the brief that this was written from: a whole number")
    pictures = tuple(_shown(each, folder) for each in _tables(value.pop("pictures", ()), "pictures"))
    thresholds = value.get("thresholds")
    if isinstance(thresholds, dict):
        value["thresholds"] = {name: _number(each) for name, each in thresholds.items()}
    if "terms" in value:
        value["terms"] = [_term(each) for each in _listed(value["terms"], "terms")]
    if "prices" in value:
        value["prices"] = [
            {name: _number(each) if name == "amount" else each for name, each in price.items()}
            for price in _tables(value["prices"], "prices")
        ]
    if isinstance(value.get("review_by"), date):
        value["review_by"] = value["review_by"].isoformat()
    return Sheet(brief=Brief.of({**_EMPTY, **value}), version=version, pictures=pictures)


def write(brief: Brief, *, case: str, version: int | None) -> str:
    """``parse`` reads it back as the same brief; pictures by their digests."""
    return "\n".join(_written(brief, case, version)) + "\n"


def _written(brief: Brief, case: str, version: int | None) -> Iterator[str]:
    value: Mapping[str, Any] = brief.to_json()
    yield f"# What the case {_spelled(case)} is about."
    yield "# Change it, and give it back: counterproof case edit NAME --from FILE"
    if version is not None:
        yield f"version = {version}  # that this was written from; take the line out to write over whatever is newer"
    for name, help_ in _LINES.items():
        yield ""
        if help_:
            yield f"# {help_}"
        yield from _line(name, value[name])
    yield ""
    yield "[thresholds]"
    for name, bound in THRESHOLDS.items():
        yield f"# {bound.says}"
        number = value["thresholds"].get(name)
        yield f"# {name} =" if number is None else f"{name} = {number}"
    for each in value["terms"]:
        yield from ("", "[[terms]]", *(f"{name} = {_spelled(each[name])}" for name in ("text", "kind", "forms")))
    for each in value["prices"]:
        yield from ("", "[[prices]]", *(f"{name} = {_spelled(each[name])}" for name in ("term", "amount", "currency")))
    for each in value["pictures"]:
        yield from ("", "[[pictures]]", *(f"{name} = {_spelled(each[name])}" for name in ("sha256", "note")))
        yield f'# {each["name"]}, {each["media_type"]}, {each["bytes"]} bytes; a new one has file = "…" instead'


def _line(name: str, value: Any) -> Iterator[str]:
    if value is None:
        yield f"# {name} ="
    elif name == "review_by":
        yield f"{name} = {value}"  # a date of TOML's own
    elif isinstance(value, list) and value:
        yield from (f"{name} = [", *(f"  {_spelled(each)}," for each in value), "]")
    else:
        yield f"{name} = {_spelled(value)}"


def _spelled(value: Any) -> str:
    """JSON's strings and lists of strings are TOML's too, but for one character that TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _term(value: Any) -> Any:
    """A term may be written as its text alone."""
    if isinstance(value, str):
        return {"text": value, "kind": "brand", "forms": []}
    return {"kind": "brand", "forms": [], **value} if isinstance(value, dict) else value


def _number(value: Any) -> Any:
    """As the brief keeps it, so that 0.35 stays 0.35."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    plain = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _DIGITS
    return format(value, "f") if plain else str(value)


def _shown(value: Mapping[str, Any], folder: Path) -> Shown:
    file, sha256, note = value.get("file"), value.get("sha256"), value.get("note", "")
    if value.keys() - {"file", "sha256", "note"} or not all(isinstance(each, str) for each in value.values()):
        raise FormatError("a picture has file, or sha256 of one that is kept, and note: all of them text")
    if (file is None) == (sha256 is None):
        raise FormatError("a picture is named by its file, or by the sha256 of one that is kept")
    return Shown(file=None if file is None else folder / file, sha256=sha256, note=note)


def _listed(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise FormatError(f"{name} is a list")
    return value


def _tables(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    listed = _listed(value, name)
    if not all(isinstance(each, dict) for each in listed):
        raise FormatError(f"{name} is a list of tables: [[{name}]]")
    return listed
