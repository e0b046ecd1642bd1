"""Who may sign, from the command line: a root of several holders, a worker that joins, and one that is thrown out."""

import base64
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from archive.config import ArchiveConfig
from archive.drafts import read_draft
from archive.errors import LogError, LogForeign
from archive.inbox import Inbox
from archive.reader import open_reader
from archive.scribe import Scribe
from archive.vault import Vault
from console.cli import app
from custody import keys
from custody.event import Envelope, cosign
from custody.keys import Ed25519Signer
from custody.verify import verify
from tests.archive.deployment import now
from tests.archive.signing.softhsm import PIN, make_token
from tests.command import run


@dataclass(frozen=True)
class Place:
    """A folder with a store and homes."""

    folder: Path

    @property
    def store(self) -> str:
        return f"file:{self.folder / 'store'}"

    def home(self, name: str) -> Path:
        return self.folder / name

    def config(self, home: str) -> ArchiveConfig:
        environment = {"COUNTERPROOF_INBOX_WAIT": "0"}
        return ArchiveConfig.load(environment, home=self.home(home), store_url=self.store, retention_days=1)

    def say(self, *arguments: str | Path, home: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        """Stdout and stderr of a command that ends with this code."""
        words = [*map(str, arguments), "--home", str(self.home(home))]
        environment = {"COUNTERPROOF_STORE_URL": self.store, "COUNTERPROOF_INBOX_WAIT": "0", **(env or {})}
        told = CliRunner().invoke(app, words, env=environment)
        assert told.exit_code == code, f"{words} ended with {told.exit_code}: {told.output}"
        assert "Traceback" not in told.output
        return told.output

    def document(self, *arguments: str | Path, home: str, env: dict[str, str] | None = None) -> Any:
        words = [*map(str, arguments), "--json", "--home", str(self.home(home))]
        told = CliRunner().invoke(app, words, env={"COUNTERPROOF_STORE_URL": self.store, **(env or {})})
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    def standing(self, keyid: str, home: str = "office") -> str:
        shown = self.document("keys", "show", home=home)
        found = [each for each in (*shown["held"], *shown["others"]) if each["keyid"] == keyid]
        return str(found[0]["standing"]) if found else "unknown"

    def enrol(self, home: str, *options: str) -> dict[str, str]:
        """Id of the key by role."""
        trust = self.home("office") / "trust.json"
        made = self.document("keys", "enrol", "--trust", trust, *options, "--out", self.folder / "requests", home=home)
        return {each["role"]: each["keyid"] for each in made["requests"]}

    def requests(self) -> list[Path]:
        return sorted((self.folder / "requests").iterdir())

    def codes(self) -> list[str]:
        """Of everything that the verifier has to say."""
        with open_reader(self.config("office")) as reader:
            assert reader.trust is not None
            verdict = verify(reader.store, reader.trust, at=now())
        assert verdict.holds, verdict.findings
        return [each.code for each in verdict.findings]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def alone(place: Place) -> Place:
    """One home with all keys."""
    Vault.open(place.config("office"), clock=now).close()
    return place


@pytest.fixture
def shared(place: Place) -> Place:
    """The root is any two of three holders, whose keys are in holders/."""
    place.say("keys", "ceremony", "--make", "3", "--into", place.folder / "holders", home="office")
    place.say("keys", "submit", place.home("office") / "opening.json", home="office")
    return place


def holder(place: Place, n: int) -> str:
    return f"file:{place.folder / 'holders' / f'holder-{n}.key'}"


# A ceremony


def test_three_holders_on_machines_of_their_own_begin_a_log_that_needs_two(place: Place) -> None:
    for name in "abc":
        spec = f"file:{place.folder / name / 'my.key'}"
        out = place.folder / f"{name}.request.json"
        place.folder.joinpath(name).mkdir(mode=0o700)
        place.say("keys", "request", spec, "--role", "root", "--make", "--out", out, home="nowhere")
    requests = sorted(place.folder.glob("*.request.json"))
    begun = place.document("keys", "ceremony", *requests, "--threshold", "2", home="office")
    draft = place.folder / "draft.json"
    draft.write_bytes(Path(begun["draft"]).read_bytes())
    said = place.say("keys", "submit", draft, home="office", code=6)
    assert "2 signatures of root keys needed" in said.replace("more ", "")
    trust = begun["trust"]["path"]
    for n, name in enumerate("ab"):
        arguments = ("keys", "cosign", draft, "--key", f"file:{place.folder / name / 'my.key'}", "--trust", trust)
        shown = place.say(*arguments, home="nowhere", code=2)
        assert "log.opened: begins the log counterproof.example/" in shown
        assert "key.introduced: from now on the key" in shown
        assert "read what is signed" in shown, "nothing is signed unread"
        signed = place.document(*arguments, "--yes", home="nowhere")
        assert signed["missing"] == 1 - n
    place.say("keys", "submit", draft, home="office")
    again = place.document("keys", "submit", draft, home="office")
    assert [each["index"] for each in again["events"]] == list(range(6))
    with Vault.open(place.config("office"), clock=now) as vault:
        vault.cases.open("case", vault.sequencer, vault.scribe)
    assert place.codes() == []


def test_a_ceremony_is_refused_where_a_log_is_begun_and_says_why(alone: Place) -> None:
    before = (alone.home("office") / "trust.json").read_bytes()
    said = alone.say("keys", "ceremony", "--make", "3", "--into", alone.folder / "holders", home="office", code=2)
    assert "everybody who was given that file relies on it" in " ".join(said.split())
    assert (alone.home("office") / "trust.json").read_bytes() == before


def test_until_the_holders_have_signed_nothing_is_captured_and_the_sentence_says_what_to_do(place: Place) -> None:
    place.say("keys", "ceremony", "--make", "2", "--into", place.folder / "holders", home="office")
    with pytest.raises(Exception, match="keys cosign"):
        Vault.open(place.config("office"), clock=now)


@pytest.mark.parametrize("options", [["--threshold", "3", "--make", "2"], ["--make", "2"], []])
def test_a_ceremony_that_makes_no_sense_makes_nothing(place: Place, options: list[str]) -> None:
    if "--threshold" in options:
        options = [*options, "--into", str(place.folder / "holders")]
    place.say("keys", "ceremony", *options, home="office", code=2)
    assert not (place.home("office") / "trust.json").exists()


# A worker joins, works, and is thrown out


def test_a_worker_joins_without_root_and_log_key_and_what_it_signs_after_its_revocation_is_refused(
    shared: Place,
) -> None:
    worker = shared.enrol("worker")["worker"]
    kept = shared.home("worker") / "keys"
    assert sorted(each.name for each in kept.iterdir()) == ["worker.key"]
    with pytest.raises(LogForeign, match="never introduced"):
        Vault.open(shared.config("worker"), clock=now)
    draft = shared.folder / "draft.json"
    shared.say("keys", "introduce", *shared.requests(), "--out", draft, home="office")
    for n in (1, 3):
        shared.say("keys", "cosign", draft, "--key", holder(shared, n), "--yes", home="office")
    shared.say("keys", "submit", draft, home="office")
    assert shared.standing(worker, home="worker") == "introduced"

    with Vault.open(shared.config("worker"), clock=now) as vault:
        first, second = event_of(vault), event_of(vault)
        assert vault.sequencer.submit([first]) == (None,)
        shared.say("sequence", "--once", home="office")
        assert vault.sequencer.find(id_of(first)) is not None
        keyed = ("--key", holder(shared, 1), "--key", holder(shared, 2))
        shared.say("keys", "revoke", worker[:16], "--reason", "compromised", *keyed, home="office")
        assert vault.sequencer.submit([second]) == (None,)
        assert "1 rejected" in shared.say("sequence", "--once", home="office")
        vault.sequencer.refresh()
        assert [each.event.body["reason"] for each in vault.sequencer.events("event.rejected")] == ["EVENT_KEY_REVOKED"]
        assert vault.sequencer.find(id_of(second)) is None
    with pytest.raises(LogForeign, match="was revoked"):
        Vault.open(shared.config("worker"), clock=now)
    assert shared.standing(worker) == "revoked"
    # What it signed before stays good, and is noted; of what was refused only the case's blob is left.
    assert sorted(shared.codes()) == ["BLOB_ORPHAN", "EVENT_REJECTED", "KEY_REVOKED"]


def event_of(vault: Vault) -> Envelope:
    scribe: Scribe = vault.scribe
    scope = scribe.new_id()
    subject = scribe.detail("case.json", {"scope": scope, "name": "a case"})
    return scribe.event("case.opened", chain=f"scope:{scope}", subject=subject, body={})


def id_of(envelope: Envelope) -> str:
    return str(json.loads(envelope.payload)["predicate"]["event_id"])


def test_a_home_of_a_worker_never_opens_a_root_or_log_key(alone: Place, opened: list[str]) -> None:
    alone.enrol("worker")
    alone.say("keys", "introduce", *alone.requests(), home="office")
    opened.clear()
    with Vault.open(alone.config("worker"), clock=now) as vault:
        assert isinstance(vault.sequencer, Inbox)
        vault.sequencer.submit([event_of(vault)])
    names = {Path(each).name for each in opened}
    assert "worker.key" in names, "the hook hears of keys that are read"
    assert not {"root.key", "log.key"} & names


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths of all files that this process opens. An audit hook cannot be taken away, only silenced."""
    heard: list[str] = []
    listening = [True]

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if listening[0] and event == "open" and isinstance(arguments[0], (str, os.PathLike)):
            heard.append(os.fspath(arguments[0]))

    sys.addaudithook(hear)
    yield heard
    listening[0] = False


# One stolen root key


def test_one_stolen_root_key_can_do_nothing_alone(shared: Place) -> None:
    """Whoever has it, and the log key, and can write to the store."""
    thief = Ed25519Signer.generate()
    trust = shared.home("office") / "trust.json"
    request = shared.folder / "thief.request.json"
    (shared.folder / "thief.key").touch(0o600)
    (shared.folder / "thief.key").write_bytes(thief.private_bytes)
    asked = ("keys", "request", f"file:{shared.folder / 'thief.key'}", "--role", "worker", "--trust", trust)
    shared.say(*asked, "--out", request, home="office")
    stolen = ("--key", holder(shared, 1))
    said = shared.say("keys", "introduce", request, *stolen, home="office", code=2)
    assert "needs still: 1" in said
    # By hand, past the command: signed by the stolen key, and again by the thief's own.
    draft = shared.folder / "draft.json"
    shared.say("keys", "introduce", request, *stolen, "--out", draft, home="office")
    shared.say("keys", "submit", draft, home="office", code=6)
    envelope = cosign(read_draft(draft).events[0].envelope(), thief)
    with (
        Vault.open(shared.config("office"), clock=now) as vault,
        pytest.raises(LogError, match="needs 2 signatures by root keys, has 1"),
    ):
        vault.sequencer.append([envelope])
    assert shared.standing(keys.keyid(thief.public_key)) == "unknown"
    assert shared.codes() == []


def test_a_stolen_root_key_is_revoked_by_the_others_and_the_last_two_are_not(shared: Place) -> None:
    stolen = keys.keyid(Ed25519Signer((shared.folder / "holders" / "holder-1.key").read_bytes()).public_key)
    others = ("--key", holder(shared, 2), "--key", holder(shared, 3))
    shared.say(
        "keys", "revoke", stolen, "--reason", "compromised", "--since", "2026-01-02T03:04:05Z", *others, home="office"
    )
    assert shared.standing(stolen) == "revoked"
    second = keys.keyid(Ed25519Signer((shared.folder / "holders" / "holder-2.key").read_bytes()).public_key)
    said = shared.say("keys", "revoke", second, "--reason", "lost", *others, home="office", code=2)
    assert "nobody could introduce or revoke a key in this log again" in " ".join(said.split())
    assert shared.codes() == ["KEY_REVOKED"]


# Small things


def test_introducing_and_revoking_twice_changes_nothing(alone: Place) -> None:
    worker = alone.enrol("worker")["worker"]
    first = alone.document("keys", "introduce", *alone.requests(), home="office")
    assert len(first["events"]) == 1
    assert alone.document("keys", "introduce", *alone.requests(), home="office")["events"] == []
    assert len(alone.document("keys", "revoke", worker, "--reason", "lost", home="office")["events"]) == 1
    assert alone.document("keys", "revoke", worker, "--reason", "lost", home="office")["events"] == []
    said = alone.say("keys", "introduce", *alone.requests(), home="office", code=2)
    assert "never taken back" in said


def test_a_person_joins_with_a_worker_of_her_own(alone: Place) -> None:
    asked = alone.enrol("desk", "--role", "person")
    assert sorted(asked) == ["person", "worker"]
    only = [each for each in alone.requests() if each.name.startswith("worker")]
    alone.say("keys", "introduce", *alone.requests(), "--role", "worker", home="office", code=2)
    alone.say("keys", "introduce", *only, "--role", "worker", home="office")
    alone.say("keys", "introduce", *alone.requests(), home="office")
    shown = alone.document("keys", "show", home="desk")
    assert {each["role"]: each["standing"] for each in shown["held"]} == {
        "worker": "introduced",
        "person": "introduced",
    }


def test_enrolling_again_asks_for_the_same_key_and_another_log_is_refused(alone: Place) -> None:
    assert alone.enrol("worker") == alone.enrol("worker")
    Vault.open(ArchiveConfig.load({}, home=alone.home("other"), store_url="memory:"), clock=now).close()
    said = alone.say("keys", "enrol", "--trust", alone.home("other") / "trust.json", home="worker", code=2)
    assert "name a directory of its own" in " ".join(said.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("keys", "revoke", "abc", "--reason", "lost"), 2, "first 8 digits"),
        (("keys", "revoke", "0" * 64, "--reason", "lost"), 2, "names 0 keys"),
        (("keys", "revoke", "0" * 64, "--reason", "bored"), 2, "rotated, lost, compromised"),
        (("keys", "use", "worker", "file:/nowhere/a.key"), 6, "cannot be read"),
        (("keys", "use", "king", "file:/nowhere/a.key"), 2, "a role is"),
        (("keys", "rotate", "root"), 2, "stays as long as its log"),
        (("keys", "submit", "/nowhere/draft"), 2, "cannot be read"),
        (("keys", "introduce", "/nowhere/request"), 2, "cannot be read"),
    ],
)
def test_says_in_one_sentence_what_is_wrong(alone: Place, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in " ".join(alone.say(*arguments, home="office", code=code).split())


def test_looking_at_keys_makes_no_home(place: Place) -> None:
    assert "keys ceremony" in place.say("keys", "show", home="office", code=2)
    assert not place.home("office").exists()


# Devices and secrets


def test_a_device_that_is_not_there_is_told_by_doctor_and_show_which_go_on(alone: Place) -> None:
    where = {"COUNTERPROOF_ROOT_KEY": "pkcs11:token=in%20the%20safe;object=root?module-path=/nowhere/p11.so"}
    assert "root not at hand" in alone.say("doctor", home="office", env=where), "it may lie in a safe"
    log = {"COUNTERPROOF_LOG_KEY": where["COUNTERPROOF_ROOT_KEY"]}
    assert "no PKCS#11 module /nowhere/p11.so" in alone.say("doctor", home="office", code=6, env=log)
    (held,) = [
        each for each in alone.document("keys", "show", home="office", env=where)["held"] if each["role"] == "root"
    ]
    assert held["standing"] == "unknown"
    assert "no PKCS#11 module" in held["error"]


@pytest.mark.slow
@pytest.mark.hsm
def test_a_log_lives_with_its_keys_in_a_token_and_no_secret_is_told(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = make_token(tmp_path_factory)
    for n, role in enumerate(("root", "log", "worker", "next")):
        token.make_key(role, bytes([n + 1]))
    env = {"COUNTERPROOF_PKCS11_PIN": PIN, "COUNTERPROOF_STORE_URL": place.store}
    env["SOFTHSM2_CONF"] = str(token.folder.parent / "softhsm2.conf")
    where = {f"COUNTERPROOF_{role.upper()}_KEY": token.uri(role) for role in ("root", "log", "worker")}
    office = place.home("office")
    said = [run("doctor", home=office, env={**env, **where})]  # makes the home, whose keys are all in the token
    assert list((office / "keys").iterdir()) == []
    shown = run("keys", "show", "--json", home=office, env={**env, **where})
    assert [each["backend"].partition(";")[0] for each in shown.document["held"]] == [
        f"pkcs11:token={token.label.replace(' ', '%20')}"
    ] * 3
    # Said once to the home, in place of the environment; then another key of the same token takes the worker's place.
    said.append(run("sequence", "--once", home=office, env={**env, **where}))
    worker = where.pop("COUNTERPROOF_WORKER_KEY")
    said.append(run("keys", "use", "worker", token.uri("next"), home=office, env={**env, **where}))
    assert "is no worker key that the log has introduced" in said[-1].err
    said.append(run("keys", "use", "worker", worker, home=office, env={**env, **where}))
    assert [each.code for each in said] == [0, 0, 6, 0], said
    turned = run("keys", "rotate", "worker", "--to", token.uri("next"), home=office, env={**env, **where})
    assert turned.code == 0, turned.err
    assert (office / "keys" / "worker.spec").read_text().strip() == token.uri("next")
    held = run("verify", home=office, env={**env, **where})
    assert held.code == 0, held.out + held.err
    wrong = run("keys", "rotate", "worker", home=office, env={**env, **where, "COUNTERPROOF_PKCS11_PIN": "888888"})
    assert wrong.code == 6
    assert "is wrong" in wrong.err
    gone = run("keys", "rotate", "worker", home=office, env={**env, **where, "COUNTERPROOF_PKCS11_PIN": ""})
    assert gone.code == 6
    told = "".join(each.out + each.err for each in (*said, shown, turned, held, wrong, gone))
    assert PIN not in told
    assert "888888" not in told
    kept = b"".join(path.read_bytes() for path in place.folder.rglob("*") if path.is_file())
    assert PIN.encode() not in kept


def test_no_private_key_is_printed_stored_or_readable_by_others(shared: Place) -> None:
    worker = shared.enrol("worker")["worker"]
    keyed = ("--key", holder(shared, 1), "--key", holder(shared, 2))
    told = shared.say("keys", "introduce", *shared.requests(), *keyed, home="office")
    told += shared.say("keys", "show", home="office") + shared.say("keys", "show", "--json", home="worker")
    told += shared.say("keys", "rotate", "worker", *keyed, home="office")
    told += shared.say("keys", "revoke", worker, "--reason", "lost", *keyed, home="office")
    files = [path for path in shared.folder.rglob("*") if path.is_file()]
    secret = {path: path.read_bytes() for path in files if path.suffix == ".key"}
    assert len(secret) == 6
    for path, seed in secret.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(seed) == 32
        for spelling in (seed.hex(), repr(seed)[2:-1], base64.b64encode(seed).decode()):
            assert spelling not in told
        assert [each for each in files if each != path and seed in each.read_bytes()] == []
