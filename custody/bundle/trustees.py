"""Whose keys are believed: the trust file in a bag, and its keys as other tools want them."""

from custody import keys
from custody.bundle import layout
from custody.bundle.package import Gone, Package
from custody.checks.trust import MAX_TRUST_BYTES
from custody.digest import Digest
from custody.errors import FormatError, TrustError
from custody.trust import Trust


def key_files(trust: Trust) -> dict[str, bytes]:
    """Path in the bag to bytes. Copies: whoever believes the trust file can make them again."""
    return {
        layout.LOG_PEM: keys.pem(trust.log.public_key),
        layout.LOG_VKEY: f"{trust.log.format()}\n".encode(),
        **{layout.root_pem(keys.keyid(each)): keys.pem(each) for each in trust.root_keys},
        **{layout.authority_pem(each.id): each.roots_pem.encode() for each in trust.authorities if each.roots_pem},
    }


def own_trust(package: Package, digest: Digest) -> Trust | None:
    """The export's own, if it is the one whose digest its reader was given."""
    if package.unsafe:
        return None
    try:
        data = package.read(layout.TRUST_FILE, MAX_TRUST_BYTES)
        return Trust.parse(data) if Digest.of(data) == digest else None
    except (Gone, FormatError, TrustError):
        return None
