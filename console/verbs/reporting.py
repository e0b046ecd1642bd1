"""``counterproof report``: a case as people read it."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences

if TYPE_CHECKING:
    from custody.verdict import Verdict

OutputOption = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Must not be there yet.")]
NamedCaseOption = Annotated[str, typer.Option("--case", metavar="NAME", help="The case.")]
CheckOption = Annotated[
    bool, typer.Option("--check/--no-check", help="Verify the case's evidence first, so that the paper can say so.")
]
SignOption = Annotated[
    Path | None,
    typer.Option(
        "--sign", metavar="FILE.p12", help="Sign the PDFs by this key; its password: COUNTERPROOF_PDF_KEY_PASSWORD."
    ),
]
_EVERY = 10


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def report(
        self,
        *,
        case: NamedCaseOption,
        output: OutputOption,
        promotion: Annotated[
            list[str] | None,
            typer.Option("--promotion", metavar="ID", help="Only this one, by its id or how it begins. Repeatable."),
        ] = None,
        pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Print it as PDF too.")] = True,
        check: CheckOption = True,
        translations: Annotated[
            Path | None,
            typer.Option("--translations", metavar="FILE", help="CSV with sha256, kind (aid or certified), by, text."),
        ] = None,
        sign: SignOption = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write a case's report as HTML and PDF: what was seen, where, when, and what it rests on.

        It tells of the promotions as `findings` recorded them last, each on a spread: the post, the way, the listing,
        what was observed with its passage marked, times with who says so, digests, origin. Behind them: of how many
        looks these are, what is not proved, and every custody event. The report is derived; the captures are the
        evidence. The PDF is tagged and can be searched.

          counterproof findings acme
          counterproof report --case acme -o report

        Exit codes: 0 written, 1 written, and the archive does not hold (the report says so), 2 usage, 6 the store, 7
        no browser to print with.
        """
        from console.papers import checking, delivery, report, signature
        from console.papers.casefile import open_casefile
        from console.papers.seen import seen_of
        from console.papers.spreads import Studio

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            run = self._run()
            said = delivery.translations(translations)
            with open_casefile(config, case, at=now()) as file:
                shown = report.chosen(file, promotion or [])
                verdict = checking.verdict_of(file) if check else None
                with delivery.folder(output.expanduser()) as folder:
                    studio = Studio(file=file, cutter=run, translations=said, seen=seen_of(file))
                    data = report.render(studio, shown, verdict, program=run.code(), tell=_progress)
                    delivery.write(folder / "report.html", data)
                    _warn(sorted(said.keys() - studio.translated))
                    signed = None
                    if pdf:
                        say("printing")
                        run.print_pdf(
                            {folder / "report.pdf": data},
                            left=_left(file),
                            right=f"case {case}",
                            environment=os.environ,
                        )
                        if sign is not None:
                            signed = signature.sign([folder / "report.pdf"], sign, os.environ)
                    sizes = {each.name: each.stat().st_size for each in sorted(folder.iterdir())}
            code = code_of(verdict)
            if as_json:
                print_json({
                    "schema": 1, "path": str(output), "files": sizes, "promotions": len(shown),
                    "verdict": None if verdict is None else verdict.word, "signed_by": signed, "exit_code": int(code),
                })  # fmt: skip
            else:
                _tell(output, sizes, len(shown), verdict, signed)
        raise typer.Exit(code)


def code_of(verdict: "Verdict | None") -> Exit:
    """A paper is written whatever the verdict, and says it; whoever runs the command is told as well."""
    if verdict is None or verdict.holds:
        return Exit.OK
    return Exit.STORE if verdict.word == "could not check" else Exit.DOES_NOT_HOLD


def _left(file: Any) -> str:
    from console.papers.report import warnings

    return (
        " · ".join(each.partition(":")[0].partition(" over")[0] for each in warnings(file)) or "derived from captures"
    )


def _warn(unused: list[str]) -> None:
    for digest in unused:
        say(f"no passage of this report has the sha256 {digest}: what was given as its translation is not in it")


def _progress(done: int, total: int) -> None:
    if done % _EVERY == 0 and total > _EVERY:
        say(f"{done} of {total} promotions")


def _tell(output: Path, sizes: dict[str, int], shown: int, verdict: "Verdict | None", signed: str | None) -> None:
    from console.telling import counted

    for name, size in sizes.items():
        out.print(f"{output / name}  {size} bytes", markup=False)
    checked = "not checked" if verdict is None else f"checked now: {verdict.word}"
    out.print(f"{counted(shown, 'promotion')}; {checked}" + (f"; signed by {signed}" if signed else ""), markup=False)
