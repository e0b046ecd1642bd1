"""Addresses that no public site has: the IANA special-purpose registries, and what stands inside an IPv6 address."""

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry, the more special first.
# `ipaddress.is_global` is not asked: by Python's release it calls public what is not (192.88.99.0/24, ::/96,
# ::ffff:0:0:0/96, 64:ff9b:1::/48, 100:0:0:1::/64, 3fff::/20, 5f00::/16, fec0::/10, multicast of global scope, and
# everything that IANA has given to nobody), and it looks at no IPv4 address inside an IPv6 one.
_IPV4 = (
    ("0.0.0.0/8", "this network, RFC 791 §3.2"),
    ("10.0.0.0/8", "private, RFC 1918"),
    ("100.64.0.0/10", "carrier-grade NAT, RFC 6598"),
    ("127.0.0.0/8", "loopback, RFC 1122 §3.2.1.3"),
    ("168.63.129.16/32", "the host of an Azure machine"),
    ("169.254.0.0/16", "link-local, RFC 3927"),
    ("172.16.0.0/12", "private, RFC 1918"),
    ("192.0.0.0/24", "IETF protocol assignments, RFC 6890"),
    ("192.0.2.0/24", "documentation, RFC 5737"),
    ("192.31.196.0/24", "AS112, RFC 7535"),
    ("192.52.193.0/24", "AMT, RFC 7450"),
    ("192.88.99.0/24", "6to4 relay, RFC 7526"),
    ("192.168.0.0/16", "private, RFC 1918"),
    ("192.175.48.0/24", "AS112, RFC 7534"),
    ("198.18.0.0/15", "benchmarking, RFC 2544"),
    ("198.51.100.0/24", "documentation, RFC 5737"),
    ("203.0.113.0/24", "documentation, RFC 5737"),
    ("224.0.0.0/4", "multicast, RFC 5771"),
    ("255.255.255.255/32", "broadcast, RFC 919"),
    ("240.0.0.0/4", "reserved, RFC 1112 §4"),
)
_IPV6 = (
    ("::/128", "unspecified, RFC 4291 §2.5.2"),
    ("::1/128", "loopback, RFC 4291 §2.5.3"),
    ("::/96", "IPv4-compatible, RFC 4291 §2.5.5.1"),
    ("::ffff:0:0:0/96", "IPv4-translated, RFC 2765 §2.1"),
    ("64:ff9b:1::/48", "local NAT64, RFC 8215"),
    ("100::/64", "discard-only, RFC 6666"),
    ("100:0:0:1::/64", "dummy prefix, RFC 9780"),
    ("2001::/32", "Teredo, RFC 4380"),
    ("2001:2::/48", "benchmarking, RFC 5180"),
    ("2001:10::/28", "ORCHID, RFC 4843"),
    ("2001:20::/28", "ORCHIDv2, RFC 7343"),
    ("2001:30::/28", "drone remote identification, RFC 9374"),
    ("2001::/23", "IETF protocol assignments, RFC 2928"),
    ("2001:db8::/32", "documentation, RFC 3849"),
    ("2620:4f:8000::/48", "AS112, RFC 7534"),
    ("3ffe::/16", "6bone, RFC 3701"),
    ("3fff::/20", "documentation, RFC 9637"),
    ("5f00::/16", "SRv6 identifiers, RFC 9602"),
    ("fc00::/7", "unique local, RFC 4193"),
    ("fe80::/10", "link-local, RFC 4291 §2.5.6"),
    ("fec0::/10", "site-local, RFC 3879"),
    ("ff00::/8", "multicast, RFC 4291 §2.7"),
)
_TABLE: dict[int, tuple[tuple[Network, str], ...]] = {
    4: tuple((ipaddress.IPv4Network(network), what) for network, what in _IPV4),
    6: tuple((ipaddress.IPv6Network(network), what) for network, what in _IPV6),
}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives away (RFC 4291 §2.4; https://www.iana.org/assignments/ipv6-address-space)."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def parsed(address: str) -> Address:
    """Without its zone (RFC 4007 §11), which says where an address is and not which. Raises ValueError."""
    return ipaddress.ip_address(address.partition("%")[0])


def embedded(ip: Address) -> ipaddress.IPv4Address | None:
    """Where packets to an IPv6 address go on to: mapped (RFC 4291 §2.5.5.2), 6to4 (RFC 3056), NAT64 (RFC 6052)."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


@lru_cache(maxsize=8192)
def special(address: str) -> str | None:
    """Why no public site has this address; None: one may. What is no address at all is special too."""
    try:
        ip = parsed(address)
    except ValueError:
        return "no IP address"
    inner = embedded(ip)
    if inner is not None:
        why = special(str(inner))
        return why and f"{why}, as {inner} inside it"
    for network, what in _TABLE[ip.version]:
        if ip in network:
            return what
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return "given to nobody, RFC 4291 §2.4"
    return None


def is_public(address: str) -> bool:
    """Whether an address is one that anybody on the internet could reach."""
    return special(address) is None
