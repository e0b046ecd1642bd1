"""What an attacker does to a stored archive, and what a verification then says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from custody import canonical, event, keys, keyspace
from custody.event import Envelope
from custody.keys import Ed25519Signer
from custody.note import decode_base64
from custody.trust import Trust
from custody.verdict import Severity, Verdict
from custody.verify import verify
from tests.custody.archive_builder import LOG, START, ArchiveBuilder, Draft, MemorySource

AT = START + timedelta(days=1)

Found = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict, in the words of a test."""

    verdict: Verdict

    @property
    def failures(self) -> Found:
        return found(self.verdict, Severity.FAIL)

    @property
    def notes(self) -> Found:
        return found(self.verdict, Severity.NOTE)

    @property
    def codes(self) -> list[str]:
        return [code for code, _ in self.failures]

    @property
    def failed_checks(self) -> list[int]:
        return [each.n for each in self.verdict.checks if each.passed is False]


def tell(source: MemorySource, trust: Trust | None, **options: Any) -> Told:
    """Whatever was done, the verifier itself must not fail, and must reach everything."""
    verdict = verify(source, trust, at=AT, **options)
    assert not found(verdict, Severity.UNCHECKED)
    assert verdict.holds == (not found(verdict, Severity.FAIL) and trust is not None)
    assert verdict.holds == (verdict.word == "holds")
    return Told(verdict)


def found(verdict: Verdict, severity: Severity) -> Found:
    some = [(each.code, dict(each.locator)) for each in verdict.findings if each.severity is severity]
    return sorted(some, key=lambda each: (each[0], json.dumps(each[1], sort_keys=True)))


def expect(*wanted: tuple[str, dict[str, Any]]) -> Found:
    return sorted(wanted, key=lambda each: (each[0], json.dumps(each[1], sort_keys=True)))


# Bytes of the stored archive


def commit_key(n: int) -> str:
    return keyspace.commit(LOG, n)


def checkpoint_key(size: int) -> str:
    return keyspace.checkpoint_at(LOG, size)


SHOWN = keyspace.checkpoint(LOG)


def stored_leaves(source: MemorySource) -> list[bytes]:
    """From the commits."""
    found_leaves: list[bytes] = []
    for key in source.keys(f"{keyspace.log_prefix(LOG)}commit/"):
        data = source.objects[key].partition(b"\n")[2]
        while data:
            length = int.from_bytes(data[:2], "big")
            found_leaves.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found_leaves


def spoil_leaf(
    source: MemorySource, index: int, change: Callable[[bytes], bytes], *, commits: bool = True, bundles: bool = True
) -> MemorySource:
    """The leaf changed in place, without changing its length."""
    before = stored_leaves(source)[index]
    after = change(before)
    assert len(after) == len(before)
    assert after != before
    other, changed = source.copy(), 0
    for key, data in source.objects.items():
        if ("/commit/" in key and commits) or ("/tile/entries/" in key and bundles):
            other.objects[key] = data.replace(before, after)
            changed += other.objects[key] != data
    assert changed
    return other


def flipped_payload(leaf: bytes) -> bytes:
    """One bit of the signed payload: a hex digit of its salt."""
    value = json.loads(leaf)
    payload = decode_base64(value["event"]["payload"])
    at = payload.index(b'"salt":"') + 8
    payload = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
    value["event"]["payload"] = Envelope(payload, "", b"").to_json()["payload"]
    return canonical.dumps(value)


def flipped_signature(leaf: bytes) -> bytes:
    value = json.loads(leaf)
    sig = value["event"]["signatures"][0]["sig"]
    value["event"]["signatures"][0]["sig"] = ("B" if sig[0] == "A" else "A") + sig[1:]
    return canonical.dumps(value)


def with_header(data: bytes, **change: Any) -> bytes:
    line, _, leaves = data.partition(b"\n")
    return canonical.dumps({**json.loads(line), **change}) + b"\n" + leaves


def lines(data: bytes, change: Callable[[list[str]], list[str]]) -> bytes:
    """A checkpoint's lines changed, its signature kept."""
    text, signature = data.decode().split("\n\n")
    return ("\n".join(change(text.split("\n"))) + "\n\n" + signature).encode()


# Drafts of an archive that is built again


def signed(payload: bytes, signer: Ed25519Signer) -> Envelope:
    """Whatever the payload is, properly signed."""
    return Envelope(payload, keys.keyid(signer.public_key), signer.sign(event.pae(payload)))


def resigned(draft: Draft, signer: Ed25519Signer, change: Callable[[bytes], bytes] = lambda payload: payload) -> Draft:
    envelope = signed(change(draft.make().payload), signer)
    return Draft(lambda: envelope, draft.chain)


def replaced(builder: ArchiveBuilder, old: Draft, new: Draft) -> None:
    for drafts in builder.commits:
        if old in drafts:
            drafts[drafts.index(old)] = new
            return
    raise AssertionError("there is no such draft")


def with_statement(payload: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    statement = json.loads(payload)
    change(statement)
    return canonical.dumps(statement)


def artifact_locator(builder: ArchiveBuilder, capture: int, role: str, index: int) -> Mapping[str, Any]:
    """Where a finding about an artifact of the builder's n-th capture says it is."""
    made = builder.captures[capture]
    assert made.record is not None
    artifact = next(each for each in made.record.artifacts if each.role == role)
    return {
        "item": made.unit,
        "capture": made.id,
        "role": role,
        "name": artifact.name,
        "key": artifact.key,
        "index": index,
    }
