"""docs/verify-by-hand.md, run as it stands: holds on a good archive, and stops at the right thing on a tampered one."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import authorities
from archive.authority import Authority
from archive.directory import DirectoryStore
from archive.genesis import open_log
from archive.home import Home
from archive.scribe import Scribe
from archive.sealing import Sealing
from archive.sequencer import Sequencer
from custody import canonical, event, keyspace, merkle, tiles
from custody.checkpoint import Checkpoint
from custody.digest import Digest
from custody.event import Event, Ref
from custody.instant import format_utc
from custody.keys import Ed25519Signer, keyid
from tests.authority import LocalAuthority

PAGE = Path(__file__).resolve().parent.parent / "docs" / "verify-by-hand.md"
SCRIPT = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
GOLDEN = sorted((Path(__file__).parent / "fixtures" / "golden").iterdir())
PICTURE = b"a picture that only its capture's record names"


def clock() -> datetime:
    return datetime.now(UTC)


def retain_until() -> datetime:
    return clock() + timedelta(days=1)


def capture(worker: Scribe) -> list[event.Envelope]:
    item, run = worker.new_id(), worker.new_id()
    chain = f"item:{item}"
    now = format_utc(clock())
    started = worker.event(
        "capture.started",
        chain=chain,
        run=run,
        subject=worker.detail("job.json", {"url": "https://site.example/"}),
        body={"capture": item, "attempt": 1, "deadline": now},
    )
    kept = {"role": "screenshot", "name": "screenshot.png", "sha256": worker.blob("screenshot.png", PICTURE).digest.hex}
    ended = worker.event(
        "capture.completed",
        chain=chain,
        run=run,
        subject=worker.detail("record.json", {"artifacts": [kept]}),
        refs=(Ref(rel="started_by", payload_sha256=started.payload_sha256),),
        body={
            "capture": item,
            "status": "complete",
            "outcome": "ok",
            "http_status": 200,
            "started_at": now,
            "ended_at": now,
        },
    )
    return [started, ended]


class Archive:
    """A mirror with a few captures in it, and the trust file that goes with it."""

    def __init__(self, path: Path, captures: int) -> None:
        self.copy = path / "copy"
        self.copy.mkdir(parents=True)
        self.store = DirectoryStore(self.copy)
        self.home = Home.open(path / "home", clock=clock)
        self.trust = self.home.trust_file
        self.log = f"v1/log/{keyspace.slug(self.home.trust.log.name)}"
        self.sequencer: Sequencer = open_log(self.home, self.store, clock=clock, retain_until=retain_until)
        self.worker = Scribe(self.store, self.home.signers.worker, clock=clock, retain_until=retain_until)
        for _ in range(min(captures, 3)):  # as many commits, so that the tree grew
            self.sequencer.append(capture(self.worker))
        if captures > 3:
            self.sequencer.append([each for _ in range(captures - 3) for each in capture(self.worker)])

    def seal(self, directory: Path) -> None:
        with LocalAuthority(directory) as local:
            authorities.add(self.home, local.url, roots_pem=local.roots_pem)
            trust = self.home.trust
            known = [
                Authority(each, store=self.store, log=trust.log.name, retain_until=retain_until, timeout_s=30)
                for each in trust.authorities
            ]
            receipts = self.sequencer.append(capture(self.worker))
            assert Sealing(self.sequencer, self.worker, known).seal(receipts).sealed


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    path = tmp_path_factory.mktemp("by-hand")
    made = Archive(path, 3)
    made.seal(path / "authority")
    return made


def by_hand(copy: Path, trust: Path) -> subprocess.CompletedProcess[str]:
    variables = {"COPY": str(copy), "TRUST": str(trust), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["sh", "-c", SCRIPT], env=variables, capture_output=True, text=True, check=False, timeout=280
    )  # fmt: skip


def test_a_good_archive_holds(archive: Archive) -> None:
    said = by_hand(archive.copy, archive.trust)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.splitlines()[-1] == "holds"
    assert "4 records is there" in said.stdout
    assert re.search(r"^OK    \S+ saw \d+ leaves at ", said.stdout, re.MULTILINE)
    assert "NO TRUSTED TIME" not in said.stdout


@pytest.mark.parametrize("released", GOLDEN, ids=lambda path: str(path.name))
def test_every_released_version_holds(released: Path) -> None:
    said = by_hand(released / "archive", released / "trust.json")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "NO TRUSTED TIME" not in said.stdout


def test_without_an_authority_it_says_so(tmp_path: Path) -> None:
    made = Archive(tmp_path, 1)
    said = by_hand(made.copy, made.trust)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "NOTE  NO TRUSTED TIME" in said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("captures", [126, 130])
def test_full_bundles_hold(tmp_path: Path, captures: int) -> None:
    """256 leaves (one full bundle and no other), then 264 (a full one and a partial one)."""
    made = Archive(tmp_path, captures)
    said = by_hand(made.copy, made.trust)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{4 + 2 * captures} leaves hash to the root" in said.stdout


def replace(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    replace(path, bytes(data))


def newest_bundle(log: Path) -> Path:
    return max((log / "tile" / "entries" / "000.p").iterdir(), key=lambda path: int(path.name))


def alter_artifact(_made: Archive, copy: Path) -> None:
    flip(copy / keyspace.blob(Digest.of(PICTURE)))


def remove_artifact(_made: Archive, copy: Path) -> None:
    (copy / keyspace.blob(Digest.of(PICTURE))).unlink()


def alter_checkpoint(made: Archive, copy: Path) -> None:
    path = copy / made.log / "checkpoint"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1] = f"{int(lines[1]) - 1}\n"
    replace(path, "".join(lines).encode())


def alter_leaf(made: Archive, copy: Path) -> None:
    bundle = newest_bundle(copy / made.log)
    data = bundle.read_bytes()
    at = data.index(b'"logged_at":"2') + len(b'"logged_at":"')
    replace(bundle, data[:at] + b"1" + data[at + 1 :])


def alter_token(made: Archive, copy: Path) -> None:
    flip(next((copy / made.log / "timestamps").rglob("*.tsr")))


def operator(made: Archive, copy: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Whoever holds the log's key changes leaves, and signs the new tree as if it had always been so."""
    bundle = newest_bundle(copy / made.log)
    leaves = change(tiles.decode_bundle(bundle.read_bytes()))
    replace(bundle.with_name(str(len(leaves))), tiles.encode_bundle(leaves))
    root = merkle.root([merkle.leaf_hash(leaf) for leaf in leaves])
    signed = Checkpoint(made.home.trust.log.name, len(leaves), root).sign(made.home.signers.need_log())
    replace(copy / made.log / "checkpoint", signed)


def rewrite_an_event(made: Archive, copy: Path) -> None:
    """Without the worker's key: another event's signature stays under it."""

    def change(leaves: list[bytes]) -> list[bytes]:
        one, other = (json.loads(leaves[index]) for index in (-1, 5))
        one["event"]["payload"] = other["event"]["payload"]
        return [*leaves[:-1], canonical.dumps(one)]

    operator(made, copy, change)


def sign_as_a_stranger(made: Archive, copy: Path) -> None:
    stranger = Ed25519Signer.generate()

    def change(leaves: list[bytes]) -> list[bytes]:
        last = json.loads(leaves[-1])
        payload = base64.b64decode(last["event"]["payload"])
        forged = event.sign(Event.parse(payload), stranger)
        signature = {"keyid": keyid(stranger.public_key), "sig": base64.b64encode(forged.sig).decode()}
        last["event"]["signatures"] = [signature]
        return [*leaves[:-1], canonical.dumps(last)]

    operator(made, copy, change)


def take_a_leaf_out(made: Archive, copy: Path) -> None:
    """The start of the first capture; the leaves after it move up."""

    def change(leaves: list[bytes]) -> list[bytes]:
        kept = [json.loads(leaf) for leaf in leaves[:4] + leaves[5:]]
        return [canonical.dumps({**leaf, "index": index}) for index, leaf in enumerate(kept)]

    operator(made, copy, change)


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (alter_artifact, "a file is not what its name says"),
        (remove_artifact, f"{Digest.of(PICTURE).hex} is named and not there"),
        (alter_checkpoint, "the checkpoint is not signed by the log's key"),
        (alter_leaf, "the leaves do not hash to the checkpoint's root"),
        (alter_token, "the token of "),
        (rewrite_an_event, "is not signed by the key it names"),
        (sign_as_a_stranger, "is signed by a key that no root key introduced"),
        (take_a_leaf_out, "a chain is broken: item:"),
    ],
)
def test_a_tampered_copy_does_not_hold(
    archive: Archive, tmp_path: Path, tamper: Callable[[Archive, Path], None], said: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(archive.copy, copy)
    tamper(archive, copy)
    verdict = by_hand(copy, archive.trust)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert re.search(rf"^FAIL  .*{re.escape(said)}", verdict.stdout, re.MULTILINE), verdict.stdout


def test_a_strangers_trust_file_does_not_hold(archive: Archive, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "home", clock=clock)
    assert other.trust.log != archive.home.trust.log
    assert by_hand(archive.copy, other.trust_file).returncode != 0
