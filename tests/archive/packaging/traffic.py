"""Small WARCs, and a package read back by the standard library alone."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = "https://shop.example/p/1"


def warc(
    *exchanges: tuple[str, str, str, bytes],
    at: str = "2026-03-04T05:06:07.123456Z",
    sent: bytes = b"",
    media_type: str = "",
    withheld: str = "",
) -> bytes:
    """Of method, address, status line and body; each as an answer and then its request, as a visit writes them.

    ``sent``: the body of every request, of ``media_type``. ``withheld``: what is said to be.
    """
    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
    for method, url, status, body in exchanges:
        headers = StatusAndHeaders(
            status, [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))], "HTTP/1.1"
        )
        said = {"WARC-Date": at}
        answer = writer.create_warc_record(
            url, "response", payload=io.BytesIO(body), http_headers=headers, warc_headers_dict=said
        )
        said = {"WARC-Date": at, "WARC-Concurrent-To": answer.rec_headers.get_header("WARC-Record-ID")}
        if withheld:
            said["WARC-Withheld"] = withheld
        heads = [("Host", "shop.example"), ("Content-Type", media_type), ("Content-Length", str(len(sent)))]
        asked = StatusAndHeaders(f"{method} / HTTP/1.1", heads if sent else heads[:1], is_http_request=True)
        question = writer.create_warc_record(
            url, "request", payload=io.BytesIO(sent), http_headers=asked, warc_headers_dict=said
        )
        for each in (answer, question):
            writer.write_record(each)
            each.raw_stream.close()
    return file.getvalue()


def page(body: bytes = b"<p>a page</p>") -> bytes:
    return warc(("GET", PAGE, "200 OK", body))


@dataclass(frozen=True)
class Opened:
    """A WACZ."""

    names: list[str]
    data: dict[str, bytes]
    moments: set[datetime]
    stored: bool

    @property
    def description(self) -> Any:
        return json.loads(self.data["datapackage.json"])

    @property
    def pages(self) -> list[Any]:
        return [json.loads(line) for line in self.data["pages/pages.jsonl"].decode().splitlines()]

    @property
    def index(self) -> list[tuple[str, str, Any]]:
        lines = [line.split(" ", 2) for line in self.data["indexes/index.cdx"].decode().splitlines()]
        return [(key, at, json.loads(told)) for key, at, told in lines]

    @property
    def list_sha256(self) -> str:
        """As ``sha256sum`` on the unpacked files."""
        lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(self.data.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def check(self) -> None:
        """Whatever the format asks of any of them."""
        assert self.names == sorted(self.names)
        assert all(name.count("/") <= 1 and "." in name.rpartition("/")[2] for name in self.names)
        assert self.stored
        assert len(self.moments) == 1
        listed = {each["path"]: each for each in self.description["resources"]}
        assert listed.keys() == self.data.keys() - {"datapackage.json", "datapackage-digest.json"}
        for path, each in listed.items():
            assert each["hash"] == f"sha256:{hashlib.sha256(self.data[path]).hexdigest()}"
            assert each["bytes"] == len(self.data[path])
        said = json.loads(self.data["datapackage-digest.json"])
        digest = hashlib.sha256(self.data["datapackage.json"]).hexdigest()
        assert said == {"path": "datapackage.json", "hash": f"sha256:{digest}"}


def unzipped(path: Path) -> Opened:
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
        return Opened(
            names=[each.filename for each in members],
            data={each.filename: file.read(each) for each in members},
            moments={datetime(*each.date_time) for each in members},  # noqa: DTZ001  # a zip's has no zone
            stored=all(each.compress_type == zipfile.ZIP_STORED for each in members),
        )
