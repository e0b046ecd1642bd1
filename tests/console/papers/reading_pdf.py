"""The text of a PDF, as a search finds it: by its fonts' own maps to Unicode, with pikepdf alone."""

import re
from pathlib import Path
from typing import Any

import pikepdf

_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
_CHAR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")


def text_of(path: Path) -> str:
    """All pages, without white space at the ends of pieces: Chromium places words one by one."""
    with pikepdf.open(path) as pdf:
        return "\n".join(_page(each) for each in pdf.pages)


def _page(page: Any) -> str:
    found: list[str] = []
    _content(page, page.get("/Resources", {}), found)
    return "".join(found)


def _content(stream: Any, resources: Any, found: list[str]) -> None:
    maps: dict[str, dict[int, str]] = {}
    font = ""
    for each in pikepdf.parse_content_stream(stream):
        if not isinstance(each, pikepdf.ContentStreamInstruction):
            continue
        operands, name = each.operands, str(each.operator)
        if name == "Tf":
            font = str(operands[0])
            maps.setdefault(font, _map(resources.Font[font]))
        elif name in {"Tj", "TJ"}:
            pieces = operands[0] if name == "TJ" else [operands[0]]
            for piece in pieces:
                if isinstance(piece, pikepdf.String):
                    data = bytes(piece)
                    found.append(
                        "".join(maps[font].get(int.from_bytes(data[n : n + 2]), "") for n in range(0, len(data), 2))
                    )
        elif name == "Do":
            inner = resources.XObject[str(operands[0])]
            if inner.get("/Subtype") == "/Form":
                _content(inner, inner.get("/Resources", {}), found)
        elif name in {"ET", "T*"}:
            found.append("\n")


def _map(font: Any) -> dict[int, str]:
    if "/ToUnicode" not in font:
        return {}
    data = font.ToUnicode.read_bytes()
    found: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", data, re.DOTALL):
        for code, value in _CHAR.findall(block):
            found[int(code, 16)] = _text(value)
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", data, re.DOTALL):
        for first, last, value, listed in _RANGE.findall(block):
            start = int(first, 16)
            if listed:
                for n, each in enumerate(re.findall(rb"<([0-9A-Fa-f]+)>", listed)):
                    found[start + n] = _text(each)
            else:
                base = _text(value)
                for n in range(int(last, 16) - start + 1):
                    found[start + n] = base[:-1] + chr(ord(base[-1]) + n)
    return found


def _text(value: bytes) -> str:
    return bytes.fromhex(value.decode()).decode("utf-16-be")
