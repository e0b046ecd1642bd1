"""Whatever ends the command in the middle: what was begun gets its end, now or by the next command."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT, Ran, begin, end, environment, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


def arguments(site: Site, *names: str, case: str = "interrupted") -> list[str]:
    return [
        "capture", *(site.url(name) for name in names), "--case", case, "--json", "--progress", "json", "--no-follow",
        *through(site.resolve, site.trust_spki),
    ]  # fmt: skip


def wait_for(process: "subprocess.Popen[str]", step: str, *, seconds: float = 60) -> None:
    """Until the command says on stderr that it has come to this step."""
    assert process.stderr is not None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        line = process.stderr.readline()
        if f'"step": "{step}"' in line:
            return
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"the command never came to {step}")


def verified(home: Path) -> Ran:
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
    return verdict


def test_ctrl_c_ends_what_was_begun_and_says_so(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = begin(*arguments(site, "never_finishing"), home=home)
    wait_for(process, "navigate")
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    ran = end(process)
    assert ran.code == 130
    assert time.monotonic() - began < 30
    (made,) = ran.captures
    assert made["status"] in {"partial", "failed"}
    assert "interrupted" in made["outcome_reason"]
    assert verified(home).document["facts"]["open"] == 0


@pytest.mark.slow
def test_kill_9_leaves_an_open_start_that_the_next_command_ends(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = begin(*arguments(site, "never_finishing"), home=home)
    wait_for(process, "navigate")
    process.kill()
    process.communicate()
    assert verified(home).document["facts"]["open"] == 1  # the attack is there: a start without an end
    again = run(*arguments(site, "listing"), home=home)
    assert again.code == 0, again.err
    assert "abandoned" in again.err
    facts = verified(home).document["facts"]
    assert facts["open"] == 0
    assert facts["events"]["capture.abandoned"] == 1


@pytest.mark.slow
def test_a_killed_browser_is_an_outcome_and_the_next_page_gets_a_new_one(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = begin(*arguments(site, "never_finishing", "listing"), "--concurrency", "1", "--no-control", home=home)
    wait_for(process, "navigate")
    time.sleep(1)
    assert _kill_browsers_of(process.pid)
    ran = end(process)
    assert ran.code in {3, 4}, ran.err
    died, other = ran.capture_of(site.url("never_finishing")), ran.capture_of(site.url("listing"))
    assert died["outcome"] == "error"
    assert "died" in died["outcome_reason"]
    assert other["status"] == "complete"
    assert len(site.seen("www.misbehave.example")) >= 1
    assert verified(home).document["facts"]["open"] == 0


def _kill_browsers_of(parent: int) -> bool:
    """Kill the processes below ours whose command line is a browser's."""
    killed = False
    for pid in _descendants(parent):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"--remote-debugging-pipe" in word for word in words):
            os.kill(pid, signal.SIGKILL)
            killed = True
    return killed


def _descendants(parent: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, queue = [], [parent]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


@pytest.mark.slow
def test_two_commands_at_once_share_store_and_log(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    one = begin(*arguments(site, "post_chinese", case="one"), home=home)
    two = begin(*arguments(site, "post_arabic", case="two"), home=home)
    first, second = end(one), end(two)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    indexes = [each["manifest"]["index"] for ran in (first, second) for each in ran.captures]
    assert len(set(indexes)) == 2
    facts = verified(home).document["facts"]
    assert (facts["captures"], facts["open"]) == (2, 0)
    assert {
        each["capture_id"] for each in run("captures", "--case", "one", "--json", home=home).document["captures"]
    } == {first.captures[0]["id"]}


@pytest.mark.slow
def test_a_list_that_was_interrupted_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    listed = tmp_path / "list.csv"
    urls = [site.url("listing"), site.url("seller"), site.url("never_finishing")]
    listed.write_text("note,url\n" + "".join(f"x,{url}\n" for url in [*urls, urls[0]]))
    command = [
        "capture", "--from", str(listed), "--case", "list", "--json", "--progress", "json", "--no-follow",
        "--concurrency", "1", *through(site.resolve, site.trust_spki),
    ]  # fmt: skip
    process = begin(*command, home=home)
    wait_for(process, "recorded")
    process.send_signal(signal.SIGINT)
    first = end(process)
    assert first.code == 130
    done = [each["requested_url"] for each in first.captures if each["status"] == "complete"]
    assert done
    again = run(*command, "--timeout", "6", home=home)
    assert "going on" in again.err
    assert f"skipped: {urls[0]}" in again.err
    assert {each["requested_url"] for each in again.captures} == set(urls) - set(done)


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_nothing_is_claimed(site: Site, tmp_path: Path) -> None:
    """A spool of 300 kB, in a mount namespace of its own."""
    home = tmp_path / "home"
    assert run("doctor", home=home).code in {0, 7}  # makes the home
    script = 'mount -t tmpfs -o size=300k none "$0" && exec "$@"'
    python = [os.sys.executable, "-m", "console", *arguments(site, "tall"), "--home", str(home)]  # type: ignore[attr-defined]
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    process = subprocess.Popen(
        [*namespace, "sh", "-c", script, str(home / "spool"), *python],
        cwd=tmp_path, env=environment({"PYTHONPATH": str(ROOT)}), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    ran = end(process)
    assert ran.code in {5, 6}, ran.err
    assert "disk is full" in ran.out + ran.err
    assert [each for each in ran.document.get("captures", []) if each["status"] == "complete"] == []
    assert run("verify", home=home).code == 0
