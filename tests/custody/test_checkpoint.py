import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import keys, note
from custody.checkpoint import Checkpoint, CheckpointUnsigned, open_checkpoint
from custody.errors import FormatError, SignatureError
from custody.keys import Ed25519Signer
from custody.merkle import EMPTY_ROOT
from custody.note import Note, VerifierKey
from tests.custody.test_note import GOLANG, GOLANG_NOTE

LOG = "evidence.example.org/custody/2026a"
SIGNER = Ed25519Signer(b"k" * 32)
VKEY = VerifierKey(LOG, SIGNER.public_key)
ROOT = "A" * 43 + "="
GOOD = Checkpoint(LOG, 303, bytes(range(32)))

LOGS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,10}(/[a-z0-9][a-z0-9.-]{0,10}){0,2}", fullmatch=True)
CHECKPOINTS = st.builds(Checkpoint, LOGS, st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32))


@given(CHECKPOINTS)
def test_reads_what_it_writes(checkpoint: Checkpoint) -> None:
    assert Checkpoint.parse(checkpoint.format()) == checkpoint


@given(CHECKPOINTS, st.binary(min_size=32, max_size=32))
def test_opens_what_it_signs_and_signs_alike_every_time(checkpoint: Checkpoint, seed: bytes) -> None:
    signer = Ed25519Signer(seed)
    data = checkpoint.sign(signer)
    assert open_checkpoint(data, VerifierKey(checkpoint.log, signer.public_key)) == checkpoint
    assert checkpoint.sign(Ed25519Signer(seed)) == data


def test_reads_the_example_of_c2sp() -> None:
    # https://c2sp.org/tlog-checkpoint
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    parsed = Checkpoint.parse(text)
    assert (parsed.log, parsed.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert parsed.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert parsed.format() == text


def test_is_three_lines_a_gap_and_a_signature() -> None:
    lines = GOOD.sign(SIGNER).decode().split("\n")
    assert lines[:4] == [LOG, "303", base64.b64encode(GOOD.root).decode(), ""]
    assert lines[4].startswith(f"— {LOG} ")
    assert lines[5:] == [""]


@pytest.mark.parametrize(
    "lines",
    [
        [], [""], ["", "", ""], [LOG, "303", ""], [LOG, "303", ROOT], [LOG, "303", ROOT, "", ""],
        [LOG, "303", ROOT, "extension", ""], [LOG, "0303", ROOT, ""], [LOG, "+303", ROOT, ""], [LOG, "-1", ROOT, ""],
        [LOG, "", ROOT, ""], [LOG, " 303", ROOT, ""], [LOG, "3e2", ROOT, ""], [LOG, "\u0663", ROOT, ""],
        [LOG, "9007199254740992", ROOT, ""], [LOG, "9" * 5000, ROOT, ""], [LOG, "303", ROOT[:-1], ""],
        [LOG, "303", "A" * 42 + "B=", ""], [LOG, "303", "A" * 40, ""], [LOG, "303", "A" * 44, ""],
        [LOG, "303", ROOT + " ", ""], ["", "303", ROOT, ""], [" " + LOG, "303", ROOT, ""], ["303", LOG, ROOT, ""],
        [LOG + "\r", "303\r", ROOT + "\r", ""],
    ],
)  # fmt: skip
def test_refuses_other_spellings(lines: list[str]) -> None:
    assert Checkpoint.parse(f"{LOG}\n303\n{ROOT}\n").size == 303
    with pytest.raises(FormatError, match="not a checkpoint") as refusal:
        Checkpoint.parse("\n".join(lines))
    assert refusal.value.code == "CP_FORMAT"


@pytest.mark.parametrize(
    ("log", "size", "root"),
    [("", 1, EMPTY_ROOT), ("a\nb", 1, EMPTY_ROOT), (LOG, -1, EMPTY_ROOT), (LOG, 2**53, EMPTY_ROOT), (LOG, 1, b"")],
)
def test_cannot_be_made_wrong(log: str, size: int, root: bytes) -> None:
    with pytest.raises(FormatError, match="not a checkpoint"):
        Checkpoint(log, size, root)


# Rows 34 and 36 to 39 of the tamper table


def test_34_another_size_line_is_not_what_was_signed() -> None:
    data = GOOD.sign(SIGNER)
    changed = data.replace(b"\n303\n", b"\n302\n")
    assert changed != data
    with pytest.raises(CheckpointUnsigned, match="not what") as refusal:
        open_checkpoint(changed, VKEY)
    assert refusal.value.code == "CP_SIG"


def test_36_another_logs_checkpoint_signed_by_our_key() -> None:
    other = Checkpoint("evidence.example.org/custody/other", 303, GOOD.root)
    data = note.sign(other.format(), LOG, SIGNER).format()
    assert note.verify(Note.parse(data), [VKEY]) == (VKEY,)
    with pytest.raises(FormatError, match="expected a checkpoint of") as refusal:
        open_checkpoint(data, VKEY)
    assert refusal.value.code == "CP_ORIGIN"


def test_36_a_tree_head_from_the_wild_has_another_first_line_than_its_key() -> None:
    with pytest.raises(FormatError, match=r"expected a checkpoint of sum\.golang\.org") as refusal:
        open_checkpoint(GOLANG_NOTE, VerifierKey.parse(GOLANG))
    assert refusal.value.code == "CP_ORIGIN"


def test_37_an_extension_line_is_refused_though_it_is_signed() -> None:
    data = note.sign(GOOD.format() + "extension\n", LOG, SIGNER).format()
    assert note.verify(Note.parse(data), [VKEY]) == (VKEY,)
    with pytest.raises(FormatError, match="three lines") as refusal:
        open_checkpoint(data, VKEY)
    assert refusal.value.code == "CP_FORMAT"


def test_38_another_key_under_the_same_name() -> None:
    impostor = Ed25519Signer(b"i" * 32)
    with pytest.raises(CheckpointUnsigned, match="by none of the keys") as refusal:
        open_checkpoint(GOOD.sign(impostor), VKEY)
    assert refusal.value.code == "CP_KEY"


def test_39_an_unknown_line_more_does_no_harm() -> None:
    witness = note.sign(GOOD.format(), "witness.example", Ed25519Signer(b"w" * 32)).signatures
    ours = note.sign(GOOD.format(), LOG, SIGNER).signatures
    for signatures in (ours + witness, witness + ours, witness * 20 + ours):
        assert open_checkpoint(Note(GOOD.format(), signatures).format(), VKEY) == GOOD


@pytest.mark.parametrize("data", [b"", b"text", GOOD.format().encode(), GOOD.sign(SIGNER)[:-1], b"\xff" * 100])
def test_what_is_no_note_is_no_checkpoint(data: bytes) -> None:
    with pytest.raises(FormatError) as refusal:
        open_checkpoint(data, VKEY)
    assert refusal.value.code == "CP_FORMAT"


@pytest.mark.parametrize("bit", range(8))
def test_every_bit_matters(bit: int) -> None:
    data = GOOD.sign(SIGNER)
    for at in range(len(data)):
        with pytest.raises((FormatError, SignatureError)):
            open_checkpoint(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :], VKEY)


def test_every_cut_matters() -> None:
    data = GOOD.sign(SIGNER)
    for end in range(len(data)):
        with pytest.raises((FormatError, SignatureError)):
            open_checkpoint(data[:end], VKEY)


def test_openssl_and_awk_agree(tmp_path: Path) -> None:
    # As docs tell a stranger to: text before the blank line is signed, the last 64 bytes of the line are the signature.
    (tmp_path / "checkpoint").write_bytes(GOOD.sign(SIGNER))
    (tmp_path / "log.pem").write_bytes(keys.pem(SIGNER.public_key))
    script = """
        awk '/^$/{exit}{print}' checkpoint > body
        awk 'p&&/^— /{print $3;exit} /^$/{p=1}' checkpoint | base64 -d | tail -c 64 > sig
        openssl pkeyutl -verify -pubin -inkey log.pem -rawin -in body -sigfile sig
    """
    command = ("sh", "-ec", script)
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "checkpoint").write_bytes(GOOD.sign(SIGNER).replace(b"303", b"304"))
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0
