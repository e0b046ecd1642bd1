"""Lists of files by digest, as ``sha256sum`` reads them: the bag's manifests, and ``contents.txt``."""

import re
from collections.abc import Mapping

from custody.bundle import layout
from custody.digest import Digest
from custody.errors import FormatError

_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,300})")


def format_list(files: Mapping[str, Digest]) -> bytes:
    """Sorted by path, so that equal contents give equal bytes (RFC 8493 §2.1.3 asks for no order)."""
    return "".join(f"{files[path].hex}  {path}\n" for path in sorted(files)).encode()


def parse_list(data: bytes) -> dict[str, Digest]:
    """Raises ``FormatError``. A path that no export has is read too: that it is listed helps it nothing."""
    if len(data) > layout.MAX_LIST_BYTES or (data and not data.endswith(b"\n")):
        raise FormatError("a list of files has lines, each with its newline")
    found: dict[str, Digest] = {}
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise FormatError(f"a list of files is ASCII; it is not at byte {error.start}") from error
    for number, line in enumerate(text.split("\n")[:-1], 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise FormatError(f"line {number} is no digest, two spaces and a path: {line[:80]!r}")
        if match[2] in found:
            raise FormatError(f"line {number}: {match[2][:80]} is listed twice")
        found[match[2]] = Digest(match[1])
    return found
