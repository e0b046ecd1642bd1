"""A provider of identities (OpenID Connect): who stands before the browser, as somebody else has found out.

The authorization code flow with PKCE (RFC 7636). What is to be known of a sign-in between its two halves lies in a
cookie of the browser that began it, sealed with a key of this process: so nobody can fill our memory by beginning.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from archive.errors import Refused, UsageError

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
"""By which an identity may be signed: never none, and nothing for which we would hold the key ourselves."""
LIFE = timedelta(minutes=10)
"""From the first half of a sign-in to the second."""
EMAIL = "email"
_FRESH = timedelta(hours=1)
_LEEWAY_S = 60
_TIMEOUT_S = 10.0
_MAX_BYTES = 1 << 20
_MAX_IDENTITY = 200
_BYTES = 32
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotIdentified(Refused):
    """The provider did not say who it is, or what it said is not to be believed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """What we are to the provider, as it was agreed there."""

    issuer: str
    id: str
    secret: str | None = field(default=None, repr=False)
    """None: a public client."""
    claim: str = EMAIL
    """By which of its claims people are known here."""

    def __post_init__(self) -> None:
        """Raises ``UsageError``."""
        if not _is_safe(self.issuer) or urlsplit(self.issuer).query or urlsplit(self.issuer).fragment:
            raise UsageError(f"--oidc is the issuer's address, https://…, got {self.issuer[:200]!r}")
        if not self.id:
            raise UsageError("--oidc wants --oidc-client: the id under which the provider knows this console")


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Somebody, as the provider has named them."""

    name: str
    """The claim by which people are known here, such as an e-mail address that the provider has verified."""
    subject: str
    """Issuer and ``sub``: never given to anybody else."""


class Provider:
    """Safe for threads. Raises ``NotIdentified`` for whatever goes wrong at the other end."""

    def __init__(self, client: Client, *, back: str, clock: Callable[[], datetime]) -> None:
        """``back``: address of ours that the provider leads back to."""
        self.client = client
        self._back = back
        self._clock = clock
        self._seal = Fernet(Fernet.generate_key())
        self._lock = threading.Lock()
        self._told: tuple[datetime, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.client.issuer).hostname or self.client.issuer

    def begin(self) -> tuple[str, str]:
        """Where the browser is to go, and what it has to bring back as a cookie."""
        state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self._back,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        at = self._endpoint("authorization_endpoint")
        kept = self._seal.encrypt_at_time(json.dumps([state, nonce, verifier]).encode(), self._now())
        return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}", kept.decode()

    def finish(self, kept: str | None, *, state: str, code: str, issuer: str | None) -> Identity:
        """``kept``: the cookie; the others came back with the browser. ``issuer``: RFC 9207, where it is given."""
        try:
            opened = self._seal.decrypt_at_time((kept or "").encode(), int(LIFE.total_seconds()), self._now())
        except InvalidToken as error:
            raise NotIdentified("this sign-in was not begun in this browser, or too long ago: begin again") from error
        own_state, nonce, verifier = json.loads(opened)
        if not secrets.compare_digest(own_state.encode(), state.encode()):
            raise NotIdentified("this is the answer to another sign-in: begin again")
        if issuer is not None and issuer != self.client.issuer:
            raise NotIdentified("another provider has answered than was asked")
        return self._identity(self._exchange(code, verifier), nonce)

    def _exchange(self, code: str, verifier: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._back, "code_verifier": verifier}
        methods = self._configuration().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth = None
        if self.client.secret is None:
            form["client_id"] = self.client.id
        elif "client_secret_basic" in methods:
            auth = httpx.BasicAuth(_quoted(self.client.id), _quoted(self.client.secret))
        else:
            form |= {"client_id": self.client.id, "client_secret": self.client.secret}
        told = self._ask("POST", self._endpoint("token_endpoint"), data=form, auth=auth)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise NotIdentified("the provider has given no id_token")
        return token

    def _identity(self, token: str, nonce: str) -> Identity:
        """Of a token that the provider signed, for us, now, and for this sign-in."""
        claims = self._signed(token)
        registry = jwt.JWTClaimsRegistry(
            now=self._now(),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise NotIdentified(f"what the provider signed is not for this sign-in ({error})") from error
        if claims.get("azp", self.client.id) != self.client.id:
            raise NotIdentified("what the provider signed was made for another program")
        if self.client.claim == EMAIL and claims.get("email_verified") is not True:
            raise NotIdentified("the provider has not verified this e-mail address")
        name = claims.get(self.client.claim)
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_IDENTITY:
            raise NotIdentified(f"the provider says nothing of {self.client.claim!r}, by which people are known here")
        return Identity(name=name, subject=f"{self.client.issuer}#{claims['sub']}")

    def _signed(self, token: str) -> dict[str, Any]:
        """Its claims. A key that is not known yet is asked for once: providers change theirs."""
        for fresh in (False, True):
            try:
                return dict(jwt.decode(token, self._key_set(fresh=fresh), algorithms=list(ALGORITHMS)).claims)
            except (JoseError, ValueError, TypeError) as error:
                if fresh:
                    raise NotIdentified(f"what the provider signed does not hold ({error})") from error
        raise AssertionError("the second time returns or raises")

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            known = self._keys
        if known is None or fresh:
            told = self._ask("GET", self._endpoint("jwks_uri"))
            try:
                known = KeySet.import_key_set(told)  # type: ignore[arg-type]  # what others wrote: it judges that itself
            except (JoseError, ValueError, TypeError, LookupError) as error:
                raise NotIdentified(f"the provider's keys cannot be read ({error})") from error
            with self._lock:
                self._keys = known
        return known

    def _configuration(self) -> dict[str, Any]:
        with self._lock:
            known = self._told
        if known is None or self._clock() - known[0] > _FRESH:
            told = self._ask("GET", f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.client.issuer:
                raise NotIdentified(f"the provider calls itself {str(told.get('issuer'))[:200]!r}, not as it was asked")
            known = (self._clock(), told)
            with self._lock:
                self._told = known
        return known[1]

    def _endpoint(self, name: str) -> str:
        found = self._configuration().get(name)
        if not isinstance(found, str) or not _is_safe(found):
            raise NotIdentified(f"the provider's {name} is no https address")
        return found

    def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """Its answer, an object of JSON. Redirects are not followed: the addresses are the provider's own."""
        try:
            with httpx.stream(method, url, timeout=_TIMEOUT_S, follow_redirects=False, **options) as answer:
                data = b""
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > _MAX_BYTES:
                        raise NotIdentified("the provider's answer is too long")
                status = answer.status_code
        except httpx.HTTPError as error:
            raise NotIdentified(f"{self.host} cannot be reached ({type(error).__name__})") from error
        if status != httpx.codes.OK:
            raise NotIdentified(f"{self.host} has answered with {status}")
        try:
            told = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise NotIdentified(f"{self.host} has answered with something else than was asked") from error
        if not isinstance(told, dict):
            raise NotIdentified(f"{self.host} has answered with something else than was asked")
        return told

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _is_safe(url: str) -> bool:
    """TLS, or this very machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _quoted(text: str) -> str:
    """As RFC 6749 2.3.1 wants it before Basic."""
    return urlencode({"": text})[1:]
