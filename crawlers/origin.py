"""Where a page came from, as far as it was checked: public, unverified, or with something of ours in between."""

from collections.abc import Iterable, Iterator, Sequence

from crawlers.address import host_of
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
        if connection.error == "policy":
            continue  # nothing of it was reached: a page that only names a private address does not become ours
        if connection.resolved_by in {"resolve", "hosts"}:
            said = "--resolve" if connection.resolved_by == "resolve" else "the hosts file"
            ours.append(f"{connection.host}: its address came from {said}, not from public DNS")
        elif connection.connected_at is not None and not connection.is_public:
            ours.append(f"{connection.host}: {connection.address} is not a public address")
    proxied = {each.host: each.through for each in connections if each.through is not None}
    ours += [
        f"{each.host}: its certificate does not hold, and may be that of {proxied[each.host]}, which stood in between"
        for each in certificates
        if not each.valid and each.host in proxied
    ]
    ours += [
        f"{each.host}: its certificate was trusted by --trust-spki" for each in certificates if each.trusted_by_spki
    ]
    if ours:
        return Origin.NOT_PUBLIC, _some(ours)
    answered = list(dict.fromkeys(urls))
    weak = [each for url in answered for each in _weaknesses(url, connections, certificates)]
    weak += [f"{each.host}: {each.reason}" for each in certificates if not each.valid]
    if not answered:
        weak.append("no site answered")
    if weak:
        return Origin.UNVERIFIED, _some(weak)
    return Origin.PUBLIC, (
        "public DNS, public addresses, certificates that chain to public roots and name their hosts",
    )


def _weaknesses(url: str, connections: Sequence[Connection], certificates: Sequence[Certificate]) -> Iterator[str]:
    """What the egress and the browser do not vouch for in one address that answered."""
    host = host_of(url)
    reached = {each.kind for each in connections if each.host == host and each.connected_at is not None}
    if url.startswith("http:"):
        # An `http:` address that nothing was sent to is one that the browser turned into `https:` by itself (HSTS).
        if "plain" in reached:
            yield f"{host}: plain HTTP, anybody on the way could have altered it"
        return
    if "tunnel" not in reached:
        yield f"{host}: no connection of this visit led there"
    if all(host_of(f"https://{each.host}/") != host for each in certificates):
        yield f"{host}: no certificate was seen"


def _some(reasons: Sequence[str]) -> tuple[str, ...]:
    """A page may fetch from hundreds of hosts: the first reasons, and how many more there were."""
    distinct = list(dict.fromkeys(reasons))
    if len(distinct) > MAX_REASONS:
        distinct[MAX_REASONS:] = [f"and {len(distinct) - MAX_REASONS} more of the same kinds"]
    return tuple(distinct)
