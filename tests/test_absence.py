"""The command at a page that is not there: a second look, a control of the same host, and what it comes to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Ran, run, through
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]

HERE = "https://www.first.example"
WORDS = "<p>It has some words on it, so that it is a page as others are.</p>"
PAGE = f"<!doctype html><meta charset=utf-8><title>A page</title><h1>A page</h1>{WORDS}"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    routes = {"/there": always(page(PAGE)), "/gone": always(page(PAGE, status=404))}
    made.hosts["www.first.example"] = Host(name="www.first.example", routes=routes)
    with made as running:
        yield running


def capture(site: Site, home: Path, *options: str) -> Ran:
    ran = run(
        "capture", f"{HERE}/gone", "--case", "G-1", "--authority", "none", "--json", "--no-control",
        *through(site.resolve, site.trust_spki), *options, home=home,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return ran


@pytest.mark.slow
def test_it_is_gone_where_two_looks_and_a_control_say_so(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = capture(site, home, "--look-again", "11", "--control-page", f"{HERE}/there")
    first = ran.capture_of(f"{HERE}/gone")
    assert first["absence"]["gone"] is True
    assert first["absence"]["apart_s"] >= 11
    assert first["absence"]["control"] == "shown"
    again = {each["via"]["where"]: each for each in ran.captures if each["parent"] == first["id"]}
    assert again.keys() == {"again", "control"}
    assert (again["again"]["outcome"], again["control"]["outcome"]) == ("http_error", "ok")
    assert {each["unit"] for each in ran.captures} == {first["id"]}
    shown = run("show", first["id"], "--json", home=home).document
    assert shown["absence"] == first["absence"]
    assert shown["record"]["session"]["absence"] == {"control_page": f"{HERE}/there", "look_again_s": 11}
    assert run("verify", home=home).code == 0


@pytest.mark.slow
def test_without_a_control_nothing_is_concluded(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = capture(site, home, "--look-again", "1")
    first = ran.capture_of(f"{HERE}/gone")
    assert first["absence"] == {
        "gone": False, "looks": 2, "apart_s": first["absence"]["apart_s"], "control": "no control",
        "why": first["absence"]["why"],
    }  # fmt: skip
    shown = run("show", first["id"], home=home).out
    assert "absence   not there in 2 looks" in shown
    record = run("show", first["id"], "--json", home=home).document["record"]
    assert record["session"]["absence"] == {"control_page": "no control", "look_again_s": 1}
