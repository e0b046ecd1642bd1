"""``counterproof redact``: a copy of a capture's picture in which boxes are black; the original stays as it is."""

import base64
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences

if TYPE_CHECKING:
    from archive.derivation import Derived
    from archive.reading import Box
    from custody.artifact import Artifact

_SLICE_PX, _WIDTH_PX = 1_700, 1_366
_NUMBERS, _MOST_TEXT = 4, 80


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def redact(
        self,
        capture_id: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture's id, or how it begins or ends.")],
        *,
        box: Annotated[
            list[str] | None,
            typer.Option("--box", metavar="X,Y,W,H", help="Pixels of the picture, from its upper left. Repeatable."),
        ] = None,
        picture: Annotated[
            str, typer.Option("--picture", metavar="NAME", help="Which of the capture's pictures.")
        ] = "screenshot.png",
        output: Annotated[
            Path | None, typer.Option("-o", "--output", metavar="DIR", help="Must not be there yet.")
        ] = None,
        suggest: Annotated[
            bool,
            typer.Option("--suggest", help="Make nothing: say where comments and their writers' names stand."),
        ] = False,
        pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="As PDF too.")] = True,
        record: Annotated[
            bool, typer.Option("--record/--no-record", help="Keep it beside the original, and say so in the log.")
        ] = True,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Black out names and comments of bystanders in a copy of a picture; the original is not touched.

        Nothing under a box is left in the copy: not in its pixels, not in metadata, and the PDF has no text of the
        page. The copy names its original by digest; it is stored beside it and told of in the log (`artifact.derived`),
        so that it is verified, held, exported and disposed of with the capture.

        --suggest says which words of the page are other people's, and, with the extra `ocr`, the boxes of the lines of
        the picture that have them. It suggests: look at the picture before, and at the copy after.

          counterproof redact 01a22964 --suggest

          counterproof redact 01a22964 --box 40,120,300,40 --box 40,200,300,40 -o redacted
        """
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            boxes = [_box(each) for each in box or ()]
            if suggest:
                _suggest(config, self._run(), capture_id, picture, as_json=as_json)
                return
            if output is None:
                raise UsageError("say where the copy is to go: -o DIR")
            if not boxes:
                raise UsageError("say what is to be blacked out: --box X,Y,W,H, in pixels of the picture (repeatable)")
            run = self._run()
            capture, original, data = _original(config, capture_id, picture)
            made = run.redact(data, boxes)
            derived = _recorded(config, capture, original, made, boxes) if record else None
            _write(
                run, output.expanduser(), capture, original=original, made=made, boxes=boxes, derived=derived, pdf=pdf
            )
            _tell(output, capture, original, made=made, derived=derived, pdf=pdf, as_json=as_json)


def _box(text: str) -> "Box":
    from archive.reading import Box

    parts = text.split(",")
    if len(text) > _MOST_TEXT or len(parts) != _NUMBERS or not all(_is_number(each.strip()) for each in parts):
        raise UsageError(f"a box is X,Y,W,H in whole pixels, such as 40,120,300,40; got {text[:60]!r}")
    x, y, width, height = (int(each) for each in parts)
    return Box(x=x, y=y, width=width, height=height)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _original(config: ArchiveConfig, text: str, name: str) -> tuple[str, "Artifact", bytes]:
    from console.kept import open_kept
    from custody.model import Role

    with open_kept(config) as kept:
        found = kept.record(text)
        pictures = [each for each in found.artifacts if each.role in {Role.SCREENSHOT, Role.VIEWPORT}]
        original = next((each for each in pictures if each.name == name), None)
        if original is None:
            there = ", ".join(each.name for each in pictures) or "none"
            raise UsageError(f"capture {found.capture_id} has no picture {name!r}; it has {there}")
        return found.capture_id, original, kept.blob(original.digest, original.bytes)


def _suggest(config: ArchiveConfig, run: ModuleType, text: str, name: str, *, as_json: bool) -> None:
    from archive.errors import SetupMissing
    from console.kept import document_of, open_kept, read_at

    capture, _, data = _original(config, text, name)
    with open_kept(config) as kept:
        record = kept.record(capture)
        document = document_of(record)
        page = b"" if document is None else kept.blob(document.digest, run.MAX_PAGE_BYTES)
    blocks = run.words_of_others(page, read_at(record) or "")
    found: list[Any] = []
    why = ""
    try:
        with run.Viewer(("text",)) as viewer:
            looked = viewer.look(data)["text"]
        width, height = (looked.shape.width, looked.shape.height) if looked.shape else (0, 0)
        found = run.suggest(looked.lines, blocks, width=width, height=height)
    except SetupMissing as error:
        why = f"without boxes: {str(error).partition('; or ask')[0]}"
    boxes = [",".join(str(each) for each in one.box.to_json().values()) for one in found]
    if as_json:
        said = [{"box": box, "words": one.words} for box, one in zip(boxes, found, strict=True)]
        print_json({"schema": 1, "capture": capture, "others": blocks, "boxes": said, "why": why or None})
        return
    for block in blocks:
        out.print(f"others   {' '.join(block.split())[:160]}", markup=False)
    for box, one in zip(boxes, found, strict=True):
        out.print(f"--box {box}    {one.words}", markup=False)
    say(why or f"{len(blocks)} texts of others, {len(boxes)} lines with their words: look at the picture yourself")


def _recorded(
    config: ArchiveConfig, capture: str, original: "Artifact", made: bytes, boxes: Sequence["Box"]
) -> "Derived":
    from archive import derivation
    from archive.stewardship.opening import open_desk

    with open_desk(config, clock=now, notify=say, by_person=False) as opened:
        derived = derivation.record(
            opened.desk, opened.desk.survey(), capture, original=original, data=made, boxes=boxes
        )
        if derived.index is not None:
            opened.stamp()
        return derived


def _write(
    run: ModuleType,
    output: Path,
    capture: str,
    *,
    original: "Artifact",
    made: bytes,
    boxes: Sequence["Box"],
    derived: "Derived | None",
    pdf: bool,
) -> None:
    from console.papers import delivery, pages
    from custody.digest import Digest

    with delivery.folder(output) as folder:
        delivery.write(folder / "redacted.png", made)
        if pdf:
            shots = [
                f"data:{each.media_type};base64,{base64.b64encode(each.data).decode()}"
                for each in run.slices(made, height=_SLICE_PX, width=_WIDTH_PX)
            ]
            data = pages.render(
                "redacted.html", capture=capture, original=original, digest=Digest.of(made), boxes=boxes, shots=shots,
                index=None if derived is None else derived.index,
            )  # fmt: skip
            run.print_pdf(
                {folder / "redacted.pdf": data}, left="REDACTED COPY · derived", right="", environment=os.environ
            )


def _tell(
    output: Path,
    capture: str,
    original: "Artifact",
    *,
    made: bytes,
    derived: "Derived | None",
    pdf: bool,
    as_json: bool,
) -> None:
    from custody.digest import Digest

    index = None if derived is None else derived.index
    if as_json:
        document: dict[str, Any] = {
            "schema": 1, "path": str(output), "files": ["redacted.png", *(["redacted.pdf"] if pdf else [])],
            "capture": capture, "of": {"name": original.name, "sha256": original.digest.hex},
            "sha256": Digest.of(made).hex, "index": index,
        }  # fmt: skip
        print_json(document)
        return
    recorded = "not recorded" if derived is None else "the log has it already" if index is None else f"entry {index}"
    out.print(f"{output / 'redacted.png'}  sha256 {Digest.of(made).hex}; {recorded}", markup=False)
    out.print(
        f"of {original.name} of capture {capture}, sha256 {original.digest.hex}, which stays as it is", markup=False
    )
