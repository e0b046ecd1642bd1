"""The script that refuses consent: autoconsent's program and rules, and the little that ties them to a visit."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archive.errors import SetupMissing
from custody.model import Json

NAME = "autoconsent"
VERSION = "16.23.0"
PROGRAM = "autoconsent.playwright.js"
RULES = "compact-rules.json"
DIGESTS: Mapping[str, str] = {
    PROGRAM: "d5d1d372976129e25596e0959f85cb954eec4d783684da1055e3ac0dc4d9b58e",
    RULES: "57b70b76c0a8b8cf288defd7e6ca510225165eff77de28ccc89b5e2d46fd0caa",
}
"""SHA-256 of each file as it was released."""
_CONFIG: Mapping[str, Json] = {
    "autoAction": None,  # it looks, and acts when it is told to
    "enablePrehide": False,  # nothing is hidden: a picture shows what is there
    "enableCosmeticRules": False,  # a banner that is hidden is not refused
    "heuristicMode": "reject",  # presses what says that it rejects; never what agrees
    "detectRetries": 8,
    "isMainWorld": False,
}


@cache
def script() -> str:
    """JavaScript for an isolated world; the first ``BINDING_NAME`` in it is where it talks to. Raises SetupMissing."""
    program, rules = (_read(each) for each in (PROGRAM, RULES))
    first = json.dumps({"type": "initResp", "config": _CONFIG, "rules": {"autoconsent": []}})
    after = _AFTER.replace("FIRST", first).replace("RULES", rules)
    return f"(() => {{{_BEFORE}\n{program}\n;{after}}})()"


def facts() -> tuple[Mapping[str, Json], ...]:
    """For the record: what was run in a page, and where."""
    return tuple(
        {"name": f"{NAME} {each}", "version": VERSION, "sha256": digest, "world": "isolated"}
        for each, digest in DIGESTS.items()
    )


def _read(name: str) -> str:
    path = Path(__file__).with_name(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupMissing(f"--consent reject needs {path}, which cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != DIGESTS[name]:
        raise SetupMissing(f"{path} is not the file of {NAME} {VERSION}; restore it from a checkout of this program")
    return data.decode()


# `click` of this world's own prototype is called by the program and by nothing of the page's.
_BEFORE = """
const told = globalThis['BINDING_NAME'];
const tell = message => told(JSON.stringify(message));
const flat = text => (text || '').replace(/\\s+/g, ' ').trim().slice(0, 200);
const click = HTMLElement.prototype.click;
HTMLElement.prototype.click = function () {
  if (globalThis.counterproofEnded) return;
  tell({type: 'clicked', tag: this.localName, id: flat(this.id), text: flat(this.innerText || this.value)});
  click.call(this);
};
// An element of the page's may have these names.
globalThis.autoconsentReceiveMessage = undefined;
globalThis.counterproofEnded = false;
globalThis.autoconsentSendMessage = message => {
  if (message.type !== 'report') tell(message);
  return Promise.resolve();
};
"""
_AFTER = """
globalThis.autoconsentReceiveMessage((message => { message.rules.compact = RULES; return message; })(FIRST));
"""
