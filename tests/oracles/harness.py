"""The Go harness: built once a run from tests/oracles/go, around libraries that share no code with us."""

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

GO = Path(__file__).parent / "go"
GOPATH = Path("/usr/share/gocode")  # where Debian puts Go libraries


@functools.cache
def _built() -> Path:
    folder = tempfile.mkdtemp(prefix="cp-oracle-")
    program = Path(folder) / "oracle"
    # Out of the module world: nothing is asked of a network. Its cache goes where the program goes.
    env = {"PATH": "/usr/bin:/bin", "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": f"{folder}/cache"}
    env |= {"CGO_ENABLED": "0", "HOME": folder}
    subprocess.run(["go", "build", "-o", program, "main.go"], cwd=GO, env=env, check=True, timeout=240)
    shutil.rmtree(f"{folder}/cache", ignore_errors=True)
    return program


def oracle(*arguments: str | Path) -> str | None:
    """What it says of what it accepts; None, when it refuses."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("no Go: apt-get install golang-go golang-golang-x-mod-dev")
    ran = subprocess.run([_built(), *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 or ran.stderr.startswith("refused: "), ran.stderr
    return ran.stdout.strip() if ran.returncode == 0 else None
