"""What somebody with the bytes of a finished archive and a text editor can do. Knows nothing of our own code.

An archive is a mapping of keys to bytes, as a mirror has it. Keys and forms are taken from docs/manifest.md.
"""

import base64
import hashlib
import json
import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Files = dict[str, bytes]

LOG_NAME = "evidence.example/custody"
LOG = "v1/log/evidence.example_custody/"
SHOWN = f"{LOG}checkpoint"


def commit_name(n: int) -> str:
    return f"{LOG}commit/{n:020d}"


def checkpoint_name(size: int) -> str:
    return f"{LOG}checkpoints/{size:020d}"


def token_name(size: int, authority: str, ending: str = "tsr") -> str:
    return f"{LOG}timestamps/{size:020d}/{authority}.{ending}"


def tile_name(level: int | str, index: int, width: int = 256) -> str:
    return f"{LOG}tile/{level}/{index:03d}" + ("" if width == 256 else f".p/{width}")


def blob_name(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"v1/blobs/sha256/{digest[:2]}/{digest}"


# Reading


def commits(files: Files) -> list[int]:
    return [int(key[-20:]) for key in sorted(files) if key.startswith(f"{LOG}commit/")]


def leaves_of(files: Files, n: int) -> list[bytes]:
    data = files[commit_name(n)].partition(b"\n")[2]
    found = []
    while data:
        length = struct.unpack(">H", data[:2])[0]
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def leaves(files: Files) -> list[bytes]:
    return [leaf for n in commits(files) for leaf in leaves_of(files, n)]


def commit_of(files: Files, index: int) -> int:
    for n in commits(files):
        index -= len(leaves_of(files, n))
        if index < 0:
            return n
    raise LookupError(index)


def payload(leaf: bytes) -> Any:
    return json.loads(base64.b64decode(json.loads(leaf)["event"]["payload"]))


def type_of(leaf: bytes) -> str:
    return str(payload(leaf)["predicateType"].split("/")[-2])


def find(files: Files, type_: str, nth: int = 0) -> int:
    """The index of the nth event of a type."""
    return [index for index, leaf in enumerate(leaves(files)) if type_of(leaf) == type_][nth]


def artifact(files: Files, index: int, role: str) -> dict[str, Any]:
    """Where an artifact of the capture that ends in this leaf is, in the words of a finding."""
    said = payload(leaves(files)[index])
    digest = said["subject"][0]["digest"]["sha256"]
    record = json.loads(files[f"v1/blobs/sha256/{digest[:2]}/{digest}"])
    kept = next(each for each in record["artifacts"] if each["role"] == role)
    return {
        "item": record["unit"],
        "capture": record["capture_id"],
        "role": role,
        "name": kept["name"],
        "key": kept["key"],
        "index": index,
    }


def record(files: Files, index: int) -> dict[str, Any]:
    said = payload(leaves(files)[index])
    (subject,) = said["subject"]
    digest = subject["digest"]["sha256"]
    body = said["predicate"]["body"]
    return {
        "item": said["predicate"]["chain"].removeprefix("item:"),
        "capture": body["capture"],
        "role": "record",
        "name": subject["name"],
        "key": f"v1/blobs/sha256/{digest[:2]}/{digest}",
        "index": index,
    }


# Changing


def flip(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def edit_leaf(files: Files, index: int, change: Callable[[bytes], bytes]) -> Files:
    """In the commit and in every bundle; the length stays."""
    before = leaves(files)[index]
    after = change(before)
    assert len(before) == len(after)
    assert before != after
    return {
        key: data.replace(before, after) if "/commit/" in key or "/tile/entries/" in key else data
        for key, data in files.items()
    }


def flip_salt(leaf: bytes) -> bytes:
    """One bit of what is signed."""
    value = json.loads(leaf)["event"]["payload"]
    data = base64.b64decode(value)
    changed = base64.b64encode(flip(data, data.index(b'"salt":"') + 8)).decode()
    return leaf.replace(value.encode(), changed.encode())


def flip_signature(leaf: bytes) -> bytes:
    value = json.loads(leaf)["event"]["signatures"][0]["sig"]
    changed = base64.b64encode(flip(base64.b64decode(value), 3)).decode()
    return leaf.replace(value.encode(), changed.encode())


def header(data: bytes, **change: Any) -> bytes:
    line, _, rest = data.partition(b"\n")
    changed = {**json.loads(line), **change}
    return json.dumps(changed, sort_keys=True, separators=(",", ":")).encode() + b"\n" + rest


def note_lines(data: bytes) -> list[str]:
    return data.decode().partition("\n\n")[0].split("\n")


def sign_note(lines: list[str], seed: bytes, name: str = LOG_NAME) -> bytes:
    """C2SP signed-note, by an Ed25519 key."""
    text = "\n".join(lines) + "\n"
    return f"{text}\n{signature_line(text, seed, name)}".encode()


def signature_line(text: str, seed: bytes, name: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    keyid = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    return f"— {name} {base64.b64encode(keyid + key.sign(text.encode())).decode()}\n"


def signed_again(leaf: bytes, seed: bytes) -> bytes:
    """The same event, signed by another key (DSSE)."""
    value = json.loads(leaf)
    data = base64.b64decode(value["event"]["payload"])
    key = Ed25519PrivateKey.from_private_bytes(seed)
    message = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(data) + data
    keyid = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()
    value["event"]["signatures"] = [{"keyid": keyid, "sig": base64.b64encode(key.sign(message)).decode()}]
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def replace_last_leaf(files: Files, leaf: bytes) -> Files:
    """With the bundle, tile and commit around it rebuilt; the checkpoints stay."""
    n = max(commits(files))
    before = leaves(files)
    assert len(leaves_of(files, n)) == 1
    all_leaves = [*before[:-1], leaf]
    size = len(all_leaves)
    assert size < 256
    other = dict(files)
    other[tile_name("entries", 0, size)] = b"".join(struct.pack(">H", len(each)) + each for each in all_leaves)
    other[tile_name(0, 0, size)] = b"".join(map(leaf_hash, all_leaves))
    line = files[commit_name(n)].partition(b"\n")[0] + b"\n" + struct.pack(">H", len(leaf)) + leaf
    other[commit_name(n)] = header(line, root=root(all_leaves).hex())
    return other


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def root(all_leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it stands there."""
    if len(all_leaves) == 1:
        return leaf_hash(all_leaves[0])
    k = 1
    while k * 2 < len(all_leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root(all_leaves[:k]) + root(all_leaves[k:])).digest()


# Pictures


def png(level: int, *, shade: int = 200) -> bytes:
    """A picture of 32 by 32; ``level`` is zlib's, so that the same pixels give other bytes."""
    rows = b"".join(b"\0" + bytes((shade + x + y) % 256 for x in range(32)) for y in range(32))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows, level)),
            (b"IEND", b""),
        )
    )


def pixels(data: bytes) -> bytes:
    at = data.index(b"IDAT")
    length = struct.unpack(">I", data[at - 4 : at])[0]
    return zlib.decompress(data[at + 4 : at + 4 + length])


# Tokens


def forged_token(directory: Path, response: bytes, signer: str) -> bytes:
    """What an honest token says, signed by another certificate of the folder, whatever that is for."""
    (directory / "honest.tsr").write_bytes(response)
    _openssl(directory, "ts", "-reply", "-in", "honest.tsr", "-token_out", "-out", "honest.p7")
    _openssl(directory, "cms", "-verify", "-noverify", "-inform", "DER", "-in", "honest.p7", "-out", "info.der")
    _openssl(
        directory, "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-cades", "-outform", "DER", "-md", "sha256",
        "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", "info.der",
        "-signer", f"{signer}.pem", "-inkey", f"{signer}.key", "-out", "forged.p7",
    )  # fmt: skip
    token = (directory / "forged.p7").read_bytes()
    body = b"\x30\x03\x02\x01\x00" + token
    return b"\x30\x82" + struct.pack(">H", len(body)) + body


def openssl_accepts(directory: Path, query: bytes, response: bytes, roots: str) -> bool:
    (directory / "asked.tsq").write_bytes(query)
    (directory / "judged.tsr").write_bytes(response)
    (directory / "believed.pem").write_text(roots)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-queryfile", "asked.tsq", "-in", "judged.tsr", "-CAfile", "believed.pem"],
        cwd=directory, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, check=True)


# Lines


def without_a_line(data: bytes) -> Iterator[bytes]:
    """Each copy that lacks one of its lines."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", data)
    for at in range(len(lines)):
        yield b"".join(lines[:at] + lines[at + 1 :])
