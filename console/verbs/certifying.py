"""``counterproof certificates``: drafts of certifications, filled from the record alone, or the reasons why not."""

import os
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import Refused
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from console.verbs.reporting import NamedCaseOption, OutputOption

if TYPE_CHECKING:
    from console.papers.proffer import Proffer

_NAMED = 40


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def certificates(
        self,
        *,
        case: NamedCaseOption,
        output: OutputOption,
        specimen: Annotated[
            bool,
            typer.Option("--specimen", help="Draft even so: SPECIMEN on each page, and what the record lacks on top."),
        ] = False,
        pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="As PDF too.")] = True,
        record: Annotated[
            bool, typer.Option("--record/--no-record", help="Say in the log that it was drafted.")
        ] = True,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Draft certifications under FRE 902(13) and 902(14), a witness declaration, and a checklist: DOCX and PDF.

        Every sentence and figure in them comes from the record of the frozen exhibits, whose files are hashed again for
        it; what only a person can say is left blank, and DRAFT stands on each page. Where the record lacks what a
        certification needs (trusted time, a public origin, control captures, files as they were recorded …) nothing is
        drafted, and each thing that lacks is named. The program signs nothing, and is no legal advice.

          counterproof exhibits freeze --case acme
          counterproof certificates --case acme -o drafts

        Exit codes: 0 drafted, 8 refused, with what lacks.
        """
        from console.papers import blocks, certifying, checking, checklist, delivery, proffer
        from console.papers.casefile import open_casefile
        from console.papers.numbering import need
        from console.verbs.exhibits import register_of

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            with open_casefile(config, case, at=now()) as file:
                register = need(register_of(file), case)
                say("the archive is verified, and the exhibits' files are hashed again")
                said = proffer.proffered(file, register, checking.verdict_of(file))
                lacks = list(proffer.lacking(said))
                if lacks and not specimen:
                    _refuse(lacks, as_json=as_json)
                papers = certifying.papers(said, lacks, specimen=specimen)
                papers.append(checklist.paper(said, papers[0].mark))
                with delivery.folder(output.expanduser()) as folder:
                    for each in papers:
                        delivery.write(folder / f"{each.name}.docx", blocks.to_docx(each, file.at))
                    if pdf:
                        prints = {folder / f"{each.name}.pdf": blocks.to_html(each) for each in papers}
                        mark = papers[0].mark
                        self._run().print_pdf(prints, left=mark, right=f"{mark} · case {case}", environment=os.environ)
                    files = {each.name: each.read_bytes() for each in sorted(folder.iterdir())}
                    index = _record(config, said, files, lacks, specimen=specimen) if record else None
            if as_json:
                print_json({
                    "schema": 1, "path": str(output), "files": list(files), "exhibits": len(said.pieces),
                    "specimen": specimen, "lacking": lacks, "index": index,
                })  # fmt: skip
            else:
                for name in files:
                    out.print(str(output / name), markup=False)
                out.print(f"{papers[0].mark}: {len(said.pieces)} exhibits; blanks are for whoever signs", markup=False)


def _refuse(lacks: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        code = int(Exit.POLICY)
        print_json({"schema": 1, "error": "the record lacks what a certification needs", "kind": "Refused",
                    "lacking": list(lacks), "exit_code": code})  # fmt: skip
        raise typer.Exit(code)
    for each in lacks[:_NAMED]:
        say(f"lacks: {each}")
    if len(lacks) > _NAMED:
        say(f"and {len(lacks) - _NAMED} more: --json has all")
    raise Refused(
        f"nothing was drafted: the record lacks {len(lacks)} things that a certification needs, as told above; "
        "--specimen shows what a draft would look like, and is not for signing"
    )


def _record(
    config: ArchiveConfig, said: "Proffer", files: dict[str, bytes], lacks: Sequence[str], *, specimen: bool
) -> int:
    """``certificate.drafted``: the digests of what was drafted, and never the documents."""
    from archive.stewardship.opening import open_desk
    from custody.digest import Digest
    from custody.instant import format_utc

    listed: list[dict[str, Any]] = [
        {"name": name, "sha256": Digest.of(data).hex, "bytes": len(data)} for name, data in files.items()
    ]
    with open_desk(config, clock=now, notify=say, by_person=False) as opened:
        scribe = opened.vault.scribe_for(said.file.scope)
        subject = scribe.detail(
            "certificate.json",
            {
                "scope": said.file.scope,
                "documents": listed,
                "exhibits": [each.exhibit.number for each in said.pieces],
                "verdict": said.verdict.word,
                "checked_at": format_utc(said.file.at),
                "lacking": list(lacks),
            },
        )
        body = {"documents": len(listed), "exhibits": len(said.pieces), "specimen": specimen}
        envelope = scribe.event("certificate.drafted", chain=f"work:{said.file.scope}", subject=subject, body=body)
        index = opened.desk.log.append([envelope])[0].index
        opened.stamp()
        return index
