"""``counterproof case new`` and ``case edit``: what a case is about is written down, each change as a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from archive.brief import Brief
from archive.briefs import BriefLost, Version
from archive.cases import case_name
from archive.config import ArchiveConfig
from archive.errors import Refused, UsageError
from archive.result import Sealing
from archive.stewardship import retention
from archive.stewardship.describing import describe, refuse_disposed
from archive.stewardship.opening import Opened, open_desk
from archive.stewardship.retention import Kept
from archive.stewardship.survey import Survey
from console import briefsheet
from console.amending import Pictures, TypeOf, Wishes, amended, from_sheet
from console.exits import Exit
from console.screen import now, out, print_json, say
from custody.digest import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class _Before:
    """What there is to start from."""

    survey: Survey
    scope: str | None
    """None: the case is to be opened."""
    version: Version | None
    brief: Brief
    """Empty where nothing is described."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    scope: str
    version: Version
    changed: bool
    kept: Kept | None
    time: Sealing


def change(
    name: str, wishes: Wishes, config: ArchiveConfig, type_of: TypeOf, *, sheet: Path | None, new: bool, as_json: bool
) -> Exit:
    """Nothing is opened, stored or recorded before all that was asked for is known to be right."""
    name = case_name(name)
    pictures = Pictures(type_of=type_of, data={})
    with open_desk(config, clock=now, notify=say, by_person=True, first=new) as opened:
        before = _before(opened, name, new=new, again=sheet is not None)
        base = before.brief if sheet is None else _from_file(sheet, before, pictures)
        brief = amended(base, wishes, pictures)
        days = brief.retention_days
        if days is not None and days != before.brief.retention_days:
            retention.refuse_shorter(before.survey, before.scope or "", days, setting=config.retention_days)
        made = _record(opened, name, before, brief, pictures.data)
    _tell(name, made, as_json=as_json)
    return Exit.PARTIAL if made.kept is not None and (made.kept.missing or made.kept.unread) else Exit.OK


def _before(opened: Opened, name: str, *, new: bool, again: bool) -> _Before:
    """``again``: all of it is written anew, so that it need not be read."""
    survey, cases = opened.desk.survey(), opened.vault.cases
    if new:
        if cases.find(name) is not None:
            raise UsageError(
                f"there is a case {name!r} already: `case show` shows it, `case edit` changes what it says"
            )
        return _Before(survey=survey, scope=None, version=None, brief=Brief())
    scope = cases.resolve(name)
    refuse_disposed(survey, scope)
    version = next(reversed(opened.briefs.versions(scope)), None)
    try:
        brief = Brief() if version is None else opened.briefs.read(version).brief
    except BriefLost:
        if not again:
            raise
        brief = Brief()
    return _Before(survey=survey, scope=scope, version=version, brief=brief)


def _from_file(path: Path, before: _Before, pictures: Pictures) -> Brief:
    sheet = briefsheet.read(path)
    there = 0 if before.version is None else before.version.version
    if sheet.version is not None and sheet.version != there:
        raise Refused(
            f"{path} was written from version {sheet.version}, and this case has {there or 'none yet'}: somebody may "
            "have changed it since. Write the file anew with `case show --toml`, or take out its line `version`"
        )
    return from_sheet(before.brief, sheet, pictures)


def _record(opened: Opened, name: str, before: _Before, brief: Brief, pictures: Mapping[Digest, bytes]) -> _Made:
    scope, version = before.scope or opened.vault.open_case(name), before.version
    changed = version is None or brief != before.brief
    if version is None or changed:
        version = describe(
            opened.desk,
            opened.briefs,
            scope,
            brief,
            previous=version,
            scribe=opened.person_for(scope),
            pictures=pictures,
        )
    days, kept = brief.retention_days, None
    if days is not None and before.survey.days.get(scope, 0) < days:
        why = f"the case's brief, version {version.version}"
        kept = retention.retain(opened.desk, opened.desk.survey(), scope, days, why=why)
    return _Made(scope=scope, version=version, changed=changed, kept=kept, time=opened.stamp())


def _tell(name: str, made: _Made, *, as_json: bool) -> None:
    version, kept = made.version, made.kept
    if as_json:
        print_json(
            {
                "schema": 1,
                "case": name,
                "case_id": made.scope,
                "version": version.version,
                "index": version.index,
                "sha256": version.digest.hex,
                "changed": made.changed,
                "retention": None if kept is None else {"days": kept.days, "index": kept.index, "blobs": kept.blobs},
                "time": made.time.time,
                "time_detail": made.time.detail,
            }
        )
        return
    if made.changed:
        out.print(Text(f"case {name}: version {version.version}, recorded in leaf {version.index}", style="bold"))
    else:
        out.print(Text(f"case {name} says so already, in version {version.version}"))
    if kept is not None:
        out.print(Text(f"it is kept for {kept.days} days: {kept.blobs} blobs, recorded in leaf {kept.index}"))
