"""What a holder reads before signing: nothing of it is left out unsaid, and nothing can hide in it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from archive.drafts import DraftFile, Proposed
from console.keyring import describe
from custody import canonical, keys
from custody.digest import Digest
from custody.event import Event, Subject
from custody.ids import uuid7
from custody.keys import Ed25519Signer
from custody.note import VerifierKey
from custody.trust import Trust

NOW = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
TRUST = Trust(
    log=VerifierKey("evidence.example/custody", Ed25519Signer(b"\x02" * 32).public_key),
    root_keys=(Ed25519Signer(b"\x01" * 32).public_key,),
)
ITEM = uuid7(NOW, bytes(10))


def disposal(**detail: Any) -> DraftFile:
    data = canonical.dumps({"schema": 1, "nonce": "0" * 32, "item": ITEM, **detail})
    event = Event(
        type="evidence.disposed",
        event_id=uuid7(NOW, b"\x01" * 10),
        salt="0" * 32,
        occurred_at=NOW,
        run=None,
        chain=f"work:{ITEM}",
        subjects=(Subject(name="disposal.json", digest=Digest.of(data), bytes=len(data)),),
        body={"item": ITEM, "blobs": 40, "bytes": 1},
    )
    return DraftFile(log=TRUST.log.name, events=(Proposed.of(event),), blobs={Digest.of(data): data})


def test_a_list_that_is_too_long_to_show_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    digests = [keys.keyid(bytes([each]) * 32) for each in range(40)]
    describe(disposal(blobs=[{"sha256": each, "bytes": 1} for each in digests], why="over"), TRUST)
    said = capsys.readouterr().err
    assert digests[0] in said
    assert digests[-1] not in said, "it is expected to be cut"
    assert re.search(r"blobs: .* … AND [0-9]{4} CHARACTERS MORE\n", said)


def test_a_name_in_it_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    describe(disposal(**{"why\n2. nothing else": "over", "b\x1b[8m": "c"}), TRUST)
    said = capsys.readouterr().err
    assert "\n2. " not in said
    assert "\x1b" not in said
