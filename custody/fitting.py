"""Schemas, made into functions once: whether a value fits. A log of a million leaves is checked in minutes, not hours.

They say yes or no and nothing else; ``custody.schema.explain`` says why, and has the last word.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from custody.errors import FormatError
from custody.instant import parse_utc

Fits = Callable[[Any], bool]

_KEPT = 1024
_known: dict[int, tuple[Mapping[str, Any], Fits]] = {}


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Only if ``explain`` would let it pass too. Schemas are constants: whoever changes one later is not heard."""
    found = _known.get(id(schema))
    if found is None:
        if len(_known) >= _KEPT:
            _known.clear()
        # The schema is kept beside its function, so that nothing else can come to have its id.
        found = _known[id(schema)] = (schema, _made(schema))
    return found[1](value)


def _made(schema: Mapping[str, Any]) -> Fits:
    if "anyOf" in schema:
        return _any([_made(each) for each in schema["anyOf"]])
    kind = _MAKERS[schema["type"]](schema) if "type" in schema else _anything
    if "const" not in schema:
        return kind
    const = schema["const"]
    return lambda value: value == const and not isinstance(value, bool) and kind(value)


def _any(options: list[Fits]) -> Fits:
    if len(options) == 2 and options[0] is _is_null:
        other = options[1]
        return lambda value: value is None or other(value)
    return lambda value: any(each(value) for each in options)


def _anything(value: Any) -> bool:  # noqa: ARG001
    return True


def _is_null(value: Any) -> bool:
    return value is None


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _string(schema: Mapping[str, Any]) -> Fits:
    words = frozenset(schema["enum"]) if "enum" in schema else None
    length = schema.get("maxLength")
    # Python's "$" lets a newline follow; fullmatch, and no anchors, do not.
    match = re.compile(schema["pattern"].removeprefix("^").removesuffix("$")).fullmatch if "pattern" in schema else None
    instant = schema.get("format") == "date-time"

    def test(value: Any) -> bool:
        return (
            isinstance(value, str)
            and (words is None or value in words)
            and (length is None or len(value) <= length)
            and (match is None or match(value) is not None)
            and (not instant or _is_instant(value))
        )

    if match is not None and not instant and words is None and length is None:
        return lambda value: isinstance(value, str) and match(value) is not None
    return test


def _is_instant(value: str) -> bool:
    try:
        parse_utc(value)
    except FormatError:
        return False
    return True


def _integer(schema: Mapping[str, Any]) -> Fits:
    least, most = schema.get("minimum"), schema.get("maximum")

    def test(value: Any) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and (least is None or value >= least)
            and (most is None or value <= most)
        )

    return test


def _array(schema: Mapping[str, Any]) -> Fits:
    item = _made(schema["items"])
    least, most = schema.get("minItems", 0), schema.get("maxItems")

    def test(value: Any) -> bool:
        if not isinstance(value, list | tuple) or len(value) < least or (most is not None and len(value) > most):
            return False
        return all(map(item, value))

    return test


def _object(schema: Mapping[str, Any]) -> Fits:
    required = frozenset(schema.get("required", ()))
    properties = {key: _made(each) for key, each in schema.get("properties", {}).items()}
    given = schema.get("additionalProperties", True)
    other: Fits | None = None if given is False else _anything if given is True else _made(given)
    name = _made(schema["propertyNames"]) if "propertyNames" in schema else None
    most = schema.get("maxProperties")

    tests = tuple(properties.items())

    def exactly(value: Any) -> bool:
        if type(value) is not dict and not isinstance(value, Mapping):
            return False
        if value.keys() != required:
            return False
        for key, known in tests:  # noqa: SIM110 - a generator takes longer than what it goes through
            if not known(value[key]):
                return False
        return True

    if other is None and name is None and most is None and required == properties.keys():
        return exactly  # as nearly all of them are

    def test(value: Any) -> bool:
        if type(value) is not dict and not isinstance(value, Mapping):  # the first is what JSON gives, and quicker
            return False
        if not required <= value.keys() or (most is not None and len(value) > most):
            return False
        for key, each in value.items():
            known = properties.get(key)
            if known is None:
                known = other
                if known is None or not isinstance(key, str):
                    return False
            if not known(each) or (name is not None and not name(key)):
                return False
        return True

    return test


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Fits]] = {
    "null": lambda _: _is_null,
    "boolean": lambda _: _is_boolean,
    "string": _string,
    "integer": _integer,
    "array": _array,
    "object": _object,
}
