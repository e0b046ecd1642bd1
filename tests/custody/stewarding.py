"""What people do with evidence afterwards, as drafts for the archive builder."""

from collections.abc import Mapping, Sequence
from typing import Any

from custody.digest import Digest
from custody.event import Ref
from custody.keys import Ed25519Signer
from custody.model import Json
from tests.custody.archive_builder import ArchiveBuilder, Captured, Draft

WHY = "because a court said so"


def held(made: ArchiveBuilder, item: str, *signers: Ed25519Signer, says: str | None = None) -> Draft:
    detail = made.detail("hold.json", {"item": says or item, "matter": "Love v. Screw", "why": WHY})
    return work(made, "evidence.held", detail, {"item": item}, *(signers or (made.root,)))


def released(made: ArchiveBuilder, item: str, hold: Draft, *signers: Ed25519Signer) -> Draft:
    detail = made.detail("release.json", {"item": item, "why": WHY})
    return work(made, "evidence.released", detail, {"item": item}, *(signers or (made.root,)), ref=("releases", hold))


def disposed(
    made: ArchiveBuilder,
    item: str,
    blobs: Sequence[Digest],
    *signers: Ed25519Signer,
    says: Mapping[str, Json] | None = None,
) -> Draft:
    """``says``: other values of the event's body than the list has."""
    listed: list[Json] = [{"sha256": each.hex, "bytes": size_of(made, each)} for each in blobs]
    detail = made.detail("disposal.json", {"item": item, "blobs": listed, "spared": [], "why": WHY})
    body: dict[str, Json] = {"item": item, "blobs": len(listed), "bytes": sum(size_of(made, each) for each in blobs)}
    return work(made, "evidence.disposed", detail, {**body, **(says or {})}, *(signers or (made.root,)))


def completed(made: ArchiveBuilder, item: str, disposal: Draft, removed: int) -> Draft:
    detail = made.detail("disposal-report.json", {"item": item})
    body: dict[str, Json] = {"item": item, "removed": removed, "refused": 0}
    return work(made, "disposal.completed", detail, body, made.worker, ref=("about", disposal))


def corrected(made: ArchiveBuilder, capture: str, end: Draft) -> Draft:
    says: dict[str, Json] = {"capture": capture, "field": "title", "was": "Love", "is": "Like", "why": WHY}
    detail = made.detail("correction.json", says)
    return work(made, "record.corrected", detail, {"capture": capture}, made.root, ref=("corrects", end))


def described(
    made: ArchiveBuilder, scope: str, version: int = 1, *pictures: bytes, says: Mapping[str, Json] | None = None
) -> Draft:
    """``says``: other values of the brief than its event has."""
    listed: list[Json] = [
        {"sha256": each.digest.hex, "bytes": each.bytes} for each in (made.blob("picture", data) for data in pictures)
    ]
    value: dict[str, Json] = {"scope": scope, "version": version, "previous": None, "pictures": listed, "title": "Love"}
    detail = made.detail("brief.json", {**value, **(says or {})})
    return work(made, "case.described", detail, {"version": version}, made.root, chain=f"work:{scope}")


def work(
    made: ArchiveBuilder,
    type_: str,
    detail: Any,
    body: Mapping[str, Json],
    *signers: Ed25519Signer,
    ref: tuple[str, Draft] | None = None,
    chain: str | None = None,
) -> Draft:
    refs = () if ref is None else (Ref(rel=ref[0], payload_sha256=ref[1].make().payload_sha256),)
    return made.draft(made.event(type_, chain or f"work:{made.new_id()}", detail, body, refs=refs), *signers)


def size_of(made: ArchiveBuilder, digest: Digest) -> int:
    return next(len(data) for key, data in made.blobs.items() if key.endswith(digest.hex))


def blobs_of(capture: Captured) -> list[Digest]:
    """Its record and what the record names, but for the text, which all captures share."""
    assert capture.record is not None
    assert capture.record_digest is not None
    return [capture.record_digest, *(each.digest for each in capture.record.artifacts if each.role != "text")]
