"""Canonical JSON: what we write is RFC 8785, what we read is strict I-JSON without floats."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import rfc8785

from custody.errors import FormatError
from custody.model import Json

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1  # RFC 7493 §2.2: beyond this a reader that keeps doubles sees another number

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_INTEGER_DIGITS = 17  # "-9007199254740991"


def dumps(value: Json) -> bytes:
    """RFC 8785 bytes. Raises ``FormatError`` for floats, integers beyond 2**53-1 and text that is not Unicode."""
    try:
        return rfc8785.dumps(_plain(value, 1))
    except ValueError as error:  # CanonicalizationError, and UnicodeEncodeError for a lone surrogate in a key
        raise FormatError(f"this cannot be written as canonical JSON: {error}") from error


def loads(data: bytes, *, max_bytes: int = MAX_BYTES) -> Json:
    """Read JSON that every reader understands alike; raises ``FormatError`` with code ``ENTRY_PARSE``.

    The order of keys and white space are not looked at: nothing that is signed depends on them.
    """
    if len(data) > max_bytes:
        raise _refused(f"expected at most {max_bytes} bytes, got {len(data)}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8 at byte {error.start}") from error
    try:
        value: Any = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise _refused(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise _refused(f"nested deeper than {MAX_DEPTH}") from error
    # Neither can be there without these marks in the text; most records are spared the walk.
    if text.count("[") + text.count("{") > MAX_DEPTH or _SURROGATE_ESCAPE.search(text):
        _walk(value, 1)
    return cast("Json", value)


def _plain(value: Json, depth: int) -> Any:
    """The same value in the only containers that rfc8785 knows; floats stopped, which it would let through."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes | bytearray | float):
        raise FormatError(f"a record holds no {type(value).__name__}, got {value!r:.80}")
    if depth > MAX_DEPTH:
        raise FormatError(f"a record is nested at most {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        return {key: _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each, depth + 1) for each in value]
    raise FormatError(f"a record holds no {type(value).__name__}, got {value!r:.80}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _refused(f"the key {twice[:80]!r} is there twice")
    return value


def _no_float(text: str) -> Any:
    raise _refused(f"expected integers only, got {text[:80]}")


def _integer(text: str) -> int:
    if len(text) <= _INTEGER_DIGITS and abs(value := int(text)) <= MAX_INTEGER:
        return value
    raise _refused(f"expected integers up to 2**53-1, got {text[:80]}")


def _walk(value: Any, depth: int) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _refused("a string holds half of a surrogate pair") from error
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH}")
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            _walk(each, depth + 1)


def _refused(reason: str) -> FormatError:
    return FormatError(f"this is not JSON as records are written: {reason}", code="ENTRY_PARSE")
