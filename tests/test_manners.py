"""The command and the hosts that it visits: one page of a host at a time, and a rest in between."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command import run, through
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]

PAGE = "<!doctype html><meta charset=utf-8><title>A page</title><h1>A page</h1><p>It has some words on it.</p>"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    for name in ("www.first.example", "www.second.example"):
        made.hosts[name] = Host(name=name, routes={each: always(page(PAGE)) for each in ("/1", "/2", "/3")})
    with made as running:
        yield running


def test_one_at_a_time_they_are_looked_at_in_the_order_of_asking(site: Site, tmp_path: Path) -> None:
    asked = ("first.example/1", "first.example/2", "second.example/3", "first.example/3", "second.example/1")
    urls = [f"https://www.{each}" for each in asked]
    ran = run(
        "capture", *urls, "--case", "M-1", *through(site.resolve, site.trust_spki), "--concurrency", "1",
        "--no-control", "--authority", "none", "--progress", "json", "--json", home=tmp_path / "home",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    steps = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    assert [each["url"] for each in steps if each["step"] == "start"] == urls


def at(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


@pytest.mark.slow
def test_a_host_is_let_rest_and_another_need_not_wait(site: Site, tmp_path: Path) -> None:
    urls = [f"https://www.first.example/{n}" for n in (1, 2)] + ["https://www.second.example/1"]
    options = (
        "--delay",
        "4",
        "--per-host",
        "1",
        "--concurrency",
        "3",
        "--no-control",
        "--progress",
        "json",
        "--authority",
        "none",
    )
    ran = run(
        "capture", *urls, "--case", "M-1", *through(site.resolve, site.trust_spki), *options, "--json",
        home=tmp_path / "home",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    steps = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    told = {(each["step"], each["url"]): at(each) for each in steps}
    first, second = sorted(urls[:2], key=lambda url: told["start", url])
    assert (told["start", second] - told["snapshot", first]).total_seconds() >= 4
    assert ("waiting", second) in told
    assert ("waiting", urls[2]) not in told
    assert told["start", urls[2]] < told["snapshot", first]
