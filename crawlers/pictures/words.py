"""Lines of text, by RapidOCR on ONNX Runtime (the extra `ocr`), with the models that its wheel brings."""

from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image

from crawlers.pictures.findings import Box, Line
from custody.digest import Digest

PACKAGE = "rapidocr"
RUNTIME = "onnxruntime"
BAND_HEIGHT = 1_600
"""Pixels. A whole page is looked at band by band: made small enough for one look, nobody could read it."""
OVERLAP = 160
"""Two bands share so much, so that a line cut by the one is whole in the other."""
MAX_WIDTH = 2_000
"""Pixels; a wider picture is made smaller, as the engine itself would."""
MAX_BANDS = 40
MAX_LINES = 5_000
SCRIPTS = ("Latin", "Han", "Hiragana", "Katakana")
"""What the model is for, as tried: others are not found, or come out as one of these (ISO 15924's names)."""
THREADS = 2
Look = Callable[[Image.Image, list[Line]], list[str]]


def prepare() -> tuple[dict[str, Any], Look]:
    """What the engine is, and the engine: it puts lines into a list, so that they stay when it runs out of time."""
    import numpy as np  # noqa: PLC0415  # an extra, as all here
    import rapidocr  # noqa: PLC0415

    read = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    # All models are loaded now, from the wheel, before memory is limited.
    read(np.full((64, 256, 3), 255, dtype=np.uint8))
    models = sorted((Path(rapidocr.__file__).parent / "models").glob("*.onnx"))
    engine = {
        "name": PACKAGE,
        "version": metadata.version(PACKAGE),
        "runtime": f"{RUNTIME} {metadata.version(RUNTIME)}",
        "language": str(read.cfg.Rec.lang_type.value),
        "scripts": list(SCRIPTS),
        "models": [{"name": each.name, "sha256": Digest.of(each.read_bytes()).hex} for each in models],
    }

    def look(picture: Image.Image, lines: list[Line]) -> list[str]:
        notes = []
        scale = min(1.0, MAX_WIDTH / picture.width)
        if scale < 1:
            picture = picture.resize((MAX_WIDTH, max(1, round(picture.height * scale))))
        every = list(bands(picture.height))
        if len(every) > MAX_BANDS:
            notes.append(f"text was looked for in its upper {every[MAX_BANDS - 1][1]} of {picture.height} rows")
        for top, bottom, owned_from, owned_to in every[:MAX_BANDS]:
            colours = np.asarray(picture.crop((0, top, picture.width, bottom)))[:, :, ::-1]  # it takes BGR, as OpenCV
            found = read(np.ascontiguousarray(colours))
            if found.boxes is None:
                continue
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
                middle = top + sum(float(y) for _, y in corners) / 4
                if owned_from <= middle < owned_to and len(lines) < MAX_LINES:
                    lines.append(Line(text=str(text), confidence=f"{score:.3f}", box=_box(corners, top, scale)))
        return notes

    return engine, look


def bands(height: int) -> Iterator[tuple[int, int, int, int]]:
    """Top and bottom row of each band, and from where to where lines with their middle there are its own."""
    top = 0
    while True:
        bottom = min(height, top + BAND_HEIGHT)
        last = bottom == height
        yield top, bottom, top + OVERLAP // 2 if top else 0, height if last else bottom - OVERLAP // 2
        if last:
            return
        top = bottom - OVERLAP


def _box(corners: Any, top: int, scale: float) -> Box:
    one, two, three, four = ((round(float(x) / scale), round((float(y) + top) / scale)) for x, y in corners)
    return one, two, three, four
