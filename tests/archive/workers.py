"""Workers without the log's key, for tests: a key of their own that the log has introduced, and nothing else."""

import base64
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from archive.home import Home
from archive.inbox import Inbox
from archive.sequencing import Sequencing
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.event import Envelope
from custody.model import Json
from tests.archive.deployment import Deployment, now, tomorrow


def introduction(deployment: Deployment, public_key: bytes, role: str = "worker") -> Envelope:
    root = deployment.scribe(deployment.home.signers.need_root())
    body: dict[str, Json] = {
        "keyid": keys.keyid(public_key),
        "role": role,
        "public_key": base64.b64encode(public_key).decode(),
        "valid_from": "2026-01-01T00:00:00.000Z",
    }
    chain = f"log:{keyspace.slug(deployment.log)}"
    return root.event("key.introduced", chain=chain, subject=root.blob("key.pem", keys.pem(public_key)), body=body)


def worker_home(deployment: Deployment, path: Path) -> Home:
    """As another machine has it: the trust file, and a worker's key."""
    home = path / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    for name in ("trust.json", "home.json"):
        shutil.copy2(deployment.home.path / name, home / name)
    key = home / "keys" / "worker.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(32))
    return Home.open(home, clock=now)


def enrol(deployment: Deployment, path: Path) -> Deployment:
    """A worker whose key is in the log."""
    home = worker_home(deployment, path)
    deployment.open().append([introduction(deployment, home.signers.worker.public_key)])
    return Deployment(home, deployment.store)


def inbox_of(
    worker: Deployment,
    *,
    store: ObjectStore | None = None,
    wait_s: float = 20.0,
    hook: Callable[[str], None] = lambda _: None,
) -> Inbox:
    inbox = Inbox(
        store or worker.store,
        trust=worker.home.trust,
        worker=keys.keyid(worker.home.signers.worker.public_key),
        state_dir=worker.home.state_dir(worker.log),
        retain_until=tomorrow,
        wait_s=wait_s,
        hook=hook,
    )
    inbox.open()
    return inbox


def sequencing_of(
    deployment: Deployment, *, store: ObjectStore | None = None, hook: Callable[[str], None] = lambda _: None
) -> Sequencing:
    scribe = deployment.scribe()
    scribe.store = store or deployment.store
    return Sequencing(deployment.open(store=store, hook=hook), scribe, hook=hook)


def waiting(deployment: Deployment) -> list[str]:
    return list(deployment.store.keys(keyspace.INBOX))
