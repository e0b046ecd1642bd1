"""Who looks, and what he may: rights are given case by case."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.accounts import EVERYWHERE, Account, Right, Token

__all__ = ["Right", "Viewer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Somebody who has signed in, or holds a token."""

    name: str
    rights: Mapping[str, Right] = field(repr=False)
    """By case (its id in the log), or ``EVERYWHERE``."""
    csrf: str = field(default="", repr=False)
    """What each form must bring back; empty for a token, which no page can send by itself."""

    @classmethod
    def owner(cls, name: str, csrf: str) -> "Viewer":
        """Whoever holds the home on this machine: everything."""
        return cls(name=name, rights={EVERYWHERE: Right.CUSTODIAN}, csrf=csrf)

    @classmethod
    def of(cls, account: Account, csrf: str) -> "Viewer":
        return cls(name=account.name, rights=account.rights, csrf=csrf)

    @classmethod
    def by(cls, account: Account, token: Token) -> "Viewer":
        """No more than the account has, and no more than the token gives."""
        rights = {scope: min(right, token.most) for scope, right in account.rights.items()}
        if token.scopes:
            everywhere = rights.get(EVERYWHERE)
            given = {scope: rights.get(scope, everywhere) for scope in token.scopes}
            rights = {scope: right for scope, right in given.items() if right is not None}
        return cls(name=f"{account.name} (token {token.id})", rights=rights)

    @property
    def scopes(self) -> frozenset[str] | None:
        """The cases that may be seen; None: all."""
        return None if EVERYWHERE in self.rights else frozenset(self.rights)

    def may(self, scope: str, right: Right) -> bool:
        return max(self.rights.get(scope, 0), self.rights.get(EVERYWHERE, 0)) >= right

    def may_everywhere(self, right: Right) -> bool:
        return self.rights.get(EVERYWHERE, 0) >= right
