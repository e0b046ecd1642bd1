"""What wrapped links of a chain say of their destination, held against where the chain really went. Pure."""

from collections.abc import Iterator, Sequence

from archive.wrapping import Led, Wrapped
from crawlers.address import dedupe_key, host_of, registrable_domain
from crawlers.wrappers import carried_destination, is_wrapper, unwrap


def wrapped_in(chain: Sequence[str]) -> list[Wrapped]:
    """Each destination once, of the first link that names it. ``chain``: what was asked for, then where it led."""
    found: dict[str, Wrapped] = {}
    for n, url in enumerate(chain):
        destination, by = unwrap(url), "wrapper"
        if destination is None and n == 0:
            destination, by = carried_destination(url), "query"
        if destination is None or _key(destination) in found:
            continue
        made = _held_against(url, destination, by, chain[n + 1 :])
        if by == "wrapper" or made.led is not Led.NOT_FOLLOWED:  # an address in a query may be anything
            found[_key(destination)] = made
    return list(found.values())


def _held_against(url: str, destination: str, by: str, later: Sequence[str]) -> Wrapped:
    beyond = list(_beyond(url, destination, later))
    led = Led.DISAGREES if beyond else Led.NOT_FOLLOWED
    return Wrapped(
        url=url,
        destination=destination,
        by=by,
        led=Led.AGREES if _key(destination) in map(_key, later) else led,
        led_to=beyond[0] if beyond else None,
        host_reached=host_of(destination) in map(host_of, later),
    )


def _beyond(url: str, destination: str, later: Sequence[str]) -> Iterator[str]:
    """Off the wrapper's site; where the destination is on that site itself, off the wrapper's host."""
    site, host = registrable_domain(host_of(url)), host_of(url)
    is_inside = registrable_domain(host_of(destination)) == site
    for each in later:
        there = host_of(each)
        if there and not is_wrapper(each) and (there != host if is_inside else registrable_domain(there) != site):
            yield each


def _key(url: str) -> str:
    """Equal for two spellings of one page; http and https are one."""
    return dedupe_key(url).partition("://")[2]
