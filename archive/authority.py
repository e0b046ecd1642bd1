"""Time-stamp authorities: carry a query there and the answer back, keep both, then judge."""

import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryptography import x509

from archive.errors import Collision, NotStored
from archive.opinion import judged
from archive.store import ObjectStore
from custody import cms, keyspace, timestamp, trust
from custody.digest import Digest
from custody.errors import FormatError, TimestampError
from custody.timestamp import MAX_RESPONSE_BYTES, NONCE_BITS, Token

_QUERY_TYPE = "application/timestamp-query"  # RFC 3161 §3.4
_REPLY_TYPE = "application/timestamp-reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamped:
    """The authority answered, and its answer is kept."""

    authority: str
    size: int
    """Of the tree whose checkpoint was stamped."""
    response: bytes = field(repr=False)
    token: Token | None
    """None: the answer cannot be read, or is about something else."""
    reason: str = ""
    """Why the token is not believed; empty when it is."""
    second_opinion: bool = False
    """Our own verifier cannot read the token; OpenSSL does, and finds that it holds."""
    signer_ends: datetime | None = None
    """When the certificate of its signer ends, where it carries one."""

    @property
    def trusted(self) -> bool:
        return self.token is not None and not self.reason

    @property
    def state(self) -> str:
        return "trusted" if self.trusted else "unverified"

    @property
    def token_sha256(self) -> Digest:
        return Digest.of(self.response)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """There is no token: the authority was not reached, or did not grant one. Nothing waits for it."""

    authority: str
    size: int
    reason: str


class Authority:
    """One authority of the trust file, for one log."""

    def __init__(
        self,
        believed: trust.Authority,
        *,
        store: ObjectStore,
        log: str,
        retain_until: Callable[[], datetime],
        timeout_s: float,
        spacing_s: float = 0.0,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """``spacing_s``: what it asks of scripts between two requests; whoever calls ``stamp`` keeps to it."""
        self.id = believed.id
        self.spacing_s = spacing_s
        self._believed = believed
        self._store = store
        self._log = log
        self._retain_until = retain_until
        self._timeout_s = timeout_s
        self._random = random

    def stamp(self, checkpoint: bytes, size: int, *, within_s: float | None = None) -> Stamped | Refused:
        """Ask once, for no longer than the time limit, or ``within_s`` if that is less.

        Raises ``StoreError`` alone, when the answer cannot be kept.

        A checkpoint that has an answer already, perhaps one that another process fetched, gives that one.
        """
        kept = self.kept(checkpoint, size)
        if kept is not None:
            return kept
        query = self._keep_query(checkpoint, size)
        try:
            response = ask(self._believed.url, query, min(self._timeout_s, within_s or self._timeout_s))
            timestamp.read(query, response, checkpoint, self._believed)
        except Unanswered as error:
            return Refused(authority=self.id, size=size, reason=str(error))
        except TimestampError as error:
            if error.code == "TS_STATUS":  # no token, so nothing to keep: it may grant one later
                return Refused(authority=self.id, size=size, reason=str(error))
        response = self._keep(keyspace.token(self._log, size, self.id), response)
        return self._judge(query, response, checkpoint, size)

    def kept(self, checkpoint: bytes, size: int) -> Stamped | None:
        """The answer that lies in the store, judged anew."""
        try:
            query = self._store.read(keyspace.query(self._log, size, self.id))
            response = self._store.read(keyspace.token(self._log, size, self.id))
        except NotStored:
            return None
        return self._judge(query, response, checkpoint, size)

    def _keep_query(self, checkpoint: bytes, size: int) -> bytes:
        """Before it is sent; the one that is there already is sent again, as its sender may have died."""
        query = timestamp.query(checkpoint, int.from_bytes(self._random(NONCE_BITS // 8)))
        return self._keep(keyspace.query(self._log, size, self.id), query)

    def _keep(self, key: str, data: bytes) -> bytes:
        """What is kept from now on: these bytes, or those that were there first."""
        try:
            self._store.create(key, data, digest=Digest.of(data), retain_until=self._retain_until())
        except Collision:
            return self._store.read(key)
        return data

    def _judge(self, query: bytes, response: bytes, checkpoint: bytes, size: int) -> Stamped:
        found = judged(query, response, checkpoint, self._believed)
        signer = None if found.token is None else signer_of(response)
        return Stamped(
            authority=self.id,
            size=size,
            response=response,
            token=found.token,
            reason=found.reason,
            second_opinion=found.second_opinion,
            signer_ends=None if signer is None else signer.not_valid_after_utc,
        )


def signer_of(response: bytes) -> x509.Certificate | None:
    """The certificate that the token's signature names, where the token carries it. Nothing is verified by this."""
    try:
        found = cms.Envelope.parse(response).signer
        return None if found is None else x509.load_der_x509_certificate(found)
    except (FormatError, ValueError):
        return None


class Unanswered(Exception):
    """No answer that could be kept."""


def ask(url: str, query: bytes, timeout_s: float) -> bytes:
    """One request, one answer. Raises ``Unanswered``.

    In a thread of its own: a socket's time limit counts for each packet, and name resolution has none at all.
    """
    answers: queue.SimpleQueue[bytes | Unanswered] = queue.SimpleQueue()
    thread = threading.Thread(
        target=lambda: answers.put(_post(url, query, timeout_s)), name="timestamp-authority", daemon=True
    )
    thread.start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise Unanswered(f"no answer from {url} within {timeout_s:g} s") from None
    if isinstance(answer, Unanswered):
        raise answer
    return answer


def _post(url: str, query: bytes, timeout_s: float) -> bytes | Unanswered:
    request = Request(  # noqa: S310 - the trust file takes http and https alone
        url, data=query, headers={"Content-Type": _QUERY_TYPE, "Accept": _REPLY_TYPE, "User-Agent": "Counterproof"}
    )
    try:
        with urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            kind = answer.headers.get_content_type()
            body: bytes = answer.read(MAX_RESPONSE_BYTES + 1)
    except HTTPError as error:
        with error:
            return Unanswered(f"{url} answered HTTP {error.code}")
    except (OSError, HTTPException, ValueError) as error:
        return Unanswered(f"{url} could not be asked: {error}")
    if kind != _REPLY_TYPE:
        return Unanswered(f"{url} answered with {kind[:80]}, which is no time-stamp")
    if len(body) > MAX_RESPONSE_BYTES:
        return Unanswered(f"{url} answered with more than {MAX_RESPONSE_BYTES} bytes, which is no time-stamp")
    return body
