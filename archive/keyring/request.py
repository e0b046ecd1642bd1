"""A key's request: the public key of a new machine or person, with proof that whoever asks holds the private one.

JSON, one file for each key: ``{"schema", "kind", "role", "log", "public_key", "keyid", "made_at", "signature"}``. The
signature is over a line that names its purpose and the JCS of all other fields, so it can be taken for nothing else.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from archive.errors import UsageError
from custody import canonical, keys
from custody.errors import CustodyError, FormatError
from custody.instant import format_utc, parse_utc
from custody.keys import Signer
from custody.model import Json
from custody.note import decode_base64

KIND = "counterproof key request"
_CONTEXT = b"counterproof key request v1\n"
_MAX_BYTES = 16 * 1024
_ROLES = frozenset({"worker", "person", "root"})
_FIELDS = frozenset({"schema", "kind", "role", "log", "public_key", "keyid", "made_at", "signature"})


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRequest:
    role: str
    log: str | None
    """None: a root holder's, made before there is a log."""
    public_key: bytes
    made_at: datetime
    signature: bytes

    @property
    def keyid(self) -> str:
        return keys.keyid(self.public_key)

    @classmethod
    def make(cls, signer: Signer, *, role: str, log: str | None, now: datetime) -> Self:
        fields = _fields(role, log, signer.public_key, now)
        signature = signer.sign(_CONTEXT + canonical.dumps(fields))
        return cls(role=role, log=log, public_key=signer.public_key, made_at=now, signature=signature)

    def format(self) -> bytes:
        fields = _fields(self.role, self.log, self.public_key, self.made_at)
        return canonical.dumps({**fields, "signature": base64.b64encode(self.signature).decode()}) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises ``FormatError``, and ``SignatureError`` when whoever asks does not hold the key."""
        top: Any = canonical.loads(data, max_bytes=_MAX_BYTES)
        if not isinstance(top, dict) or top.keys() != _FIELDS or (top["schema"], top["kind"]) != (1, KIND):
            raise FormatError(f"this is no file of the kind {KIND!r}, or one of a later version")
        texts = [top[name] for name in ("role", "public_key", "keyid", "made_at", "signature")]
        if not all(isinstance(each, str) for each in texts) or not isinstance(top["log"], str | None):
            raise FormatError(f"a {KIND} holds text")
        if top["role"] not in _ROLES or (top["log"] is None) != (top["role"] == "root"):
            raise FormatError(f"a {KIND} is for a worker or a person of a log, or for a root holder of none yet")
        request = cls(
            role=top["role"],
            log=top["log"],
            public_key=decode_base64(top["public_key"]),
            made_at=parse_utc(top["made_at"]),
            signature=decode_base64(top["signature"]),
        )
        if request.keyid != top["keyid"]:
            raise FormatError(f"{top['keyid'][:64]} is not the id of the key beside it")
        signed = _fields(request.role, request.log, request.public_key, request.made_at)
        keys.verify(request.public_key, _CONTEXT + canonical.dumps(signed), request.signature)
        return request


def read_request(path: Path) -> KeyRequest:
    """Raises ``UsageError`` for what is no request, or not by whoever holds the key."""
    try:
        with path.open("rb") as file:
            return KeyRequest.parse(file.read(_MAX_BYTES + 1))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): name a request that `keys enrol` wrote") from error
    except CustodyError as error:
        raise UsageError(
            f"{path} cannot be used ({error}): have it made again with `counterproof keys enrol`"
        ) from error


def _fields(role: str, log: str | None, public_key: bytes, made_at: datetime) -> dict[str, Json]:
    return {
        "schema": 1,
        "kind": KIND,
        "role": role,
        "log": log,
        "public_key": base64.b64encode(public_key).decode(),
        "keyid": keys.keyid(public_key),
        "made_at": format_utc(made_at),
    }
