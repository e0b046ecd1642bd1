"""Exit codes are a public promise."""

import pytest

from archive.errors import ArchiveError, DiskError, KeyFileError, LogRollback, SetupMissing, StoreDown, UsageError
from archive.result import Result
from console.exits import Exit, of_error, of_result
from custody.model import Outcome, Status
from tests.console.results import captured, lost, result


@pytest.mark.parametrize(
    ("came", "code"),
    [
        (result(captured(), captured(2)), 0),
        (result(captured(outcome=Outcome.HTTP_ERROR, http_status=404)), 0),
        (result(captured(outcome=Outcome.LOGIN_WALL)), 0),
        (result(captured(status=Status.PARTIAL)), 3),
        (result(captured(), captured(2, status=Status.PARTIAL)), 3),
        (result(captured(status=Status.FAILED, outcome=Outcome.DNS_ERROR)), 4),
        (result(captured(), captured(2, status=Status.FAILED, outcome=Outcome.DNS_ERROR)), 0),
        (result(captured(status=Status.FAILED, outcome=Outcome.REFUSED_BY_POLICY)), 8),
        (result(captured(), lost=(lost(),)), 5),
        (result(captured(), lost=(lost(of_store=True),)), 5),
        (result(lost=(lost(stage="start", of_store=True),)), 6),
        (result(lost=(lost(stage="start"),)), 5),
        (result(captured(), interrupted=True), 130),
        (result(captured(), trouble="the disk is full"), 6),
        (result(captured(status=Status.FAILED, outcome=Outcome.DNS_ERROR), trouble="the disk is full"), 6),
        (result(captured(), lost=(lost(),), trouble="the disk is full"), 5),
    ],
)
def test_the_gravest_decides(came: Result, code: int) -> None:
    assert of_result(came) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (SetupMissing("x"), 7),
        (StoreDown("x"), 6),
        (DiskError("x"), 6),
        (KeyFileError("x"), 6),
        (LogRollback("x"), 6),
    ],
)
def test_every_error_has_a_code(error: ArchiveError, code: int) -> None:
    assert of_error(error) == code


def test_the_codes_themselves_stay() -> None:
    assert {each.name: int(each) for each in Exit} == {
        "OK": 0, "DOES_NOT_HOLD": 1, "USAGE": 2, "PARTIAL": 3, "TARGET_FAILED": 4, "LOST": 5, "STORE": 6, "SETUP": 7,
        "POLICY": 8, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("passed", "passed", Exit.OK),
        ("off", "off", Exit.OK),
        ("passed", "failed", Exit.PARTIAL),
        ("not_made", "passed", Exit.PARTIAL),
    ],
)
def test_a_control_that_did_not_pass_is_told_by_the_code(start: str, end: str, code: Exit) -> None:
    controls = {"start": {"result": start}, "end": {"result": end}}
    assert of_result(result(captured(), controls=controls)) is code
