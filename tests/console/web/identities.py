"""A provider of identities on this machine: discovery, keys, codes and signed tokens, by the standard's own words.

It lets in whoever ``who`` is, without asking; ``spoil`` changes what it signs, as one that errs or lies would.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from console.screen import now
from console.web.listener import LOOPBACK, listening

CLIENT, SECRET = "console", "a secret: of the client/"

Claims = dict[str, Any]


@dataclass
class Identities:
    """What it says and to whom; a test may change all of it."""

    issuer: str
    who: Claims = field(default_factory=lambda: {"sub": "1", "email": "Ada@example.org", "email_verified": True})
    spoil: Callable[[Claims], Claims] = lambda claims: claims
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    signs_with: RSAKey | None = None
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def token(self, nonce: str) -> str:
        at = int(now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": nonce, **self.who}
        key = self.signs_with or self.key
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, self.spoil(claims), key, algorithms=[self.algorithm])


def application(own: Identities) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, Any]:
        own.asked.append("configuration")
        return {
            "issuer": own.issuer,
            "authorization_endpoint": f"{own.issuer}/authorize",
            "token_endpoint": f"{own.issuer}/token",
            "jwks_uri": f"{own.issuer}/keys",
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        own.asked.append("keys")
        return {"keys": [own.key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        code = f"code-{len(own.codes)}"
        own.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": own.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    @app.post("/token")
    def token(
        request: Request,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
    ) -> Response:
        """Each code once, to the client that it was given for, who knows the secrets behind both."""
        begun = own.codes.pop(code, None)
        basic = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        is_client = basic == f"{CLIENT}:{urlencode({'': SECRET})[1:]}"
        if (
            begun is None
            or not is_client
            or (begun["code_challenge"], begun["redirect_uri"]) != (challenge, redirect_uri)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": own.token(begun["nonce"])})

    return app


@contextmanager
def identifying() -> Iterator[Identities]:
    """Under another name than the console's: for a browser, another site."""
    with listening(LOOPBACK, 0) as listener:
        own = Identities(issuer=f"http://localhost:{listener.getsockname()[1]}")
        config = uvicorn.Config(application(own), log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield own
        finally:
            server.should_exit = True
            thread.join(20)
