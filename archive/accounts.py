"""Accounts: who may sign in to the console, with which rights in which cases, and tokens for programs.

One file in the home, readable by its owner alone. It holds Argon2id hashes (RFC 9106) of passwords and SHA-256 digests
of tokens, which are random; never either of them. It is no evidence, and in no export.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from archive import disk
from archive.errors import KeyFileError, UsageError
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc

NAME = "users.json"
EVERYWHERE = "*"
"""In place of a case's id: all cases, those to come among them."""
MIN_PASSWORD = 12
MAX_PASSWORD = 1024
MAX_IDENTITY = 200
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_SCHEMA = 1
_TOKEN_BYTES = 32


class Right(IntEnum):
    """What somebody may do in a case. Each holds those before it."""

    VIEWER = 1
    """Looks at pages, and fetches what they show."""
    REVIEWER = 2
    """Decides on candidates."""
    INVESTIGATOR = 3
    """Has pages captured."""
    CUSTODIAN = 4
    """Sees who looked."""

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Right":
        found = {each.word: each for each in cls}.get(word)
        if found is None:
            raise UsageError(f"a right is one of {', '.join(each.word for each in cls)}; got {word!r}")
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    name: str
    password: str | None = field(repr=False)
    """Its hash; None: it has none, and acts by tokens, or signs in at a provider of identities."""
    rights: Mapping[str, Right]
    """By case (its id in the log), or ``EVERYWHERE``."""
    created: datetime
    identity: str | None = None
    """How a provider of identities names whose account it is; None: nobody signs in there for it."""
    subject: str | None = None
    """Whom the provider meant when they first signed in: a name may be given to another person, this is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """Of a program that acts for somebody."""

    id: str
    """Public: by which it is listed and taken back."""
    digest: str = field(repr=False)
    name: str
    """Whose account."""
    most: Right
    """It gives no more than this, whatever its account has."""
    scopes: tuple[str, ...]
    """Only in these cases; empty: wherever the account may."""
    expires: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _All:
    accounts: Mapping[str, Account] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)


class Accounts:
    """Of one home. Reads its file whenever that has changed, so that what is taken away is gone at once."""

    def __init__(self, home: Path, clock: Callable[[], datetime]) -> None:
        self.path = home / NAME
        self._clock = clock
        self._hasher = PasswordHasher()
        self._nobody: str | None = None
        self._seen: tuple[tuple[int, int, int], _All] | None = None

    def all(self) -> list[Account]:
        return list(self._read().accounts.values())

    def tokens(self) -> list[Token]:
        return list(self._read().tokens.values())

    def find(self, name: str) -> Account | None:
        return self._read().accounts.get(name)

    def add(self, name: str, password: str | None) -> Account:
        """``password`` None: for a program, which has tokens. Raises ``UsageError``."""
        if not _USER.fullmatch(name):
            raise UsageError(f"a user's name is letters, digits and . _ @ + -, at most 100; got {name[:120]!r}")
        made = Account(name=name, password=self._hash(password), rights={}, created=self._clock())
        with self._changing() as held:
            if name in held.accounts:
                raise UsageError(f"there is a user {name!r} already: counterproof users password {name}")
            self._write(replace(held, accounts={**held.accounts, name: made}))
        return made

    def set_password(self, name: str, password: str) -> None:
        hashed = self._hash(password)
        with self._changing() as held:
            account = replace(_named(held, name), password=hashed)
            self._write(replace(held, accounts={**held.accounts, name: account}))

    def link(self, name: str, identity: str | None) -> None:
        """Who signs in for it at a provider of identities; None: nobody does. Whoever did so before is forgotten."""
        if identity is not None and not 0 < len(identity) <= MAX_IDENTITY:
            raise UsageError(f"how a provider names somebody has 1 to {MAX_IDENTITY} characters")
        with self._changing() as held:
            account = _named(held, name)
            taken = [each.name for each in held.accounts.values() if identity and _is_named(each, identity)]
            if taken and taken != [name]:
                raise UsageError(f"{identity} signs in for {taken[0]} already")
            changed = replace(account, identity=identity, subject=None)
            self._write(replace(held, accounts={**held.accounts, name: changed}))

    def arrive(self, identity: str, subject: str) -> Account | None:
        """The account that a provider's word lets in. The first arrival says for whom the name stands from then on."""
        found = next((each for each in self._read().accounts.values() if _is_named(each, identity)), None)
        if found is None or found.subject is not None:
            return found if found is not None and found.subject == subject else None
        with self._changing() as held:
            account = _named(held, found.name)
            if not _is_named(account, identity) or account.subject not in {None, subject}:
                return None
            changed = replace(account, subject=subject)
            self._write(replace(held, accounts={**held.accounts, account.name: changed}))
        return changed

    def remove(self, name: str) -> None:
        """With all tokens of it."""
        with self._changing() as held:
            _named(held, name)
            self._write(
                _All(
                    accounts={each: account for each, account in held.accounts.items() if each != name},
                    tokens={each: token for each, token in held.tokens.items() if token.name != name},
                )
            )

    def grant(self, name: str, scope: str, right: Right | None) -> Account:
        """None takes it away."""
        with self._changing() as held:
            account = _named(held, name)
            rights = {each: given for each, given in account.rights.items() if each != scope}
            changed = replace(account, rights=rights if right is None else {**rights, scope: right})
            self._write(replace(held, accounts={**held.accounts, name: changed}))
        return changed

    def check(self, name: str, password: str) -> Account | None:
        """The account whose password this is. Takes as long for a name that there is not."""
        account = self.find(name)
        hashed = None if account is None else account.password
        try:
            self._hasher.verify(hashed or self._decoy(), password[:MAX_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        return account if hashed is not None else None

    def issue(self, name: str, *, most: Right, scopes: tuple[str, ...], expires: datetime) -> tuple[Token, str]:
        """A token, and the secret that is told once."""
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        token = Token(
            id=secrets.token_hex(6), digest=_digest(secret), name=name, most=most, scopes=scopes, expires=expires
        )
        with self._changing() as held:
            _named(held, name)
            self._write(replace(held, tokens={**held.tokens, token.id: token}))
        return token, secret

    def take_back(self, token: str) -> None:
        with self._changing() as held:
            if token not in held.tokens:
                raise UsageError(f"there is no token {token!r}: counterproof users list")
            self._write(replace(held, tokens={each: told for each, told in held.tokens.items() if each != token}))

    def by_token(self, secret: str) -> tuple[Account, Token] | None:
        """Of a token that has not expired, and whose account is there."""
        wanted, held = _digest(secret), self._read()
        for token in held.tokens.values():
            if secrets.compare_digest(token.digest, wanted) and token.expires > self._clock():
                account = held.accounts.get(token.name)
                return None if account is None else (account, token)
        return None

    def _decoy(self) -> str:
        """Hash of a password that nobody has."""
        self._nobody = self._nobody or self._hasher.hash(secrets.token_urlsafe(_TOKEN_BYTES))
        return self._nobody

    def _hash(self, password: str | None) -> str | None:
        if password is None:
            return None
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise UsageError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters, got {len(password)}")
        return self._hasher.hash(password)

    @contextmanager
    def _changing(self) -> Iterator[_All]:
        """One process at a time; what it writes is what it has read, changed."""
        disk.make_directory(self.path.parent)
        with disk.exclusive(self.path.with_name(f"{NAME}.lock")):
            self._seen = None
            yield self._read()

    def _read(self) -> _All:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return _All()
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._seen is not None and self._seen[0] == mark:
            return self._seen[1]
        if stat.st_mode & 0o077:
            raise KeyFileError(f"{self.path} can be read by others: chmod 600 {self.path}")
        with disk.trouble(self.path):
            data = self.path.read_bytes()
        try:
            found = _parsed(json.loads(data))
        except (ValueError, LookupError, TypeError, AttributeError, FormatError) as error:
            raise KeyFileError(f"{self.path} cannot be read ({error}): put it back from your backup") from error
        self._seen = (mark, found)
        return found

    def _write(self, held: _All) -> None:
        data = json.dumps(_document(held), indent=1, sort_keys=True).encode() + b"\n"
        disk.replace_file(self.path, data)
        self._seen = None


def _named(held: _All, name: str) -> Account:
    found = held.accounts.get(name)
    if found is None:
        raise UsageError(f"there is no user {name!r}: counterproof users add {name}")
    return found


def _is_named(account: Account, identity: str) -> bool:
    """Providers do not keep to one spelling of an e-mail address."""
    return account.identity is not None and account.identity.casefold() == identity.casefold()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _document(held: _All) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "users": {
            each.name: {
                "password": each.password,
                "rights": {scope: right.word for scope, right in each.rights.items()},
                "created": format_utc(each.created),
                **({} if each.identity is None else {"identity": each.identity, "subject": each.subject}),
            }
            for each in held.accounts.values()
        },
        "tokens": {
            each.id: {
                "sha256": each.digest,
                "user": each.name,
                "most": each.most.word,
                "scopes": list(each.scopes),
                "expires": format_utc(each.expires),
            }
            for each in held.tokens.values()
        },
    }


def _parsed(value: Any) -> _All:
    if value["schema"] != _SCHEMA:
        raise ValueError(f"its schema is {value['schema']!r}, expected {_SCHEMA}")
    return _All(
        accounts={
            name: Account(
                name=name,
                password=each["password"],
                rights={scope: Right[str(right).upper()] for scope, right in each["rights"].items()},
                created=parse_utc(each["created"]),
                identity=each.get("identity"),
                subject=each.get("subject"),
            )
            for name, each in value["users"].items()
        },
        tokens={
            name: Token(
                id=name,
                digest=each["sha256"],
                name=each["user"],
                most=Right[str(each["most"]).upper()],
                scopes=tuple(each["scopes"]),
                expires=parse_utc(each["expires"]),
            )
            for name, each in value["tokens"].items()
        },
    )
