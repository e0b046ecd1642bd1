"""What the evidence does not prove, in words that a declaration can use; and what of this case was not checked."""

from collections.abc import Iterator

from console.papers import words
from console.papers.casefile import CaseFile, Look
from custody.model import Origin

ALWAYS: tuple[str, ...] = tuple(words.limits("always"))


def of_case(file: CaseFile) -> Iterator[str]:
    """What this case lacks, where it lacks something."""
    looks = list(file.looks.values())
    with_record = [each for each in looks if each.record is not None]
    untimed = [each for each in with_record if each.dated.bracket.not_after is None]
    if untimed:
        yield (
            f"NO TRUSTED TIME: for {_captures(len(untimed))} no authority says when at the latest; "
            "the machine's own clock is the only witness."
        )
    unbegun = [each for each in with_record if each.dated.bracket.not_before is None]
    if unbegun:
        yield f"For {_captures(len(unbegun))} no authority says when at the earliest they were begun."
    for origin, (name, said) in _ORIGINS.items():
        if number := sum(each.record is not None and each.record.origin is origin for each in looks):
            yield f"{name}: {_captures(number)}. {said}"
    if lacking := [each for each in looks if each.trouble and each.entry.status != "unchanged"]:
        yield (
            f"{_captures(len(lacking)).capitalize()} could not be read for this paper: "
            + "; ".join(f"{each.id} ({each.trouble})" for each in lacking[:_MAX_NAMED])
            + ("; …" if len(lacking) > _MAX_NAMED else ".")
        )
    if partial := [each for each in with_record if each.record is not None and each.record.missing]:
        yield f"Of {_captures(len(partial))} a part is missing, as each says."
    if number := sum(1 if each.received is None else len(each.received.files) for each in file.receipts):
        files = "One file of this case was" if number == 1 else f"{number} files of this case were"
        yield (
            f"{files} handed over by others, and not captured by this program: custody begins at receipt, and what was "
            "before is the word of whom they came from."
        )
    if not file.trust.authorities:
        yield "The trust file names no time-stamp authority."
    if not any("look_id" in each.logged.event.body for each in file.deeds):
        yield (
            "No look of this case was made by a schedule: what was looked at is what somebody asked for, "
            "and what links from there led to."
        )


def of_look(look: Look) -> Iterator[str]:
    """What one capture lacks, or says against itself."""
    record = look.record
    if record is None:
        yield f"not shown: {look.trouble}"
        return
    if record.origin is not Origin.PUBLIC:
        yield f"origin {record.origin.value}: " + "; ".join(record.origin_reasons[:6])
    for each in record.missing:
        yield f"missing {each.role}: {each.reason}"
    if look.trouble:
        yield look.trouble


def _captures(number: int) -> str:
    return "one capture" if number == 1 else f"{number} captures"


_ORIGINS = {
    Origin.NOT_PUBLIC: ("NOT PUBLIC", words.limit("not_public")),
    Origin.UNVERIFIED: ("UNVERIFIED ORIGIN", words.limit("unverified")),
}
_MAX_NAMED = 20
