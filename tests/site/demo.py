"""What ``make demo`` runs: the real command on a make-believe promotion, and what it does about one flipped byte."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.authority import LocalAuthority
from tests.site.server import Site

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".state" / "demo"
CASE = "demo"
_MARK = ".counterproof-demo"
_COMMAND_SECONDS = 600

Document = dict[str, Any]


class DemoFailed(Exception):
    """A step without which the next ones mean nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """One walk through the command, in a folder of its own."""

    state: Path
    site: Site
    authority: LocalAuthority
    verdict: list[tuple[bool | None, str]] = field(default_factory=list)
    """None: it was not tried."""

    @property
    def mirror(self) -> Path:
        return self.state / "mirror"

    @property
    def export(self) -> Path:
        return self.state / "export"

    def run(self) -> bool:
        captured = self.capture()
        self.check_capture(captured)
        say("Is all of it still as it was recorded? Every byte, the tree and the signatures are read back.")
        status, _ = self.command("verify", "--case", CASE)
        self.expect("the archive verifies, in the store where it was made", ok=status == 0)
        say("What was captured, by the manifest:")
        status, listed = self.command("captures", "--case", CASE)
        ids = [each["id"] for each in captured["captures"]]
        self.expect("every capture is in the manifest's list", ok=status == 0 and all(each in listed for each in ids))
        self.find()
        say("A copy that can be carried away: the same keys, as files.")
        status, _ = self.command("mirror", str(self.mirror))
        self.expect("the archive was mirrored to a directory", ok=status == 0)
        status, _ = self.command("verify", "--store", f"file:{self.mirror}")
        self.expect("the mirror verifies", ok=status == 0)
        self.hand_over()
        self.tamper(captured)
        return all(ok is not False for ok, _ in self.verdict)

    def capture(self) -> Document:
        say(
            f"A post of a make-believe influencer, {self.site.url('post')}, shows a “Love bracelet” and says “link in "
            "bio”. One command looks at it and goes where it leads. Its progress:"
        )
        extra: list[str] = []
        for rule in self.site.resolve:
            extra += ["--resolve", rule]
        for spki in self.site.trust_spki:
            extra += ["--trust-spki", spki]
        roots = self.state / "authority-roots.pem"
        roots.write_text(self.authority.roots_pem, encoding="ascii")
        extra += ["--authority", self.authority.url, "--authority-roots", str(roots)]
        status, text = self.command("capture", self.site.url("post"), "--case", CASE, *extra, "--json", quiet=True)
        (self.state / "capture.json").write_text(text, encoding="utf-8")
        self.expect("the promotion was captured, with nothing lost and nothing missing (exit 0)", ok=status == 0)
        try:
            document: Document = json.loads(text)
            root(document)
        except (ValueError, LookupError, StopIteration) as error:
            raise DemoFailed(f"the capture left with {status} and no captures in its JSON document") from error
        return document

    def check_capture(self, document: Document) -> None:
        captures = document["captures"]
        for each in captures:
            print(f"  {each['requested_url']}")
            for hop in each["hops"]:
                print(f"    hop {hop['n']}: {hop['kind']} {hop['status'] or ''} -> {hop['to']}")
            print(f"    {each['status']}, shows: {each['outcome']}, origin {each['origin']}, {each['state']}")
        print()
        self.expect("all captures are one linked unit", ok=len({each["unit"] for each in captures}) == 1)
        listing = [each for each in captures if each["final_url"] == self.site.url("listing")]
        hops = [(hop["kind"], hop["status"]) for each in listing for hop in each["hops"]]
        self.expect(
            "the link in the bio leads through the hub and a shortener (302, 301) to the listing without a brand",
            ok=hops == [("http", 302), ("http", 301)],
        )
        self.expect(
            f"each of {len(captures)} captures is sealed: in the log, read back, under a time-stamp",
            ok=all(each["state"] == "sealed" for each in captures),
        )
        self.expect(
            "each says of itself that it is not public (origin not_public): this network is made up",
            ok=all(each["origin"] == "not_public" for each in captures),
        )

    def find(self) -> None:
        say("What the case is about, and what its captures say together: seen, with where it stands; no verdict.")
        status, _ = self.command("case", "edit", CASE, "--term", "Cartier", "--term", "Love bracelet")
        self.expect("the case says what it is about", ok=status == 0)
        status, told = self.command("findings", CASE)
        pointed = "the post says the number on the button" in told and "1 promotion" in told
        self.expect(
            "the promotion is told: the post, the way, the listing, what was observed", ok=status == 0 and pointed
        )

    def hand_over(self) -> None:
        say("The case, handed over: files, log entries, proofs and tokens, for somebody who has nothing of ours.")
        status, _ = self.command("export", "--case", CASE, "-o", str(self.export))
        self.expect("the case was exported", ok=status == 0)
        trust = str(self.state / "home" / "trust.json")
        say("Its recipient has the trust file by another way, and checks the export without our program:")
        if missing := lacking():
            self.verdict.append((None, f"the export checks without our program: not tried, {missing}"))
            print(f"  not tried: {missing}\n", flush=True)
        else:
            status, told = self.shown(["sh", str(self.export / "verify.sh"), str(self.export), trust])
            held = status == 0 and told.endswith("\nholds\n")
            self.expect("the export checks without our program: sh, jq and OpenSSL say that it holds", ok=held)
        say("And with it:")
        status, _ = self.command("verify", "--export", str(self.export), "--trust", trust)
        self.expect("the export verifies with our program, without the store", ok=status == 0)

    def tamper(self, document: Document) -> None:
        shot = next((each for each in root(document)["artifacts"] if each["role"] == "screenshot"), None)
        if shot is None:
            raise DemoFailed("the post's capture has no screenshot to change a byte of")
        file = self.mirror / shot["key"]
        at = flip(file)
        say(f"Now somebody changes one bit of one byte of the post's screenshot in the mirror: byte {at:,} of {file}.")
        status, told = self.command("verify", "--store", f"file:{self.mirror}")
        self.expect("verification of the changed mirror fails (exit 1)", ok=status == 1)
        self.expect(f"and names the artifact: {shot['sha256'][:16]}…", ok=shot["sha256"] in told)

    def command(self, *arguments: str, quiet: bool = False) -> tuple[int, str]:
        """Of ours: say it, run it, pass on what it says; its status and its stdout."""
        return self.shown(["counterproof", *arguments], quiet=quiet)

    def shown(self, line: Sequence[str], *, quiet: bool = False) -> tuple[int, str]:
        print(f"$ {shorten(line)}\n", flush=True)
        with (self.state / "commands.txt").open("a", encoding="utf-8") as kept:
            kept.write(f"COUNTERPROOF_HOME={shlex.quote(str(self.state / 'home'))} {shlex.join(line)}\n\n")
        try:
            done = subprocess.run(
                [*program(), *line[1:]] if line[0] == "counterproof" else line,
                cwd=ROOT,
                env=environment(self.state / "home"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DemoFailed(f"`{shlex.join(line[:2])}` did not end in {_COMMAND_SECONDS} s") from error
        if not quiet:
            print(textwrap.indent(done.stdout, "  "), end="")
        print(f"  (exit {done.returncode})\n", flush=True)
        return done.returncode, done.stdout

    def expect(self, what: str, *, ok: bool) -> None:
        self.verdict.append((ok, what))


def root(document: Document) -> Document:
    """The capture of the post itself."""
    return next(each for each in document["captures"] if each["parent"] is None)


def flip(file: Path) -> int:
    """Change the lowest bit of the byte in the middle; which byte it was."""
    data = bytearray(file.read_bytes())
    at = len(data) // 2
    data[at] ^= 1
    file.chmod(0o600)  # a mirror's files may be read-only
    file.write_bytes(data)
    return at


def lacking() -> str | None:
    """Why the export's own script cannot be tried on this machine."""
    tools = [each for each in ("jq", "openssl") if shutil.which(each) is None]
    return f"{' and '.join(tools)} not installed" if tools else None


def program() -> list[str]:
    script = Path(sys.executable).with_name("counterproof")
    return [str(script)] if script.exists() else [sys.executable, "-m", "console"]


def environment(home: Path) -> dict[str, str]:
    """The caller's, without what he has set up for his own archive: the demo shall touch nothing of it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "COUNTERPROOF_BROWSER" or not name.startswith(("COUNTERPROOF_", "AWS_"))
    }
    return kept | {"COUNTERPROOF_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def shorten(line: Sequence[str]) -> str:
    """As it would be typed, but with one of the many --resolve."""
    rules = [n for n, word in enumerate(line) if word == "--resolve"]
    if len(rules) < 3:
        return shlex.join(line)
    head, tail = line[: rules[0] + 2], line[rules[-1] + 2 :]
    return f"{shlex.join(head)} … {len(rules) - 1} more --resolve … {shlex.join(tail)}"


def say(text: str) -> None:
    print(textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n", flush=True)


def clear(state: Path) -> None:
    """An empty folder that is the demo's own; anybody else's is left alone."""
    if state.exists() and any(state.iterdir()) and not (state / _MARK).exists():
        raise DemoFailed(f"{state} holds something that the demo did not make: name another folder with --state")
    if state.exists():
        shutil.rmtree(state)
    (state / "authority").mkdir(parents=True)
    (state / _MARK).touch()


def close(state: Path, verdict: Sequence[tuple[bool | None, str]]) -> None:
    print("THE DEMO'S VERDICT")
    for ok, what in verdict:
        print(f"  {'-- ' if ok is None else 'yes' if ok else 'NO '}  {what}")
    print()
    say(
        "What this proves and what not: the pages come from a make-believe network on this machine, so every capture "
        "says not_public and no certificate may be made of it; the time authority is a local one, made for this run, "
        "and proves nothing to others. On a real page: make capture URL='https://…' CASE=name"
    )
    print(f"Everything is kept in {state} until the next demo:")
    print("  home/         keys, trust file, store     mirror/       the copy, with its changed byte")
    print("  export/       what is handed over         capture.json  what the capture said")
    print("  commands.txt  the commands in full")
    print(f"Look at all of it in a browser: .venv/bin/counterproof browse --home {state / 'home'}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.site.demo", description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="wiped at the start (default: %(default)s)")
    state: Path = parser.parse_args(arguments).state.absolute()
    try:
        clear(state)
        say(
            "Counterproof's demo. A make-believe social network, link hub, shortener and marketplace are served on "
            "this machine under invented names, beside a local time authority; nothing outside is asked for anything. "
            f"Home, store and mirror are in {state}."
        )
        with Site() as site, LocalAuthority(state / "authority") as authority:
            demo = Demo(state=state, site=site, authority=authority)
            try:
                held = demo.run()
            except DemoFailed as error:
                demo.expect(str(error), ok=False)
                held = False
    except DemoFailed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; run it again whenever you like", file=sys.stderr)
        return 130
    close(state, demo.verdict)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
