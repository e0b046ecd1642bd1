"""What is kept out of the record from when a secret may be under way: bodies that are sent, cookies, queries.

Applied to what was recorded already as well, when it turns out later that a secret was typed by then.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawlers.recording.turn import Headers, Turn, header
from custody.instant import format_utc
from custody.model import Json

PASSWORD = "password_input"  # noqa: S105  # the name of a reason
"""A field for a password took input."""
UNSEEN = "unseen_input"
"""Keys were pressed, or text went in, where the page let nobody see into what."""
HTTP_LOGIN = "http_login"
"""The browser itself sent a name and a password to a site (RFC 7617), or what stands for them."""
WITHHELD = "withheld"
"""In place of a query."""
MESSAGE = "socket-message"

_SECRET_HEADERS = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization"})
_ADDRESSES = frozenset({"referer", "location", "content-location", "refresh", "link"})
"""Headers that may repeat an address with its query."""
_SCHEMES = ("basic ", "digest ", "negotiate ", "ntlm ")
_QUERY = re.compile(r"\?[^#\s>\"']*")
_NAMED = re.compile(r"([a-z][a-z0-9+.-]*://)[^/?#\s@]*@", re.IGNORECASE)


@dataclass(slots=True)
class Withholding:
    """Nothing is withheld until ``begin``."""

    of_person: bool = False
    """A person may have typed an address: a name and a password in one are hers, and not the page's."""
    since: datetime | None = None
    reason: str = ""

    def begin(self, at: datetime, reason: str) -> bool:
        """The earliest moment counts. Whether this was the first one that was told."""
        first = self.since is None
        if self.since is None or at < self.since:
            self.since, self.reason = at, reason
        return first

    def covers(self, at: datetime) -> bool:
        return self.since is not None and at >= self.since

    def address(self, url: str, at: datetime) -> str:
        """Without its query, where one may hold what was typed into a form."""
        return cut(url) if self.covers(at) else url

    def _withhold_sent(self, turn: Turn) -> int:
        """What a page sent over a web socket that it may have opened long before. How many messages."""
        if turn.talk is None:
            return 0
        for each in turn.talk.messages:
            if each.sent and self.covers(each.at):
                turn.talk.withhold(each)
        return turn.talk.withheld

    def is_login(self, url: str, headers: Headers, *, kind: str = "Document") -> bool:
        """Whether the browser itself gave a name and a password: no script can put them on a document's request."""
        if kind != "Document":
            return False
        said = header(headers, "authorization").lower().startswith(_SCHEMES)
        return said or (self.of_person and _NAMED.match(url) is not None)

    def apply(self, turns: Iterable[Turn]) -> Mapping[str, Json]:
        """Take it out of the turns. The record's section; empty where nothing had to be withheld."""
        turns = list(turns)
        for turn in turns:
            if self.is_login(turn.url, turn.request_headers, kind=turn.kind):
                self.begin(turn.at, HTTP_LOGIN)
        if self.since is None:
            return {}
        counted: Counter[str] = Counter()
        for turn in turns:
            if self.covers(turn.at):
                turn.withheld = _withhold(turn)
                counted.update(turn.withheld)
            if messages := self._withhold_sent(turn):
                turn.withheld = (*turn.withheld, MESSAGE)
                counted[MESSAGE] += messages
        return {
            "reason": self.reason,
            "since": format_utc(self.since),
            "withheld": {name: counted[name] for name in sorted(counted)},
        }


def cut(url: str) -> str:
    """Without query, and without name and password."""
    return _NAMED.sub(r"\1", _QUERY.sub(f"?{WITHHELD}", url, count=1))


def harmless(headers: Sequence[tuple[str, str]]) -> tuple[Headers, frozenset[str]]:
    """Headers without what identifies or repeats a secret, and the names of those that were taken out."""
    kept: list[tuple[str, str]] = []
    gone: set[str] = set()
    for name, value in headers:
        if name.lower() in _SECRET_HEADERS:
            gone.add(name.lower())
        elif name.lower() in _ADDRESSES:
            kept.append((name, cut(value)))
        else:
            kept.append((name, value))
    return tuple(kept), frozenset(gone)


def _withhold(turn: Turn) -> tuple[str, ...]:
    """What was taken out of a turn, by name."""
    gone: set[str] = set()
    if turn.posts or turn.posted:
        turn.posted, turn.posts = b"", True
        gone.add("request-body")
    for each in ("request_headers", "headers"):
        kept, names = harmless(getattr(turn, each))
        setattr(turn, each, kept)
        gone |= names
    if _NAMED.match(turn.url):
        gone.add("name")
    if _QUERY.search(turn.url):
        gone.add("query")
    turn.url = cut(turn.url)
    return tuple(sorted(gone))
