"""The keys of a trust file as other tools want them: PEM, a C2SP verifier key, an authority's roots."""

from custody import keys
from custody.bundle import layout
from custody.trust import Trust


def key_files(trust: Trust) -> dict[str, bytes]:
    """Path in the bag to bytes. Copies: whoever believes the trust file can make them again."""
    return {
        layout.LOG_PEM: keys.pem(trust.log.public_key),
        layout.LOG_VKEY: f"{trust.log.format()}\n".encode(),
        **{layout.root_pem(keys.keyid(each)): keys.pem(each) for each in trust.root_keys},
        **{layout.authority_pem(each.id): each.roots_pem.encode() for each in trust.authorities if each.roots_pem},
    }
