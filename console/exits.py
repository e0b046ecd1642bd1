"""Exit codes: a public promise (docs/cli.md)."""

from enum import IntEnum

from archive.errors import (
    ArchiveError,
    DiskError,
    KeyFileError,
    LogError,
    NotTaken,
    Refused,
    SetupMissing,
    StoreError,
    UsageError,
)
from archive.result import Result
from custody.errors import CustodyError
from custody.model import Outcome, Status


class Exit(IntEnum):
    """What the command leaves with."""

    OK = 0
    """Everything was recorded and is complete; a captured 404 or login wall is complete."""
    DOES_NOT_HOLD = 1
    """``verify`` only."""
    USAGE = 2
    PARTIAL = 3
    """Something is missing of at least one capture, one waits in the inbox, a control capture did not pass, or a unit
    was not packed; the rest was recorded."""
    TARGET_FAILED = 4
    """At least one page that was asked for could not be had. Links that were followed never cause this."""
    LOST = 5
    """Evidence of at least one capture did not reach the log."""
    STORE = 6
    """Store, disk or key: nothing could be done, or (``verify``) nothing could be checked."""
    SETUP = 7
    """A program that we need is not installed."""
    POLICY = 8
    """A rule forbids it: an address, ``--robots obey``, a hold, a lock, a retention that was set."""
    INTERRUPTED = 130


def of_error(error: ArchiveError | CustodyError) -> Exit:
    if isinstance(error, UsageError):
        return Exit.USAGE
    if isinstance(error, Refused):
        return Exit.POLICY
    if isinstance(error, SetupMissing):
        return Exit.SETUP
    if isinstance(error, NotTaken):
        return Exit.PARTIAL
    if isinstance(error, (StoreError, DiskError, KeyFileError, LogError)):
        return Exit.STORE
    return Exit.STORE


def of_result(result: Result, *, whole: bool = True) -> Exit:
    """The gravest that applies: interrupted, lost, a store or disk that gave out, failed, refused, partial.

    ``whole``: whatever else was asked for was made, such as a package of each unit.
    """
    if result.interrupted:
        return Exit.INTERRUPTED
    if result.lost:
        nothing_begun = not (result.captures or result.unchanged) and all(
            each.of_store and each.stage == "start" for each in result.lost
        )
        return Exit.STORE if nothing_begun else Exit.LOST
    if result.trouble:
        return Exit.STORE
    asked = [each for each in result.captures if each.parent is None]
    failed = [each for each in asked if each.status is Status.FAILED]
    if any(each.outcome is not Outcome.REFUSED_BY_POLICY for each in failed):
        return Exit.TARGET_FAILED
    if failed:
        return Exit.POLICY
    if (
        not whole
        or result.submitted
        or not result.controlled
        or any(each.status is Status.PARTIAL for each in result.captures)
    ):
        return Exit.PARTIAL
    return Exit.OK
