"""``counterproof subject``: what is held on an account or a person, case by case, and what for."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.text import Text

from archive.catalog import Entry
from archive.errors import NotStored, StoreError, UsageError
from archive.holdings import MAX_READING_BYTES, MAX_TEXT_BYTES
from archive.purpose import may_look
from archive.reading import Reading
from console.kept import Kept
from console.screen import now, out
from custody.instant import format_utc
from custody.model import Json, Role

FIELDS = ("handle", "author", "account_id", "channel_id", "user_id", "seller", "seller_id", "seller_legal_name")
"""Of readings: whose page it is, and who sells."""
_LEAST = 3
MAX_CAPTURES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One capture, and how it is about whom was asked for."""

    entry: Entry
    found_as: tuple[str, ...]
    """Fields of its reading, ``address``, or ``words``: it is only mentioned."""

    def to_json(self) -> dict[str, Json]:
        each = self.entry
        return {
            "id": each.capture_id,
            "unit": each.unit,
            "url": each.final_url or each.requested_url,
            "at": format_utc(each.started_at),
            "status": each.status,
            "outcome": each.outcome,
            "found_as": list(self.found_as),
        }


@dataclass(kw_only=True, slots=True)
class Matter:
    """One case in which something is held."""

    scope: str
    name: str
    purpose: str
    legal_basis: str
    review_by: str | None
    overdue: bool
    held: list[Held] = field(default_factory=list)

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.scope,
            "name": self.name,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "review_by": self.review_by,
            "overdue": self.overdue,
            "captures": [each.to_json() for each in self.held],
        }


def find(kept: Kept, text: str) -> tuple[list[Matter], dict[str, str]]:
    """By case; and, by capture, why it could not be looked through. Raises ``UsageError``."""
    wanted = name_of(text)
    matters: list[Matter] = []
    unread: dict[str, str] = {}
    known: dict[str, tuple[str, ...]] = {}
    for case in kept.reader.cases.all():
        matter = _matter(kept, case.scope, case.name)
        for entry in reversed(kept.catalog.captures(case=case.name, limit=MAX_CAPTURES)):
            if entry.disposed_at is not None:
                continue
            if entry.capture_id not in known:
                try:
                    known[entry.capture_id] = _found_as(kept, entry, wanted)
                except (NotStored, StoreError) as error:
                    unread[entry.capture_id] = str(error)
                    known[entry.capture_id] = _in_address(entry, wanted)
            if known[entry.capture_id]:
                matter.held.append(Held(entry=entry, found_as=known[entry.capture_id]))
        if matter.held:
            matters.append(matter)
    return matters, unread


def name_of(text: str) -> str:
    """A handle, with or without ``@``; the last part of an address; or a name. Raises ``UsageError``."""
    given = text.strip()
    if "://" in given:
        parts = [each for each in unquote(urlsplit(given).path).split("/") if each]
        given = parts[-1] if parts else ""
    wanted = " ".join(given.removeprefix("@").split()).casefold()
    if len(wanted) < _LEAST:
        raise UsageError(f"name a handle, a profile's address or a name of {_LEAST} characters at least")
    return wanted


def document(text: str, matters: Sequence[Matter], unread: dict[str, str]) -> dict[str, Any]:
    return {
        "schema": 1,
        "subject": name_of(text),
        "cases": [each.to_json() for each in matters],
        "captures": sum(len(each.held) for each in matters),
        "unread": unread,
    }


def tell(text: str, matters: Sequence[Matter], unread: dict[str, str]) -> None:
    for line in _lines(text, matters, unread):
        out.print(line)


def _lines(text: str, matters: Sequence[Matter], unread: dict[str, str]) -> Iterator[Text]:
    for matter in matters:
        yield Text(f"case {matter.name}: {len(matter.held)} captures", style="bold")
        yield Text(f"  purpose  {matter.purpose or 'nobody has written it down'}")
        yield Text(f"  basis    {matter.legal_basis or 'nobody has written it down'}")
        late = ": OVERDUE" if matter.overdue else ""
        yield Text(f"  review   {matter.review_by or 'no day is set'}{late}", style="yellow" if late else "")
        for each in matter.held:
            told = each.to_json()
            yield Text(f"  {told['at']}  {told['id']}  {each.entry.status or 'open'}  {told['url']}")
            yield Text(f"    as {', '.join(each.found_as)}", style="dim")
    for capture, why in unread.items():
        yield Text(f"not looked through: {capture}: {why}", style="yellow")
    total = sum(len(each.held) for each in matters)
    yield Text(f"{name_of(text)!r}: {total} captures in {len(matters)} cases", style="bold")


def _matter(kept: Kept, scope: str, name: str) -> Matter:
    version = kept.catalog.brief_of(scope)
    gone = kept.catalog.brief_disposed(scope)
    brief = None if version is None or gone else kept.reader.briefs.read(version).brief
    standing = may_look(brief, now())
    return Matter(
        scope=scope,
        name=name,
        purpose="" if brief is None else brief.purpose,
        legal_basis="" if brief is None else brief.legal_basis,
        review_by=None if brief is None or brief.review_by is None else brief.review_by.isoformat(),
        overdue=not standing.allowed,
    )


def _found_as(kept: Kept, entry: Entry, wanted: str) -> tuple[str, ...]:
    found = list(_in_address(entry, wanted))
    if entry.record_sha256 is None:
        return tuple(found)
    artifacts = {each.role: each for each in reversed(kept.catalog.artifacts(entry.capture_id))}
    reading = artifacts.get(Role.READING)
    if reading is not None:
        found += _in_reading(kept.blob(reading.digest, MAX_READING_BYTES), wanted)
    if not found and (words := artifacts.get(Role.TEXT)) is not None:
        text = kept.blob(words.digest, MAX_TEXT_BYTES).decode("utf-8", "replace").casefold()
        if wanted in text:
            found.append("words")
    return tuple(found)


def _in_address(entry: Entry, wanted: str) -> tuple[str, ...]:
    for url in (entry.requested_url, entry.final_url or ""):
        parts = [each.removeprefix("@").casefold() for each in unquote(urlsplit(url).path).split("/")]
        if wanted in parts:
            return ("address",)
    return ()


def _in_reading(data: bytes, wanted: str) -> list[str]:

    try:
        fields = Reading.of_json(json.loads(data)["reading"]).fields
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    return [
        name
        for name in FIELDS
        if isinstance(value := fields.get(name), (str, int))
        and " ".join(str(value).removeprefix("@").split()).casefold() == wanted
    ]
