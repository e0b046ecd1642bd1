"""The house around the code: what is promised of set-up, lock, licences, settings, decisions and documents holds."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import scrapy_playwright
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from scrapy.settings import Settings, default_settings

from archive import config

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("custody", "archive", "findings", "crawlers", "pipelines", "console", "settings")
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCUMENTS = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md")])


def text(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


def run(*command: str | Path, cwd: Path = HOUSE, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# Import contracts


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    return run(
        Path(sys.executable).with_name("lint-imports"), "--no-cache", cwd=house, PYTHONPATH=str(house), COLUMNS="200"
    )


def test_the_import_contracts_are_kept() -> None:
    judged = lint_imports(HOUSE)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("trespasser", "line", "contract"),
    [
        ("custody/digest.py", "import archive.store", "Floors"),
        ("archive/store.py", "import crawlers.hops", "Floors"),
        ("archive/store.py", "import findings.spelling", "Floors"),
        ("findings/spelling.py", "import time", "Findings are pure"),
        ("archive/store.py", "import scrapy", "Scrapy lives"),
        ("custody/digest.py", "import settings.base", "Nobody imports the settings"),
    ],
)
def test_an_import_that_trespasses_breaks_the_contract(
    tmp_path: Path, trespasser: str, line: str, contract: str
) -> None:
    for room in ROOMS:
        shutil.copytree(HOUSE / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    with (tmp_path / trespasser).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    judged = lint_imports(tmp_path)
    assert judged.returncode != 0
    assert re.search(rf"^{contract}.*BROKEN", judged.stdout, re.MULTILINE), judged.stdout


# The lock file


LOCKS = ("requirements.lock", "requirements-ocr.lock")


def pins(lock: str = "requirements.lock") -> dict[str, tuple[str, int]]:
    """Name -> version and number of digests."""
    found: dict[str, tuple[str, int]] = {}
    for block in re.split(r"\n(?=\S)", text(lock)):
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", block):
            found[canonicalize_name(match[1])] = (match[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_index_and_no_path(name: str) -> None:
    lock = text(name)
    assert "://" not in lock
    assert not re.search(r"index-url|find-links|trusted-host|file:|(^|\s)/|\\\w|@ ", lock, re.MULTILINE)


def test_the_lock_has_digests_for_every_pin() -> None:
    assert len(pins()) > 50
    for lock in LOCKS:
        assert [name for name, (_, digests) in pins(lock).items() if digests == 0] == []


def test_the_lock_of_the_extra_adds_to_the_other_and_has_what_the_extra_asks_for() -> None:
    added = pins("requirements-ocr.lock")
    assert not added.keys() & pins().keys()
    asked = [Requirement(line) for line in PROJECT["optional-dependencies"]["ocr"]]
    assert [str(one) for one in asked if not one.specifier.contains(added[canonicalize_name(one.name)][0])] == []


def test_the_lock_satisfies_the_project() -> None:
    asked = [
        Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"], "hatchling")
    ]
    locked = pins()
    unmet = [str(one) for one in asked if not one.specifier.contains(locked[canonicalize_name(one.name)][0])]
    assert unmet == []


# Licences


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", HOUSE / ".ci" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_environment_passes_the_licence_gate(licences: ModuleType) -> None:
    assert licences.main() == 0


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (("MIT",), True),
        (("Apache Software License AND BSD License",), True),
        (("GPL-3.0-or-later",), False),
        (("GNU General Public License v2 (GPLv2)",), False),
        (("GNU Affero General Public License v3",), False),
        (("AGPL-3.0-only",), False),
        (("MIT AND GPL-3.0-only",), False),
        (("GPL-2.0-only", "MIT"), True),
        (("GNU Lesser General Public License v3 (LGPLv3)",), False),
        (("MPL-2.0",), False),
        (("SSPL-1.0",), False),
        (("see the file",), False),
        ((), False),
    ],
)
def test_the_licence_gate_judges(licences: ModuleType, said: tuple[str, ...], *, passes: bool) -> None:
    found = licences.Claim("somebody", "1.0", said)
    assert (licences.complaint(found) is None) is passes


def test_explained_copyleft_passes_and_stands_in_the_notice(licences: ModuleType) -> None:
    for name in licences.EXPLAINED:
        assert licences.complaint(licences.Claim(name, "1.0", ("MPL-2.0",))) is None
        assert re.search(rf"^  {name} ", text("NOTICE"), re.MULTILINE), name


# Settings


def set_in(module: str) -> list[str]:
    return re.findall(r"^([A-Z][A-Z_0-9]+)\b", text(f"settings/{module}.py"), re.MULTILINE)


def documented(heading: str) -> list[str]:
    section = re.split(r"^## ", text("docs/settings.md"), flags=re.MULTILINE)
    rows = next(part for part in section if part.startswith(heading)).splitlines()
    return [name for row in rows if row.startswith("| `") for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])]


def test_every_setting_is_documented_and_in_the_same_order() -> None:
    assert documented("settings/base.py") == set_in("base")


@pytest.mark.parametrize("module", ["production", "testing"])
def test_what_another_module_changes_is_named(module: str) -> None:
    section = text("docs/settings.md").split(f"## settings/{module}.py")[1].split("\n## ")[0]
    changed = set_in(module)
    assert changed
    assert [name for name in changed if f"`{name}`" not in section] == []


def test_every_setting_is_one_that_somebody_reads() -> None:
    playwright = "".join(path.read_text(encoding="utf-8") for path in Path(scrapy_playwright.__path__[0]).glob("*.py"))
    ours = {value for name, value in vars(config).items() if name.isupper() and str(value).startswith("COUNTERPROOF_")}
    unread = [name for name in set_in("base") if name not in dir(default_settings) and f'"{name}"' not in playwright]
    assert set(unread) == ours
    assert ours <= set(documented("The environment"))


def test_scrapy_reads_each_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPROOF_STORE_URL", "s3://evidence")
    monkeypatch.setenv("COUNTERPROOF_AUTHORITIES", "none")
    cfg = text("scrapy.cfg")
    for module in re.findall(r"= (settings\.\w+)", cfg):
        settings = Settings()
        settings.setmodule(module)
        assert settings["BOT_NAME"] == "counterproof"
        assert not settings.getbool("REMOTE_CONTROL_ENABLED")
        assert settings["PLAYWRIGHT_PROCESS_REQUEST_HEADERS"] is None


def test_production_refuses_to_start_until_store_and_time_are_named() -> None:
    start = (sys.executable, "-c", "import settings.production")
    refused = run(*start, COUNTERPROOF_STORE_URL="", COUNTERPROOF_AUTHORITIES="")
    assert refused.returncode != 0
    assert "COUNTERPROOF_STORE_URL" in refused.stderr
    assert "COUNTERPROOF_AUTHORITIES" in refused.stderr
    folder = run(*start, COUNTERPROOF_STORE_URL="file:copy", COUNTERPROOF_AUTHORITIES="none")
    assert "s3://" in folder.stderr.splitlines()[-1]
    assert run(*start, COUNTERPROOF_STORE_URL="s3://evidence", COUNTERPROOF_AUTHORITIES="none").returncode == 0


# Decisions


def test_decisions_are_numbered_and_say_what_was_not_chosen() -> None:
    pages = sorted((HOUSE / "docs" / "decisions").iterdir())
    for number, page in enumerate(pages, start=1):
        said = page.read_text(encoding="utf-8")
        assert page.name.startswith(f"{number:04d}-")
        assert said.startswith(f"# {number}. ")
        assert "**Choice.**" in said, page.name
        assert "**Roads not taken.**" in said, page.name


def test_every_direct_dependency_has_its_line() -> None:
    page = text("docs/decisions/0008-dependencies.md")
    program, development = page.split("Of its development:")
    direct = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert set(re.findall(r"^\| ([a-z0-9-]+) \|", program, re.MULTILINE)) - {"package", "---"} == direct
    for line in PROJECT["optional-dependencies"]["dev"]:
        assert re.search(rf"\b{Requirement(line).name}\b", development), line


# Documents


def test_the_readme_begins_with_the_two_commands() -> None:
    top = text("README.md").splitlines()[:14]
    first = [
        next(n for n, line in enumerate(top) if line.startswith(command)) for command in ("make demo", "make test")
    ]
    assert first == sorted(first)
    assert any(line.startswith("make capture URL=") for line in top)


def test_every_target_that_a_document_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {
        name
        for page in DOCUMENTS
        for name in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "capture", "setup"} <= named
    assert named <= targets


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(HOUSE)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.is_file(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}, target


def test_the_changelog_speaks_of_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == PROJECT["version"]


# Set-up and the cut network


@pytest.mark.parametrize("script", ["bootstrap.sh", ".ci/run", ".ci/cut"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(HOUSE / script, os.X_OK)
    shell = text(script).splitlines()[0].removeprefix("#!").split()[-1]
    assert run(shell, "-n", HOUSE / script).returncode == 0


def test_set_up_says_in_one_sentence_what_to_install(tmp_path: Path) -> None:
    for name in ("bootstrap.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(HOUSE / name, tmp_path)
    python = tmp_path / "python3.11"
    python.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexit 0\n', encoding="utf-8")
    python.chmod(0o755)
    refused = run(tmp_path / "bootstrap.sh", cwd=tmp_path, PYTHON=str(python), COUNTERPROOF_APT="no")
    assert refused.returncode == 7
    assert "apt-get install python3.11-venv" in refused.stderr.splitlines()[-1]
    assert not (tmp_path / ".venv").exists()


LOOK_ROUND = """
import socket, sys
from tests.conftest import interfaces_up
print(interfaces_up())
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=5).close()
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(type(error).__name__, error.errno)
"""


def test_the_cut_leaves_the_loopback_and_nothing_else() -> None:
    looked = run(HOUSE / ".ci" / "cut", sys.executable, "-c", LOOK_ROUND, PYTHONPATH=str(HOUSE))
    if "could not be cut" in looked.stderr:
        pytest.skip("this system has no user namespaces for an ordinary user")
    assert looked.stdout.splitlines() == ["['lo']", "OSError 101"]  # ENETUNREACH: there is no way, not a slow one


SKIPPERS = """
import pytest

@pytest.mark.browser
def test_browser() -> None:
    pytest.skip("no browser here")

@pytest.mark.s3
@pytest.mark.skipif(True, reason="no store here")
def test_store() -> None: ...

@pytest.mark.browser
def test_pages() -> None:
    pytest.skip("COUNTERPROOF_PAGES names no folder")

def test_other() -> None:
    pytest.skip("only on another system")
"""


@pytest.mark.parametrize(("ci", "counts"), [("true", "1 failed, 2 skipped, 1 error"), ("", "4 skipped")])
def test_ci_fails_where_a_browser_or_store_test_is_skipped(tmp_path: Path, ci: str, counts: str) -> None:
    tests = tmp_path / "house" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(HOUSE / "pyproject.toml", tests.parent)
    shutil.copy(HOUSE / "tests" / "conftest.py", tests)
    (tests / "test_skippers.py").write_text(SKIPPERS, encoding="utf-8")
    pytest_ = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    ran = run(HOUSE / ".ci" / "cut", *pytest_, cwd=tests.parent, CI=ci, COUNTERPROOF_PAGES="")
    assert counts in ran.stdout.splitlines()[-1], ran.stdout + ran.stderr


def test_ci_fails_where_the_network_is_not_cut(tmp_path: Path) -> None:
    """A second loopback-like interface that is up is one too many."""
    script = "ip link add spy type dummy 2>/dev/null || ip link add spy type veth; ip link set spy up"
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    shutil.copy(HOUSE / "tests" / "conftest.py", tests)
    (tests / "test_nothing.py").write_text("def test_nothing() -> None: ...\n", encoding="utf-8")
    namespace = ("unshare", "--user", "--map-root-user", "--net", "sh", "-c", f'{script}; exec "$@"', "uncut")
    if run(*namespace, "true", PATH=f"{os.environ['PATH']}:/usr/sbin:/sbin").returncode != 0:
        pytest.skip("this system lets nobody make an interface")
    ran = run(
        *namespace, sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
        cwd=tmp_path, CI="true", PATH=f"{os.environ['PATH']}:/usr/sbin:/sbin",
    )  # fmt: skip
    assert ran.returncode == 1
    assert "the outside network is not cut: " in ran.stdout + ran.stderr
