"""Makes a golden archive of what looks leave behind: `python -m tests.golden_looks FOLDER`.

A page that speaks over a web socket and posts, tall enough for tiles and their composite, and the package of its
unit; a person who attends and types a password, and the decision that it may be handed over; the program's own page
before and after. One that is there is left alone. It wants Xvfb.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from archive.directory import DirectoryStore
from archive.errors import NotStored, StoreError
from console import cli
from crawlers import camera, profile
from crawlers.control import look as control
from custody.trust import Trust
from custody.verify import verify
from tests.archive.weeding import weed
from tests.authority import LocalAuthority
from tests.command import ROOT, Ran, environment
from tests.crawlers.attending import acting
from tests.crawlers.screen import a_screen
from tests.site.host import Answer, Ending, Host, Request, always, page
from tests.site.server import Site

HOST = "www.golden.example"
CASE = "golden"
SIDE_PX = 600
"""As tall as a picture becomes here, so that few pixels are enough for tiles."""
WINDOW = {"width": 520, "height": 340}
MAX_KEPT = 4_096
"""Bytes of a file of the program's own page that the run's end keeps in full."""
SAID = ("a price: 12", "more, please")
_HEAD = "<!doctype html><meta charset=utf-8><style>* { font: 12px monospace }</style>"
_TALL = f"""{_HEAD}<title>Tall</title><style>body {{ margin: 0; height: 1000px }}</style><h1>A tall page</h1>
<p>It asks for what it shows, as many shops do, and has words enough to be a page of its own.</p>
<script>
fetch('/price', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: '{{"of": "bracelet"}}'}});
const socket = new WebSocket('wss://{HOST}/prices');
socket.onmessage = event => event.data === 'a price: 12' && socket.send('more, please');
</script>"""
_LOGIN = f"{_HEAD}<title>Log in</title><form method=post action=/in><input type=password name=p></form>"
_INSIDE = f"{_HEAD}<title>Inside</title><h1>Welcome back</h1><p>These are your orders.</p>"


def site() -> Site:
    def price(asked: Request) -> Answer:
        return Answer(body=b"12 for a " + json.loads(asked.body)["of"].encode(), media_type="text/plain")

    routes = {
        "/tall": always(page(_TALL)),
        "/price": price,
        "/prices": always(Answer(status=101, body=SAID[0].encode(), ending=Ending.SOCKET)),
        "/login": always(page(_LOGIN)),
        "/in": always(page(_INSIDE)),
    }
    made = Site()
    made.hosts[HOST] = Host(name=HOST, routes=routes)
    return made


def make(folder: Path) -> None:
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what was released verifies for ever, and is not made again")
    with (
        tempfile.TemporaryDirectory() as name,
        site() as running,
        LocalAuthority(Path(name) / "authority") as authority,
        a_screen() as screen,
    ):
        home, store = Path(name) / "home", Path(name) / "store"
        roots = Path(name) / "roots.pem"
        roots.write_text(authority.roots_pem)
        common = ["--authority", authority.url, "--authority-roots", str(roots)]
        for each in running.resolve:
            common += ["--resolve", each]
        for each in running.trust_spki:
            common += ["--trust-spki", each]

        def say(*arguments: str, person: str = "", code: int = 0) -> Ran:
            where = ("--json", "--home", str(home), "--store", f"file:{store}")
            told = run_small([person, *arguments, *where], screen=screen)
            if told.code != code:
                raise SystemExit(f"{arguments[0]} ended with {told.code}: {told.err}{told.out}")
            return told

        looked = say(
            "capture", f"https://{HOST}/tall", "--case", CASE, "--no-follow", "--package", *common,
        )  # fmt: skip
        attended = say("attend", f"https://{HOST}/login", "--case", CASE, "--no-control", *common, person="logs-in")
        (secret,) = attended.captures
        say("allow", secret["id"], "--case", CASE, "--why", "a test account of our own")
        say("seal")
        verdict = verify(
            DirectoryStore(store),
            Trust.parse((home / "trust.json").read_bytes()),
            at=datetime.now(UTC),
            absent=(NotStored,),
            unreachable=(StoreError,),
        )
        if not verdict.holds:
            raise SystemExit(f"what was made does not hold: {verdict.failures}")
        folder.mkdir(parents=True)
        shutil.copytree(store, folder / "archive")
        shutil.copy(home / "trust.json", folder / "trust.json")
    weed(folder / "archive", verdict.size)
    expected = {
        "version": version("counterproof"),
        "made_at": datetime.now(UTC).date().isoformat(),
        "size": verdict.size,
        "captures": [
            {name: each[name] for name in ("id", "requested_url", "status", "outcome", "record_sha256", "surface")}
            for each in (*looked.captures, *attended.captures)
        ],
        "run": looked.document["run"],
        "events": verdict.facts["events"],
        "notes": sorted({each.code for each in verdict.findings}),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def run_small(arguments: Sequence[str], *, screen: str) -> Ran:
    """The command in a process of its own, where all that is drawn is small; the first word says what a person does."""
    command = [sys.executable, "-m", "tests.golden_looks", "command", *arguments]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment({"DISPLAY": screen}), check=False, capture_output=True, text=True,
        timeout=240, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Ran(code=ran.returncode, out=ran.stdout, err=ran.stderr)


def _command(person: str, *arguments: str) -> None:
    camera.MAX_SIDE_PX, control.MAX_KEPT = SIDE_PX, MAX_KEPT
    profile._SCREENS[profile.Device.DESKTOP]["viewport"].update(WINDOW)  # small, to be kept for ever
    sys.argv[1:] = [person, *arguments] if person else [*arguments]
    (acting.main if person else cli.main)()


if __name__ == "__main__":
    if sys.argv[1] == "command":
        _command(*sys.argv[2:])
    else:
        make(Path(sys.argv[1]).resolve())
