"""``make demo``: it must be able to end badly. That it ends well: ``test_demo_handed_over``."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.authority import LocalAuthority
from tests.site import demo
from tests.site.server import Site


def test_without_jq_the_script_is_not_tried_and_the_demo_says_why(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("openssl", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(tools))
    walk = demo.Demo(state=tmp_path, site=site, authority=LocalAuthority(tmp_path))
    tried: list[Sequence[str]] = []

    def shown(line: Sequence[str], *, quiet: bool = False) -> tuple[int, str]:  # noqa: ARG001
        tried.append(line)
        return 0, ""

    monkeypatch.setattr(demo.Demo, "shown", lambda _, line, **more: shown(line, **more))
    walk.hand_over()
    assert [line[0] for line in tried] == ["counterproof", "counterproof"]
    assert [ok for ok, _ in walk.verdict] == [True, None, True]
    demo.close(tmp_path, walk.verdict)
    told = capsys.readouterr().out
    assert "  --   the export checks without our program: not tried, jq not installed" in told
    assert "NO " not in told


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    assert demo.main(["--state", str(tmp_path)]) == 1
    assert (tmp_path / "diary.txt").read_text() == "mine"
    assert "did not make" in capsys.readouterr().err


def test_its_own_folder_is_wiped(tmp_path: Path) -> None:
    demo.clear(tmp_path / "demo")
    (tmp_path / "demo" / "capture.json").write_text("{}")
    demo.clear(tmp_path / "demo")
    assert not (tmp_path / "demo" / "capture.json").exists()


def test_one_bit_of_one_byte_is_flipped(tmp_path: Path) -> None:
    file = tmp_path / "shot.png"
    file.write_bytes(bytes(range(101)))
    file.chmod(0o400)
    at = demo.flip(file)
    changed = file.read_bytes()
    assert [n for n in range(101) if changed[n] != n] == [at]
    assert changed[at] ^ at == 1


def test_what_the_person_has_set_up_for_himself_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERPROOF_STORE_URL", "s3://mine/")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("COUNTERPROOF_BROWSER", "/opt/chromium")
    found = demo.environment(tmp_path)
    assert {name for name in found if name.startswith(("COUNTERPROOF_", "AWS_"))} == {
        "COUNTERPROOF_HOME",
        "COUNTERPROOF_BROWSER",
    }


def test_a_capture_without_a_screenshot_ends_the_demo(site: Site, tmp_path: Path) -> None:
    walk = demo.Demo(state=tmp_path, site=site, authority=LocalAuthority(tmp_path))
    with pytest.raises(demo.DemoFailed, match="no screenshot"):
        walk.tamper({"captures": [{"parent": None, "artifacts": [{"role": "dom"}]}]})


def _unit(site: Site, **changed: str) -> demo.Document:
    """A capture's JSON as the story wants it, but for what is changed in the listing."""
    hops = [{"n": n, "kind": "http", "status": status, "to": "x"} for n, status in enumerate((302, 301), 1)]
    common = {"unit": "u", "state": "sealed", "origin": "not_public", "status": "complete", "outcome": "ok"}
    post = common | {"requested_url": site.url("post"), "final_url": site.url("post"), "hops": []}
    end = common | {"requested_url": site.url("shortener"), "final_url": site.url("listing"), "hops": hops}
    return {"captures": [post, end | changed]}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, None),
        ({"unit": "other"}, 0),
        ({"final_url": "https://www.bazaroo.example/"}, 1),
        ({"state": "recorded"}, 2),
        ({"origin": "public"}, 3),
    ],
)
def test_a_capture_that_is_not_as_it_must_be_is_said(
    site: Site, tmp_path: Path, changed: dict[str, str], wrong: int | None
) -> None:
    walk = demo.Demo(state=tmp_path, site=site, authority=LocalAuthority(tmp_path))
    walk.check_capture(_unit(site, **changed))
    assert [n for n, (ok, _) in enumerate(walk.verdict) if not ok] == ([] if wrong is None else [wrong])
