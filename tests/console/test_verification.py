"""What `verify` tells a person: kept checkpoints, and what was done with the evidence, in plain words."""

import json
from pathlib import Path
from typing import Any

import pytest

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console import verification
from console.exits import Exit
from custody import keyspace
from custody.keys import Ed25519Signer
from custody.note import VerifierKey
from tests.authority import LocalAuthority
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.dating import unreadable
from tests.custody.stewarding import blobs_of, corrected, disposed, held
from tests.custody.tampering import checkpoint_key


class Shelf:
    """An archive on disk, its trust file, and a `verify` over them."""

    def __init__(self, folder: Path, made: ArchiveBuilder) -> None:
        self.folder = folder
        self.trust = folder / "trust.json"
        self.trust.write_bytes(made.trust.format())
        self.lay(made.build())

    def lay(self, source: MemorySource) -> None:
        for key, data in source.objects.items():
            (self.folder / "archive" / key).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "archive" / key).write_bytes(data)

    def checkpoint(self, size: int) -> Path:
        return self.folder / "archive" / checkpoint_key(size)

    def remove(self, key: str) -> None:
        (self.folder / "archive" / key).unlink()

    def verify(self, *checkpoints: Path, trust: bool = True, as_json: bool = False) -> Exit:
        config = ArchiveConfig.load({}, home=self.folder / "home", store_url=f"file:{self.folder / 'archive'}")
        return verification.verify(
            config,
            trust_file=self.trust if trust else None,
            case=None,
            as_json=as_json,
            checkpoints=checkpoints,
        )


@pytest.fixture
def made() -> ArchiveBuilder:
    return small(locked=False)


def test_a_kept_checkpoint_is_extended(
    tmp_path: Path, made: ArchiveBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf(tmp_path, made)
    kept = shelf.checkpoint(13)
    assert shelf.verify(kept, shelf.checkpoint(17)) is Exit.OK
    said = capsys.readouterr().out
    assert f"checkpoint {kept}, 13 leaves: today's log of 17 leaves extends it" in said
    assert said.count("extends it") == 2


def test_a_log_that_was_cut_off_since(tmp_path: Path, made: ArchiveBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(made.build().objects[checkpoint_key(17)])
    del made.commits[10:]
    shelf = Shelf(tmp_path, made)
    assert shelf.verify() is Exit.OK
    assert shelf.verify(kept) is Exit.DOES_NOT_HOLD
    said = capsys.readouterr().out
    assert "LOG_TRUNCATED" in said
    assert "today's log does NOT extend it" in said
    assert shelf.verify(kept, as_json=True) is Exit.DOES_NOT_HOLD
    document: Any = json.loads(capsys.readouterr().out)
    assert [each["extended"] for each in document["facts"]["kept"]] == [False]


def test_what_is_no_checkpoint_of_this_log_is_a_wrong_option(tmp_path: Path, made: ArchiveBuilder) -> None:
    shelf = Shelf(tmp_path, made)
    stranger = tmp_path / "stranger"
    stranger.write_bytes(
        ArchiveBuilder(log_key=Ed25519Signer(b"\x66" * 32)).open_log().build().objects[keyspace.checkpoint(LOG)]
    )
    broken = tmp_path / "broken"
    broken.write_bytes(shelf.checkpoint(17).read_bytes().replace(b"\n17\n", b"\n18\n"))
    large = tmp_path / "large"
    large.write_bytes(b"x" * 3_000_000)
    for path in (stranger, broken, large, tmp_path / "missing", tmp_path, shelf.trust):
        with pytest.raises(UsageError, match="name"):
            shelf.verify(path)
    with pytest.raises(UsageError, match="--trust"):
        shelf.verify(shelf.checkpoint(13), trust=False)
    assert verification.code_of(UsageError("")) is Exit.USAGE
    assert VerifierKey.parse(made.vkey.format()) == made.vkey


def test_what_was_done_with_the_evidence_is_said(
    tmp_path: Path, made: ArchiveBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _, last = made.captures
    assert first.ended is not None
    blobs = blobs_of(last)
    made.commit(held(made, first.unit))
    made.commit(disposed(made, last.unit, blobs))
    made.commit(corrected(made, first.id, first.ended))
    shelf = Shelf(tmp_path, made)
    for each in blobs[1:]:
        shelf.remove(keyspace.blob(each))
    assert shelf.verify() is Exit.OK
    said = capsys.readouterr().out
    for line in ("on hold: 1 items", "disposed of: 1 items", "corrected: the records of 1 captures", "NO TRUSTED TIME"):
        assert line in said
    assert "NOT PUBLIC: 3 captures" in said
    assert "locks: the writer's own credentials can release them" in said
    # Five blobs are gone, three are named.
    assert said.count("note  BLOB_DISPOSED: ") == 4
    assert "BLOB_DISPOSED: 2 more of these" in said


def test_tokens_that_rest_on_openssl_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = small([LocalAuthority(tmp_path / "authority")], locked=False)
    made.answered = lambda _, response: unreadable(response)
    made.stamp()
    shelf = Shelf(tmp_path, made)
    assert shelf.verify() is Exit.OK
    said = capsys.readouterr().out
    assert "time: 2 tokens were read by openssl, not by this verifier" in said
    assert "NO TRUSTED TIME" not in said


def test_what_waits_is_said(tmp_path: Path, made: ArchiveBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    shelf = Shelf(tmp_path, made)
    waiting = keyspace.inbox(made.new_id(), made.now())
    shelf.lay(MemorySource({waiting: b"{}"}))
    assert shelf.verify() is Exit.OK
    assert "NOT IN THE LOG YET: 1 events wait in the inbox" in capsys.readouterr().out
