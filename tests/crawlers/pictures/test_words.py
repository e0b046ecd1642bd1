"""Text in pictures, by the real engine. It is an extra of its own (`make ocr`): skipped where it is not; CI has it."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from crawlers.pictures import viewing
from crawlers.pictures.viewing import Viewer
from tests.crawlers.pictures.drawing import LINK, file_of, poster, with_code

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("rapidocr") is None and "CI" not in os.environ, reason="RapidOCR is not installed: make ocr"
    ),
]


@pytest.fixture(scope="module")
def viewer() -> Iterator[Viewer]:
    with Viewer(("codes", "text")) as made:
        yield made


def test_lines_have_text_box_and_confidence_and_the_models_are_named(viewer: Viewer) -> None:
    looks = viewer.look(file_of(with_code(poster("SPAR20", "Anzeige 1.029,90 EUR"), LINK, (20, 200))))
    said = {line.text: line for line in looks["text"].lines}
    assert {"SPAR20", "Anzeige 1.029,90 EUR"} <= said.keys()
    first, second = said["SPAR20"], said["Anzeige 1.029,90 EUR"]
    assert float(first.confidence) > 0.8
    assert first.box[2][1] < second.box[0][1] + 10  # the one is above the other
    assert 10 < first.box[0][0] < 30
    assert [each.text for each in looks["codes"].codes] == [LINK]
    engine = looks["text"].engine
    assert engine["name"] == "rapidocr"
    models = engine["models"]
    assert isinstance(models, list)
    assert len(models) == 3


def test_a_whole_page_is_read_band_by_band_with_no_line_twice(viewer: Viewer) -> None:
    lines = [f"line number {n:02d}" for n in range(55)]
    seen = viewer.look(file_of(poster(*lines, size=(500, 3_400))))["text"]
    assert seen.done
    assert [each.text for each in sorted(seen.lines, key=lambda line: line.box[0][1])] == lines
    assert 3_200 < seen.lines[-1].box[0][1] < 3_400  # in rows of the page, not of a band


def test_what_is_no_picture_costs_nothing(viewer: Viewer) -> None:
    for data in (b"", b"GIF89a", b"<svg/>", file_of(poster("x"))[:200]):
        assert not viewer.look(data)["text"].lines


def test_an_engine_that_runs_out_of_time_gives_the_lines_it_had() -> None:
    page = file_of(poster(*(f"line {n}" for n in range(490)), size=(900, 29_500)))
    with Viewer(("text",), seconds={"text": 4.0}) as hurried:
        seen = hurried.look(page)["text"]
    assert not seen.done
    assert len(seen.lines) < 490
    assert any("time" in each or "did not end" in each for each in seen.notes)


def test_its_process_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook is the one that each engine's process has."""
    hooks: list[object] = []
    monkeypatch.setattr(sys, "addaudithook", hooks.append)
    viewing.shut_in()
    (hook,) = hooks
    assert callable(hook)
    for event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn", "os.system"):
        with pytest.raises(PermissionError):
            hook(event, ())
    hook("open", ("a", "r", 0))
