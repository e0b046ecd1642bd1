"""What answered for the main document, and what the site's clock said beside ours. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from crawlers.connection import Connection
from crawlers.exchange import Exchange
from custody.instant import format_utc
from custody.model import Json

_PORTS = {"http": 80, "https": 443}


def answers(exchanges: Sequence[Exchange], connections: Sequence[Connection]) -> list[dict[str, Json]]:
    """One for each answer to the main document's requests, redirects included, in their order.

    ``server_offset_s``: the site's ``Date`` less the moment at which the browser told of the answer, in whole seconds
    since a ``Date`` has no others (RFC 9110 §6.6.1); an answer out of a cache is as old as its ``Age`` says (RFC 9111
    §5.1). Nothing is judged: a site's clock may be wrong, and so may ours.
    """
    return [_answer(each, connections) for each in exchanges]


def _answer(exchange: Exchange, connections: Sequence[Connection]) -> dict[str, Json]:
    reached = reached_for(exchange.url, exchange.at, connections)
    said = _header(exchange, "date")
    date = parse_date(said)
    age = _header(exchange, "age")
    return {
        "url": exchange.url,
        "status": exchange.status,
        "protocol": exchange.protocol,
        "address": reached.address if reached else None,
        "port": reached.connected_port if reached else None,
        "from_service_worker": exchange.from_service_worker,
        "received_at": format_utc(exchange.at),
        "server_date": said,
        "server_age": age,
        "server_offset_s": None if date is None else round((date - exchange.at).total_seconds()),
    }


def reached_for(url: str, by: datetime | None, connections: Sequence[Connection]) -> Connection | None:
    """The connection that an answer came over: the last one to its host and port that was there by then."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    mine = [
        (each.connected_at, each)
        for each in connections
        if each.connected_at is not None and (each.host, each.port) == (parts.hostname, port)
    ]
    by_then = [each for at, each in mine if by is None or at <= by]
    chosen = by_then or [each for _, each in mine]
    return chosen[-1] if chosen else None


def parse_date(said: str | None) -> datetime | None:
    """An HTTP date in any of its three forms (RFC 9110 §5.6.7); None where it is none."""
    try:
        date = parsedate_to_datetime(said or "")
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _header(exchange: Exchange, name: str) -> str | None:
    """Of several lines the first: there must be one (RFC 9110 §5.3)."""
    values = [value for key, value in exchange.headers.items() if key.lower() == name]
    return values[0].split("\n")[0] if values else None
