"""Exports by an operator who lies: whole, proved, told of, and wrong in what they say. Both verifiers name it alike."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.draft import Draft as Judged
from custody import event, keys, keyspace
from custody.digest import Digest
from custody.event import Ref, Subject
from custody.keys import Ed25519Signer
from tests.archive.exporting.conftest import HandedOver, handed_over
from tests.archive.exporting.office import Office
from tests.archive.exporting.test_script import agree
from tests.custody.archive_builder import ArchiveBuilder

# edwards25519, RFC 8032 §5.1
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


class Lie(ArchiveBuilder):
    """One case, one captured item; then whatever the operator likes."""

    def __init__(self, **more: Any) -> None:
        super().__init__(locked=False, **more)
        self.open_log()
        self.scope, self.run = self.open_case(), self.open_run()
        self.one = self.capture(self.run, scope=self.scope)
        self.close_run(self.run, 1)

    @property
    def unit(self) -> str:
        return self.one.unit

    def say(self, type_: str, subject: Subject, body: dict[str, Any], *refs: Ref, chain: str | None = None) -> Digest:
        """By the root key; the event's payload."""
        run = chain.removeprefix("run:") if chain is not None and chain.startswith("run:") else None
        made = self.event(type_, chain or f"work:{self.new_id()}", subject, body, refs=refs, run=run)
        self.commit(self.root_draft(made))
        return Digest.of(made.format())

    def hold(self) -> Digest:
        detail = self.detail("hold.json", {"item": self.unit, "matter": "m", "why": "w", "blobs": []})
        return self.say("evidence.held", detail, {"item": self.unit})

    def release(self, hold: Digest) -> Digest:
        detail = self.detail("release.json", {"item": self.unit, "why": "w"})
        return self.say("evidence.released", detail, {"item": self.unit}, Ref(rel="releases", payload_sha256=hold))

    def dispose(self, *, why: str = "w", gone: bool = True) -> Digest:
        """Of two artifacts."""
        assert self.one.record is not None
        blobs: list[Any] = [{"sha256": e.digest.hex, "bytes": e.bytes} for e in self.one.record.artifacts[:2]]
        for each in self.one.record.artifacts[:2] if gone else ():
            del self.blobs[keyspace.blob(each.digest)]
        detail = self.detail("disposal.json", {"item": self.unit, "blobs": blobs, "spared": [], "why": why})
        body = {"item": self.unit, "blobs": 2, "bytes": sum(each["bytes"] for each in blobs)}
        return self.say("evidence.disposed", detail, body)

    def correct(self, ref: Digest) -> Digest:
        value = {"capture": self.unit, "field": "title", "was": "a", "is": "b", "why": "w"}
        ref_ = Ref(rel="corrects", payload_sha256=ref)
        return self.say("record.corrected", self.detail("correction.json", value), {"capture": self.unit}, ref_)

    def allow(self, ref: Digest) -> Digest:
        value = {"capture": self.unit, "scope": self.scope, "decision": "export", "why": "w"}
        ref_ = Ref(rel="about", payload_sha256=ref)
        return self.say("evidence.allowed", self.detail("decision.json", value), {"capture": self.unit}, ref_)

    def complete(self, ref: Digest) -> Digest:
        detail = self.detail("disposal-report.json", {"item": self.unit, "blobs": [], "spared": []})
        ref_ = Ref(rel="about", payload_sha256=ref)
        return self.say("disposal.completed", detail, {"item": self.unit, "removed": 2, "refused": 0}, ref_)

    def close(self, run: str) -> None:
        counts = {"captures": 1, "complete": 1, "partial": 0, "failed": 0, "lost": 0}
        self.say("run.closed", self.detail("run-closed.json", {"run": run}), counts, chain=f"run:{run}")

    def open_again(self) -> None:
        detail = self.detail("case.json", {"scope": self.scope, "name": "x"})
        self.say("case.opened", detail, {}, chain=f"scope:{self.scope}")


def given(path: Path, made: ArchiveBuilder) -> HandedOver:
    return handed_over(path, Office(path, made))


def disposed_under_a_hold(made: Lie) -> None:
    made.hold()
    made.dispose()


def disposed_when_one_hold_of_two_was_released(made: Lie) -> None:
    first, _ = made.hold(), made.hold()
    made.release(first)
    made.dispose()


def disposed_under_a_hold_that_was_released_later(made: Lie) -> None:
    hold = made.hold()
    made.dispose()
    made.release(hold)


NOTHING = Digest.of(b"nothing of the kind")

LIES: dict[str, tuple[Callable[[Lie], object], str]] = {
    "disposed of under a hold": (disposed_under_a_hold, "HOLD_VIOLATION"),
    "one hold of two released": (disposed_when_one_hold_of_two_was_released, "HOLD_VIOLATION"),
    "released after the disposal": (disposed_under_a_hold_that_was_released_later, "HOLD_VIOLATION"),
    "a release of nothing": (lambda made: (made.release(NOTHING), made.dispose()), "STATE_ORDER"),
    "a correction of nothing": (lambda made: made.correct(NOTHING), "STATE_ORDER"),
    "a decision about nothing": (lambda made: made.allow(NOTHING), "STATE_ORDER"),
    "a report of no disposal": (lambda made: made.complete(NOTHING), "STATE_ORDER"),
    "a run closed twice": (lambda made: made.close(made.run), "STATE_ORDER"),
    "a case opened twice": (lambda made: made.open_again(), "STATE_ORDER"),
}


def disposed_after_the_release(made: Lie) -> None:
    made.release(made.hold())
    made.complete(made.dispose())


def held_after_the_disposal(made: Lie) -> None:
    made.dispose()
    made.hold()


def held_and_not_carried_out(made: Lie) -> None:
    made.hold()
    made.dispose(gone=False)


def disposed_of_again_after_the_release(made: Lie) -> None:
    """The first was too early, and nothing was done about it."""
    hold = made.hold()
    made.dispose(gone=False)
    made.release(hold)
    made.dispose()


def corrected(made: Lie) -> None:
    assert made.one.ended is not None
    made.correct(made.one.ended.make().payload_sha256)


def allowed(made: Lie) -> None:
    assert made.one.ended is not None
    made.allow(made.one.ended.make().payload_sha256)


TRUTHS: dict[str, Callable[[Lie], object]] = {
    "disposed of after the release": disposed_after_the_release,
    "disposed of again after the release": disposed_of_again_after_the_release,
    "held when nothing was left": held_after_the_disposal,
    "held, and nothing of it gone": held_and_not_carried_out,
    "corrected": corrected,
    "allowed": allowed,
}


@pytest.mark.parametrize(
    "lie", [pytest.param(each, marks=[] if each.startswith("disposed") else [pytest.mark.slow]) for each in LIES]
)
def test_both_name_what_cannot_be(tmp_path: Path, lie: str) -> None:
    made = Lie()
    tell, code = LIES[lie]
    tell(made)
    assert agree(tmp_path / "bag", given(tmp_path, made)) == {code}


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
def test_both_hold_what_can(tmp_path: Path, truth: str) -> None:
    made = Lie()
    TRUTHS[truth](made)
    assert agree(tmp_path / "bag", given(tmp_path, made)) == set()


@pytest.mark.slow
def test_a_list_that_was_kept_back_hides_no_disposal_under_a_hold(tmp_path: Path) -> None:
    """Its detail names an id that is not of the export, so it is kept back, and what it disposed of is not known."""
    made = Lie()
    made.hold()
    made.dispose(why=f"see {made.new_id()}")
    good = given(tmp_path, made)
    assert any(each.name == "disposal.json" and each.reason == "withheld" for each in good.made.missing)
    assert agree(good.bag, good) == {"HOLD_VIOLATION"}


def test_a_detail_too_long_to_be_looked_through_is_kept_back(tmp_path: Path) -> None:
    made = Lie()
    made.dispose(why=f"{'-' * 16 * 1024 * 1024} see {made.new_id()}")
    good = given(tmp_path, made)
    assert [each.reason for each in good.made.missing if each.name == "disposal.json"] == ["withheld"]


def test_one_root_key_of_two_that_signs_twice_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Lie(second_root=Ed25519Signer(b"\x21" * 32))
    monkeypatch.setattr(Judged, "_authority", lambda *_: (0, 0))  # the liar's own writer takes anything
    draft = made.introduce("person", Ed25519Signer(b"\x66" * 32))
    payload, public_key = draft.make().payload, made.root.public_key
    first, second = made.root.sign(event.pae(payload)), other_signature(b"\x01" * 32, event.pae(payload))
    keys.verify(public_key, event.pae(payload), second)
    assert first != second
    draft.change = signed_by((keys.keyid(public_key), first), (keys.keyid(public_key), second))
    made.commit(draft)
    good = given(tmp_path, made)
    assert agree(good.bag, good) == {"AUTHORITY_MISSING"}


def signed_by(*signatures: tuple[str, bytes]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(leaf: dict[str, Any]) -> dict[str, Any]:
        leaf["event"]["signatures"] = [
            {"keyid": keyid, "sig": base64.b64encode(sig).decode()} for keyid, sig in signatures
        ]
        return leaf

    return change


def other_signature(seed: bytes, message: bytes) -> bytes:
    """As good as the first: that RFC 8032 prescribes the nonce is nothing that a verifier can see."""
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little") & ((1 << 254) - 8) | 1 << 254
    nonce = int.from_bytes(hashlib.sha512(b"another nonce" + message).digest(), "little") % _L
    head = _encoded(_times(nonce))
    challenge = int.from_bytes(hashlib.sha512(head + _encoded(_times(scalar)) + message).digest(), "little")
    return head + ((nonce + challenge * scalar) % _L).to_bytes(32, "little")


def _times(number: int) -> tuple[int, int]:
    point, doubled = (0, 1), _BASE
    while number:
        if number & 1:
            point = _sum(point, doubled)
        doubled, number = _sum(doubled, doubled), number >> 1
    return point


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, other
    k = _D * x1 * x2 * y1 * y2 % _P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, _P) % _P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, _P) % _P


def _encoded(point: tuple[int, int]) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")
