"""Which key is meant, as one line of text that holds no secret.

::

    file:PATH                                            32 raw bytes, 0600
    pkcs11:token=T;object=O?module-path=SO&pin-source=S  RFC 7512
    awskms:KEY[@REGION]                                  a key's id, ``alias/NAME`` or ARN
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from archive.errors import UsageError

# RFC 7512 section 2.3: these name a token or an object in it. Others would have to be matched as well, and are refused.
_PATH_ATTRIBUTES = frozenset({"token", "manufacturer", "serial", "model", "slot-id", "object", "id", "type"})
_QUERY_ATTRIBUTES = frozenset({"module-path", "pin-source"})
_SAFE = "-._~:[]@!$'()*+,=&/"  # RFC 7512 section 2.3: pk11-path-res-avail and more, which need no percent sign

_KMS_KEY = re.compile(r"(?:arn:[a-z0-9-]+:kms:([a-z0-9-]+):[0-9]{12}:)?(?:key/)?(?:alias/)?[A-Za-z0-9/_-]{1,256}")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class FileSpec:
    path: Path

    def format(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSpec:
    """A key in a device. A None matches anything."""

    module: Path
    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    slot: int | None = None
    label: str | None = None
    id: bytes | None = None
    pin_source: str | None = None
    """``file:PATH`` or ``env:NAME``. None: ``COUNTERPROOF_PKCS11_PIN``, or the device asks by itself."""

    def format(self) -> str:
        path = {
            "token": self.token,
            "manufacturer": self.manufacturer,
            "serial": self.serial,
            "model": self.model,
            "slot-id": None if self.slot is None else str(self.slot),
            "object": self.label,
            "id": self.id,
        }
        query = {"module-path": str(self.module), "pin-source": self.pin_source}
        attributes = ";".join(f"{name}={_quoted(value)}" for name, value in path.items() if value is not None)
        return f"pkcs11:{attributes}?{'&'.join(f'{name}={_quoted(value)}' for name, value in query.items() if value)}"


@dataclass(frozen=True, slots=True)
class KmsSpec:
    key: str
    region: str | None
    """None: as AWS_REGION says."""

    def format(self) -> str:
        return f"awskms:{self.key}" + (f"@{self.region}" if self.region else "")


KeySpec = FileSpec | TokenSpec | KmsSpec


def parse(text: str) -> KeySpec:
    """Raises ``UsageError``, which quotes nothing that may be a secret."""
    scheme, colon, rest = text.strip().partition(":")
    if any(each < " " for each in rest) or not rest:
        raise UsageError(_FORMS)
    if colon and scheme == "file":
        return FileSpec(Path(rest.removeprefix("//")).expanduser().absolute())
    if colon and scheme == "pkcs11":
        return _token(rest)
    if colon and scheme == "awskms":
        return _kms(rest)
    raise UsageError(_FORMS)


_FORMS = (
    "a key is file:PATH, pkcs11:token=NAME;object=NAME?module-path=LIBRARY (RFC 7512), or awskms:KEY[@REGION]; "
    "docs/keys.md shows each"
)


def _token(rest: str) -> TokenSpec:
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", _PATH_ATTRIBUTES)
    asked = _attributes(query, "&", _QUERY_ATTRIBUTES)
    if named.get("type", b"private") != b"private":
        raise UsageError("a pkcs11: key is a private one: leave type= out, or say type=private")
    if not asked.get("module-path"):
        raise UsageError("a pkcs11: key needs ?module-path=LIBRARY, the device's own PKCS#11 library (a .so file)")
    if not {"object", "id"} & named.keys():
        raise UsageError("a pkcs11: key is named by object=LABEL or id=%01, or by both")
    slot = _text(named, "slot-id")
    if slot is not None and not (slot.isascii() and slot.isdigit()):
        raise UsageError("slot-id= of a pkcs11: key is a decimal number")
    pin_source = _text(asked, "pin-source")
    if pin_source is not None and pin_source.startswith("/"):
        pin_source = f"file:{pin_source}"
    if pin_source is not None and not pin_source.startswith(("file:", "env:")):
        raise UsageError("pin-source= of a pkcs11: key is file:PATH (0600) or env:NAME, the name of a variable")
    return TokenSpec(
        module=Path(_text(asked, "module-path") or "").expanduser(),
        token=_text(named, "token"),
        manufacturer=_text(named, "manufacturer"),
        serial=_text(named, "serial"),
        model=_text(named, "model"),
        slot=None if slot is None else int(slot),
        label=_text(named, "object"),
        id=named.get("id"),
        pin_source=pin_source,
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for each in filter(None, text.split(separator)):
        name, equals, value = each.partition("=")
        if name == "pin-value":
            raise UsageError(
                "a PIN does not belong into the name of a key, where others can read it: change that PIN, and give the "
                "new one by pin-source=file:PATH (0600) or in COUNTERPROOF_PKCS11_PIN"
            )
        if name not in known or not equals:
            what = name if re.fullmatch(r"[a-z-]{1,40}", name) else "what stands there"
            raise UsageError(f"a pkcs11: key may have {', '.join(sorted(known))} there, not {what}")
        if name in found:  # RFC 7512 section 2.3: no attribute twice
            raise UsageError(f"a pkcs11: key has {name} once")
        found[name] = unquote_to_bytes(value)
    return found


def _text(values: Mapping[str, bytes], name: str) -> str | None:
    value = values.get(name)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}= of a pkcs11: key is percent-encoded UTF-8") from error


def _quoted(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return "".join(f"%{each:02X}" for each in value)  # RFC 7512 section 2.3: the id, byte for byte
    return quote_from_bytes(value.encode(), safe=_SAFE.replace("&", "").replace(";", ""))


def _kms(rest: str) -> KmsSpec:
    key, _, given = rest.partition("@")
    match = _KMS_KEY.fullmatch(key)
    if match is None or (given and not _REGION.fullmatch(given)):
        raise UsageError(
            "a key in AWS KMS is awskms:ID, awskms:alias/NAME or awskms:ARN, with @REGION after the first two"
        )
    if given and match[1] and match[1] != given:
        raise UsageError(f"the ARN of this key names the region {match[1]}, and @{given} another: leave @{given} out")
    return KmsSpec(key, match[1] or given or None)
