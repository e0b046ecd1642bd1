"""A trial: ask one authority for a stamp over random bytes, and judge the answer. Nothing is recorded by it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from rfc3161_client import decode_timestamp_response

from archive.authority import Unanswered, ask, signer_of
from archive.opinion import judged
from custody import cms, timestamp
from custody.errors import FormatError
from custody.timestamp import NONCE_BITS, Token
from custody.trust import Authority

_BYTES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of it."""

    authority: Authority
    answered: bool
    reason: str = ""
    """Why it is not to be relied on; empty when the token holds."""
    token: Token | None = None
    second_opinion: bool = False
    """Our own verifier cannot read the token; OpenSSL does, and finds that it holds."""
    signer: x509.Certificate | None = field(default=None, repr=False)
    issuers: tuple[str, ...] = ()
    """Who issued the certificates that came with the token: the root is one of these."""
    took_s: float = 0.0
    clock_ahead: timedelta | None = None
    """How far this machine's clock was ahead of the token's time: within how long the answer took, this is nothing."""

    @property
    def holds(self) -> bool:
        return self.token is not None and not self.reason


def try_authority(
    authority: Authority,
    *,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    within_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> Trial:
    """Raises nothing: whatever goes wrong is what the trial has found out."""
    data = random(_BYTES)
    query = timestamp.query(data, int.from_bytes(random(NONCE_BITS // 8)))
    began = monotonic()
    try:
        response = ask(authority.url, query, within_s)
    except Unanswered as error:
        return Trial(authority=authority, answered=False, reason=str(error), took_s=monotonic() - began)
    at, took = clock(), monotonic() - began
    judgement = judged(query, response, data, authority)
    return Trial(
        authority=authority,
        answered=True,
        reason=judgement.reason,
        token=judgement.token,
        second_opinion=judgement.second_opinion,
        signer=signer_of(response),
        issuers=_issuers(response),
        took_s=took,
        clock_ahead=None if judgement.token is None else at - judgement.token.gen_time,
    )


def _issuers(response: bytes) -> tuple[str, ...]:
    try:
        decoded = decode_timestamp_response(cms.Envelope.parse(response).response)
        sent = [x509.load_der_x509_certificate(each) for each in decoded.signed_data.certificates]
    except (ValueError, FormatError):
        return ()
    return tuple(dict.fromkeys(each.issuer.rfc4514_string() for each in sent))
