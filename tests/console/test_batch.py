"""A list that is run again goes on where it stopped."""

from pathlib import Path

from console.batch import Batch

URLS = ["https://a.example/", "https://b.example/", "https://c.example/"]


def done(directory: Path, case: str = "one", urls: list[str] = URLS) -> frozenset[str]:
    return Batch.open(directory, case=case, urls=urls).done


def test_what_was_recorded_is_remembered_by_list_and_case(tmp_path: Path) -> None:
    Batch.open(tmp_path, case="one", urls=URLS).record(URLS[0])
    assert done(tmp_path) == {URLS[0]}
    assert done(tmp_path, case="two") == frozenset()
    assert done(tmp_path, urls=URLS[:1]) == frozenset()


def test_a_complete_list_begins_anew(tmp_path: Path) -> None:
    batch = Batch.open(tmp_path, case="one", urls=URLS)
    for url in URLS:
        batch.record(url)
    batch.complete()
    assert done(tmp_path) == frozenset()


def test_a_torn_line_is_a_capture_that_is_made_again(tmp_path: Path) -> None:
    Batch.open(tmp_path, case="one", urls=URLS).record(URLS[0])
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '{"url": "https://b.exam')
    again = Batch.open(tmp_path, case="one", urls=URLS)
    assert again.done == {URLS[0]}
    again.record(URLS[1])  # lands on the torn line
    again.record(URLS[2])
    assert done(tmp_path) == {URLS[0], URLS[2]}
