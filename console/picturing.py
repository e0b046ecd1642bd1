"""``counterproof pictures``: codes and lines of text in pictures, of files or of what captures kept."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.text import Text

from archive import disk
from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.kept import Kept, files_among, open_kept
from console.screen import out
from custody.digest import Digest
from custody.model import Json, Role
from custody.record import Record

ENGINES = ("codes", "text")


@dataclass(slots=True)
class Picture:
    """One picture and every place where it was kept."""

    name: str
    data: bytes = field(repr=False)
    """At most one byte more than are read; the digest is of all."""
    digest: Digest
    where: list[dict[str, Json]]


def pictures(asked: Sequence[str], config: ArchiveConfig, run: ModuleType, *, only: str | None, as_json: bool) -> None:
    """``asked``: files, or ids of captures. ``run`` is ``crawlers.run``, handed in. Raises UsageError before any."""
    if only is not None and only not in ENGINES:
        raise UsageError(f"--only is codes or text, not {only}")
    files = files_among(asked)
    wanted = ENGINES if only is None else (only,)
    with ExitStack() as stack:
        viewer = stack.enter_context(run.Viewer(wanted))
        kept: Kept | None = None
        for text, file in zip(asked, files, strict=True):
            if file is not None:
                found = iter((_of_file(text, file, run),))
            else:
                kept = kept or stack.enter_context(open_kept(config))
                found = _of_capture(kept, text, run)
            for each in found:
                _tell(each, run.together(viewer.look(each.data)), as_json=as_json)


def _of_file(text: str, path: Path, run: ModuleType) -> Picture:
    limit: int = run.MAX_PICTURE_BYTES
    with disk.trouble(path), path.open("rb") as file:
        data = file.read(limit + 1)
        file.seek(0)
        digest, _ = Digest.of_stream(file)
    return Picture(name=text, data=data, digest=digest, where=[{"file": text}])


def _of_capture(kept: Kept, text: str, run: ModuleType) -> Iterator[Picture]:
    """Each picture once, however often it was kept: what the program took of the page first, then the page's own."""
    record = kept.record(text)
    found: dict[Digest, Picture] = {}
    for each in _pictures_of(kept, record, run):
        if (before := found.get(each.digest)) is None:
            found[each.digest] = each
        else:
            before.where += each.where
    yield from found.values()


def _pictures_of(kept: Kept, record: Record, run: ModuleType) -> Iterator[Picture]:
    limit: int = run.MAX_PICTURE_BYTES

    def picture(data: bytes, digest: Digest, **where: Json) -> Picture:
        place = {"capture": record.capture_id, "page": record.final_url or record.requested_url, **where}
        return Picture(name=record.capture_id, data=data, digest=digest, where=[place])

    for each in record.artifacts:
        if each.media_type.lower().startswith("image/"):
            yield picture(kept.blob(each.digest, limit), each.digest, role=str(each.role), artifact=each.name)
    for each in record.artifacts:
        if each.role == Role.WARC:
            with kept.file(each.digest) as stream:
                for answer in run.traffic.pictures(stream):
                    place = {"artifact": each.name, "url": answer.url, "record": answer.record}
                    yield picture(answer.data, answer.digest, **place)


def _tell(picture: Picture, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        told = {"input": picture.name, "sha256": picture.digest.hex, "where": picture.where, **found}
        out.file.write(json.dumps(told, ensure_ascii=False) + "\n")
        out.file.flush()
        return
    for line in _lines(picture, found):
        out.print(line)


def _lines(picture: Picture, found: dict[str, Any]) -> Iterator[Text]:
    place = picture.where[0]
    name = place.get("url") or place.get("artifact") or place.get("file")
    size = f", {found['width']} x {found['height']} {found['format']}" if found["format"] else ""
    yield Text(f"{name}: sha256 {picture.digest.hex}{size}", style="bold")
    for code in found["codes"]:
        yield Text(f"  {code['format']:<10} {code['text']}  {_at(code['box'])}")
    for line in found["text"]:
        yield Text(f"  text {line['confidence']} {line['text']}  {_at(line['box'])}")
    for link in found["links"]:
        yield Text(f"  link       {link['href']}  [in the picture alone; not followed]")
    for note in found["notes"]:
        yield Text(f"  note: {note}", style="yellow")


def _at(box: Sequence[Sequence[int]]) -> str:
    (left, top), (right, bottom) = box[0], box[2]
    return f"[{left},{top} to {right},{bottom}]"
