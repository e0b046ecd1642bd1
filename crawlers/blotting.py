"""A secret blotted out of what is kept, in each of the spellings in which an answer may repeat it."""

import base64
import html
import json
from urllib.parse import quote, quote_plus


class Blotter:
    """Counts what it blots. Without a secret it changes nothing."""

    def __init__(self, secret: str | None) -> None:
        self.times = 0
        self._spellings = tuple(each.encode() for each in _spellings(secret)) if secret else ()

    def blot(self, data: bytes) -> bytes:
        """As long as it was, with stars in place of the secret."""
        for each in self._spellings:
            self.times += data.count(each)
            data = data.replace(each, b"*" * len(each))
        return data

    def blot_text(self, text: str) -> str:
        return self.blot(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _spellings(secret: str) -> list[str]:
    """The longest first: a shorter one may be a part of it."""
    quoted = quote(secret, safe="")
    lower = "".join(f"%{part[:2].lower()}{part[2:]}" if n else part for n, part in enumerate(quoted.split("%")))
    escaped = json.dumps(secret)[1:-1]
    every = {
        secret,
        quoted,
        lower,
        quote(secret),
        quote_plus(secret),
        escaped,
        escaped.replace("/", "\\/"),
        html.escape(secret),
        json.dumps(html.escape(secret))[1:-1],
        base64.b64encode(secret.encode()).decode(),
    }
    return sorted(every, key=len, reverse=True)
