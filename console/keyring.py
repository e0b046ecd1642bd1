"""What ``counterproof keys`` says and asks."""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from rich.text import Text

from archive import drafts
from archive.config import ArchiveConfig
from archive.drafts import DraftFile, Proposed
from archive.errors import ArchiveError, UsageError
from archive.home import Home, key_spec
from archive.keyring.acts import ROLES, left_behind
from archive.keyring.changes import missing
from archive.keyring.desk import Desk, open_desk, open_home
from archive.keyring.standing import Standing, people_of, read_standing
from archive.receipt import Receipt
from console.exits import Exit
from console.screen import now, out, print_json, say
from custody import keys
from custody.model import Json
from custody.trust import Trust

_SHOWN = 1000  # characters of a line
_MEANING = {
    "log.opened": "begins the log {log} with the log key {vkey}",
    "key.introduced": "from now on the key {keyid} may sign as {role}",
    "key.revoked": "from now on the key {keyid} is believed no more ({reason}); last surely good at {since}",
    "trust.changed": "these time-stamp authorities are believed: {authorities}",
    "evidence.held": "nothing of item {item} is disposed of until this is released",
    "evidence.released": "item {item} may be disposed of again, as far as this hold goes",
    "evidence.disposed": "{blobs} files ({bytes} bytes) of item {item} are REMOVED FOR GOOD",
    "evidence.allowed": "the quarantined capture {capture} may be handed over, in the case that the decision names",
    "record.corrected": "a statement on the record of capture {capture}; the record stays as it is",
}


def show(config: ArchiveConfig, *, as_json: bool) -> Exit:
    home = open_home(config, clock=now)
    trouble: str | None = None
    standing: Mapping[str, Standing] = {}
    try:
        with open_desk(config, clock=now) as desk:
            standing = read_standing(desk.ledger)
    except ArchiveError as error:
        trouble = str(error)
    held = [_held(config, home, role, standing) for role in ROLES]
    rows = [each for each in held if each is not None]
    others = [each for keyid, each in standing.items() if keyid not in {row["keyid"] for row in rows}]
    trust = home.trust
    if as_json:
        print_json({
            "schema": 1,
            "home": str(home.path),
            "log": trust.log.name,
            "trust": {
                "path": str(home.trust_file),
                "sha256": trust.digest.hex,
                "root": {"keys": [keys.keyid(key) for key in trust.root_keys], "threshold": trust.root_threshold},
                "people": {"threshold": trust.people_threshold},
            },
            "held": cast("list[Json]", rows),
            "others": cast("list[Json]", [{"keyid": each.keyid, **_said(each)} for each in others]),
            "log_error": trouble,
            "exit_code": int(Exit.STORE if trouble else Exit.OK),
        })  # fmt: skip
    else:
        _print(home, rows, others)
    for role in ROLES:
        if (path := left_behind(home, role)) is not None:
            say(f"{path} holds a key that is used no more: remove it once it is backed up or revoked")
    if trouble:
        say(f"what the log says could not be read: {trouble}")
    return Exit.STORE if trouble else Exit.OK


def _held(config: ArchiveConfig, home: Home, role: str, standing: Mapping[str, Standing]) -> dict[str, Json] | None:
    spec = key_spec(home.path, role, config.key_specs)
    signer = getattr(home.signers, role)
    if spec is None or signer is None:
        return None
    row: dict[str, Json] = {"role": role, "backend": spec.format()}
    try:
        public_key = signer.public_key
    except ArchiveError as error:
        return {**row, "keyid": None, "public_key": None, "standing": "unknown", "error": str(error)}
    keyid = keys.keyid(public_key)
    said: dict[str, Json] = {"standing": "not introduced"}
    if keyid in standing:
        said = {**_said(standing[keyid]), "role": role}
    elif not standing and (public_key in home.trust.root_keys or public_key == home.trust.log.public_key):
        said = {"standing": "trust file"}
    return {**row, "keyid": keyid, "public_key": base64.b64encode(public_key).decode(), **said}


def _said(each: Standing) -> dict[str, Json]:
    gone = each.revocation
    return {
        "role": each.role,
        "standing": "introduced" if gone is None else "revoked",
        "introduced": {"index": each.index, "valid_from": each.valid_from},
        "revoked": None if gone is None else {"index": gone.index, "reason": gone.reason, "since": gone.since},
    }


def _print(home: Home, rows: list[dict[str, Json]], others: list[Standing]) -> None:
    trust = home.trust
    out.print(Text(f"log         {trust.log.name}"))
    out.print(Text(f"trust file  {home.trust_file} (sha256 {trust.digest.hex})"))
    out.print(
        Text(
            f"root        {trust.root_threshold} of {len(trust.root_keys)} keys sign; people: {trust.people_threshold}"
        )
    )
    out.print(Text("this home holds", style="bold"))
    for row in rows:
        out.print(Text(f"  {row['role']:<7} {row['keyid'] or row['error']}  {_words(row)}  {row['backend']}"))
    if others:
        out.print(Text("the log knows also", style="bold"))
    for each in others:
        out.print(Text(f"  {each.role:<7} {each.keyid}  {_words(_said(each))}"))


def _words(said: Mapping[str, Json]) -> str:
    gone: Any = said.get("revoked")
    if gone:
        return f"revoked in leaf {gone['index']} ({gone['reason']}, good until {gone['since']})"
    introduced: Any = said.get("introduced")
    return f"introduced in leaf {introduced['index']}" if introduced else str(said["standing"])


def describe(draft: DraftFile, trust: Trust) -> None:
    """On stderr, in plain words, all of what a signature would say yes to."""
    say(f"This draft puts {len(draft.events)} events into the log {draft.log}. Who signs says yes to each:")
    for n, each in enumerate(draft.events, 1):
        event = each.event
        say("")
        say(f"{n}. {event.type}: {_meaning(each)}")
        say(f"   stands in the chain {event.chain}; made {event.occurred_at:%Y-%m-%d %H:%M:%S} UTC")
        for subject in event.subjects:
            _describe_blob(subject.name, draft.blobs[subject.digest])
        for ref in event.refs:
            say(f"   {ref.rel.replace('_', ' ')} the event whose payload is {ref.payload_sha256}")
        count = drafts.signed(each, trust, at_best=True)
        say(f"   signed by {', '.join(each.keyids) or 'nobody yet'}; signatures that it needs still: {count.missing}")
        say(f"   SHA-256 of what is signed: {each.payload_sha256}  <- compare it with the other holders")
    say("")


def _meaning(proposed: Proposed) -> str:
    event = proposed.event
    words = {
        name: ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        for name, value in event.body.items()
    }
    said = _MEANING.get(event.type)
    return said.format(**words) if said else json.dumps(dict(event.body), ensure_ascii=False)


def _describe_blob(name: str, data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        say(f"   {name}: {len(data)} bytes that are no text")
        return
    lines = text.splitlines()
    if name.endswith(".json"):
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, dict):
            lines = [
                f"{json.dumps(key, ensure_ascii=False)[1:-1]}: {json.dumps(each, ensure_ascii=False)}"
                for key, each in value.items()
                if key not in {"nonce", "schema"}
            ]
    for line in lines[:200]:
        rest = len(line) - _SHOWN
        say(f"   {name}  {line[:_SHOWN]}" + (f"  … AND {rest} CHARACTERS MORE" if rest > 0 else ""))
    if len(lines) > 200:
        say(f"   {name}  … AND {len(lines) - 200} LINES MORE")


def ask() -> None:
    """Raises ``UsageError`` for anything but the word."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask: read what is signed (above), then give --yes")
    say("Type `sign` to sign this, anything else to leave:")
    if sys.stdin.readline().strip() != "sign":
        raise UsageError("nothing was signed")


def record_or_write(desk: Desk, draft: DraftFile, to: Path | None, *, as_json: bool, must_write: bool = False) -> None:
    """Into the log when this home alone can, into a draft file when that was asked for."""
    lacking = missing(draft, desk.home.trust, people=people_of(desk.ledger))
    if to is None and not must_write and not lacking:
        done(draft.log, desk.record(draft), as_json=as_json, what="in the log")
        return
    if to is None:
        who = "" if desk.home.signers.root else "this home holds no root key; "
        raise UsageError(
            f"{who}signatures of root keys that this needs still: {lacking}; give --key SPEC for those that are here, "
            "or --out FILE, have each holder run `counterproof keys cosign FILE`, then run `counterproof keys submit "
            "FILE`"
        )
    events: list[Any] = list(draft.events)
    drafts.write_draft(to, events, draft.blobs.values(), log=draft.log)
    if as_json:
        print_json({"schema": 1, "draft": str(to), "log": draft.log, "missing": lacking, "events": []})
    say(f"wrote {to}; signatures that it needs still: {lacking} (`counterproof keys cosign {to}`)")
    say(f"then: counterproof keys submit {to}")


def done(log: str, receipts: tuple[Receipt, ...], *, as_json: bool, what: str) -> None:
    if as_json:
        rows = [{"index": each.index, "payload_sha256": each.payload_sha256.hex} for each in receipts]
        print_json({"schema": 1, "log": log, "draft": None, "missing": 0, "events": cast("list[Json]", rows)})
    say(what + (f": leaves {', '.join(str(each.index) for each in receipts)} of {log}" if receipts else ""))
