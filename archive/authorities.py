"""Authorities that anybody may ask: what is known of each, and the home's own choice among them.

None is used without the user's word. Where its root is in ``certifi``'s bundle (never the system's own store) it is
taken from there and held against the fingerprint below; any other root has to be given. No authority could be asked
from where this was written: the chains are as others have published them in 2025 and 2026, and `counterproof
authorities try` finds out what an authority sends today.
"""

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from archive.errors import SetupMissing, UsageError
from archive.home import Home, authority_id
from custody.errors import TrustError
from custody.trust import Authority, Trust

WARN_BEFORE = timedelta(days=90)
"""A certificate that ends sooner is spoken of: there is time to choose another authority."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A public authority, under a short name."""

    name: str
    url: str
    operator: str
    root_subject: str
    root_sha256: str | None
    """Of the DER; None where we have read none that could be relied on."""
    roots_from: str
    """Where a user finds the root, if ``certifi`` has none; empty if it has."""
    spacing_s: float
    """Between two requests, as the operator asks of scripts; 0 where nothing of the kind was found."""
    note: str


PRESETS = (
    Preset(
        name="digicert",
        url="http://timestamp.digicert.com",
        operator="DigiCert, Inc. (US)",
        root_subject="CN=DigiCert Trusted Root G4,OU=www.digicert.com,O=DigiCert Inc,C=US",
        root_sha256="552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
        roots_from="",
        spacing_s=0,
        note="offered for code signing, to anybody; no limit was found in writing. Not tried from here",
    ),
    Preset(
        name="sectigo",
        url="http://timestamp.sectigo.com",
        operator="Sectigo Limited (GB)",
        root_subject="CN=USERTrust RSA Certification Authority,O=The USERTRUST Network,L=Jersey City,"
        "ST=New Jersey,C=US",
        root_sha256="e793c9b02fd8aa13e21c31228accb08119643b749c898964b1746d46c3d4cbd2",
        roots_from="",
        spacing_s=15,
        note="asks scripts for 15 s or more between requests, which is kept to. Its own root, Public Time Stamping "
        "Root R46, comes with the token as a cross-certificate of the root named here. Not tried from here",
    ),
    Preset(
        name="globalsign",
        url="http://timestamp.globalsign.com/tsa/r6advanced1",
        operator="GlobalSign nv-sa (BE)",
        root_subject="CN=GlobalSign,O=GlobalSign,OU=GlobalSign Root CA - R6",
        root_sha256="2cabeafe37d06ca22aba7391c0033d25982952c453647349763a3ab5ad6ccf69",
        roots_from="",
        spacing_s=0,
        note="no terms were found in writing: ask GlobalSign before relying on it. Not tried from here",
    ),
    Preset(
        name="certum",
        url="http://time.certum.pl",
        operator="Asseco Data Systems S.A. (PL)",
        root_subject="CN=Certum Trusted Network CA 2,OU=Certum Certification Authority,"
        "O=Unizeto Technologies S.A.,C=PL",
        root_sha256="b676f2eddae8775cd36cb0f63cd1d4603961f49e6265ba013a2f0307b6d0b804",
        roots_from="",
        spacing_s=0,
        note="the public service, not the qualified one; no terms were found in writing. Not tried from here",
    ),
    Preset(
        name="freetsa",
        url="https://freetsa.org/tsr",
        operator="freetsa.org (private)",
        root_subject="the root of freetsa.org",
        root_sha256="a6379e7cecc05faa3cbf076013d745e327bbbaa38c0b9af22469d4701d18aabc",
        roots_from="https://freetsa.org/files/cacert.pem",
        spacing_s=0,
        note="free, by a private operator, in no browser's list of roots: better as one of several. "
        "Not tried from here",
    ),
    Preset(
        name="sectigo-qualified",
        url="http://timestamp.sectigo.com/qualified",
        operator="Sectigo (EU)",
        root_subject="the issuer that the EU trusted list names for it",
        root_sha256=None,
        roots_from="the trusted list at https://eidas.ec.europa.eu/efda/trust-services/browse/eidas/tls, and Sectigo",
        spacing_s=15,
        note="Sectigo calls it compliant with eIDAS; whether a token is qualified, the trusted list of its day says. "
        "15 s between requests, as with sectigo. Not tried from here",
    ),
)


def preset(text: str) -> Preset | None:
    """By its short name or its URL."""
    return next((each for each in PRESETS if text in {each.name, each.url}), None)


def spacing_s(url: str) -> float:
    known = preset(url)
    return 0 if known is None else known.spacing_s


def url_of(text: str) -> str:
    """What a short name stands for; anything else stands for itself."""
    known = preset(text)
    return text if known is None else known.url


def bundled_roots(known: Preset) -> str:
    """PEM of the preset's root out of ``certifi``. Raises ``UsageError`` where the user has to give it."""
    if known.roots_from:
        fingerprint = f" (SHA-256 {known.root_sha256})" if known.root_sha256 else ""
        raise UsageError(
            f"the root of {known.name} comes with no bundle: get it from {known.roots_from}{fingerprint}, compare it, "
            "and give it with --roots PEM"
        )
    for der in _bundle():
        if sha256(der).hexdigest() == known.root_sha256:
            return ssl.DER_cert_to_PEM_cert(der)
    raise SetupMissing(
        f"{known.root_subject} (SHA-256 {known.root_sha256}) is not in certifi's bundle {certifi.where()} any more: "
        f"get it from {known.operator}, compare the fingerprint, and give it with --roots PEM"
    )


def add(home: Home, text: str, *, roots_pem: str = "", pins: Sequence[str] = (), must_have_roots: bool = True) -> str:
    """Believe an authority from now on; gives its id. Known roots and pins stay unless others are given.

    ``must_have_roots``: a preset whose root is in no bundle is refused without; any other URL never is, and its tokens
    are kept and cannot be judged until somebody gives the roots.
    """
    known, url = preset(text), url_of(text)
    before = home.trust.authority(authority_id(url))
    if known is not None and text == known.name and roots_pem:
        _compare(known, roots_pem)
    if known is not None and not roots_pem and (before is None or not before.roots_pem):
        try:
            roots_pem = bundled_roots(known)
        except (UsageError, SetupMissing):
            if must_have_roots:
                raise
    try:
        added = Authority(
            id=authority_id(url),
            url=url,
            roots_pem=roots_pem or (before.roots_pem if before else ""),
            pins=tuple(each.lower().replace(":", "") for each in pins) or (before.pins if before else ()),
        )
        if roots_pem and not added.roots():
            raise UsageError("the file with the roots holds no PEM certificate: give the authority's root certificates")
    except TrustError as error:
        raise UsageError(f"this authority cannot be used: {error}") from error
    if added != before:
        home.change_trust(lambda trust: _with(trust, added))
    return added.id


def remove(home: Home, text: str) -> str:
    """Believe it no longer; gives its id. Its tokens stay in the log, and count for whoever's trust file names it."""
    found = find(home.trust, text)

    def without(trust: Trust) -> Trust:
        left = tuple(each for each in trust.authorities if each.id != found.id)
        if trust.quorum > max(1, len(left)):
            raise UsageError(
                f"{trust.quorum} authorities have to stamp, and {len(left)} would be left: lower that first "
                f"(`counterproof authorities quorum {max(1, len(left))}`), or add another"
            )
        return replace(trust, authorities=left)

    home.change_trust(without)
    return found.id


def set_quorum(home: Home, quorum: int) -> None:
    """So many different authorities have to stamp before anything counts as sealed."""

    def with_quorum(trust: Trust) -> Trust:
        count = len(trust.authorities)
        if quorum < 1:
            raise UsageError(f"a quorum is 1 or more, got {quorum}")
        if quorum > max(1, count):
            raise UsageError(
                f"{quorum} of {count} authorities cannot be had: add more first (`counterproof authorities add`)"
            )
        return replace(trust, quorum=quorum)

    home.change_trust(with_quorum)


def find(trust: Trust, text: str) -> Authority:
    """One of the home's own, by id, URL or short name."""
    for each in trust.authorities:
        if text in {each.id, each.url} or url_of(text) == each.url:
            return each
    names = ", ".join(each.id for each in trust.authorities) or "none"
    raise UsageError(f"{text[:200]} is no authority of this home (there are: {names})")


def ending(authority: Authority, now: datetime, signer_ends: datetime | None = None) -> list[str]:
    """Sentences about certificates that end within ``WARN_BEFORE``, or have ended."""
    said = []
    for root in authority.roots():
        if (ends := root.not_valid_after_utc) - now < WARN_BEFORE:
            name = root.subject.rfc4514_string()
            said.append(f"its root {name} {_when(ends, now)}: add its successor (--roots), or another authority")
    if signer_ends is not None and signer_ends - now < WARN_BEFORE:
        said.append(
            f"its signer's certificate {_when(signer_ends, now)}: before that, have a fresh checkpoint stamped by "
            "another authority (`counterproof authorities add`, `counterproof seal`)"
        )
    return said


def _when(ends: datetime, now: datetime) -> str:
    return f"{'ended' if ends < now else 'ends'} on {ends:%Y-%m-%d}"


def _with(trust: Trust, added: Authority) -> Trust:
    if trust.authority(added.id) is None:
        return replace(trust, authorities=(*trust.authorities, added))
    kept = tuple(added if each.id == added.id else each for each in trust.authorities)
    return replace(trust, authorities=kept)


def _compare(known: Preset, roots_pem: str) -> None:
    if known.root_sha256 is None:
        return
    try:
        given = x509.load_pem_x509_certificates(roots_pem.encode())
    except ValueError as error:
        raise UsageError(f"the roots are not PEM certificates: {error}") from error
    prints = [each.fingerprint(hashes.SHA256()).hex() for each in given]
    if known.root_sha256 not in prints:
        raise UsageError(
            f"expected the root of {known.name} with SHA-256 {known.root_sha256}, got {', '.join(prints)}: compare it "
            f"with what {known.operator} says; to believe it all the same, name the URL {known.url} in place of "
            f"{known.name}"
        )


def _bundle() -> Iterator[bytes]:
    for part in certifi.contents().split(_BEGIN)[1:]:
        yield ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{part.split(_END)[0]}{_END}")


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, as the trust file's pins have it."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
