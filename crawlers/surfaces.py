"""Where else a platform itself shows what an address names: its embeds, and its answers to programs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from archive.surface import Surface

ASKED = frozenset({Surface.OEMBED, Surface.API})
"""Answers for programs: asked for as such, under our name, without a browser."""
_ACCOUNT = "{account}"
_NUMBER = re.compile(r"[0-9]{1,30}")
_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
"""What a header can carry (RFC 9110 §5.5), and long enough to be told from other words in an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """What an answer is given for. It goes out in a header, so that no address ever holds it."""

    variable: str
    """Of the environment, where the user's own token is."""
    header: str
    prefix: str = ""
    """In front of the token."""
    account: str | None = None
    """Variable with the number of the user's own account, where the address has to name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Official:
    """One further surface of one thing."""

    surface: Surface
    url: str
    """With ``{account}`` in it where the credential has one."""
    documented: str
    """Where the platform says that it is there to be used."""
    credential: Credential | None = None

    @property
    def is_asked(self) -> bool:
        return self.surface in ASKED

    def filled(self, tokens: "Tokens") -> "Official | None":
        """With the user's own account in its address; None where a token or an account is wanted and not there."""
        credential = self.credential
        if credential is None:
            return self
        if tokens.of(credential) is None:
            return None
        if credential.account is None:
            return self
        account = tokens.account(credential.account)
        if account is None:
            return None
        return Official(
            surface=self.surface,
            url=self.url.replace(_ACCOUNT, account),
            documented=self.documented,
            credential=credential,
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the user's environment holds of tokens. Never told, not even by ``repr``."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def of(self, credential: Credential) -> str | None:
        """None where there is none, or what no header could carry."""
        value = self.environment.get(credential.variable, "").strip()
        return value if _TOKEN.fullmatch(value) else None

    def account(self, variable: str) -> str | None:
        value = self.environment.get(variable, "").strip()
        return value if _NUMBER.fullmatch(value) else None


def embed(url: str, documented: str) -> Official:
    return Official(surface=Surface.EMBED, url=url, documented=documented)


def oembed(endpoint: str, url: str, documented: str) -> Official:
    """``endpoint``: up to where the address of the thing goes, ``?url=`` or ``&url=`` included."""
    return Official(surface=Surface.OEMBED, url=f"{endpoint}{quote(url, safe='')}", documented=documented)


def api(url: str, documented: str, credential: Credential) -> Official:
    return Official(surface=Surface.API, url=url, documented=documented, credential=credential)
