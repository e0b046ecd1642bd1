"""Alerts go out: by webhook, signed; or by anything that Apprise can reach, such as mail and chat.

``alerts.toml`` in the home says to whom. It holds passwords, so it is this user's alone (0600)::

    [[target]]
    name = "desk"
    url = "mailtos://user:password@example.com?to=desk@example.com"
    every = "1d"                                   # a digest; without it, at once
    kinds = ["changed"]                            # without it, all

    [[target]]
    name = "hook"
    webhook = "https://hooks.example.com/counterproof"
    secret = "…"
"""

import hashlib
import hmac
import json
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apprise
import httpx

from archive import disk
from archive.errors import ArchiveError, KeyFileError, UsageError
from archive.watching import alerts
from archive.watching.alerts import Alert, Kind
from archive.watching.database import Database
from archive.watching.timing import duration

FILE = "alerts.toml"
SIGNATURE = "Counterproof-Signature"
TIMEOUT_S = 15.0
LEAST_SECRET = 16
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_KEYS = {"name", "url", "webhook", "secret", "every", "kinds"}


class NotDelivered(ArchiveError):
    """A target could not be told. It is tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Somebody who is told."""

    name: str
    kinds: tuple[Kind, ...] = tuple(Kind)
    every: timedelta = timedelta(0)
    """Between two digests; 0: each alert at once."""
    url: str | None = field(default=None, repr=False)
    """Of Apprise."""
    webhook: str | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)

    def tell(self, found: Sequence[Alert], *, now: datetime) -> None:
        """Blocking. Raises ``NotDelivered``."""
        if self.webhook is not None:
            self._post(found, now)
            return
        sender = apprise.Apprise()
        title = f"counterproof: {len(found)} alerts" if len(found) > 1 else f"counterproof: {found[0].kind}"
        if not sender.add(str(self.url)) or not sender.notify(
            title=title, body="\n".join(each.line() for each in found)
        ):
            raise NotDelivered(f"the alert target {self.name!r} did not take it: `counterproof alerts test` tries it")

    def _post(self, found: Sequence[Alert], now: datetime) -> None:
        body = json.dumps({"schema": 1, "alerts": [each.to_json() for each in found]}).encode()
        headers = {"Content-Type": "application/json", SIGNATURE: sign(body, self.secret, now)}
        try:
            answer = httpx.post(
                str(self.webhook),
                content=body,
                headers=headers,
                timeout=TIMEOUT_S,
                follow_redirects=False,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise NotDelivered(f"the webhook of {self.name!r} does not answer ({type(error).__name__})") from error
        if not answer.is_success:
            raise NotDelivered(f"the webhook of {self.name!r} answered {answer.status_code}")


def sign(body: bytes, secret: str, now: datetime) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA-256 with the secret over the seconds, a full stop and the body."""
    at = int(now.timestamp())
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def targets(home: Path) -> tuple[Target, ...]:
    """Those of the home's file; none without it. Raises ``UsageError`` and ``KeyFileError``."""
    path = home / FILE
    with disk.trouble(path):
        if not path.exists():
            return ()
        status = path.lstat()
        if status.st_uid != os.geteuid() or not disk.is_private(status):
            raise KeyFileError(f"{path} holds passwords and is not this user's alone: run `chmod 600 {path}`")
        data = path.read_bytes()
    try:
        document = tomllib.loads(data.decode())
    except ValueError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    entries = document.get("target", [])
    if not isinstance(entries, list) or document.keys() - {"target"}:
        raise UsageError(f"{path} has [[target]] entries, and nothing else")
    found = tuple(_target(each, n, path) for n, each in enumerate(entries, 1))
    if len({each.name for each in found}) < len(found):
        raise UsageError(f"{path}: two targets have the same name")
    return found


@dataclass(kw_only=True, slots=True)
class Messenger:
    """Tells each target what it has not heard yet. One that cannot be told holds up no other."""

    database: Database
    targets: Sequence[Target]
    clock: Callable[[], datetime]
    trouble: Callable[[Target, ArchiveError], None]
    _pause_until: dict[str, datetime] = field(default_factory=dict)

    def deliver(self) -> int:
        """Blocking. How many alerts went out, each target's counted."""
        told = 0
        for target in self.targets:
            now = self.clock()
            if self._pause_until.get(target.name, now) > now:
                continue
            with self.database.transaction() as connection:
                last = alerts.last_sent(connection, target.name)
                if target.every and last is not None and now - last < target.every:
                    continue
                found = alerts.unsent(connection, target.name, target.kinds)
            if not found:
                continue
            try:
                target.tell(found, now=now)
            except ArchiveError as error:
                self._pause_until[target.name] = now + timedelta(minutes=5)
                self.trouble(target, error)
                continue
            # Told, then noted: one that is told twice is better than one that is told to nobody.
            with self.database.transaction() as connection:
                alerts.note_sent(connection, target.name, found, now=now)
            told += len(found)
        return told


def _target(entry: Any, n: int, path: Path) -> Target:
    where = f"{path}, target {n}"
    if not isinstance(entry, dict) or entry.keys() - _KEYS:
        raise UsageError(f"{where} has {', '.join(sorted(_KEYS))}, and nothing else")
    if any(not isinstance(entry.get(key, ""), str) for key in _KEYS - {"kinds"}):
        raise UsageError(f"{where}: all but 'kinds' is text")
    name, url, webhook, secret = (entry.get(key) for key in ("name", "url", "webhook", "secret"))
    if not name or (url is None) == (webhook is None):
        raise UsageError(f"{where} needs a name, and a url or a webhook")
    if webhook is not None:
        parts = urlsplit(webhook)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise UsageError(f"{where}: a webhook is an https:// address (http:// on this machine alone)")
        if secret is None or len(secret) < LEAST_SECRET:
            raise UsageError(f"{where}: a webhook needs a secret of {LEAST_SECRET} characters or more, which signs it")
    elif not apprise.Apprise().add(str(url)):
        raise UsageError(f"{where}: Apprise does not know such a url; its documentation lists them")
    kinds = entry.get("kinds", [each.value for each in Kind])
    if not isinstance(kinds, list) or not kinds or any(each not in set(Kind) for each in kinds):
        raise UsageError(f"{where}: 'kinds' are of {', '.join(Kind)}")
    every = entry.get("every")
    return Target(
        name=name,
        kinds=tuple(Kind(each) for each in kinds),
        every=timedelta(0) if every is None else duration(every, "every"),
        url=url,
        webhook=webhook,
        secret=secret or "",
    )
