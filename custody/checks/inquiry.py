"""What all checks of one verification share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol, TypeVar

from custody import keyspace
from custody.source import Absent, Reader, TooLong
from custody.timestamp import Token
from custody.trust import Authority, Trust
from custody.verdict import Findings

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``; a total of 0 means that nobody knows."""

SecondOpinion = Callable[[bytes, bytes, bytes, Authority], Token | None]
"""``opinion(query, response, data, authority)``: of a token that this verifier cannot read, what another program reads
in it, if it says that the token holds: chain to the authority's roots at its own time, imprint, nonce and pins."""

_BATCH = 256  # what is held at once, however many threads the caller's map uses
_BATCH_BYTES = 128 * 1024 * 1024


class Map(Protocol):
    """The builtin ``map``, or that of an executor: results in the order of the arguments."""

    def __call__(self, function: Callable[[T], R], arguments: Iterable[T], /) -> Iterable[R]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Inquiry:
    reader: Reader
    trust: Trust
    findings: Findings
    at: datetime
    """Now, by the caller's clock."""
    scope: str | None
    """The id of the one case whose blobs are looked at; None: all."""
    map: Map
    progress: Progress
    second_opinion: SecondOpinion | None = None

    @property
    def log(self) -> str:
        return self.trust.log.name

    @property
    def prefix(self) -> str:
        return keyspace.log_prefix(self.log)

    def mapped(self, function: Callable[[T], R], arguments: Iterable[T], batch: int = _BATCH) -> Iterator[R]:
        """``map`` over a batch at a time: an executor's own map would take up, and keep, everything at once."""
        rest = iter(arguments)
        while some := list(islice(rest, batch)):
            yield from self.map(function, some)

    def fetched(self, keys: Iterable[str], limit: int) -> Iterator[bytes | Absent | TooLong]:
        """The bytes under each key, or why there are none; no more of them at once than memory has room for."""
        return self.mapped(lambda key: self._fetch(key, limit), keys, max(1, min(_BATCH, _BATCH_BYTES // limit)))

    def _fetch(self, key: str, limit: int) -> bytes | Absent | TooLong:
        try:
            return self.reader.read(key, limit)
        except (Absent, TooLong) as error:
            return error


def silent(what: str, done: int, total: int) -> None:
    """Progress for nobody."""
