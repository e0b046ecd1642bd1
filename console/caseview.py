"""``counterproof case show`` and ``case list``: what cases say of themselves, for people, programs and editors."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from archive.brief import Brief
from archive.briefs import BriefLost, Briefs, Described, Version
from archive.cases import Case, case_name
from archive.config import ArchiveConfig
from archive.errors import UsageError
from archive.purpose import zone_of
from archive.reader import open_reader
from archive.stewardship.survey import Survey
from console import briefsheet
from console.screen import now, out, print_json, say
from custody.instant import format_utc
from custody.model import Json

_NOTHING = "nothing is described yet: counterproof case edit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A case, as far as it can be read."""

    name: str
    scope: str
    units: int
    days: int | None
    """For which ``retention.set`` keeps it; None: as long as the setting says."""
    versions: list[Version]
    read: Described | None
    trouble: str
    """Why the version that is shown cannot be read."""

    @property
    def brief(self) -> Brief:
        return Brief() if self.read is None else self.read.brief

    def overdue(self, at: datetime) -> bool:
        """Whether the day of its review has gone by, where the case is."""
        return self.brief.review_by is not None and at.astimezone(zone_of(self.brief)).date() > self.brief.review_by

    def row(self, at: datetime) -> dict[str, Json]:
        brief = self.brief
        return {
            "case": self.name,
            "case_id": self.scope,
            "title": brief.title,
            "matter": brief.matter,
            "units": self.units,
            "version": self.versions[-1].version if self.versions else None,
            "retention_days": self.days,
            "review_by": None if brief.review_by is None else brief.review_by.isoformat(),
            "overdue": self.overdue(at),
            "trouble": self.trouble or None,
        }


def show(config: ArchiveConfig, name: str, number: int | None, *, as_json: bool, as_toml: bool) -> None:
    if as_json and as_toml:
        raise UsageError("--json or --toml, not both")
    with open_reader(config) as reader:
        scope = reader.cases.resolve(name)
        briefs, survey = reader.briefs, Survey.of(reader.log)
        shown = _shown(Case(scope, case_name(name)), survey, briefs, briefs.versions(scope), number)
    if as_toml:
        if shown.trouble:
            raise UsageError(shown.trouble)
        version = None if shown.read is None else shown.read.version
        sys.stdout.write(briefsheet.write(shown.brief, case=shown.name, version=version))
    elif as_json:
        print_json(_document(shown))
    else:
        for text, style in _told(shown):
            out.print(Text(text, style=style))


def list_(config: ArchiveConfig, *, as_json: bool) -> None:
    with open_reader(config) as reader:
        briefs, survey = reader.briefs, Survey.of(reader.log)
        versions = briefs.all()
        found = [_shown(each, survey, briefs, versions.get(each.scope, []), None) for each in reader.cases.all()]
    at = now()
    if as_json:
        print_json({"schema": 1, "cases": [each.row(at) for each in found]})
        return
    for each in found:
        out.print(Text(_summary(each, at), style="yellow" if each.overdue(at) else ""))
    if not found:
        say("there is no case yet: counterproof case new NAME --title … --term …")


def _shown(case: Case, survey: Survey, briefs: Briefs, versions: list[Version], number: int | None) -> Shown:
    read, trouble = None, ""
    try:
        if number is not None:
            read = briefs.version(case.scope, number)
        elif versions:
            read = briefs.read(versions[-1])
    except BriefLost as error:
        told = survey.disposal(case.scope)
        trouble = str(error) if told is None else f"what it said of itself was disposed of (leaf {told.index})"
    return Shown(
        name=case.name,
        scope=case.scope,
        units=len(set(survey.members.get(case.scope, ()))),
        days=survey.days.get(case.scope),
        versions=versions,
        read=read,
        trouble=trouble,
    )


def _document(shown: Shown) -> dict[str, Json]:
    read = shown.read
    return {
        "schema": 1,
        **shown.row(now()),
        "brief": None if read is None else read.brief.to_json(),
        "shown": None if read is None else read.version,
        "versions": [
            {"version": each.version, "at": format_utc(each.at), "index": each.index, "sha256": each.digest.hex}
            for each in shown.versions
        ],
    }


def _summary(shown: Shown, at: datetime) -> str:
    words = [f"{shown.name:<24}"]
    words.append(f"version {shown.versions[-1].version}" if shown.versions else "not described")
    words.append(f"{shown.units} units")
    words.append("kept as the setting says" if shown.days is None else f"kept for {shown.days} days")
    if shown.brief.review_by is not None:
        words.append(f"review by {shown.brief.review_by}{': OVERDUE' if shown.overdue(at) else ''}")
    return "  ".join([*words, shown.trouble or shown.brief.title]).rstrip()


def _told(shown: Shown) -> Iterator[tuple[str, str]]:
    yield f"case      {shown.name}  (in the log {shown.scope})", "bold"
    kept = "as long as the setting says" if shown.days is None else f"for {shown.days} days"
    yield f"holds     {shown.units} units, kept {kept}", ""
    if shown.trouble:
        yield f"TROUBLE   {shown.trouble}", "red"
    elif shown.read is None:
        yield f"          {_NOTHING} {shown.name!r} --title … --term …", "yellow"
    else:
        yield from _described(shown, shown.read)
    for each in shown.versions:
        yield f"version   {each.version}, {format_utc(each.at)}, leaf {each.index}", ""


def _described(shown: Shown, read: Described) -> Iterator[tuple[str, str]]:
    brief: Any = read.brief
    if read.version != len(shown.versions):
        yield f"SHOWN     version {read.version}, which is not the newest", "yellow"
    for label, text in (("title", brief.title), ("matter", brief.matter)):
        if text:
            yield f"{label:<10}{text}", ""
    for each in brief.terms:
        forms = f"; also {', '.join(each.forms)}" if each.forms else ""
        yield f"{each.kind.value:<10}{each.text}{forms}", ""
    for each in brief.prices:
        yield f"price     {each.term}: {each.amount:f} {each.currency}", ""
    for label, texts in (("mark", brief.registrations), ("seller", brief.authorised)):
        yield from ((f"{label:<10}{each}", "") for each in texts)
    for name, number in brief.thresholds.items():
        yield f"threshold {name} {number:f}", ""
    for each in brief.pictures:
        yield f"picture   {each.name}, {each.media_type}, {each.bytes} bytes  {each.note}".rstrip(), ""
    for label, text in (("purpose", brief.purpose), ("basis", brief.legal_basis), ("zone", brief.timezone)):
        yield from ((f"{label if n == 0 else '':<10}{part}", "") for n, part in enumerate(text.splitlines()))
    if brief.review_by is not None:
        late = shown.overdue(now())
        yield f"review    by {brief.review_by}{': OVERDUE' if late else ''}", "yellow" if late else ""
