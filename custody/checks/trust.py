"""Check 1, trust: whose keys are believed, and that the store holds the log that they are for."""

import re
from collections.abc import Iterator

from custody import keyspace
from custody.commit import MAX_BYTES as MAX_COMMIT_BYTES
from custody.commit import Commit
from custody.digest import Digest
from custody.errors import CustodyError, FormatError, TrustError
from custody.event import Event
from custody.leaf import Leaf
from custody.note import MAX_BYTES as MAX_NOTE_BYTES
from custody.note import VerifierKey, decode_base64
from custody.source import Absent, Reader, TooLong, Unreachable
from custody.trust import Trust
from custody.verdict import Findings

CHECK = 1
MAX_TRUST_BYTES = 4 * 1024 * 1024

_COMMITS_SEARCHED = 64
_KEY = re.compile(re.escape(keyspace.LOGS) + r"([a-z0-9._-]{1,200})/.+")


def choose(reader: Reader, given: Trust | None, findings: Findings) -> Trust | None:
    """The trust to go on with. Without a given one: what the store says of itself, which proves nothing but order."""
    if given is None:
        return _from_store(reader, findings)
    threshold, holders = given.root_threshold, len(given.root_keys)
    findings.detail(CHECK, f"trust file {given.digest}, {threshold} of {holders} root keys")
    if not any(True for _ in reader.keys(keyspace.log_prefix(given.log.name))):
        others = sorted(set(_slugs(reader)))
        message = f"there is no log here, and the trust file is for {given.log.name}: check the store's address"
        if others:
            message = (
                f"this store holds the log {', '.join(others)[:400]}, and the trust file is for another, "
                f"{given.log.name}, as that of another home is: give the trust file of this log, or check the store's "
                "address"
            )
        findings.fail(CHECK, "LOG_ABSENT", message, log=given.log.name)
        return None
    return given


def _from_store(reader: Reader, findings: Findings) -> Trust | None:
    for slug in _slugs(reader):
        try:
            trust = _logged_trust(reader, slug)
        except Unreachable:
            raise
        except (CustodyError, UnicodeDecodeError) as error:
            findings.detail(CHECK, f"{slug}: {error}")
            continue
        findings.detail(CHECK, "keys taken from the store that they should judge")
        findings.note(
            CHECK,
            "TRUST_NONE",
            "no trust file was given, so the keys are those that the store names itself: whoever made the store may "
            "have made them too; ask the log's operator for the trust file and its digest",
            log=trust.log.name,
        )
        findings.skip(CHECK, "self-consistent only")
        return trust
    findings.fail(CHECK, "LOG_ABSENT", "there is no log here that says whose it is", log="")
    return None


def _slugs(reader: Reader) -> Iterator[str]:
    last = None
    for key in reader.keys(keyspace.LOGS):
        if (match := _KEY.fullmatch(key)) and match[1] != last:
            last = match[1]
            yield last


def _logged_trust(reader: Reader, slug: str) -> Trust:
    """What the log's beginning says of itself. Nothing here is verified yet: the checks that follow do that."""
    note = reader.read(f"{keyspace.LOGS}{slug}/checkpoint", MAX_NOTE_BYTES)
    log = note.split(b"\n", 1)[0].decode()
    if keyspace.slug(log) != slug:
        raise FormatError(f"its checkpoint is of another log, {log[:80]!r}")
    vkey: VerifierKey | None = None
    roots: list[bytes] = []
    for event in _log_events(reader, log):
        if event.type == "trust.changed":
            return _stored_trust(reader, event, log)
        if event.type == "log.opened" and vkey is None:
            vkey = VerifierKey.parse(str(event.body["vkey"]))
        elif event.type == "key.introduced" and event.body["role"] == "root":
            roots.append(decode_base64(str(event.body["public_key"])))
    # A log without time-stamp authorities may never have recorded a trust file.
    if vkey is None or vkey.name != log:
        raise TrustError("it does not say which key is its own")
    return Trust(log=vkey, root_keys=tuple(dict.fromkeys(roots)))


def _stored_trust(reader: Reader, event: Event, log: str) -> Trust:
    digest = event.subjects[0].digest
    data = reader.read(keyspace.blob(digest), MAX_TRUST_BYTES)
    if Digest.of(data) != digest:
        raise TrustError("the trust file that it recorded was altered")
    trust = Trust.parse(data)
    if trust.log.name != log:
        raise TrustError(f"the trust file that it recorded is for {trust.log.name}")
    return trust


def _log_events(reader: Reader, log: str) -> Iterator[Event]:
    """Of the log's own chain, in its first commits."""
    for n in range(1, _COMMITS_SEARCHED + 1):
        try:
            commit = Commit.parse(reader.read(keyspace.commit(log, n), MAX_COMMIT_BYTES))
        except (Absent, TooLong):
            return
        for data in commit.leaves:
            try:
                leaf = Leaf.parse(data)
                if leaf.chains[0].scope.startswith("log:"):
                    yield Event.parse(leaf.event.payload)
            except FormatError:
                continue  # checks 5 and 6 come to it
