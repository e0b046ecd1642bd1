"""docs/add-a-platform.md, followed to the letter in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, environment
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

URL = "https://www.corner.example/p/4711"
PAGE = f"""<!doctype html><meta charset=utf-8><title>Corner</title><link rel=canonical href="{URL}">
<meta name=author content="Ann Author"><article class="post wide"><h1>Look at  this</h1>
<p>It is <a href="https://shop.example/x?tag=ann-20">there</a>.</p></article>
<footer><a href="/about">About</a></footer>"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts["www.corner.example"] = Host(name="www.corner.example", routes={"/p/4711": always(page(PAGE))})
    with made as running:
        yield running


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "add-a-platform.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_whoever_follows_it_has_a_platform_with_a_test(site: Site, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    listed = subprocess.run(
        ("git", "ls-files", "-co", "--exclude-standard", "-z"), cwd=ROOT, capture_output=True, check=False
    )
    names = [each for each in listed.stdout.decode().split("\0") if each] or [
        str(each.relative_to(ROOT)) for each in ROOT.rglob("*") if each.is_file() and ".state" not in each.parts
    ]
    for name in names:
        if (ROOT / name).is_file() and not name.startswith((".state/", ".venv/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    if (ROOT / ".state" / "browser").is_file():
        (copy / ".state").mkdir()
        shutil.copy2(ROOT / ".state" / "browser", copy / ".state" / "browser")

    def typed(line: str, *more: str) -> str:
        program, *words = line.split()
        module = {"scrapy": "scrapy", "counterproof": "console"}[program]
        ran = subprocess.run(
            [sys.executable, "-m", module, *words, *more],
            cwd=copy, env={**environment(), "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    save, see = (block.strip() for block in blocks("sh"))
    reaching = [word for each in site.resolve if "corner" in each for word in ("--resolve", each)]
    trusting = [word for each in site.trust_spki for word in ("--trust-spki", each)]
    typed(save, *reaching, *trusting)
    fixture = copy / "tests/fixtures/platforms/blog/corner-post"
    assert {each.name for each in fixture.iterdir()} == {"page.html", "page.json"}

    (code,) = blocks("python")
    (copy / "crawlers/platforms/corner.py").write_text(code, encoding="utf-8")
    (promised,) = (json.loads(each) for each in blocks("json"))
    read: dict[str, Any] = json.loads(typed(see))
    assert {"platform": read["platform"], "kind": read["kind"], "post_id": read["fields"]["post_id"]} == promised
    assert read["fields"] == {
        "post_id": "4711",
        "caption": "Look at this",
        "outbound_links": ["https://shop.example/x?tag=ann-20"],
        "author": "Ann Author",
    }
    assert read["seen"] == {"post_id": "embedded", "caption": "shown", "outbound_links": "shown", "author": "embedded"}
    without = see.partition(" --url")[0] + " --json"
    assert json.loads(typed(without))["platform"] == "corner"

    (fixture / "reading.json").write_text(json.dumps(read), encoding="utf-8")
    moved = copy / "tests/fixtures/platforms/corner/post"
    moved.parent.mkdir(parents=True, exist_ok=True)
    fixture.rename(moved)
    tried = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "tests/crawlers/test_platform_fixtures.py", "-k", "reads_as"],
        cwd=copy, env={**environment(), "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tried.returncode == 0, tried.stdout
    assert re.search(r"\d passed", tried.stdout)


def test_the_code_on_the_page_passes_our_own_checks(tmp_path: Path) -> None:
    (code,) = blocks("python")
    path = tmp_path / "corner.py"
    (tmp_path / "__init__.py").touch()
    path.write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
