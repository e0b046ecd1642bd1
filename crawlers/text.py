"""Text of strangers, as a record can hold it: whole characters, none that commands a terminal, of a stated length."""

import re

_COMMANDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""C0 and C1 control characters but for tab and line ends: an escape sequence in a title would reach who reads it."""
INSTEAD = "\ufffd"


def scalar(text: str) -> str:
    """Half characters (lone surrogates), which a script can make and UTF-8 cannot write, become U+FFFD.

    A browser does the same when it writes such text out (Web IDL, USVString). Halves that meet become one again.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean(text: str, *, limit: int) -> str:
    """For records: of at most so many bytes in UTF-8, and what was left out is said at the end.

    RFC 8785 takes no half characters and would refuse the whole record for one; the artifacts keep the text as it
    came, so what is replaced or cut here is not lost.
    """
    front = _COMMANDS.sub(INSTEAD, scalar(text[: limit + 1]))  # a stranger's text may be as long as he likes
    data = front.encode()
    if len(data) <= limit:
        return front
    kept = data[:limit].decode("utf-8", "ignore")
    return f"{kept}… ({len(text) - len(kept)} more characters)"
