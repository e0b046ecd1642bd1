"""The circumstances of a capture, told by the real command: clocks, addresses, programs, fonts, by digest."""

import hashlib
import json
import subprocess
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command import run, through
from tests.site.host import Answer, Host, always, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

PAGE = "<!doctype html><meta charset=utf-8><title>A page</title><h1>A page</h1><p>It has some words on it.</p>"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Any:
    site = Site()
    routes = {"/1": always(page(PAGE)), "/ip": always(Answer(body=b"203.0.113.77\n"))}
    site.hosts["www.first.example"] = Host(name="www.first.example", routes=routes)
    home = tmp_path_factory.mktemp("circumstances") / "home"
    asked = {"COUNTERPROOF_EGRESS_ADDRESS_URL": "https://www.first.example/ip?key=secret"}
    with site as running:
        ran = run(
            "capture", "https://www.first.example/1", "--case", "C-1", "--authority", "none", "--json",
            *through(running.resolve, running.trust_spki), home=home, env=asked,
        )  # fmt: skip
    assert ran.code == 0, ran.err
    shown = run("show", ran.captures[0]["id"], "--json", home=home)
    return json.loads(shown.out)["record"]


def test_the_sites_clock_stands_beside_ours_with_the_address_that_answered(record: Any) -> None:
    (answer,) = record["network"]["answers"]
    assert parsedate_to_datetime(answer["server_date"]).year >= 2026
    assert abs(answer["server_offset_s"]) <= 3  # one clock, read twice
    assert (answer["status"], answer["address"]) == (200, "127.0.0.1")
    assert answer["port"] == record["network"]["connections"][0]["connected_port"]
    assert answer["protocol"] in {"http/1.1", "h2"}


def test_the_browsers_own_file_is_named_by_its_digest(record: Any) -> None:
    found = record["environment"]["browser_file"]
    (binary,) = [
        path
        for folder in ("/usr/lib/chromium", "/opt", str(Path.home() / ".cache/ms-playwright"))
        for path in Path(folder).rglob(found["name"])
        if path.is_file() and path.stat().st_size == found["bytes"]
    ]
    with binary.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == found["sha256"]


def test_so_are_the_fonts(record: Any) -> None:
    fonts = record["environment"]["fonts"]
    listed = subprocess.run(("fc-list", "--format", "%{file}\n"), capture_output=True, text=True, check=True)
    assert fonts["files"] >= len(set(listed.stdout.split("\n")) - {""}) * 0.9  # a person's own are not the browser's
    assert len(fonts["sha256"]) == 64


def test_where_sites_see_us_come_from_is_what_the_service_said(record: Any) -> None:
    egress = record["environment"]["egress"]
    assert egress["address"] == "203.0.113.77"
    assert egress["asked"] == "https://www.first.example/ip"
    assert "secret" not in json.dumps(record)


def test_what_was_known_of_the_control_is_said(record: Any) -> None:
    assert record["environment"]["control"]["start"] in {"passed", "under way"}
