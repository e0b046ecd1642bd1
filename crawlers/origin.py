"""Where a page came from, as far as it was checked: public, unverified, or with something of ours in between."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from crawlers.connection import Connection
from crawlers.tls import Certificate
from custody.model import Origin

MAX_REASONS = 30


def judge_origin(
    urls: Iterable[str],
    connections: Sequence[Connection],
    certificates: Sequence[Certificate],
    *,
    interventions: Sequence[str],
) -> tuple[Origin, tuple[str, ...]]:
    """The origin of a visit and the reasons, strongest first.

    ``urls``: every address of the main document's chain that answered. ``interventions``: what the person running
    the program put between it and the public network (``--resolve``, ``--trust-spki``): it makes every capture of
    the run `not_public`, whether or not this one touched it, since a reader cannot tell.
    """
    ours = [f"{each} was in use" for each in interventions]
    for connection in connections:
        if connection.resolved_by in {"resolve", "hosts"}:
            said = "--resolve" if connection.resolved_by == "resolve" else "the hosts file"
            ours.append(f"{connection.host}: its address came from {said}, not from public DNS")
        elif connection.connected_at is not None and not connection.is_public:
            ours.append(f"{connection.host}: {connection.address} is not a public address")
    ours += [
        f"{each.host}: its certificate was trusted by --trust-spki" for each in certificates if each.trusted_by_spki
    ]
    if ours:
        return Origin.NOT_PUBLIC, _some(ours)
    answered = list(dict.fromkeys(urls))
    weak = [
        f"{_host(url)}: plain HTTP, anybody on the way could have altered it"
        for url in answered
        if url.startswith("http:")
    ]
    weak += [f"{each.host}: {each.reason}" for each in certificates if not each.valid]
    if not answered:
        weak.append("no site answered")
    if weak:
        return Origin.UNVERIFIED, _some(weak)
    return Origin.PUBLIC, (
        "public DNS, public addresses, certificates that chain to public roots and name their hosts",
    )


def _some(reasons: Sequence[str]) -> tuple[str, ...]:
    """A page may fetch from hundreds of hosts: the first reasons, and how many more there were."""
    distinct = list(dict.fromkeys(reasons))
    if len(distinct) > MAX_REASONS:
        distinct[MAX_REASONS:] = [f"and {len(distinct) - MAX_REASONS} more of the same kinds"]
    return tuple(distinct)


def _host(url: str) -> str:
    return urlsplit(url).netloc
