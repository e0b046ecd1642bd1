import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody import keys, note
from custody.errors import FormatError, SignatureError
from custody.keys import Ed25519Signer
from custody.note import Note, Signature, UnknownSigner, VerifierKey

# golang.org/x/mod sumdb/note, note_test.go: the example of its documentation
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PETERS_NOTE = f"{PETERS_TEXT}\n{PETERS_LINE}".encode()

# https://c2sp.org/signed-note, the example at its head
SALVATORE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()

# A tree head of Go's checksum database, and the key that Go ships with (cmd/go/internal/modfetch/key.go)
GOLANG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GOLANG_NOTE = (
    "go.sum database tree\n49189689\nftjbAOzaupaIvaPo/G+Dk63nxOZ2s1OPOKIaPtXs7S4=\n\n"
    "— sum.golang.org "
    "Az3grlKZssqRoMNPpZfKt0TphbbcF+pzXqElURJKRNFKfaUAgqeI5k2AORH0QAhg/ebRwyIqD/OqP4oLtLnNumvOBAM=\n"
).encode()

SEEDS = st.binary(min_size=32, max_size=32)
NAMES = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1, max_size=20
).filter(lambda name: not any(character.isspace() for character in name))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=100).map(
    lambda text: text + "\n"
)
SIGNATURES = st.builds(Signature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=100))


def test_reads_and_signs_what_go_does() -> None:
    key = VerifierKey.parse(PETER)
    parsed = Note.parse(PETERS_NOTE)
    assert parsed.text == PETERS_TEXT
    assert note.verify(parsed, [key]) == (key,)
    signer = Ed25519Signer(PETERS_SEED)
    assert VerifierKey("PeterNeumann", signer.public_key) == key
    assert note.sign(PETERS_TEXT, "PeterNeumann", signer).format() == PETERS_NOTE


def test_reads_a_tree_head_from_the_wild() -> None:
    key = VerifierKey.parse(GOLANG)
    assert note.verify(Note.parse(GOLANG_NOTE), [key]) == (key,)
    forged = GOLANG_NOTE.replace(b"49189689", b"49189688")
    with pytest.raises(SignatureError, match="does not hold"):
        note.verify(Note.parse(forged), [key])


def test_text_may_hold_empty_lines() -> None:
    parsed = Note.parse(SALVATORE)
    assert parsed.text.endswith(":\n\ned è subito sera.\n")
    assert [(each.name, each.key_id.hex()) for each in parsed.signatures] == [
        ("quasimodo.example/salvatore", "367ba04b")
    ]
    assert parsed.format() == SALVATORE


@given(TEXTS, st.lists(SIGNATURES, min_size=1, max_size=20))
def test_reads_what_it_writes(text: str, signatures: list[Signature]) -> None:
    written = Note(text, tuple(signatures))
    assert Note.parse(written.format()) == written


@given(NAMES, SEEDS)
def test_verifier_keys_read_what_they_write(name: str, seed: bytes) -> None:
    key = VerifierKey(name, Ed25519Signer(seed).public_key)
    assert VerifierKey.parse(key.format()) == key


@given(TEXTS, NAMES, SEEDS, st.data())
def test_one_byte_of_the_text_matters(text: str, name: str, seed: bytes, data: st.DataObject) -> None:
    signer = Ed25519Signer(seed)
    key = VerifierKey(name, signer.public_key)
    signed = note.sign(text, name, signer)
    assert note.verify(signed, [key]) == (key,)
    at = data.draw(st.integers(0, len(text) - 1))
    other = text[:at] + "x" + text[at:]
    assert other != text
    with pytest.raises(SignatureError, match="does not hold"):
        note.verify(Note(other, signed.signatures), [key])


@given(st.integers(0, len(PETERS_NOTE) - 1), st.integers(0, 7))
def test_every_bit_of_a_note_matters(at: int, bit: int) -> None:
    flipped = PETERS_NOTE[:at] + bytes([PETERS_NOTE[at] ^ 1 << bit]) + PETERS_NOTE[at + 1 :]
    with pytest.raises((FormatError, SignatureError)):
        note.verify(Note.parse(flipped), [VerifierKey.parse(PETER)])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PETERS_NOTE[:-1], "ends with a signature line and its newline"),
        (PETERS_NOTE + b"\n", "signature"),
        (PETERS_NOTE + b" ", "newline"),
        (PETERS_NOTE.replace(b"\n\n", b"\n"), "empty line between"),
        (PETERS_TEXT.encode(), "empty line between"),
        (PETERS_TEXT.encode() + b"\n", "newline"),
        (f"{PETERS_LINE}\n{PETERS_TEXT}".encode(), "em dash"),
        (f"\n{PETERS_LINE}".encode(), "empty line between"),
        (PETERS_LINE.encode(), "empty line between"),
        (b"", "empty line between"),
        (PETERS_NOTE.replace(b"\n", b"\r\n"), "empty line between"),
        (PETERS_NOTE.replace(b"then", b"\tthen"), "control"),
        (PETERS_NOTE.replace(b"then", b"\x00then"), "control"),
        (PETERS_NOTE.replace(b"then", b"\xffthen"), "UTF-8"),
        (PETERS_NOTE.replace("—".encode(), b"-"), "em dash"),
        (PETERS_NOTE.replace("— ".encode(), "—".encode()), "em dash"),
        (PETERS_NOTE.replace("— ".encode(), "—  ".encode()), "base64"),
        (PETERS_NOTE.replace(b"PeterNeumann ", b"Peter+Neumann "), "name"),
        (PETERS_NOTE.replace(b"PeterNeumann ", "Peter\u00a0Neumann ".encode()), "name"),
        (PETERS_NOTE.replace(b"PeterNeumann ", b"Peter Neumann "), "base64"),
        (PETERS_NOTE.replace(b"PeterNeumann ", b"PeterNeumann  "), "base64"),
        (PETERS_NOTE.replace(b"nAM=\n", b"nAM= \n"), "base64"),
        (PETERS_NOTE.replace(b"nAM=\n", b"nAM\n"), "base64"),
        (PETERS_NOTE.replace(b"nAM=\n", b"nAN=\n"), "canonical"),  # the same bytes, had the last bits been ignored
        (PETERS_NOTE.replace(b"x08go/ZJ", b"x08go_ZJ"), "base64"),
        (PETERS_NOTE.replace(b"x08go/ZJ", b"x08g!o/ZJ"), "base64"),
        (f"{PETERS_TEXT}\n— PeterNeumann x08gow==\n".encode(), "signature"),
        (f"{PETERS_TEXT}\n— PeterNeumann x08g\n".encode(), "signature"),
        (f"{PETERS_TEXT}\n— PeterNeumann \n".encode(), "signature"),
        (f"{PETERS_TEXT}\n— PeterNeumann\n".encode(), "signature"),
    ],
)  # fmt: skip
def test_refuses_other_spellings(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        Note.parse(data)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "half \ud800\n"])
def test_signs_only_what_can_be_a_note(text: str) -> None:
    with pytest.raises(FormatError):
        note.sign(text, "name", Ed25519Signer(bytes(32))).format()


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\tb"])
def test_names_hold_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(FormatError, match="name"):
        VerifierKey(name, bytes(32))
    with pytest.raises(FormatError, match="name"):
        note.sign("text\n", name, Ed25519Signer(bytes(32)))


def lines_of(*seeds: int) -> Note:
    signed = [note.sign("text\n", f"name{seed}", Ed25519Signer(bytes([seed]) * 32)) for seed in seeds]
    return Note("text\n", tuple(line for each in signed for line in each.signatures))


def key_of(seed: int) -> VerifierKey:
    return VerifierKey(f"name{seed}", Ed25519Signer(bytes([seed]) * 32).public_key)


def test_takes_sixteen_signatures_and_more_but_not_any_number() -> None:
    sixteen = Note.parse(lines_of(*range(16)).format())
    assert note.verify(sixteen, [key_of(n) for n in range(16)]) == tuple(key_of(n) for n in range(16))
    one = lines_of(0).signatures
    assert len(Note.parse(Note("text\n", one * 100).format()).signatures) == 100
    with pytest.raises(FormatError, match="1 to 100 signatures, got 101"):
        Note.parse(("text\n\n" + "— name0 AAAAAAAA\n" * 101).encode())
    with pytest.raises(FormatError, match="at most 1000000 bytes"):
        Note.parse(b"a" * 1_000_001)


def test_signatures_of_strangers_are_passed_over() -> None:
    assert note.verify(lines_of(1, 2, 3), [key_of(2)]) == (key_of(2),)
    assert note.verify(lines_of(1, 2, 3), [key_of(4), key_of(3), key_of(1)]) == (key_of(3), key_of(1))
    # Another key under a known name is a stranger too: name and id together name a key.
    namesake = note.sign("text\n", "name1", Ed25519Signer(bytes([9]) * 32)).signatures
    assert note.verify(Note("text\n", namesake + lines_of(1).signatures), [key_of(1)]) == (key_of(1),)
    with pytest.raises(UnknownSigner, match="none of the keys"):
        note.verify(Note("text\n", namesake), [key_of(1)])
    with pytest.raises(UnknownSigner):
        note.verify(lines_of(1), [])


def test_a_key_id_alone_proves_nothing() -> None:
    forged = Signature("name1", key_of(1).key_id, Ed25519Signer(bytes([9]) * 32).sign(b"text\n"))
    with pytest.raises(SignatureError, match="does not hold"):
        note.verify(Note("text\n", (forged,)), [key_of(1)])
    # One bad line of a known key condemns the note, even beside a good one.
    with pytest.raises(SignatureError, match="does not hold"):
        note.verify(Note("text\n", (*lines_of(1).signatures, forged)), [key_of(1)])
    with pytest.raises(SignatureError, match="64 bytes"):
        note.verify(Note("text\n", (Signature("name1", key_of(1).key_id, b"short"),)), [key_of(1)])


def test_every_mangled_verifier_key_is_refused() -> None:
    # As note_test.go does: each part of the key, and the key with each byte one higher
    mangled = [PETER[i:j] for i in range(len(PETER)) for j in range(i, len(PETER) + 1) if j - i < len(PETER)]
    mangled += [PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :] for i in range(len(PETER))]
    mangled += [PETER.replace("c74f20a3", "C74F20A3"), PETER + "\n", f" {PETER}"]
    for text in mangled:
        with pytest.raises(FormatError):
            VerifierKey.parse(text)


def test_a_verifier_key_of_another_algorithm_is_refused() -> None:
    # ECDSA, as sigstore's Rekor publishes it in this form
    rekor = (
        "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l"
        "+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="
    )
    with pytest.raises(FormatError, match="Ed25519"):
        VerifierKey.parse(rekor)


def test_openssl_agrees(tmp_path: Path) -> None:
    signer = Ed25519Signer.generate()
    data = note.sign("seen\n\nand kept\n", "evidence.example/log", signer).format()
    # As a stranger would take it apart: the text up to the last empty line, the last 64 bytes of the signature.
    text, _, line = data.rpartition(b"\n\n")
    (tmp_path / "body").write_bytes(text + b"\n")
    (tmp_path / "sig").write_bytes(base64.b64decode(line.split()[-1])[-64:])
    (tmp_path / "key.pem").write_bytes(keys.pem(signer.public_key))
    command = (
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "body", "-sigfile", "sig"
    )  # fmt: skip
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    (tmp_path / "body").write_bytes(text + b"\n\n")
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0
