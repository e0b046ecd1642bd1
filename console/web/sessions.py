"""Sessions: who has signed in, in memory. When the console stops, everybody is signed out."""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
"""A session that nobody has used for so long is over."""
_BYTES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    name: str
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
        return None if name is None else self.begin(name)

    def begin(self, name: str) -> str:
        """Of somebody whose word was checked: the secret of a new session."""
        secret = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._sessions[_digest(secret)] = Session(name=name, csrf=secrets.token_urlsafe(_BYTES), used=self._clock())
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
