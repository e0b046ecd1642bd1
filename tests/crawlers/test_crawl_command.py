"""`scrapy crawl case` leaves with what it came to: silence and a 0 would hide that evidence was lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from archive.errors import KeyFileError, SetupMissing, StoreDown, UsageError
from archive.result import Result
from crawlers.commands.crawl import code_of
from tests.command import ROOT, environment
from tests.console.results import captured, lost, result


class Spider:
    """As much of one as the command looks at."""

    def __init__(self, came: Result | None = None, failure: Exception | None = None) -> None:
        self.result = came
        self.failure = failure


@pytest.mark.parametrize(
    ("spider", "code"),
    [
        (Spider(result(captured())), 0),
        (Spider(result(captured(), lost=(lost(),))), 5),
        (Spider(result(captured(), trouble="the disk is full")), 6),
        (Spider(failure=UsageError("x")), 2),
        (Spider(failure=SetupMissing("x")), 7),
        (Spider(failure=StoreDown("x")), 6),
        (Spider(failure=KeyFileError("x")), 6),
        (Spider(), 0),
        (object(), 0),
    ],
)
def test_the_code_says_what_was_lost(spider: object, code: int) -> None:
    assert code_of(spider) == code


def crawl(home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "case", "-a", "url=https://a.example/", "-a", "case=x"],
        cwd=ROOT, env={**environment(), "COUNTERPROOF_HOME": str(home), **more}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def test_a_crawl_that_could_not_begin_says_so_and_leaves_with_a_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    ran = crawl(tmp_path / "home", COUNTERPROOF_STORE_URL=f"file:{tmp_path / 'file'}")
    assert ran.returncode == 6
    assert "nothing was looked at" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_deployment_that_leaves_its_store_open_is_refused(tmp_path: Path) -> None:
    ran = crawl(tmp_path / "home", SCRAPY_PROJECT="production")
    assert ran.returncode != 0
    assert "COUNTERPROOF_STORE_URL" in ran.stderr
    assert not list(tmp_path.iterdir())


def test_a_crawl_of_watches_wants_a_case_and_finds_nothing_due(tmp_path: Path) -> None:
    def watch(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", "watch", *more],
            cwd=ROOT,
            env={**environment(), "COUNTERPROOF_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    refused = watch()
    assert refused.returncode == 2
    assert "-a case=NAME" in refused.stderr
    nothing = watch("-a", "case=bracelets")
    assert nothing.returncode == 0, nothing.stderr
    assert not (tmp_path / "home" / "keys").exists()  # nothing was opened for nothing


def test_scrapy_lists_both() -> None:
    lists = [sys.executable, "-m", "scrapy", "list"]
    ran = subprocess.run(lists, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["case", "watch"]
