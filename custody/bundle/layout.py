"""What lies where in an export (docs/manifest.md, "Exports"): a BagIt bag, RFC 8493. Every name is one of these."""

import re

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
README = "README.txt"
BY_HAND = "VERIFY.md"
SCRIPT = "verify.sh"
TAG_FILES = (BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST, README, BY_HAND, SCRIPT)
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"  # RFC 8493 §2.1.1

PAYLOAD = "data/"
ARTIFACTS = "data/artifacts/"
CUSTODY = "data/custody/"
TRUST = "data/trust/"
TABLES = "data/tables/"
INDEX = "data/index.csv"
"""Which file is what: for people. No check rests on it."""
CHECKPOINT = f"{CUSTODY}checkpoint"
SCOPES = f"{CUSTODY}scopes.json"
CONTENTS = f"{CUSTODY}contents.txt"
MISSING = f"{CUSTODY}missing.json"
TRUST_FILE = f"{TRUST}trust.json"

MAX_FILES = 4_000_000
MAX_LIST_BYTES = 1 << 30
"""Of a list of files; about 150 bytes a line."""
MAX_SMALL_BYTES = 1 << 20
"""Of a text that is not evidence."""

_NUMBER = r"(0|[1-9][0-9]{0,15})"
_AUTHORITY = r"[a-z0-9][a-z0-9.-]{0,63}"
ENTRY = re.compile(rf"{CUSTODY}entry-{_NUMBER}\.json")
PROOF = re.compile(rf"{CUSTODY}entry-{_NUMBER}\.tlog-proof")
ARTIFACT = re.compile(rf"{ARTIFACTS}([0-9a-f]{{64}})")
"""As version 1 named them; what else stands under ``ARTIFACTS`` has a name for people."""
_SEGMENT = r"[a-z0-9][a-z0-9._-]{0,99}"
NAMED = re.compile(rf"{ARTIFACTS}{_SEGMENT}(?:/{_SEGMENT}){{0,2}}")
TABLE = re.compile(rf"{TABLES}[a-z][a-z-]{{0,39}}\.(?:csv|json|jsonld|xlsx)")
EARLIER = re.compile(rf"{CUSTODY}checkpoint-{_NUMBER}")
CONSISTENCY = re.compile(rf"{CUSTODY}consistency-{_NUMBER}\.txt")
TOKEN = re.compile(rf"{CUSTODY}checkpoint(?:-{_NUMBER})?\.({_AUTHORITY})\.(tsq|tsr)")
_KEY = re.compile(rf"{TRUST}(?:log\.pem|log\.vkey|root-[0-9a-f]{{64}}\.pem|tsa-{_AUTHORITY}\.pem)")
_FIXED = frozenset({*TAG_FILES, INDEX, CHECKPOINT, SCOPES, CONTENTS, MISSING, TRUST_FILE})
_PATTERNS = (ENTRY, PROOF, NAMED, TABLE, EARLIER, CONSISTENCY, TOKEN, _KEY)


def is_known(path: str) -> bool:
    """Whether an export may hold such a file."""
    return path in _FIXED or any(each.fullmatch(path) for each in _PATTERNS)


def artifact(sha256: str) -> str:
    """Where version 1 has it."""
    return f"{ARTIFACTS}{sha256}"


def entry(index: int) -> str:
    return f"{CUSTODY}entry-{index}.json"


def proof(index: int) -> str:
    return f"{CUSTODY}entry-{index}.tlog-proof"


def earlier(size: int) -> str:
    """A checkpoint from before, which was stamped nearer to the captures under it."""
    return f"{CUSTODY}checkpoint-{size}"


def consistency(old: int) -> str:
    return f"{CUSTODY}consistency-{old}.txt"


def token(checkpoint: str, authority: str) -> str:
    return f"{checkpoint}.{authority}.tsr"


def query(checkpoint: str, authority: str) -> str:
    return f"{checkpoint}.{authority}.tsq"


def root_pem(keyid: str) -> str:
    return f"{TRUST}root-{keyid}.pem"


def authority_pem(authority: str) -> str:
    return f"{TRUST}tsa-{authority}.pem"


LOG_PEM = f"{TRUST}log.pem"
LOG_VKEY = f"{TRUST}log.vkey"
