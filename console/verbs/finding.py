"""``counterproof findings`` and ``graph``: what the captures of a case say together."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import Refused, UsageError
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.model import Json

if TYPE_CHECKING:
    from archive.briefs import Described
    from archive.filing import Basis, Outcome
    from console.dossier import Dossier
    from findings.finding import Found
    from findings.matter import Matter

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's name.")]
MAX_CAPTURES = 1_000_000
_EVERY = 100
"""Captures between two lines of progress."""


class Form(StrEnum):
    JSON = "json"
    GRAPHML = "graphml"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One pass over a case."""

    scope: str
    described: "Described | None"
    matter: "Matter"
    dossier: "Dossier"
    found: "Found"
    basis: "Basis"


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def findings(
        self,
        case: CaseArgument,
        *,
        record: Annotated[
            bool, typer.Option("--record/--no-record", help="Put what is new into the log, or only print it.")
        ] = True,
        pictures: Annotated[
            bool, typer.Option("--pictures/--no-pictures", help="Compare the pictures of posts, buttons and listings.")
        ] = True,
        candidates: Annotated[bool, typer.Option("--candidates", help="List the candidates too.")] = False,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Find a case's promotions: who showed what, when, and where the link led; and what was observed of each.

        Recomputed from the archive with today's readers and rules; nothing is fetched. A promotion is a post that
        points at a listing: by a link in its words, by the number or code on a button, by a picture, or by the only
        link there is. Other links that a reader could have taken are candidates, for a person to decide. Observations
        say what was seen and where; none is a verdict. What changed since the last time is recorded beside what stood
        there, with the reason.

          counterproof case edit acme --term Cartier --term "Love bracelet"
          counterproof findings acme
        """
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            with _worked(config, case, self._run(), pictures=pictures, record=record) as work:
                outcome = _file(config, work) if record else None
            if as_json:
                print_json(_document(case, work, outcome, candidates=candidates))
                return
            _tell(work, outcome, candidates=candidates)

    def graph(
        self,
        case: CaseArgument,
        *,
        form: Annotated[
            Form, typer.Option("--format", metavar="json|graphml|csv", help="What it is written as.")
        ] = Form.JSON,
        output: Annotated[
            Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; stdout else.")
        ] = None,
        pictures: Annotated[
            bool, typer.Option("--pictures/--no-pictures", help="Compare the pictures of posts, buttons and listings.")
        ] = True,
        force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
        home: HomeOption = None,
        store: StoreOption = None,
    ) -> None:
        """Draw a case's graph: accounts, posts, hubs, links, listings, sellers, tags; each edge with its captures.

        GraphML is read by Gephi, yEd, Cytoscape and NetworkX; CSV is one edge a line.

          counterproof graph acme --format graphml -o acme.graphml
        """
        from archive import disk
        from findings import graph as drawing

        with sentences(as_json=False):
            if output is not None and output.exists() and not force:
                raise UsageError(f"{output} is there already: name another, or add --force")
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            with _worked(config, case, self._run(), pictures=pictures) as work:
                drawn = drawing.graph_of(work.found.promotions, work.found.leads, work.dossier.pages)
            if form is Form.GRAPHML:
                data = drawing.to_graphml(drawn)
            elif form is Form.CSV:
                data = drawing.to_csv(drawn).encode("utf-8", "replace")
            else:
                import json

                data = (json.dumps(drawing.to_json(drawn), ensure_ascii=False, indent=2) + "\n").encode(
                    "utf-8", "replace"
                )
            if output is None:
                out.file.write(data.decode())
            else:
                with disk.trouble(output):
                    output.write_bytes(data)
                say(f"{output}: {len(drawn.nodes)} nodes, {len(drawn.links)} edges")


@contextmanager
def _worked(
    config: ArchiveConfig, case: str, run: ModuleType, *, pictures: bool, record: bool = False
) -> Iterator[Work]:
    from archive.filing import Basis
    from console.dossier import open_dossier, references_of
    from console.kept import open_kept
    from custody.digest import Digest
    from findings.finding import find
    from findings.matter import Matter
    from findings.resembling import ByPrint

    code = run.code()
    with open_kept(config) as kept:
        scope = kept.reader.cases.resolve(case)
        if record and kept.catalog.brief_disposed(scope):
            raise Refused(
                "what was written down about this case was disposed of, and nothing more is: look with --no-record"
            )
        version = kept.catalog.brief_of(scope)
        gone = kept.catalog.brief_disposed(scope)
        described = None if version is None or gone else kept.reader.briefs.read(version)
        entries = list(reversed(kept.catalog.captures(case=case, limit=MAX_CAPTURES)))
        caches = config.home / "cache"
        dossier = open_dossier(kept, entries, run, caches, pictures=pictures, tell=_progress)
        matter = Matter.of(described, references_of(kept, described, run, caches, tell=say) if pictures else ())
        resembles = ByPrint(matter.picture_distance) if pictures else None
        found = find(dossier.pages, matter, run.ADDRESSES, resembles)
        records = "\n".join(sorted(each.record.hex for each in dossier.pages))
        brief: dict[str, Json] | None = None
        if described is not None:
            brief = {"version": described.version, "sha256": described.digest.hex}
        basis = Basis(**code, brief=brief, captures_sha256=Digest.of(records.encode()).hex, pictures=pictures)
        yield Work(scope=scope, described=described, matter=matter, dossier=dossier, found=found, basis=basis)


def _file(config: ArchiveConfig, work: Work) -> "Outcome":
    from archive import filing
    from archive.stewardship.opening import open_desk

    made = [filing.Made(id=name, record=record, under=under) for name, record, under in work.found.records(work.matter)]
    with open_desk(config, clock=now, notify=say, by_person=False) as opened:
        before = filing.newest(opened.desk.reader, opened.desk.store, work.scope)
        return filing.file(
            made,
            len(work.found.leads),
            work.basis,
            before=before,
            scope=work.scope,
            scribe=opened.vault.scribe_for(work.scope),
            log=opened.desk.log,
        )


def _progress(done: int, total: int) -> None:
    if done % _EVERY == 0 or (done == total and total > _EVERY):
        say(f"{done} of {total} captures read")


def _document(case: str, work: Work, outcome: "Outcome | None", *, candidates: bool) -> dict[str, Any]:
    from archive.filing import digest_of

    def filed(name: str) -> dict[str, Any] | None:
        if outcome is None:
            return None
        each = outcome.records[name]
        replaces = None if each.replaces is None else each.replaces.hex
        return {"in": each.made_in.hex, "replaces": replaces, "why": list(each.why)}

    return {
        "schema": 1,
        "case": {"id": work.scope, "name": case, **work.basis.to_json()},
        "captures": len(work.dossier.pages),
        "unread": work.dossier.unread,
        "in_part": work.dossier.in_part,
        "promotions": [
            {
                **record,
                "sha256": digest_of(record).hex,
                "under": under if outcome is None else dict(outcome.records[name].under),
                "filed": filed(name),
            }
            for name, record, under in work.found.records(work.matter)
        ],
        "candidates": [each.to_json() for each in work.found.leads] if candidates else len(work.found.leads),
        "recorded": None
        if outcome is None
        else {
            "index": outcome.index,
            "sha256": outcome.digest.hex,
            "new": outcome.new,
            "changed": outcome.changed,
            "gone": outcome.gone,
        },
    }


def _tell(work: Work, outcome: "Outcome | None", *, candidates: bool) -> None:
    from console.telling import sentences_of, told

    for _, record, _ in work.found.records(work.matter):
        for line in (*told(record, listed=True), *sentences_of(record)):
            out.print(line)
        out.print("")
    if candidates:
        for lead in work.found.leads:
            where = lead.end.url if lead.end else lead.edges[-1].href or "no address"
            label = " ".join(lead.edges[-1].text.split())[:60]
            out.print(Text(f"candidate  {lead.reason}  “{label}”  {where}  [of {lead.post.url}]"))
    for capture, why in work.dossier.unread.items():
        out.print(Text(f"not read   {capture}: {why}", style="yellow"))
    for capture, why in work.dossier.in_part.items():
        out.print(Text(f"in part    {capture}: {why}", style="yellow"))
    out.print(Text(_closing(work, outcome), style="bold"))
    if work.described is None:
        say("this case asks for no terms yet: `counterproof case edit NAME --term TERM`, then run this again")


def _closing(work: Work, outcome: "Outcome | None") -> str:
    from console.telling import counted

    promotions, leads = len(work.found.promotions), len(work.found.leads)
    told = (
        f"{counted(promotions, 'promotion')} and {counted(leads, 'candidate')} in "
        f"{counted(len(work.dossier.pages), 'capture')}"
    )
    if outcome is None:
        return f"{told}; not recorded"
    if not outcome.is_new:
        return f"{told}; as recorded before (entry {outcome.index}): nothing new"
    parts = [
        f"{n} {word}" for n, word in ((outcome.new, "new"), (outcome.changed, "changed"), (outcome.gone, "gone")) if n
    ]
    return f"{told}; recorded as entry {outcome.index}: {', '.join(parts)}"
