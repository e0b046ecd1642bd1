"""Sessions: who has signed in, in memory. When the console stops, everybody is signed out."""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
"""A session that nobody has used for so long is over."""
TRIES = 5
WINDOW = timedelta(minutes=5)
"""Of failed sign-ins: so many in so long, then none is looked at until the oldest is as old."""
MAX_KNOWN = 10_000
_BYTES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    name: str
    is_owner: bool
    """It was opened by a link that the command has printed: whoever reads that holds the home."""
    csrf: str
    used: datetime


class Sessions:
    """Safe for threads. Keeps digests of its secrets, never the secrets."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._invitations: dict[str, str] = {}

    def invite(self, name: str) -> str:
        """A token that lets its bearer in once, under that name."""
        token = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._invitations[_digest(token)] = name
        return token

    def enter(self, token: str) -> str | None:
        """The session that a token opens; None where it is none, or was used."""
        with self._lock:
            name = self._invitations.pop(_digest(token), None)
        return None if name is None else self.begin(name, is_owner=True)

    def begin(self, name: str, *, is_owner: bool = False) -> str:
        """Of somebody whose word was checked: the secret of a new session."""
        secret = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._sessions[_digest(secret)] = Session(
                name=name, is_owner=is_owner, csrf=secrets.token_urlsafe(_BYTES), used=self._clock()
            )
        return secret

    def find(self, secret: str | None) -> Session | None:
        if not secret:
            return None
        key, at = _digest(secret), self._clock()
        with self._lock:
            found = self._sessions.get(key)
            if found is None:
                return None
            if at - found.used > IDLE:
                del self._sessions[key]
                return None
            self._sessions[key] = replace(found, used=at)
            return found

    def end(self, secret: str | None) -> None:
        with self._lock:
            self._sessions.pop(_digest(secret or ""), None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Attempts:
    """How often somebody may try a password: so many in a while, by name and by address. Safe for threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[str, list[datetime]] = {}

    def wait_s(self, *keys: str) -> int:
        """Seconds until one more try is looked at; 0: now."""
        with self._lock:
            at = self._clock()
            return max((self._wait(key, at) for key in keys), default=0)

    def fail(self, *keys: str) -> None:
        with self._lock:
            at = self._clock()
            if len(self._failed) > MAX_KNOWN:
                self._failed = {key: tried for key, tried in self._failed.items() if self._recent(tried, at)}
            for key in keys:
                self._failed[key] = [*self._recent(self._failed.get(key, []), at), at]

    def forget(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._failed.pop(key, None)

    def _wait(self, key: str, at: datetime) -> int:
        tried = self._recent(self._failed.get(key, []), at)
        if len(tried) < TRIES:
            return 0
        return int((tried[-TRIES] + WINDOW - at).total_seconds()) + 1

    @staticmethod
    def _recent(tried: list[datetime], at: datetime) -> list[datetime]:
        return [each for each in tried if at - each < WINDOW]
