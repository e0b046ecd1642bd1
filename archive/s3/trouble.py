"""Where a foreign error becomes ours: one sentence, what to do next, and whether asking again may help."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
)
from botocore.exceptions import ConnectionError as EndpointError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from archive.errors import NotStored, StoreDenied, StoreDown, StoreError

FOREIGN = (BotoCoreError, ClientError, ResponseParserError, HTTPError, HTTPException, OSError)

_ON_THE_WAY = (
    EndpointError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    HTTPError,
    HTTPException,
    OSError,
)
_NO_LOGIN = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)
_DENIED = {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_DAMAGED = {
    "BadDigest",
    "IncompleteBody",
    "InvalidDigest",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
}
_TAKEN = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}
_BUSY = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
_ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}


class Taken(StoreError):
    """Something has the name already: 412 for a key."""


class NoBucket(StoreError):
    """The whole bucket is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    error: StoreError
    passes: bool = False
    """Asking again may help."""


def said(error: ClientError) -> tuple[int, str]:
    """Status and code. The message is left behind: it may quote keys, and whoever answered has written it."""
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    plain = code[:60] if code.isascii() and code.isalnum() and not code.isdigit() else ""
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)), plain


def judged(error: Exception, what: str, name: str) -> Trouble:
    """``what`` was tried on the store ``name`` and ended in ``error``."""
    failed = f"could not {what}"
    if isinstance(error, ClientError):
        return _answered(*said(error), failed, name)
    if isinstance(error, _NO_LOGIN):
        return Trouble(
            error=StoreDenied(
                f"{failed}: no credentials for {name}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        )
    kind = type(error).__name__
    if isinstance(error, SSLError):
        return Trouble(
            error=StoreDown(
                f"{failed}: the certificate of {name} does not hold; set AWS_CA_BUNDLE, or have it put right"
            )
        )
    if not isinstance(error, _ON_THE_WAY):
        return Trouble(error=StoreError(f"{failed}: {name} cannot be asked ({kind}); look at the store's URL"))
    return Trouble(
        error=StoreDown(
            f"{failed}: {name} does not answer ({kind}); see that it runs and can be reached, then try again"
        ),
        passes=True,
    )


def _answered(status: int, code: str, failed: str, name: str) -> Trouble:
    answer = f"{name} said {status} {code}".strip()
    if status == 412 or code in _TAKEN:
        return Trouble(error=Taken(f"{failed}: {answer}"))
    if code == "RequestTimeTooSkewed":
        return Trouble(error=StoreDenied(f"{failed}: {answer}; set this computer's clock right"))
    if status in {401, 403} or code in _DENIED:
        return Trouble(
            error=StoreDenied(
                f"{failed}: {answer}; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and at what they may do"
            )
        )
    if code == "NoSuchBucket":
        return Trouble(error=NoBucket(f"{failed}: {name} has no such bucket; make it, with Object Lock on"))
    if status in {404, 405}:  # 405: the version is a delete marker
        return Trouble(error=NotStored(f"{failed}: there is nothing in {name}"))
    if code in _DAMAGED:
        return Trouble(
            error=StoreError(f"{failed}: {answer}; the bytes were damaged on their way, try again"), passes=True
        )
    if status in {301, 307} or code in _ELSEWHERE:
        return Trouble(error=StoreError(f"{failed}: {answer}; name the bucket's region as ?region=…"))
    if status in {409, 429} or code in _BUSY or (status >= 500 and status != 501):
        return Trouble(
            error=StoreDown(f"{failed}: {answer} again and again; wait a little, then try again"), passes=True
        )
    return Trouble(error=StoreError(f"{failed}: {answer}; `counterproof doctor` says what this store lacks"))
